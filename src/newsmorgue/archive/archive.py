"""The archive: store, spool and catalogue together; where bytes are, and what makes a commit durable."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsmorgue import __version__
from newsmorgue.archive import schema
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.catalogue import Catalogue, next_number
from newsmorgue.archive.events import VersionAdded
from newsmorgue.archive.journal import Place, unpack_entry
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.spool import JOURNAL_SUFFIX, WARC_SUFFIX, Spool, SpoolFile, object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.warc import FORMAT, RecordWriter, StoredRecord, read_record
from newsmorgue.errors import Busy, IntegrityFailure, MalformedRecord, MissingObject, NotYetStored
from newsmorgue.times import iso, microseconds

OPEN, SEALING, SEALED = "open", "sealing", "sealed"
COMPACTING, REPLACED = "compacting", "replaced"


@dataclass(frozen=True, slots=True)
class Limits:
    """When an open WARC is sealed: at a size in bytes, or at an age; and when a crawl must wait.

    ``spool`` is how many bytes the spool may hold while the store is away, ``reserve`` how many the spool's disk must
    have free.
    """

    size: int = 256 * 2**20
    age: timedelta = timedelta(hours=24)
    spool: int = 20 * 2**30
    reserve: int = 256 * 2**20


class Archive:
    """Everything that is kept, and where."""

    def __init__(
        self, store: Store, catalogue: Catalogue, spool: Spool, limits: Limits, host: str | None = None
    ) -> None:
        self.store = store
        self.catalogue = catalogue
        self.spool = spool
        self.limits = limits
        self.host = host or socket.gethostname()
        self.place = f"{self.host}:{spool.folder}"

    def close(self) -> None:
        """Let go of the catalogue."""
        self.catalogue.close()

    # -- writing ---------------------------------------------------------------------------------------------

    def create_file(self, source: str, now: datetime, info: dict[str, str]) -> SpoolFile:
        """A new open WARC of a source, beginning with its ``warcinfo`` record, and its journal."""
        with self.catalogue.write() as connection:
            file = self.spool.create(source, now, next_number(connection, "files"))
            about = {"software": f"newsmorgue/{__version__}", **FORMAT, **info}
            file.append_warc(RecordWriter().warcinfo(f"{file.name}{WARC_SUFFIX}", iso(now), about))
            file.sync_warc()
            self.insert_file(connection, file, OPEN, microseconds(now))
        return file

    def insert_file(self, connection: sa.Connection, file: SpoolFile, state: str, opened_at: int) -> None:
        """The row of a file in this machine's spool, at its present lengths."""
        values = {"name": file.name, "host": self.host, "state": state, "opened_at": opened_at}
        lengths = {"warc_length": file.warc_length, "journal_length": file.journal_length}
        source = file.warc_path.parent.name
        connection.execute(sa.insert(schema.files).values(source=source, **values, **lengths))

    def must_be_sealed(self, file: SpoolFile, now: datetime) -> bool:
        """Whether an open file has reached its size or age."""
        with self.catalogue.read() as connection:
            opened = self.row_of(connection, file.name).opened_at
        return file.warc_length >= self.limits.size or microseconds(now) - opened >= self.limits.age / timedelta(
            microseconds=1
        )

    def row_of(self, connection: sa.Connection, name: str) -> Any:
        """The catalogue's row of a file in the spool.

        Raises :class:`Busy` where another machine built the catalogue anew meanwhile, from what it could see.
        """
        row = connection.execute(sa.select(schema.files).where(schema.files.c.name == name)).first()
        if row is None:
            raise Busy(
                f"{name}: the catalogue does not know this file any more, so somebody has built it anew; run the same "
                "command again, and what is in the spool is taken over"
            )
        return row

    def shortage(self) -> str | None:
        """Why nothing more should be captured now: the spool is at its limit, or its disk nearly full. Else None."""
        held = self.spool.size()
        if held > self.limits.spool:
            return f"spool {self.spool.folder} holds {held:,} bytes, over its limit of {self.limits.spool:,}"
        free = shutil.disk_usage(self.spool.existing_folder()).free
        if free < self.limits.reserve:
            return (
                f"the disk of {self.spool.folder} has {free:,} bytes left, under the reserve of {self.limits.reserve:,}"
            )
        return None

    @contextmanager
    def commit(self, file: SpoolFile, now: datetime) -> Iterator[Ledger]:
        """One commit: WARC bytes durable, then journal bytes, then the rows with both files' lengths.

        After an exception the file must be closed and adopted anew: only the catalogue knows how much of it holds.
        Raises :class:`IntegrityFailure` where that was not done.
        """
        file.sync_warc()
        with self.catalogue.write() as connection:
            self.require_settled(connection, file)
            ledger = Ledger(connection, file, next_number(connection, "commits"), now)
            yield ledger
            file.sync_journal()
            self._store_lengths(connection, file)

    def require_settled(self, connection: sa.Connection, file: SpoolFile) -> int:
        """The WARC's committed length, if no failed commit left events in the journal, and no disk lost any.

        Else :class:`IntegrityFailure`: such events would come back with the next reindex, though no row has them.
        """
        row = self.row_of(connection, file.name)
        if row.journal_length != file.journal_length or row.warc_length > file.warc_length:
            raise IntegrityFailure(
                f"{file.name}: holds {file.warc_length} bytes of WARC and {file.journal_length} of journal, where "
                f"{row.warc_length} and {row.journal_length} are committed; run the same command again to mend it"
            )
        return int(row.warc_length)

    def _store_lengths(self, connection: sa.Connection, file: SpoolFile) -> None:
        lengths = {"warc_length": file.warc_length, "journal_length": file.journal_length}
        connection.execute(sa.update(schema.files).where(schema.files.c.name == file.name).values(**lengths))

    # -- reading ---------------------------------------------------------------------------------------------

    def read_capture(self, capture: Capture) -> StoredRecord:
        """A capture's record, as it stands."""
        where = f"{capture.warc}{WARC_SUFFIX}@{capture.offset}"
        return read_record(self.read_bytes(capture.warc, WARC_SUFFIX, capture.offset, capture.length), where)

    def read_rendering(self, capture: Capture) -> bytes | None:
        """The DOM that a browser made of a captured page, as UTF-8; None where none did."""
        member, where = self.rendering_member(capture)
        return read_record(member, where).block if member else None

    def rendering_member(self, capture: Capture) -> tuple[bytes, str]:
        """The gzip member of the record with that DOM, and where it stands; empty where there is none."""
        c = schema.renderings.c
        query = sa.select(schema.renderings).where(c.warc == capture.warc, c.offset == capture.offset)
        with self.catalogue.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return b"", ""
        where = f"{row.dom_warc}{WARC_SUFFIX}@{row.dom_offset}"
        return self.read_bytes(row.dom_warc, WARC_SUFFIX, row.dom_offset, row.dom_length), where

    def read_text(self, place: Place) -> VersionAdded:
        """The journal's event that holds a version's text (a renewed text has the same fields)."""
        where = f"{place.journal}{JOURNAL_SUFFIX}@{place.offset}"
        event = unpack_entry(self.read_bytes(place.journal, JOURNAL_SUFFIX, place.offset, place.length), where).event
        if not hasattr(event, "article"):
            raise MalformedRecord(
                f"{where}: holds a '{event.type}' event where a text was expected; run 'morgue verify'"
            )
        return event  # type: ignore[return-value]

    def read_bytes(self, name: str, suffix: str, offset: int, length: int) -> bytes:
        """A range of a WARC or journal, wherever it lies now.

        A file leaves the spool only when it stands in the store: so spool first, then store, never misses it. Raises
        :class:`NotYetStored` or :class:`MissingObject`.
        """
        local = self._read_spool(name, suffix, offset, length)
        if local is not None:
            return local
        keys = object_keys(name)
        try:
            return self.store.get_range(keys.warc if suffix == WARC_SUFFIX else keys.journal, offset, length)
        except MissingObject:
            moved = self._moved(name)
            if moved is not None:
                shift = moved.warc_offset if suffix == WARC_SUFFIX else moved.journal_offset
                return self.read_bytes(moved.into, suffix, offset + shift, length)
            self._refuse_if_elsewhere(name)
            raise

    def _moved(self, name: str) -> Any:
        """Where a compaction put a file, perhaps since the caller read its name."""
        with self.catalogue.read() as connection:
            return connection.execute(sa.select(schema.moves).where(schema.moves.c.name == name)).first()

    def _read_spool(self, name: str, suffix: str, offset: int, length: int) -> bytes | None:
        try:
            with self.spool.path(name, suffix).open("rb") as stream:
                data = os.pread(stream.fileno(), length, offset)
        except FileNotFoundError:
            return None
        return data if len(data) == length else None

    def _refuse_if_elsewhere(self, name: str) -> None:
        table = schema.files.c
        with self.catalogue.read() as connection:
            row = connection.execute(sa.select(table.host, table.state).where(table.name == name)).first()
        if row and row.state != SEALED and row.host != self.host:
            raise NotYetStored(
                f"{name}: captured, not yet stored, held by {row.host}; run 'morgue seal' there, or wait"
            )
