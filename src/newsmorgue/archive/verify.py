"""Whether the archive is what it says: objects against manifests, records against digests, indexes against records,
the catalogue against all of them, and what lies in this machine's spool. Reads everything, changes nothing.

A crawl may go on meanwhile: of what grows, only what is committed is looked at.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import COMPACTING, OPEN, REPLACED, SEALED, SEALING, Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.cdxj import read_cdxj
from newsmorgue.archive.checks import Report, WarcContent, WarcReader, compare, read_journal
from newsmorgue.archive.events import LOST, Entry, TextRenewed, VersionAdded
from newsmorgue.archive.index import capture_from_cdx, captures_of, payload_capture
from newsmorgue.archive.journal import Place
from newsmorgue.archive.manifests import REPAIRED, Manifest, link, parse_manifest, stored_manifests
from newsmorgue.archive.rows import check_rows
from newsmorgue.archive.spool import JOURNAL_SUFFIX, WARC_SUFFIX, object_keys
from newsmorgue.archive.store import Store
from newsmorgue.errors import IntegrityFailure, MalformedRecord, MissingObject
from newsmorgue.times import from_iso, microseconds

_CHUNK = 8 << 20


def verify(archive: Archive) -> Report:
    """Check all that is sealed, what is committed in this machine's spool, and that the catalogue says the same."""
    report = Report()
    sealed_before = _sealed_rows(archive)
    manifests = list(_manifests(archive.store, report))
    _check_chains(manifests, report)
    _check_manifests(sealed_before, {manifest.name: data for manifest, data in manifests}, report)
    finished = _finished(archive, manifests, report)
    successors = {item.name: manifest for manifest in finished for item in manifest.replaces}
    _check_strangers(archive, [manifest for manifest, _ in manifests], report)
    lost = _lost(archive)
    walk = _Walk(archive, report, lost)
    for manifest in finished:
        if manifest.name in successors:
            _check_removed(archive.store, manifest, successors[manifest.name], report)
        else:
            walk.sealed(manifest)
            if manifest.reason != REPAIRED:  # of what was repaired, the old digests no longer say anything
                _check_pieces(archive.store, manifest, {other.name: other for other in finished}, report)
    sealed = {manifest.name for manifest, _ in manifests}
    for row in _spooled_rows(archive):
        if row.name not in sealed:
            walk.spooled(row)
    _check_sightings(archive, lost, report)
    if not report.problems:  # else the same would be said of many rows again
        check_rows(archive, report)
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


def _sealed_rows(archive: Archive) -> dict[str, str]:
    """The catalogue's copies of manifests, by the WARC's name."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        rows = connection.execute(
            sa.select(c.name, c.manifest).where(c.state.in_((SEALED, REPLACED)), c.manifest.is_not(None))
        ).all()
    return {row.name: row.manifest for row in rows}


def _check_manifests(sealed: dict[str, str], stored: dict[str, bytes], report: Report) -> None:
    """No other manifest links to a chain's last one yet: the catalogue's copy is what tells that it was altered."""
    for name, manifest in sealed.items():
        key = object_keys(name).manifest
        if name not in stored:
            what = "is not in the store (or cannot be read), though the catalogue says that it was sealed"
            report.add(key, what, name)
        elif stored[name] != manifest.encode():
            report.add(key, "is not what was sealed, of which the catalogue has a copy", name)


def _check_strangers(archive: Archive, manifests: list[Manifest], report: Report) -> None:
    """Objects that no manifest describes, but for those that are being sealed at this moment."""
    found = [info.key for info in archive.store.list() if info.key.startswith(("warc/", "text/"))]
    described = {item.key for manifest in manifests for item in manifest.objects}
    c = schema.files.c
    with archive.catalogue.read() as connection:  # after the list: what is stored has its row first
        names = connection.execute(sa.select(c.name).where(c.manifest.is_not(None))).scalars().all()
    for name in names:
        keys = object_keys(name)
        described |= {keys.warc, keys.cdxj, keys.journal}
    for key in found:
        if key not in described:
            report.add(key, "stands in no manifest")


def _finished(archive: Archive, manifests: list[tuple[Manifest, bytes]], report: Report) -> list[Manifest]:
    """The manifests that count: not those of compactions to which the catalogue does not lead yet."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        names = set(connection.execute(sa.select(c.name).where(c.state == COMPACTING)).scalars())
    for name in sorted(names):
        report.add(
            object_keys(name).manifest,
            "was begun and not finished; run 'morgue compact' or 'morgue verify --repair' again",
        )
    return [manifest for manifest, _ in manifests if manifest.name not in names]


def _check_removed(store: Store, manifest: Manifest, successor: Manifest, report: Report) -> None:
    """What was replaced must be gone, but for its manifest."""
    for described in manifest.objects:
        if store.stat(described.key) is not None:
            again = "morgue verify --repair" if successor.reason == REPAIRED else "morgue compact"
            report.add(described.key, f"was replaced by {successor.name}; run '{again}' again to remove it")


def _check_pieces(store: Store, manifest: Manifest, others: dict[str, Manifest], report: Report) -> None:
    """A compacted file holds the files that it replaced, byte for byte: their own digests still say so."""
    keys = object_keys(manifest.name)
    for item in manifest.replaces:
        old = others.get(item.name)
        if old is None:
            report.add(keys.manifest, f"replaces {item.name}, of which there is no manifest")
            continue
        its = object_keys(item.name)
        for key, part, offset in (
            (keys.warc, its.warc, item.warc_offset),
            (keys.journal, its.journal, item.journal_offset),
        ):
            described = next(described for described in old.objects if described.key == part)
            if _range_sha256(store, key, offset, described.size) not in (described.sha256, None):
                report.add(f"{key}@{offset}", f"is not {part}, which it replaces")


def _range_sha256(store: Store, key: str, offset: int, size: int) -> str | None:
    """The SHA-256 of a stretch of an object; None where the object is not there or too short, which is said already."""
    digest = hashlib.sha256()
    try:
        for start in range(offset, offset + size, _CHUNK):
            digest.update(store.get_range(key, start, min(_CHUNK, offset + size - start)))
    except (MissingObject, IntegrityFailure):
        return None
    return digest.hexdigest()


@dataclass
class _Walk:
    """Goes from WARC to WARC. ``lost`` are the captures that a repair found lost: URL and time."""

    archive: Archive
    report: Report
    lost: set[tuple[str, int]]
    reader: WarcReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = WarcReader(self.report)

    def sealed(self, manifest: Manifest) -> None:
        """Check the objects of one sealing."""
        keys, name, store = object_keys(manifest.name), manifest.name, self.archive.store
        _check_objects(store, manifest, self.report)
        held = _read_stored_warc(store, self.reader, name)
        self._check_references(keys.warc, held.captures)
        self._check_renderings(name, held)
        with self.archive.catalogue.read() as connection:
            rows = list(captures_of(connection, name))
        indexed = _read_index(store, keys.cdxj, name, self.report)
        if indexed is not None:
            compare(_before(indexed, held.end), held.captures, keys.cdxj, "the WARC", self.report)
            compare(rows, indexed, "catalogue", keys.cdxj, self.report)
        try:
            with store.open(keys.journal) as stream:
                found, whole = read_journal(stream, keys.journal, name, self.report)
            self._check_texts(name, found, None if whole else _end(found))
        except MissingObject:
            pass  # said already, where the manifest was compared

    def spooled(self, row: Any) -> None:
        """Check what is committed of a file in the spool."""
        warc = self.archive.spool.path(row.name, WARC_SUFFIX)
        journal = self.archive.spool.path(row.name, JOURNAL_SUFFIX)
        try:
            data = _committed(warc, row.warc_length), _committed(journal, row.journal_length)
        except FileNotFoundError as error:
            if _still_there(self.archive, row.name):
                what = f"is not in the spool, though {row.warc_length} bytes of it are committed"
                self.report.add(str(error.filename), what, row.name)
            return
        for path, found, length in zip((warc, journal), data, (row.warc_length, row.journal_length), strict=True):
            if len(found) < length:
                what = f"holds {len(found)} bytes, where {length} are committed: the disk lost some"
                self.report.add(str(path), what, row.name)
        held = self.reader.read(BytesIO(data[0]), str(warc), row.name)
        self._check_references(str(warc), held.captures)
        self._check_renderings(row.name, held, row.warc_length)
        with self.archive.catalogue.read() as connection:
            rows = [each for each in captures_of(connection, row.name) if each.offset < row.warc_length]
        compare(_before(rows, held.end), held.captures, "catalogue", str(warc), self.report)
        events, whole = read_journal(BytesIO(data[1]), str(journal), row.name, self.report)
        self._check_texts(row.name, events, row.journal_length if whole else _end(events))

    def _check_references(self, key: str, captures: list[Capture]) -> None:
        """Every revisit refers to a response that the catalogue has, wherever that lies, or that is lost."""
        with self.archive.catalogue.read() as connection:
            for capture in captures:
                moment = microseconds(capture.refers_to_time) if capture.refers_to_time else 0
                is_lost = (capture.refers_to_url, moment) in self.lost
                if not is_lost and payload_capture(connection, capture) is None:
                    self.report.add(f"{key}@{capture.offset}", "refers to a capture that is not in the archive")

    def _check_renderings(self, name: str, held: WarcContent, end: int | None = None) -> None:
        """Every DOM that the catalogue has in a WARC (up to some length) is there, or was lost of old."""
        c = schema.renderings.c
        with self.archive.catalogue.read() as connection:
            offsets = connection.execute(sa.select(c.dom_offset).where(c.dom_warc == name)).scalars().all()
        for offset in offsets:
            is_elsewhere = offset in held.resources or held.is_lost(offset) or (end is not None and offset >= end)
            if not is_elsewhere:
                self.report.add("catalogue", f"a rendering names {name}{WARC_SUFFIX}@{offset}, where no DOM is")

    def _check_texts(self, name: str, found: list[tuple[Place, Entry]], end: int | None) -> None:
        """Every text that the catalogue has in a journal (up to some length) is there."""
        there = {place: entry.event for place, entry in found}
        t = schema.texts.c
        with self.archive.catalogue.read() as connection:
            rows = connection.execute(sa.select(t.offset, t.length).where(t.journal == name)).all()
        for row in rows:
            event = there.get(Place(name, row.offset, row.length))
            if not isinstance(event, VersionAdded | TextRenewed) and (end is None or row.offset < end):
                self.report.add("catalogue", f"a text names {name}{JOURNAL_SUFFIX}@{row.offset}, where no text is")


def _check_objects(store: Store, manifest: Manifest, report: Report) -> None:
    for described in manifest.objects:
        report.objects += 1
        try:
            found = store.sha256(described.key)
        except MissingObject:
            report.add(described.key, "missing, though its manifest describes it", manifest.name)
            continue
        except IntegrityFailure as error:
            report.add(described.key, str(error), manifest.name)
            continue
        if found != described.sha256:
            what = f"has SHA-256 {found}, its manifest says {described.sha256}"
            report.add(described.key, what, manifest.name)


def _read_stored_warc(store: Store, reader: WarcReader, name: str) -> WarcContent:
    key = object_keys(name).warc
    try:
        with store.open(key) as stream:
            return reader.read(stream, key, name)
    except MissingObject:
        return WarcContent(end=0)  # said already, where the manifest was compared


def _read_index(store: Store, key: str, name: str, report: Report) -> list[Capture] | None:
    try:
        with store.open(key) as stream:
            return [capture_from_cdx(line) for line in read_cdxj(stream, key)]
    except MissingObject:
        return None
    except (MalformedRecord, IntegrityFailure) as error:
        report.add(key, re.sub(rf"^{re.escape(key)}:(\d+): ", r"line \1: ", str(error)), name)
        return None


def _before(captures: list[Capture], end: int | None) -> list[Capture]:
    """Those that begin before a WARC's damage: of the others nothing can be said."""
    return [capture for capture in captures if end is None or capture.offset < end]


def _spooled_rows(archive: Archive) -> list[Any]:
    """The files that should lie in this machine's spool, with their committed lengths."""
    c = schema.files.c
    columns = (c.name, c.warc_length, c.journal_length)
    with archive.catalogue.read() as connection:
        query = sa.select(*columns).where(c.host == archive.host, c.state.in_((OPEN, SEALING)))
        return list(connection.execute(query.order_by(c.name)).all())


def _still_there(archive: Archive, name: str) -> bool:
    """Whether a file still belongs in the spool: it may have been sealed, or thrown away, since its row was read."""
    return name in {row.name for row in _spooled_rows(archive)}


def _end(found: list[tuple[Place, Entry]]) -> int:
    return max((place.offset + place.length for place, _ in found), default=0)


def _committed(path: Path, length: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(length)


def _lost(archive: Archive) -> set[tuple[str, int]]:
    """The URL and the time of each capture that a repair could not save, and said so."""
    a = schema.audit.c
    with archive.catalogue.read() as connection:
        rows = connection.execute(sa.select(a.subject, a.detail).where(a.action == LOST)).all()
    return {(row.subject, microseconds(from_iso(row.detail.split()[0]))) for row in rows}


def _check_sightings(archive: Archive, lost: set[tuple[str, int]], report: Report) -> None:
    s, c = schema.sightings.c, schema.captures.c
    joined = schema.sightings.outerjoin(schema.captures, (s.warc == c.warc) & (s.offset == c.offset))
    query = sa.select(s.warc, s.offset, s.url, s.at).select_from(joined).where(c.warc.is_(None))
    with archive.catalogue.read() as connection:
        dangling = connection.execute(query).all()
    for row in dangling:
        if (row.url, row.at) not in lost:
            report.add("catalogue", f"a sighting names {row.warc}@{row.offset}, where no capture is")
