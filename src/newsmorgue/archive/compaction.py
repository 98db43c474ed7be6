"""Compacting: the small sealed WARCs of a source's month become one, and so do their journals and indexes.

The new objects are the old ones one after another, byte for byte. The new manifest, next in the source's chain, names
what it replaces and where that begins; the old manifests stay, so that the chain holds and every old digest can
still be checked. A crash leaves the old objects valid, or the new; the same command finishes what it began.
"""

import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import COMPACTING, REPLACED, SEALED, Archive
from newsmorgue.archive.cdxj import CdxLine, format_line, read_cdxj
from newsmorgue.archive.holds import Hold
from newsmorgue.archive.manifests import COMPACTED, Manifest, Replaced, parse_manifest
from newsmorgue.archive.replay import insert_moves
from newsmorgue.archive.sealing import (
    Contents,
    begin_successor,
    end_of_chain,
    sha256_in,
    store_manifest,
    store_objects,
    successor_name,
)
from newsmorgue.archive.spool import WARC_SUFFIX, object_keys
from newsmorgue.errors import Busy, CatalogueUnavailable, IntegrityFailure
from newsmorgue.times import iso

# The size that the WARC specification recommends for one file (WARC 1.1, annex C.2).
LARGEST = 1 << 30
_CHUNK = 1 << 20
_SCRATCH = ".compacting-"
KIND = "compact"


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of some files: the new one's name and size in bytes, and the names of those in it."""

    name: str
    size: int
    replaced: tuple[str, ...]


def compact(archive: Archive, source: str, now: datetime, month: str | None = None) -> Iterator[Compacted]:
    """Merge a source's WARCs below the size at which they are sealed: of a month (``YYYY-MM``), or of each month.

    Begins with what an ended process left unfinished. Raises :class:`Busy`, :class:`StoreUnavailable`, and
    :class:`IntegrityFailure` for an object that is not what its manifest says: nothing is changed then.
    """
    with (
        archive.spool.lock_source(source, KIND),
        _held(archive, source, now) as renew,
        _scratch(archive, source) as folder,
    ):
        for manifest in _unfinished(archive, source):
            renew()
            yield _finish(archive, manifest, None, folder)
        for names in _batches(archive, source, month):
            renew()
            yield _finish(archive, *_begin(archive, source, names, now, folder), folder)
        _remove_replaced(archive, source)


@contextmanager
def _held(archive: Archive, source: str, now: datetime) -> Iterator[Callable[[], None]]:
    """Have no other machine compact the source, or build the catalogue anew, meanwhile; what is given says that this
    one still lives."""
    hold, began = Hold(source, KIND, secrets.token_hex(8), archive.place), time.monotonic()

    def renew() -> None:
        with archive.catalogue.write() as connection:
            hold.renew(connection, now + timedelta(seconds=time.monotonic() - began))

    with archive.catalogue.write() as connection:
        hold.take(connection, now)
    try:
        yield renew
    finally:
        with suppress(CatalogueUnavailable), archive.catalogue.write() as connection:  # it runs out by itself too
            hold.release(connection)


@contextmanager
def _scratch(archive: Archive, source: str) -> Iterator[Path]:
    """A folder for the new objects until they are stored; what an ended process left in such a one is removed."""
    above = archive.spool.folder / source
    for left in above.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=above) as folder:
        yield Path(folder)


def _unfinished(archive: Archive, source: str) -> list[Manifest]:
    c = schema.files.c
    query = sa.select(c.name, c.manifest).where(c.source == source, c.state == COMPACTING).order_by(c.chain_position)
    with archive.catalogue.read() as connection:
        found = [parse_manifest(row.manifest.encode(), row.name) for row in connection.execute(query)]
    return [manifest for manifest in found if manifest.reason == COMPACTED]


def _batches(archive: Archive, source: str, month: str | None) -> Iterator[list[str]]:
    """The names to be merged, month by month, so many that the new WARC stays below LARGEST."""
    c = schema.files.c
    small = (c.source == source, c.state == SEALED, c.warc_length < archive.limits.size)
    with archive.catalogue.read() as connection:
        rows = connection.execute(sa.select(c.name, c.warc_length).where(*small).order_by(c.name)).all()
    for found, files in groupby(rows, key=lambda row: _month(row.name)):
        if month in (None, found):
            yield from _filled([(row.name, row.warc_length) for row in files])


def _month(name: str) -> str:
    year, month = object_keys(name).warc.split("/")[2:4]
    return f"{year}-{month}"


def _filled(files: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    names: list[str] = []
    size = 0
    for name, length in files:
        if names and size + length > LARGEST:
            yield from [names] if len(names) > 1 else []
            names, size = [], 0
        names.append(name)
        size += length
    yield from [names] if len(names) > 1 else []


def _manifests(archive: Archive, names: Sequence[str]) -> list[Manifest]:
    c = schema.files.c
    with archive.catalogue.read() as connection:
        rows = connection.execute(sa.select(c.name, c.manifest).where(c.name.in_(names))).all()
    texts = {row.name: row.manifest for row in rows}
    return [parse_manifest(texts[name].encode(), name) for name in names]


@dataclass(frozen=True, slots=True)
class _Merged:
    """The new objects, and what is in them."""

    contents: Contents
    replaces: tuple[Replaced, ...]


def _merge(archive: Archive, name: str, olds: Sequence[Manifest], folder: Path) -> _Merged:
    """Copy the old objects one after another, each checked against its manifest. The same bytes whenever it is done."""
    warc, journal = folder / "warc", folder / "journal"
    replaces: list[Replaced] = []
    lines: list[bytes] = []
    with warc.open("wb") as warcs, journal.open("wb") as journals:
        for old in olds:
            keys, item = object_keys(old.name), Replaced(old.name, warcs.tell(), journals.tell())
            _copy(archive, old, keys.warc, warcs)
            _copy(archive, old, keys.journal, journals)
            lines += _moved_lines(archive, old, name, item.warc_offset)
            replaces.append(item)
    return _Merged(Contents(warc, b"".join(sorted(lines)), journal), tuple(replaces))


def _copy(archive: Archive, manifest: Manifest, key: str, out: BinaryIO) -> None:
    digest = hashlib.sha256()
    with archive.store.open(key) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
    if digest.hexdigest() != sha256_in(manifest, key):
        raise IntegrityFailure(f"{key}: is not what its manifest says, so nothing was compacted; run 'morgue verify'")


def _moved_lines(archive: Archive, old: Manifest, name: str, shift: int) -> Iterator[bytes]:
    key = object_keys(old.name).cdxj
    if archive.store.sha256(key) != sha256_in(old, key):
        raise IntegrityFailure(f"{key}: is not what its manifest says, so nothing was compacted; run 'morgue verify'")
    with archive.store.open(key) as stream:
        for line in read_cdxj(stream, key):
            moved = {"offset": str(int(line.fields["offset"]) + shift), "filename": f"{name}{WARC_SUFFIX}"}
            yield format_line(CdxLine(line.surt, line.timestamp, dict(line.fields) | moved)).encode() + b"\n"


def _begin(
    archive: Archive, source: str, names: Sequence[str], now: datetime, folder: Path
) -> tuple[Manifest, _Merged]:
    """Make the new objects, and fix their place in the chain: from here on the compaction will be finished."""
    name, olds, c = successor_name(archive, names[0]), _manifests(archive, names), schema.files.c
    merged = _merge(archive, name, olds, folder)
    objects = merged.contents.described(name)
    first_seq = min((old.first_seq for old in olds if old.first_seq is not None), default=None)
    times = olds[0].opened_at, iso(now)
    with archive.catalogue.write() as connection:
        states = connection.execute(sa.select(c.state).where(c.name.in_(names))).scalars().all()
        if states != [SEALED] * len(names):
            raise Busy(f"another process compacted files of '{source}' just now; run the same command again")
        place = end_of_chain(connection, source)
        manifest = Manifest(name, source, *place, *times, first_seq, objects, merged.replaces, COMPACTED)
        begin_successor(archive, connection, manifest)
    return manifest, merged


def _finish(archive: Archive, manifest: Manifest, merged: _Merged | None, folder: Path) -> Compacted:
    """Store the new objects (made again, where an ended process began), then let the catalogue lead to them.

    Can be done again after a crash at any point.
    """
    if any(archive.store.stat(described.key) is None for described in manifest.objects):
        olds = _manifests(archive, [item.name for item in manifest.replaces])
        merged = merged or _merge(archive, manifest.name, olds, folder)
        store_objects(archive, manifest, merged.contents)
    _require_begun(archive, manifest.name)
    store_manifest(archive, manifest)
    _switch(archive, manifest)
    return Compacted(manifest.name, manifest.objects[0].size, tuple(item.name for item in manifest.replaces))


def _require_begun(archive: Archive, name: str) -> None:
    """Its place in the chain must still be the file's. What was stored is named by verify, and repair puts it aside."""
    c = schema.files.c
    with archive.catalogue.read() as connection:
        if connection.execute(sa.select(c.name).where(c.name == name)).first() is None:
            raise Busy(f"{name}: the catalogue was built anew meanwhile; run 'morgue verify --repair', then this again")


# Every column that names a WARC or journal, and that of the place in it.
_PLACES = (
    (schema.captures.c.warc, schema.captures.c.offset),
    (schema.sightings.c.warc, schema.sightings.c.offset),
    (schema.renderings.c.warc, schema.renderings.c.offset),
    (schema.renderings.c.dom_warc, schema.renderings.c.dom_offset),
    (schema.texts.c.journal, schema.texts.c.offset),
)


def _switch(archive: Archive, manifest: Manifest) -> None:
    """In one transaction, every row that names a place in an old file names the new place."""
    c = schema.files.c
    with archive.catalogue.write() as connection:
        state = connection.execute(sa.select(c.state).where(c.name == manifest.name)).scalar_one()
        if state != COMPACTING:
            return  # another machine was quicker
        for item in manifest.replaces:
            for column, offset in _PLACES:
                shift = item.journal_offset if column is schema.texts.c.journal else item.warc_offset
                moved = {column: manifest.name, offset: offset + shift}
                connection.execute(sa.update(column.table).where(column == item.name).values(moved))
            connection.execute(sa.update(schema.files).where(c.name == item.name).values(state=REPLACED))
        insert_moves(connection, manifest)
        connection.execute(sa.update(schema.files).where(c.name == manifest.name).values(state=SEALED))


def _remove_replaced(archive: Archive, source: str) -> None:
    """Remove what compacted files left in the store: all but their manifests. What a repair replaced is its own."""
    c = schema.files.c
    query = sa.select(c.manifest).where(c.source == source, c.state.in_((SEALED, REPLACED)), c.manifest.is_not(None))
    with archive.catalogue.read() as connection:
        manifests = [parse_manifest(text.encode(), source) for text in connection.execute(query).scalars()]
    names = [item.name for manifest in manifests if manifest.reason == COMPACTED for item in manifest.replaces]
    gone = {
        key for name in names for key in (object_keys(name).warc, object_keys(name).cdxj, object_keys(name).journal)
    }
    for folder in ("warc", "text"):
        for info in list(archive.store.list(f"{folder}/{source}/")) if gone else []:
            if info.key in gone:
                archive.store.delete(info.key)
