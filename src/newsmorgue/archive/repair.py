"""Repair: what verify finds is mended where something else still says how it was, and the rest is put aside.

An index is made again from its WARC or the catalogue, a manifest put back from the catalogue's copy: the same bytes, or
none. A WARC or journal that is damaged gets a successor with everything in it that is whole, each record where it
stood, and goes to ``quarantine/``; its manifest stays, and the successor's says what it replaces. Then the catalogue is
built anew from the objects. A repair that is cut short is finished by the next one.
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
from newsmorgue.archive.cdxj import format_line
from newsmorgue.archive.checks import Report, WarcReader
from newsmorgue.archive.events import Audited
from newsmorgue.archive.index import captures_of, cdx_line
from newsmorgue.archive.manifests import REPAIRED, Described, Manifest, Replaced, parse_manifest, stored_manifests
from newsmorgue.archive.recovery import adopt
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.salvage import blank_line, is_event, is_record, lost_record, mend
from newsmorgue.archive.sealing import end_of_chain, file_sha256, read_back, seal, sha256_in
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import LOST, verify
from newsmorgue.errors import IntegrityFailure, MalformedRecord, MissingObject
from newsmorgue.times import from_iso, iso, microseconds

_QUARANTINE = "quarantine"
_SCRATCH = ".repairing-"
_CHUNK = 1 << 20
_KINDS = ("crawl", "save", "import", "compact")


def repair(archive: Archive, now: datetime) -> Iterator[str]:
    """Mend the archive; yields what was done, and what could not be, a line each.

    No crawl, import or compaction may be under way on this machine: raises :class:`Busy`. On others neither, which
    nothing here can see.
    """
    report = verify(archive)
    if not report.problems:
        return
    with ExitStack() as stack:
        folder = stack.enter_context(_scratch(archive))
        for source in sorted({manifest.source for manifest in _manifests(archive.store)}):
            for kind in _KINDS:
                stack.enter_context(archive.spool.lock_source(source, kind))
        work = _Repair(archive, now, folder)
        yield from work.restore_manifests()
        yield from work.quarantine_strangers()
        yield from work.finish_begun()
        yield from work.mend_all({problem.name for problem in report.problems if problem.name})
        work.write_audit()
        if work.changed or any(problem.where == "catalogue" for problem in verify(archive).problems):
            rebuilt = reindex(archive, replace=True)
            yield f"catalogue: built anew from the objects, {rebuilt.captures} captures, {rebuilt.events} events"
        yield from work.remove_replaced()


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
        described = {item.key for manifest in _manifests(self.archive.store) for item in manifest.objects}
        for name in self._unfinished_names():
            keys = object_keys(name)
            described |= {keys.warc, keys.cdxj, keys.journal}
        readable = {object_keys(manifest.name).manifest for manifest in _manifests(self.archive.store)}
        for info in list(self.archive.store.list()):
            if info.key.startswith("manifests/") and info.key not in readable:
                yield self._move(info.key)
            elif info.key.startswith(("warc/", "text/")) and info.key not in described:
                yield self._move(info.key) + (
                    "; no manifest describes it, and none can be made for it without forging the chain"
                    + ("; 'morgue import' takes its pages in again" if info.key.endswith(".warc.gz") else "")
                )

    def _unfinished_names(self) -> list[str]:
        """What is being sealed, compacted or repaired: its objects come before its manifest."""
        c = schema.files.c
        query = sa.select(c.name).where(c.manifest.is_not(None), c.state.not_in((SEALED, REPLACED)))
        with self.archive.catalogue.read() as connection:
            return list(connection.execute(query).scalars())

    # -- what gets a successor -----------------------------------------------------------------------------------

    def finish_begun(self) -> Iterator[str]:
        """What has its place in a chain already: sealings that were cut short, successors that a repair began."""
        c = schema.files.c
        mine = (c.state == SEALING, c.host == self.archive.host)
        with self.archive.catalogue.read() as connection:
            names = connection.execute(sa.select(c.name).where(*mine).order_by(c.chain_position)).scalars().all()
            texts = connection.execute(sa.select(c.manifest).where(c.state == COMPACTING)).scalars().all()
        for file in filter(None, (adopt(self.archive, name, self.now) for name in names)):
            with file:
                seal(self.archive, file, self.now)
            yield f"{file.name}: its sealing, which was cut short, is done"
        for manifest in (parse_manifest(text.encode(), "catalogue") for text in texts):
            if manifest.reason == REPAIRED:
                yield from self._succeed(manifest.replaces[0].name, manifest)

    def mend_all(self, names: set[str]) -> Iterator[str]:
        """Look at everything of these names that is sealed."""
        manifests = {manifest.name: manifest for manifest in _manifests(self.archive.store)}
        replaced = {item.name for manifest in manifests.values() for item in manifest.replaces}
        for name in sorted(names - replaced):
            if name not in manifests:
                if self.archive.spool.path(name, ".warc.gz").exists():
                    yield f"{name}: is still in the spool; 'morgue seal' stores it as it is, then repair it"
                continue
            yield from self._mend(manifests[name])

    def _mend(self, manifest: Manifest) -> Iterator[str]:
        store, keys = self.archive.store, object_keys(manifest.name)
        missing = [key for key in (keys.warc, keys.journal) if store.stat(key) is None]
        if keys.warc in missing:
            yield f"{keys.warc}: is missing; nothing here can replace it, but a copy of it put back under that key"
            return
        if not missing and self._is_whole(manifest):
            yield from self._restore_index(manifest)
            if _sha256(store, keys.cdxj) == sha256_in(manifest, keys.cdxj):
                return
        yield from self._succeed(manifest.name, None)

    def _is_whole(self, manifest: Manifest) -> bool:
        """Whether WARC and journal are what the manifest says, and can be read."""
        store, keys = self.archive.store, object_keys(manifest.name)
        if any(_sha256(store, key) != sha256_in(manifest, key) for key in (keys.warc, keys.journal)):
            return False
        with store.open(keys.warc) as stream:
            return WarcReader(Report()).read(stream, keys.warc, manifest.name)[1] is None

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
        try:
            mended = self._made(old, new_name)
        except MalformedRecord as error:
            yield f"{old_name}: not repaired: {error}"
            return
        for described in old.objects:
            if _sha256(self.archive.store, described.key) not in (described.sha256, None):
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
        keys = object_keys(old.name)
        warc, journal = self.folder / "warc", self.folder / "journal"
        mend(self._fetch(keys.warc), warc, old.size_of(keys.warc), is_record, lost_record(new_name, old.sealed_at))
        mend(self._fetch(keys.journal), journal, old.size_of(keys.journal), is_event, blank_line)
        with warc.open("rb") as stream:
            captures, _ = WarcReader(Report()).read(stream, "", new_name)
        there = {capture.offset for capture in captures}
        lost = tuple(capture for capture in self._rows(old.name) if capture.offset not in there)
        return _Mended(warc, journal, _index(captures), lost)

    def _fetch(self, key: str) -> Path:
        """A local copy of an object; an empty one where it is missing."""
        path = self.folder / "damaged"
        with path.open("wb") as out:
            try:
                with self.archive.store.open(key) as stream:
                    shutil.copyfileobj(stream, out, _CHUNK)
            except MissingObject:
                pass  # all of it is a gap, then
        return path

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
        """Of what a repair replaced nothing stays but the manifest; what is damaged of it stays in quarantine."""
        manifests = {manifest.name: manifest for manifest in _manifests(self.archive.store)}
        repaired = [manifest for manifest in manifests.values() if manifest.reason == REPAIRED]
        for described in (item for manifest in repaired for item in manifests[manifest.replaces[0].name].objects):
            found = _sha256(self.archive.store, described.key)
            if found is not None and found != described.sha256:
                self._copy(described.key)
                yield f"{described.key}: removed; what was left of it is in {_QUARANTINE}/"
            if found is not None:
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


def _index(captures: list[Capture]) -> bytes:
    return b"".join(sorted(format_line(cdx_line(capture)).encode() + b"\n" for capture in captures))


def _sha256(store: Store, key: str) -> str | None:
    try:
        return store.sha256(key)
    except MissingObject:
        return None
