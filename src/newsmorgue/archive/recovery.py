"""Taking over what an ended process left in the spool.

Under the file's lock: a torn member is cut; whole WARC records past the committed length get their rows, *uncleaned*;
the journal is cut back to its committed length, because what it says beyond that never became so.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import OPEN, REPLACED, SEALED, SEALING, Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.catalogue import raise_number
from newsmorgue.archive.events import Audited
from newsmorgue.archive.index import capture_from_record
from newsmorgue.archive.journal import entries, members
from newsmorgue.archive.replay import add_capture, apply
from newsmorgue.archive.salvage import intact_members, is_event, is_record
from newsmorgue.archive.sealing import seal
from newsmorgue.archive.spool import SpoolFile, object_keys, source_of
from newsmorgue.archive.warc import parse_record
from newsmorgue.errors import IntegrityFailure, MalformedRecord, NewsmorgueError
from newsmorgue.times import microseconds

_log = logging.getLogger(__name__)
Send = Callable[[SpoolFile], None]


def adopt(archive: Archive, name: str, now: datetime) -> SpoolFile | None:
    """Take a spool file over, mended; None where another process holds it, or it was sealed and only lay about."""
    file = archive.spool.lock(name)
    if file is None:
        return None
    try:
        return _mend(archive, file, now)
    except BaseException:
        file.close()
        raise


def open_file(archive: Archive, source: str, now: datetime, info: dict[str, str], send: Send) -> SpoolFile:
    """The source's open WARC: one that an earlier run left, if it has room yet, else a new one.

    All other files of the source go to ``send`` (a :meth:`Sealer.submit`), which takes them over: a run that could
    not store what it had left several, and none is to wait for a run after this one.
    """
    with ExitStack() as stack:
        chosen: SpoolFile | None = None
        for name in archive.spool.names():
            file = adopt(archive, name, now) if source_of(name) == source else None
            if file is None:
                continue
            if chosen is None and not _is_full(archive, file, now):
                chosen = stack.enter_context(file)
            else:
                send(file)
        stack.pop_all()
    return chosen or archive.create_file(source, now, info)


def take_over_others(archive: Archive, source: str, now: datetime, send: Send) -> None:
    """Mend what ended processes left of other sources; what is to be sealed goes to ``send``.

    What cannot be mended stays as it is for whoever runs that source, with a warning.
    """
    for name in archive.spool.names():
        if source_of(name) == source:
            continue
        try:
            file = adopt(archive, name, now)
        except NewsmorgueError as error:
            _log.warning("%s", error)
            continue
        if file is not None and _is_full(archive, file, now):
            send(file)
        elif file is not None:
            file.close()


def _is_full(archive: Archive, file: SpoolFile, now: datetime) -> bool:
    return _state(archive, file.name) != OPEN or archive.must_be_sealed(file, now)


def seal_all(archive: Archive, now: datetime, source: str | None = None) -> list[str]:
    """Seal every file of this spool that no other process holds (of one source, or of all); their names."""
    sealed = []
    for name in archive.spool.names():
        if source is not None and source_of(name) != source:
            continue
        file = adopt(archive, name, now)
        if file is not None:
            with file:
                if seal(archive, file, now):
                    sealed.append(name)
    return sealed


def _mend(archive: Archive, file: SpoolFile, now: datetime) -> SpoolFile | None:
    state = _state(archive, file.name)
    if state in (SEALED, REPLACED):
        file.discard()
        file.close()
        return None
    if state is None:
        cut_to_whole(file)
        if file.warc_length == 0:  # its maker was killed before the record that every WARC begins with
            file.discard()
            file.close()
            return None
        _register(archive, file, now)
    elif state == OPEN:
        _cut_back(archive, file, now)
    return file


def _state(archive: Archive, name: str) -> str | None:
    with archive.catalogue.read() as connection:
        return connection.execute(sa.select(schema.files.c.state).where(schema.files.c.name == name)).scalar()


def _register(archive: Archive, file: SpoolFile, now: datetime) -> None:
    """A file the catalogue does not know (just being made, or the catalogue is new): believe all that is whole."""
    with archive.catalogue.write() as connection:
        archive.insert_file(connection, file, state_in_store(archive, file), microseconds(now))
        for capture in spooled_captures(file, 0):
            add_capture(connection, capture)
        with file.journal_path.open("rb") as stream:
            for place, entry in entries(stream, file.name):
                apply(connection, entry, place)
                raise_number(connection, "commits", entry.seq)


def _cut_back(archive: Archive, file: SpoolFile, now: datetime) -> None:
    with archive.catalogue.read() as connection:
        row = archive.row_of(connection, file.name)
    before = (file.warc_length, file.journal_length)
    if before == (row.warc_length, row.journal_length):
        return
    if before[0] < row.warc_length or before[1] < row.journal_length:
        raise IntegrityFailure(
            f"{file.warc_path}: {before[0]} bytes, and its journal {before[1]}, where {row.warc_length} and "
            f"{row.journal_length} were committed: the disk lost some; put back a copy, or run "
            "'morgue reindex --replace' to go on with what is left"
        )
    file.cut_journal(row.journal_length)
    file.cut_warc(_whole_length(file.warc_path, row.warc_length))
    taken = list(spooled_captures(file, row.warc_length))
    with archive.commit(file, now) as ledger:
        for capture in taken:
            add_capture(ledger.connection, capture)
        torn, lost = before[0] - file.warc_length, before[1] - row.journal_length
        detail = f"{len(taken)} captures taken over uncleaned, {torn} torn WARC bytes and {lost} journal bytes cut"
        ledger.emit(Audited("recovered", file.name, detail))


def state_in_store(archive: Archive, file: SpoolFile) -> str:
    """OPEN; but SEALING where the store has the WARC already: it can be sealed again, and never added to."""
    return SEALING if archive.store.stat(object_keys(file.name).warc) else OPEN


def cut_to_whole(file: SpoolFile) -> None:
    """Cut torn gzip members off the ends of both files, of which no catalogue says how much is committed.

    Raises :class:`MalformedRecord` where whole ones stand behind: that is no torn end, but damage.
    """
    lengths = []
    for path, is_whole in ((file.warc_path, is_record), (file.journal_path, is_event)):
        length = _whole_length(path)
        if next(intact_members(path, is_whole, length), None):
            raise MalformedRecord(
                f"{path}@{length}: damaged, and whole records stand behind; put back a copy, or move the file away to "
                "go on without it"
            )
        lengths.append(length)
    file.cut_warc(lengths[0])
    file.cut_journal(lengths[1])


def spooled_captures(file: SpoolFile, start: int) -> Iterator[Capture]:
    """The captures in a spooled WARC from an offset on, which must be a member's beginning."""
    with file.warc_path.open("rb") as stream:
        stream.seek(start)
        for offset, length, content in members(stream, file.name, start):
            record = parse_record(content, f"{file.name}@{offset}")
            if record.is_indexed:
                yield capture_from_record(record, file.name, offset, length)


def _whole_length(path: Path, start: int = 0) -> int:
    """How many bytes of a file are whole gzip members, those up to ``start`` being so anyway."""
    length = start
    with path.open("rb") as stream:
        stream.seek(start)
        try:
            for offset, size, _ in members(stream, path.name, start):
                length = offset + size
        except MalformedRecord:
            return length
    return length
