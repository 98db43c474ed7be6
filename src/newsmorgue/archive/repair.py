"""Repair: what verify finds is mended where something else still says how it was, and the rest is put aside.

An index is made again from its WARC or the catalogue, a manifest put back from the catalogue's copy: the same bytes, or
none. A WARC or journal that is damaged or missing gets a successor with everything in it that is whole, each record
where it stood, and goes to ``quarantine/``; its manifest stays, and the successor's says what it replaces. Then the
catalogue is built anew from the objects. A repair that is cut short is finished by the next one.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import COMPACTING, REPLACED, SEALED, SEALING, Archive
from newsmorgue.archive.checks import Report, WarcReader, read_journal
from newsmorgue.archive.events import LOST, Audited
from newsmorgue.archive.holds import require_no_run_elsewhere
from newsmorgue.archive.manifests import (
    REPAIRED,
    Manifest,
    Replaced,
    parse_manifest,
    readable_manifests,
    stored_manifests,
)
from newsmorgue.archive.presence import require_something, require_whole_store
from newsmorgue.archive.recovery import adopt
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.remains import Mended, Remains, index_of, sha256_of
from newsmorgue.archive.sealing import (
    begin_successor,
    end_of_chain,
    file_sha256,
    seal,
    sha256_in,
    store_manifest,
    store_objects,
    successor_name,
)
from newsmorgue.archive.spool import CDXJ_SUFFIX, SpoolFile, object_keys, source_of
from newsmorgue.archive.verify import verify
from newsmorgue.errors import IntegrityFailure, NewsmorgueError
from newsmorgue.times import iso

_QUARANTINE = "quarantine"
_SCRATCH = ".repairing-"
_KINDS = ("crawl", "save", "import", "compact")


def repair(archive: Archive, now: datetime, *, missing_is_lost: bool = False) -> Iterator[str]:
    """Mend the archive; yields what was done, and what could not be, a line each.

    No crawl, import or compaction may be under way, on whatever machine: raises :class:`Busy`. Raises
    :class:`StoreUnavailable` where most of a folder is missing, unless that ``missing_is_lost``.
    """
    require_something(archive)
    if not missing_is_lost:
        require_whole_store(archive)
    report = verify(archive)
    if not report.problems:
        return
    with archive.catalogue.read() as connection:
        require_no_run_elsewhere(connection, archive.place, now)
    with ExitStack() as stack:
        folder = stack.enter_context(_scratch(archive))
        for source in _sources(archive):
            for kind in _KINDS:
                stack.enter_context(archive.spool.lock_source(source, kind))
        work = _Repair(archive, now, Remains(archive, folder))
        yield from work.restore_manifests()
        yield from work.quarantine_strangers()
        names = {problem.name for problem in report.problems if problem.name}
        yield from work.seal_spooled(names)
        yield from work.finish_begun()
        yield from work.mend_all(names)
        work.write_audit()
        if work.changed or any(problem.where == "catalogue" for problem in verify(archive).problems):
            rebuilt = reindex(archive, replace=True, missing_is_lost=True)  # manifests were put back
            yield f"catalogue: built anew from the objects, {rebuilt.captures} captures, {rebuilt.events} events"
        yield from work.remove_replaced()


def _sources(archive: Archive) -> list[str]:
    """Every source that a process on this machine could be writing for."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        known = set(connection.execute(sa.select(c.source).distinct()).scalars())
    stored = {manifest.source for manifest in readable_manifests(archive.store)}
    return sorted(known | stored | {source_of(name) for name in archive.spool.names()})


@contextmanager
def _scratch(archive: Archive) -> Iterator[Path]:
    """A folder for objects in the making; what an ended repair left in such a one is removed."""
    archive.spool.folder.mkdir(parents=True, exist_ok=True)
    for left in archive.spool.folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=archive.spool.folder) as folder:
        yield Path(folder)


@dataclass
class _Repair:
    archive: Archive
    now: datetime
    remains: Remains
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
        described = {item.key for manifest in readable_manifests(self.archive.store) for item in manifest.objects}
        for name in self._names_with_manifest():
            keys = object_keys(name)
            described |= {keys.warc, keys.cdxj, keys.journal}
        readable = {object_keys(manifest.name).manifest for manifest in readable_manifests(self.archive.store)}
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
        manifests = {manifest.name: manifest for manifest in readable_manifests(self.archive.store)}
        replaced = {item.name for manifest in manifests.values() for item in manifest.replaces}
        for name in sorted(names - replaced):
            if name in manifests:
                yield from self._mend(manifests[name])

    def _mend(self, manifest: Manifest) -> Iterator[str]:
        if self._is_whole(manifest):
            yield from self._restore_index(manifest)
            key = object_keys(manifest.name).cdxj
            if sha256_of(self.archive.store, key) == sha256_in(manifest, key):
                return
        yield from self._succeed(manifest.name, None)

    def _is_whole(self, manifest: Manifest) -> bool:
        """Whether WARC and journal are what the manifest says, and can be read."""
        store, keys = self.archive.store, object_keys(manifest.name)
        if any(sha256_of(store, key) != sha256_in(manifest, key) for key in (keys.warc, keys.journal)):
            return False
        report = Report()
        with store.open(keys.warc) as stream:
            is_readable = WarcReader(report).read(stream, keys.warc, manifest.name).end is None
        with store.open(keys.journal) as stream:
            return is_readable and read_journal(stream, keys.journal, manifest.name, report)[1]

    def _restore_index(self, manifest: Manifest) -> Iterator[str]:
        store, keys = self.archive.store, object_keys(manifest.name)
        if sha256_of(store, keys.cdxj) == sha256_in(manifest, keys.cdxj):
            return
        with store.open(keys.warc) as stream:
            from_warc = WarcReader(Report()).read(stream, keys.warc, manifest.name).captures
        for origin, captures in (("the WARC", from_warc), ("the catalogue", self.remains.rows(manifest.name))):
            data = index_of(captures)
            if hashlib.sha256(data).hexdigest() == sha256_in(manifest, keys.cdxj):
                if store.stat(keys.cdxj) is not None:
                    yield self._move(keys.cdxj)
                store.put_bytes(keys.cdxj, data)
                yield f"{keys.cdxj}: made again from {origin}, the same bytes as were sealed"
                return

    def _succeed(self, old_name: str, begun: Manifest | None) -> Iterator[str]:
        """Store a successor of a damaged sealing, and remember what it lacks for the audit."""
        old = self.remains.manifest(old_name)
        new_name = begun.name if begun else successor_name(self.archive, old.name)
        mended = self.remains.successor(old, new_name)
        for described in old.objects:
            found = sha256_of(self.archive.store, described.key)
            if found is None:
                yield f"{described.key}: is missing"
            elif found != described.sha256:
                yield self._copy(described.key)
        manifest = begun or self._begin(old, new_name, mended)
        store_objects(self.archive, manifest, mended.contents)
        store_manifest(self.archive, manifest)
        self.changed = True
        said = f"{len(mended.lost) or 'no'} capture{'s' if len(mended.lost) > 1 else ''} lost"
        self._remember(old, Audited("replaced", old_name, f"by {new_name}, after damage; {said}"))
        yield f"{old_name}: replaced by {new_name}, with all that is whole; {said}"
        for capture in mended.lost:
            place = f"{iso(capture.time)} {new_name}@{capture.offset}"
            self._remember(old, Audited(LOST, capture.url, place))
            yield f"lost: the capture of {capture.url} at {iso(capture.time)}"

    def _begin(self, old: Manifest, name: str, mended: Mended) -> Manifest:
        objects, replaces = mended.contents.described(name), (Replaced(old.name, 0, 0),)
        times = old.opened_at, iso(self.now)
        with self.archive.catalogue.write() as connection:
            place = end_of_chain(connection, old.source)
            manifest = Manifest(name, old.source, *place, *times, old.first_seq, objects, replaces, REPAIRED)
            begin_successor(self.archive, connection, manifest)
        return manifest

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
        manifests = {manifest.name: manifest for manifest in readable_manifests(self.archive.store)}
        for new in manifests.values():
            old = manifests.get(new.replaces[0].name) if new.reason == REPAIRED else None
            for described, its in zip(old.objects, new.objects, strict=True) if old else ():
                found = sha256_of(self.archive.store, described.key)
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
        path = self.remains.fetch(key)
        sha256 = file_sha256(path)
        goal = f"{_QUARANTINE}/{sha256[:16]}/{key}"
        self.archive.store.put_file(goal, path, sha256=sha256)
        if self.archive.store.sha256(goal) != sha256:
            raise IntegrityFailure(
                f"{self.archive.store.address}/{goal}: reads back with another SHA-256 than was sent"
            )
        return f"{key}: copied to {goal}"
