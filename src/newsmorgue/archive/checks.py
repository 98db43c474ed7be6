"""What verify and repair look for in one WARC, index or journal, wherever it lies."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from newsmorgue.archive.capture import Capture
from newsmorgue.archive.events import Entry, decode
from newsmorgue.archive.exchange import sha1
from newsmorgue.archive.index import capture_from_record
from newsmorgue.archive.journal import Place, members
from newsmorgue.archive.salvage import LOST_FIELD
from newsmorgue.archive.warc import StoredRecord, parse_record
from newsmorgue.errors import IntegrityFailure, MalformedRecord


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: ``where`` is an object's key or a spool file's path, with ``@offset`` where one record is meant.

    ``name`` is that of the WARC it belongs to, or None where it belongs to the catalogue or to no WARC.
    """

    where: str
    what: str
    name: str | None = None


@dataclass
class Report:
    """What was looked at, and what was wrong with it.

    ``losses`` are of old: what a repair could not save, and said so then. ``uncompared`` is why nothing is said of the
    catalogue's rows as a whole, if so.
    """

    objects: int = 0
    records: int = 0
    problems: list[Problem] = field(default_factory=list)
    losses: list[Problem] = field(default_factory=list)
    uncompared: str | None = None

    def add(self, where: str, what: str, name: str | None = None) -> None:
        """Note a problem. Of an error's own words those are left out that say the place again, or to run verify."""
        what = what.removeprefix(f"{where}: ").removesuffix("; run 'morgue verify'")
        self.problems.append(Problem(where, what, name))

    def add_loss(self, where: str, size: int | str) -> None:
        """Note that some bytes were lost by damage, and cut out by a repair."""
        self.losses.append(Problem(where, f"{size} bytes were lost by damage; what is left of them is in quarantine"))


@dataclass
class WarcContent:
    """What a WARC holds: captures, the offsets of ``resource`` records (the DOMs of rendered pages), the stretches that
    were lost of old. ``end`` is where it could not be read any further (None: it was read to its end)."""

    captures: list[Capture] = field(default_factory=list)
    resources: set[int] = field(default_factory=set)
    lost: list[range] = field(default_factory=list)
    end: int | None = None

    def is_lost(self, offset: int) -> bool:
        """Whether what stood there is lost, which was said."""
        return any(offset in stretch for stretch in self.lost) or (self.end is not None and offset >= self.end)


class _RecordIds:
    """The ids of all records that were read: of many millions, in a temporary file of SQLite's own."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA cache_size = -65536")  # KiB
        self._database.execute("CREATE TABLE ids (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, identifier: str) -> bool:
        """Whether it is a new one."""
        return self._database.execute("INSERT OR IGNORE INTO ids VALUES (?)", (_short(identifier),)).rowcount == 1

    def __contains__(self, identifier: str) -> bool:
        return self._database.execute("SELECT 1 FROM ids WHERE id = ?", (_short(identifier),)).fetchone() is not None

    def __del__(self) -> None:
        self._database.close()


def _short(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).digest()[:16]


@dataclass
class WarcReader:
    """Reads WARCs record by record, and notes each that is not what it says."""

    report: Report
    _record_ids: _RecordIds = field(default_factory=_RecordIds)

    def read(self, stream: BinaryIO, key: str, name: str) -> WarcContent:
        """What a WARC shows, as far as it can be read."""
        found, end = WarcContent(), 0
        dangling: dict[int, str] = {}
        try:
            for offset, length, content in members(stream, key):
                record = parse_record(content, f"{key}@{offset}")
                self._check(record, f"{key}@{offset}", name)
                # A DOM may stand in the WARC behind that of its page: which one it is of is in the catalogue.
                beside = record.headers.get("warc-concurrent-to") if record.kind != "resource" else None
                if beside is not None and beside not in self._record_ids:
                    dangling[offset] = beside
                if lost := record.headers.get(LOST_FIELD.lower()):
                    self.report.add_loss(f"{key}@{offset}", lost)
                    found.lost.append(range(offset, offset + int(lost)))
                elif record.is_indexed:
                    found.captures.append(capture_from_record(record, name, offset, length))
                elif record.kind == "resource":
                    found.resources.add(offset)
                self.report.records += 1
                end = offset + length
        except (MalformedRecord, IntegrityFailure) as error:
            self.report.add(f"{key}@{end}", str(error), name)
            found.end = end
        if found.end is None and not found.lost:  # else it may name what was there
            for offset, beside in dangling.items():
                self.report.add(f"{key}@{offset}", f"was made with {beside}, which is no record before it", name)
        return found

    def _check(self, record: StoredRecord, where: str, name: str) -> None:
        identifier = record.headers.get("warc-record-id", "")
        if not identifier:
            self.report.add(where, "has no WARC-Record-ID", name)
        elif not self._record_ids.add(identifier):
            self.report.add(where, f"has the WARC-Record-ID {identifier}, as another record", name)
        for what in wrong_digests(record):
            self.report.add(where, what, name)


def wrong_digests(record: StoredRecord) -> Iterator[str]:
    """What a record's own digests say against it."""
    block, payload = record.headers.get("warc-block-digest"), record.headers.get("warc-payload-digest")
    if block != sha1(record.block):
        yield f"block digest is {sha1(record.block)}, the record says {block}"
    if payload and record.kind == "response" and payload != sha1(record.entity):
        yield f"payload digest is {sha1(record.entity)}, the record says {payload}"


def read_journal(stream: BinaryIO, key: str, name: str, report: Report) -> tuple[list[tuple[Place, Entry]], bool]:
    """A journal's entries up to the first that cannot be read, and whether that is all of them."""
    found: list[tuple[Place, Entry]] = []
    end = 0
    try:
        for offset, length, content in members(stream, key):
            if content.strip():
                found.append((Place(name, offset, length), decode(content, f"{key}@{offset}")))
            else:
                report.add_loss(f"{key}@{offset}", length)
            report.records += 1
            end = offset + length
    except (MalformedRecord, IntegrityFailure) as error:
        report.add(f"{key}@{end}", str(error), name)
        return found, False
    return found, True


def compare(these: Iterable[Capture], those: Iterable[Capture], where: str, other: str, report: Report) -> None:
    """Name each place of which two lists of captures do not say the same; a capture's state is none of theirs."""
    left = {capture.offset: replace(capture, state=None) for capture in these}
    right = {capture.offset: replace(capture, state=None) for capture in those}
    for offset in sorted(left.keys() | right.keys()):
        if left.get(offset) != right.get(offset):
            name = (left.get(offset) or right[offset]).warc
            owner = None if where == "catalogue" else name
            report.add(where, f"does not say of {name}@{offset} what {other} says", owner)
