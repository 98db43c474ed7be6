"""Repair: what verify finds is mended where something else still says how it was, and the rest is put aside.

An index is made again from its WARC or the catalogue, a manifest put back from the catalogue's copy: the same bytes, or
none. A WARC or journal that is damaged or missing gets a successor with everything in it that is whole, each record
where it stood, and goes to ``quarantine/``; its manifest stays, and the successor's says what it replaces. Then the
catalogue is built anew from the objects. A repair that is cut short is finished by the next one.
"""

import hashlib
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import COMPACTING, REPLACED, SEALED, SEALING, Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.catalogue import next_number
from newsmorgue.archive.cdxj import format_line, parse_line
from newsmorgue.archive.checks import Report, WarcReader, read_journal
from newsmorgue.archive.events import Audited
from newsmorgue.archive.index import capture_from_cdx, capture_from_record, captures_of, cdx_line
from newsmorgue.archive.manifests import (
    REPAIRED,
    Described,
    Manifest,
    Replaced,
    journal_parts,
    parse_manifest,
    stored_manifests,
)
from newsmorgue.archive.recovery import adopt
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.salvage import Identify, Unwanted, blank_line, is_event, is_record, lost_record, mend
from newsmorgue.archive.sealing import end_of_chain, file_sha256, read_back, seal, sha256_in
from newsmorgue.archive.spool import CDXJ_SUFFIX, SpoolFile, object_keys, source_of
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import LOST, verify
from newsmorgue.archive.warc import parse_record
from newsmorgue.errors import IntegrityFailure, MalformedRecord, MissingObject, NewsmorgueError, StoreUnavailable
from newsmorgue.times import from_iso, iso, microseconds

_QUARANTINE = "quarantine"
_SCRATCH = ".repairing-"
_CHUNK, _SECTOR = 1 << 23, 1 << 12
_KINDS = ("crawl", "save", "import", "compact")


def repair(archive: Archive, now: datetime) -> Iterator[str]:
    """Mend the archive; yields what was done, and what could not be, a line each.

    No crawl, import or compaction may be under way on this machine: raises :class:`Busy`. On others neither, which
    nothing here can see.
    """
    _require_store(archive)
    report = verify(archive)
    if not report.problems:
        return
    with ExitStack() as stack:
        folder = stack.enter_context(_scratch(archive))
        for source in _sources(archive):
            for kind in _KINDS:
                stack.enter_context(archive.spool.lock_source(source, kind))
        work = _Repair(archive, now, folder)
        yield from work.restore_manifests()
        yield from work.quarantine_strangers()
        names = {problem.name for problem in report.problems if problem.name}
        yield from work.seal_spooled(names)
        yield from work.finish_begun()
        yield from work.mend_all(names)
        work.write_audit()
        if work.changed or any(problem.where == "catalogue" for problem in verify(archive).problems):
            rebuilt = reindex(archive, replace=True)
            yield f"catalogue: built anew from the objects, {rebuilt.captures} captures, {rebuilt.events} events"
        yield from work.remove_replaced()


def _require_store(archive: Archive) -> None:
    """A folder that is not mounted is no damage, and nothing must be made there."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        count = connection.execute(
            sa.select(sa.func.count()).where(c.state.in_((SEALED, REPLACED)), c.manifest.is_not(None))
        ).scalar_one()
    if count and next(archive.store.list(), None) is None:
        raise StoreUnavailable(
            f"store {archive.store.address}: is empty, though {count} files were sealed into it; nothing was changed: "
            "is it the right one, and mounted?"
        )


def _sources(archive: Archive) -> list[str]:
    """Every source that a process on this machine could be writing for."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        known = set(connection.execute(sa.select(c.source).distinct()).scalars())
    stored = {manifest.source for manifest in _manifests(archive.store)}
    return sorted(known | stored | {source_of(name) for name in archive.spool.names()})


@contextmanager
def _scratch(archive: Archive) -> Iterator[Path]:
    """A folder for objects in the making; what an ended repair left in such a one is removed."""
    archive.spool.folder.mkdir(parents=True, exist_ok=True)
    for left in archive.spool.folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=archive.spool.folder) as folder:
        yield Path(folder)


def _manifests(store: Store) -> list[Manifest]:
    """Those that can be read."""
    found = []
    for key, data in stored_manifests(store):
        try:
            found.append(parse_manifest(data, key))
        except MalformedRecord:
            continue
    return found


@dataclass(frozen=True, slots=True)
class _Mended:
    """A successor's objects, in local files, and the captures that are in it no longer."""

    warc: Path
    journal: Path
    cdxj: bytes
    lost: tuple[Capture, ...]


@dataclass
class _Repair:
    archive: Archive
    now: datetime
    folder: Path
    changed: bool = False
    audits: dict[str, list[Audited]] = field(default_factory=dict)

    # -- what can be had again as it was -------------------------------------------------------------------------

    def restore_manifests(self) -> Iterator[str]:
        """Put back each manifest that is missing or altered, where the catalogue has its copy."""
        c, store = schema.files.c, self.archive.store
        states = (c.state.in_((SEALED, REPLACED)), c.manifest.is_not(None))
        with self.archive.catalogue.read() as connection:
            copies = connection.execute(sa.select(c.name, c.manifest).where(*states).order_by(c.name)).all()
        stored = dict(stored_manifests(store))
        for name, copy in copies:
            key = object_keys(name).manifest
            if stored.get(key) != copy.encode():
                if key in stored:
                    yield self._move(key)
                store.put_bytes(key, copy.encode())
                yield f"{key}: put back from the catalogue's copy"

    def quarantine_strangers(self) -> Iterator[str]:
        """Objects that no manifest describes, and manifests that cannot be read and of which there is no copy."""
        found = list(self.archive.store.list())  # before the names: what is stored has its row first
        described = {item.key for manifest in _manifests(self.archive.store) for item in manifest.objects}
        for name in self._names_with_manifest():
            keys = object_keys(name)
            described |= {keys.warc, keys.cdxj, keys.journal}
        readable = {object_keys(manifest.name).manifest for manifest in _manifests(self.archive.store)}
        for info in found:
            if info.key.startswith("manifests/") and info.key not in readable:
                yield self._move(info.key)
            elif info.key.startswith(("warc/", "text/")) and info.key not in described:
                yield self._move(info.key) + (
                    "; no manifest describes it, and none can be made for it without forging the chain"
                    + ("; 'morgue import' takes its pages in again" if info.key.endswith(".warc.gz") else "")
                )

    def _names_with_manifest(self) -> list[str]:
        """What is sealed, or being sealed, compacted or repaired: then its objects come before its manifest."""
        c = schema.files.c
        query = sa.select(c.name).where(c.manifest.is_not(None))
        with self.archive.catalogue.read() as connection:
            return list(connection.execute(query).scalars())

    # -- what gets a successor -----------------------------------------------------------------------------------

    def seal_spooled(self, names: set[str]) -> Iterator[str]:
        """Store what is damaged in this machine's spool as it is, to be mended there."""
        for name in sorted(names & set(self.archive.spool.names())):
            try:
                file = adopt(self.archive, name, self.now)
                if file is not None:
                    with file:
                        yield from self._sealed(file)
            except NewsmorgueError as error:
                yield f"{name}: not repaired: {error}"

    def _sealed(self, file: SpoolFile) -> Iterator[str]:
        """Seal a file; where it is no longer what its manifest says already, store what is left of it all the same."""
        try:
            seal(self.archive, file, self.now)
            yield f"{file.name}: was in the spool, is stored"
        except IntegrityFailure:
            manifest = self._begun_manifest(file.name)
            if manifest is None:
                raise
            keys, store = object_keys(file.name), self.archive.store
            for key, path in ((keys.warc, file.warc_path), (keys.journal, file.journal_path)):
                if store.stat(key) is None:
                    store.put_file(key, path, sha256=file_sha256(path))
            store.put_bytes(keys.manifest, manifest.encode())
            self._set_state(file.name, SEALED)
            file.discard()
            yield f"{file.name}: was damaged in the spool, is stored as it is"

    def _begun_manifest(self, name: str) -> str | None:
        with self.archive.catalogue.read() as connection:
            query = sa.select(schema.files.c.manifest).where(schema.files.c.name == name)
            found: str | None = connection.execute(query).scalar_one()
        return found

    def _set_state(self, name: str, state: str) -> None:
        with self.archive.catalogue.write() as connection:
            connection.execute(sa.update(schema.files).where(schema.files.c.name == name).values(state=state))

    def finish_begun(self) -> Iterator[str]:
        """What has its place in a chain already: sealings that were cut short, successors that a repair began."""
        c = schema.files.c
        mine = (c.state == SEALING, c.host == self.archive.host)
        with self.archive.catalogue.read() as connection:
            names = connection.execute(sa.select(c.name).where(*mine).order_by(c.chain_position)).scalars().all()
            texts = connection.execute(sa.select(c.manifest).where(c.state == COMPACTING)).scalars().all()
        for file in filter(None, (adopt(self.archive, name, self.now) for name in names)):
            with file:
                yield from self._sealed(file)
        for manifest in (parse_manifest(text.encode(), "catalogue") for text in texts):
            if manifest.reason == REPAIRED:
                yield from self._succeed(manifest.replaces[0].name, manifest)

    def mend_all(self, names: set[str]) -> Iterator[str]:
        """Look at everything of these names that is sealed."""
        manifests = {manifest.name: manifest for manifest in _manifests(self.archive.store)}
        replaced = {item.name for manifest in manifests.values() for item in manifest.replaces}
        for name in sorted(names - replaced):
            if name in manifests:
                yield from self._mend(manifests[name])

    def _mend(self, manifest: Manifest) -> Iterator[str]:
        if self._is_whole(manifest):
            yield from self._restore_index(manifest)
            key = object_keys(manifest.name).cdxj
            if _sha256(self.archive.store, key) == sha256_in(manifest, key):
                return
        yield from self._succeed(manifest.name, None)

    def _is_whole(self, manifest: Manifest) -> bool:
        """Whether WARC and journal are what the manifest says, and can be read."""
        store, keys = self.archive.store, object_keys(manifest.name)
        if any(_sha256(store, key) != sha256_in(manifest, key) for key in (keys.warc, keys.journal)):
            return False
        report = Report()
        with store.open(keys.warc) as stream:
            is_readable = WarcReader(report).read(stream, keys.warc, manifest.name)[1] is None
        with store.open(keys.journal) as stream:
            return is_readable and read_journal(stream, keys.journal, manifest.name, report)[1]

    def _restore_index(self, manifest: Manifest) -> Iterator[str]:
        store, keys = self.archive.store, object_keys(manifest.name)
        if _sha256(store, keys.cdxj) == sha256_in(manifest, keys.cdxj):
            return
        with store.open(keys.warc) as stream:
            from_warc, _ = WarcReader(Report()).read(stream, keys.warc, manifest.name)
        for origin, captures in (("the WARC", from_warc), ("the catalogue", self._rows(manifest.name))):
            data = _index(captures)
            if hashlib.sha256(data).hexdigest() == sha256_in(manifest, keys.cdxj):
                if store.stat(keys.cdxj) is not None:
                    yield self._move(keys.cdxj)
                store.put_bytes(keys.cdxj, data)
                yield f"{keys.cdxj}: made again from {origin}, the same bytes as were sealed"
                return

    def _rows(self, name: str) -> list[Capture]:
        with self.archive.catalogue.read() as connection:
            return list(captures_of(connection, name))

    def _succeed(self, old_name: str, begun: Manifest | None) -> Iterator[str]:
        """Store a successor of a damaged sealing, and remember what it lacks for the audit."""
        old = self._manifest(old_name)
        new_name = begun.name if begun else self._new_name(old)
        mended = self._made(old, new_name)
        for described in old.objects:
            found = _sha256(self.archive.store, described.key)
            if found is None:
                yield f"{described.key}: is missing"
            elif found != described.sha256:
                yield self._copy(described.key)
        manifest = begun or self._begin(old, new_name, mended)
        self._store(manifest, mended)
        self.changed = True
        said = f"{len(mended.lost)} captures lost" if mended.lost else "no capture lost"
        self._remember(old, Audited("replaced", old_name, f"by {new_name}, after damage; {said}"))
        yield f"{old_name}: replaced by {new_name}, with all that is whole; {said}"
        for capture in mended.lost:
            place = f"{iso(capture.time)} {new_name}@{capture.offset}"
            self._remember(old, Audited(LOST, capture.url, place))
            yield f"lost: the capture of {capture.url} at {iso(capture.time)}"

    def _manifest(self, name: str) -> Manifest:
        key = object_keys(name).manifest
        return parse_manifest(self.archive.store.get(key), key)

    def _new_name(self, old: Manifest) -> str:
        with self.archive.catalogue.write() as connection:
            number = next_number(connection, "files")
        opened = re.sub(r".*-(\d{14})-[0-9a-f]{8}-\d+", r"\1", old.name)
        return f"{old.source}-{opened}-{secrets.token_hex(4)}-{number:05d}"

    def _made(self, old: Manifest, new_name: str) -> _Mended:
        """The successor's objects: the same bytes whenever this is done."""
        keys, known = object_keys(old.name), self._known(old)
        warc, journal = self.folder / "warc", self.folder / "journal"
        size, fill, identify = old.size_of(keys.warc), lost_record(new_name, old.sealed_at), _identify(known)
        mend(self._fetch(keys.warc), warc, size, is_record, fill, identify=identify, is_long=False)
        borders = {part.offset for part in journal_parts(old, self._replaced(old))}
        mend(self._fetch(keys.journal), journal, old.size_of(keys.journal), is_event, blank_line, borders=borders)
        with warc.open("rb") as stream:
            captures, _ = WarcReader(Report()).read(stream, "", new_name)
        there = {capture.offset for capture in captures}
        lost = tuple(capture for capture in known if capture.offset not in there)
        return _Mended(warc, journal, _index(captures), lost)

    def _replaced(self, old: Manifest) -> dict[str, Manifest]:
        """The manifests of all that was moved into a file."""
        found: dict[str, Manifest] = {}
        for item in old.replaces:
            found[item.name] = self._manifest(item.name)
            found |= self._replaced(found[item.name])
        return found

    def _known(self, old: Manifest) -> list[Capture]:
        """The captures that a WARC held: by its index, if that is whole, else the catalogue, else what is legible."""
        store, key = self.archive.store, object_keys(old.name).cdxj
        is_whole = _sha256(store, key) == sha256_in(old, key)
        return (not is_whole and self._rows(old.name)) or list(_legible(self._fetch(key)))

    def _fetch(self, key: str) -> Path:
        """A local copy of an object; an empty one where it is missing, with zeros where the disk cannot read it."""
        store, path = self.archive.store, self.folder / "damaged"
        info = store.stat(key)
        with path.open("wb") as out:
            for start in range(0, info.size if info else 0, _CHUNK):
                size = min(_CHUNK, info.size - start if info else 0)
                out.write(_range(store, key, start, size) or self._sectors(key, start, size))
        return path

    def _sectors(self, key: str, start: int, length: int) -> bytes:
        """What can be read of a stretch, in the steps in which disks lose it."""
        parts = []
        for offset in range(start, start + length, _SECTOR):
            size = min(_SECTOR, start + length - offset)
            parts.append(_range(self.archive.store, key, offset, size) or bytes(size))
        return b"".join(parts)

    def _begin(self, old: Manifest, name: str, mended: _Mended) -> Manifest:
        """Fix the successor's place in the chain: from here on the repair will be finished."""
        keys = object_keys(name)
        objects = (
            Described(keys.warc, mended.warc.stat().st_size, file_sha256(mended.warc)),
            Described(keys.cdxj, len(mended.cdxj), hashlib.sha256(mended.cdxj).hexdigest()),
            Described(keys.journal, mended.journal.stat().st_size, file_sha256(mended.journal)),
        )
        with self.archive.catalogue.write() as connection:
            place = end_of_chain(connection, old.source)
            replaces = (Replaced(old.name, 0, 0),)
            times = old.opened_at, iso(self.now)
            manifest = Manifest(name, old.source, *place, *times, old.first_seq, objects, replaces, REPAIRED)
            values: dict[str, Any] = {"name": name, "source": old.source, "host": self.archive.host}
            values |= {"state": COMPACTING, "chain_position": place[0]}
            values |= {"opened_at": microseconds(from_iso(old.opened_at)), "manifest": manifest.to_json().decode()}
            lengths = {"warc_length": objects[0].size, "journal_length": objects[2].size}
            connection.execute(sa.insert(schema.files).values(**values, **lengths))
        return manifest

    def _store(self, manifest: Manifest, mended: _Mended) -> None:
        store, keys = self.archive.store, object_keys(manifest.name)
        store.put_file(keys.warc, mended.warc, sha256=sha256_in(manifest, keys.warc))
        store.put_bytes(keys.cdxj, mended.cdxj)
        store.put_file(keys.journal, mended.journal, sha256=sha256_in(manifest, keys.journal))
        store.put_bytes(object_keys(manifest.name).manifest, manifest.to_json())
        read_back(self.archive, manifest)

    # -- what is said of it, and what goes away --------------------------------------------------------------------

    def _remember(self, old: Manifest, event: Audited) -> None:
        self.audits.setdefault(old.source, []).append(event)

    def write_audit(self) -> None:
        """What was replaced and lost, into the journal of each source."""
        for source, events in self.audits.items():
            with self.archive.create_file(source, self.now, {}) as file:
                with self.archive.commit(file, self.now) as ledger:
                    for event in events:
                        ledger.emit(event)
                seal(self.archive, file, self.now)

    def remove_replaced(self) -> Iterator[str]:
        """Of what a repair replaced nothing stays but the manifest; what its successor lacks stays in quarantine."""
        manifests = {manifest.name: manifest for manifest in _manifests(self.archive.store)}
        for new in manifests.values():
            old = manifests.get(new.replaces[0].name) if new.reason == REPAIRED else None
            for described, its in zip(old.objects, new.objects, strict=True) if old else ():
                found = _sha256(self.archive.store, described.key)
                if found is None:
                    continue
                is_index = described.key.endswith(CDXJ_SUFFIX)
                if found != described.sha256:
                    self._copy(described.key)
                    yield f"{described.key}: removed; what was left of it is in {_QUARANTINE}/"
                elif found != its.sha256 and not is_index:
                    said = self._copy(described.key)
                    yield f"{said}; it is whole, and was given up for lost: 'morgue import' takes it in from there"
                self.archive.store.delete(described.key)

    def _move(self, key: str) -> str:
        said = self._copy(key)
        self.archive.store.delete(key)
        self.changed = True
        return said.replace("copied", "moved")

    def _copy(self, key: str) -> str:
        """Under a key that names its content, so that doing it again is nothing."""
        path = self._fetch(key)
        sha256 = file_sha256(path)
        goal = f"{_QUARANTINE}/{sha256[:16]}/{key}"
        self.archive.store.put_file(goal, path, sha256=sha256)
        if self.archive.store.sha256(goal) != sha256:
            raise IntegrityFailure(
                f"{self.archive.store.address}/{goal}: reads back with another SHA-256 than was sent"
            )
        return f"{key}: copied to {goal}"


def _identify(known: list[Capture]) -> Identify:
    """Where a record stood. A capture that nothing knows of is not taken over: within a damaged record, a site's own
    gzip body may look like one."""
    places = {_identity(capture): capture.offset for capture in known}

    def identify(content: bytes, length: int) -> int | None:
        record = parse_record(content, "")
        if not record.is_indexed:
            return None
        place = places.get(_identity(capture_from_record(record, known[0].warc, 0, length))) if known else None
        if place is None and known:
            raise Unwanted
        return place

    return identify


def _identity(capture: Capture) -> tuple[str, datetime, str | None, int]:
    return capture.url, capture.time, capture.payload_digest, capture.length


def _legible(path: Path) -> Iterator[Capture]:
    """The captures in an index of which some lines may be damaged."""
    for line in path.read_bytes().splitlines():
        try:
            yield capture_from_cdx(parse_line(line.decode(), ""))
        except (UnicodeDecodeError, MalformedRecord):
            continue


def _range(store: Store, key: str, start: int, length: int) -> bytes | None:
    """A stretch of an object; None where it cannot be read."""
    try:
        return store.get_range(key, start, length)
    except IntegrityFailure:
        return None


def _index(captures: list[Capture]) -> bytes:
    return b"".join(sorted(format_line(cdx_line(capture)).encode() + b"\n" for capture in captures))


def _sha256(store: Store, key: str) -> str | None:
    """The SHA-256 of an object; None where there is none, empty where it cannot be read to its end."""
    try:
        return store.sha256(key)
    except MissingObject:
        return None
    except IntegrityFailure:
        return ""
