"""What verify and repair look for in one WARC, index or journal, wherever it lies."""

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

    ``losses`` are of old: what a repair could not save, and said so then.
    """

    objects: int = 0
    records: int = 0
    problems: list[Problem] = field(default_factory=list)
    losses: list[Problem] = field(default_factory=list)

    def add(self, where: str, what: str, name: str | None = None) -> None:
        """Note a problem."""
        self.problems.append(Problem(where, what, name))

    def add_loss(self, where: str, size: int | str) -> None:
        """Note that some bytes were lost by damage, and cut out by a repair."""
        self.losses.append(Problem(where, f"{size} bytes were lost by damage; what is left of them is in quarantine"))


@dataclass
class WarcReader:
    """Reads WARCs record by record, and notes each that is not what it says."""

    report: Report
    record_ids: set[str] = field(default_factory=set)

    def read(self, stream: BinaryIO, key: str, name: str) -> tuple[list[Capture], int | None]:
        """The captures that a WARC shows, and where it could not be read any further (None: to its end)."""
        captures: list[Capture] = []
        end = 0
        try:
            for offset, length, content in members(stream, key):
                record = parse_record(content, f"{key}@{offset}")
                if LOST_FIELD.lower() in record.headers:
                    self.report.add_loss(f"{key}@{offset}", record.headers[LOST_FIELD.lower()])
                self._check(record, f"{key}@{offset}", name)
                if record.is_indexed:
                    captures.append(capture_from_record(record, name, offset, length))
                self.report.records += 1
                end = offset + length
        except (MalformedRecord, IntegrityFailure) as error:
            self.report.add(f"{key}@{end}", str(error), name)
            return captures, end
        return captures, None

    def _check(self, record: StoredRecord, where: str, name: str) -> None:
        identifier = record.headers.get("warc-record-id", "")
        if not identifier or identifier in self.record_ids:
            self.report.add(where, f"record id {identifier or '(none)'} is missing or used twice", name)
        self.record_ids.add(identifier)
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
        for offset, length, content in members(stream, name):
            if content.strip():
                found.append((Place(name, offset, length), decode(content, f"{name}@{offset}")))
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
