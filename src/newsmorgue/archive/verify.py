"""Whether the archive is what it says: objects against manifests, records against digests, indexes against records,
the catalogue against all of them. Reads everything, changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import SEALED, Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.cdxj import read_cdxj
from newsmorgue.archive.exchange import sha1
from newsmorgue.archive.index import capture_from_cdx, capture_from_record, captures_of
from newsmorgue.archive.journal import entries, members
from newsmorgue.archive.manifests import Manifest, link, parse_manifest, stored_manifests
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.warc import StoredRecord, parse_record
from newsmorgue.errors import MalformedRecord, MissingObject
from newsmorgue.times import microseconds


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: ``where`` is an object's key, with ``@offset`` where one record is meant."""

    where: str
    what: str


@dataclass
class Report:
    """What was looked at, and what was wrong with it."""

    objects: int = 0
    records: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(where, what))


def verify(archive: Archive) -> Report:
    """Check all that is sealed, and that the catalogue says the same."""
    report = Report()
    manifests = list(_manifests(archive.store, report))
    _check_chains(manifests, report)
    _check_manifests(archive, {manifest.name: data for manifest, data in manifests}, report)
    described = {item.key for manifest, _ in manifests for item in manifest.objects}
    for info in archive.store.list():
        if info.key.startswith(("warc/", "text/")) and info.key not in described:
            report.add(info.key, "stands in no manifest")
    record_ids: set[str] = set()
    referable: set[tuple[str, int]] = set()
    revisits: list[tuple[str, Capture]] = []
    for manifest, _ in manifests:
        _check_objects(archive.store, manifest, report)
        captures = _check_warc(archive.store, manifest, report, record_ids)
        referable |= {(capture.url, microseconds(capture.time)) for capture in captures if capture.kind == "response"}
        revisits += [(manifest.name, capture) for capture in captures if capture.kind == "revisit"]
        _check_index(archive, manifest, captures, report)
        _check_journal(archive.store, manifest, report)
    _check_references(revisits, referable, archive, report)
    _check_sightings(archive, report)
    return report


def _manifests(store: Store, report: Report) -> Iterator[tuple[Manifest, bytes]]:
    for key, data in stored_manifests(store):
        report.objects += 1
        try:
            yield parse_manifest(data, key), data
        except MalformedRecord as error:
            report.add(key, str(error))


def _check_chains(manifests: list[tuple[Manifest, bytes]], report: Report) -> None:
    ends: dict[str, tuple[int, str | None]] = {}
    for manifest, data in sorted(manifests, key=lambda pair: (pair[0].source, pair[0].position)):
        position, previous = ends.get(manifest.source, (0, None))
        key = object_keys(manifest.name).manifest
        if manifest.position != position + 1:
            report.add(
                key,
                f"the chain of '{manifest.source}' goes from {position} to {manifest.position}: a manifest is missing",
            )
        elif manifest.previous != previous:
            report.add(key, "does not link to the manifest before it: that one was altered, or this one")
        ends[manifest.source] = (manifest.position, link(data))


def _check_manifests(archive: Archive, stored: dict[str, bytes], report: Report) -> None:
    """No other manifest links to a chain's last one yet: the catalogue's copy is what tells that it was altered."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        rows = connection.execute(sa.select(c.name, c.manifest).where(c.state == SEALED, c.manifest.is_not(None))).all()
    for row in rows:
        key = object_keys(row.name).manifest
        if row.name not in stored:
            report.add(key, "is not in the store (or cannot be read), though the catalogue says that it was sealed")
        elif stored[row.name] != row.manifest.encode():
            report.add(key, "is not what was sealed, of which the catalogue has a copy")


def _check_objects(store: Store, manifest: Manifest, report: Report) -> None:
    for described in manifest.objects:
        report.objects += 1
        try:
            found = store.sha256(described.key)
        except MissingObject:
            report.add(described.key, "missing, though its manifest describes it")
            continue
        if found != described.sha256:
            report.add(described.key, f"has SHA-256 {found}, its manifest says {described.sha256}")


def _check_warc(store: Store, manifest: Manifest, report: Report, record_ids: set[str]) -> list[Capture]:
    """Every record of a WARC; the captures it shows."""
    key, captures = object_keys(manifest.name).warc, []
    try:
        with store.open(key) as stream:
            for offset, length, record in _records(stream, key):
                report.records += 1
                _check_record(record, f"{key}@{offset}", report, record_ids)
                if record.is_indexed:
                    captures.append(capture_from_record(record, manifest.name, offset, length))
    except MissingObject:
        pass  # said already, where the manifest was compared
    except MalformedRecord as error:
        report.add(key, str(error))
    return captures


def _records(stream: BinaryIO, key: str) -> Iterator[tuple[int, int, StoredRecord]]:
    for offset, length, content in members(stream, key):
        yield offset, length, parse_record(content, f"{key}@{offset}")


def _check_record(record: StoredRecord, where: str, report: Report, record_ids: set[str]) -> None:
    identifier = record.headers.get("warc-record-id", "")
    if not identifier or identifier in record_ids:
        report.add(where, f"record id {identifier or '(none)'} is missing or used twice")
    record_ids.add(identifier)
    block, payload = record.headers.get("warc-block-digest"), record.headers.get("warc-payload-digest")
    if block != sha1(record.block):
        report.add(where, f"block digest is {sha1(record.block)}, the record says {block}")
    if payload and record.kind == "response" and payload != sha1(record.entity):
        report.add(where, f"payload digest is {sha1(record.entity)}, the record says {payload}")


def _check_index(archive: Archive, manifest: Manifest, captures: list[Capture], report: Report) -> None:
    key = object_keys(manifest.name).cdxj
    try:
        with archive.store.open(key) as stream:
            indexed = sorted(
                (capture_from_cdx(line) for line in read_cdxj(stream, key)), key=lambda capture: capture.offset
            )
    except MissingObject:
        return
    except MalformedRecord as error:
        report.add(key, str(error))
        return
    _compare(indexed, captures, key, "the WARC", report)
    with archive.catalogue.read() as connection:
        rows = [replace(row, state=None) for row in captures_of(connection, manifest.name)]
    _compare(rows, indexed, "catalogue", key, report)


def _compare(these: list[Capture], those: list[Capture], where: str, other: str, report: Report) -> None:
    left = {capture.offset: replace(capture, state=None) for capture in these}
    right = {capture.offset: replace(capture, state=None) for capture in those}
    for offset in sorted(left.keys() | right.keys()):
        if left.get(offset) != right.get(offset):
            name = (left.get(offset) or right[offset]).warc
            report.add(where, f"does not say of {name}@{offset} what {other} says")


def _check_journal(store: Store, manifest: Manifest, report: Report) -> None:
    key = object_keys(manifest.name).journal
    try:
        with store.open(key) as stream:
            report.records += sum(1 for _ in entries(stream, key))
    except MissingObject:
        return
    except MalformedRecord as error:
        report.add(key, str(error))


def _check_references(
    revisits: list[tuple[str, Capture]], referable: set[tuple[str, int]], archive: Archive, report: Report
) -> None:
    c = schema.captures.c
    for name, capture in revisits:
        moment = microseconds(capture.refers_to_time) if capture.refers_to_time else None
        if moment is not None and (capture.refers_to_url, moment) in referable:
            continue
        with archive.catalogue.read() as connection:  # it may refer to a response that is still in the spool
            there = sa.select(c.offset).where(
                c.url == capture.refers_to_url, c.timestamp == moment, c.kind == "response"
            )
            if connection.execute(there).first() is None:
                report.add(
                    f"{object_keys(name).warc}@{capture.offset}", "refers to a capture that is not in the archive"
                )


def _check_sightings(archive: Archive, report: Report) -> None:
    s, c = schema.sightings.c, schema.captures.c
    joined = schema.sightings.outerjoin(schema.captures, (s.warc == c.warc) & (s.offset == c.offset))
    with archive.catalogue.read() as connection:
        dangling = connection.execute(sa.select(s.warc, s.offset).select_from(joined).where(c.warc.is_(None))).all()
    for row in dangling:
        report.add("catalogue", f"a sighting names {row.warc}@{row.offset}, where no capture is")
