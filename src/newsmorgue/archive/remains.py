"""What is left of a damaged sealing: the objects of its successor, made in local files. Nothing is stored here.

Every record that is whole stands where it stood, and a filler has the place of what is lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.cdxj import format_line, parse_line
from newsmorgue.archive.checks import Report, WarcReader
from newsmorgue.archive.index import capture_from_cdx, capture_from_record, captures_of, cdx_line
from newsmorgue.archive.manifests import Manifest, journal_parts, parse_manifest
from newsmorgue.archive.salvage import Identify, Unwanted, blank_line, is_event, is_record, lost_record, mend
from newsmorgue.archive.sealing import Contents, sha256_in
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.warc import parse_record
from newsmorgue.errors import IntegrityFailure, MalformedRecord, MissingObject

_CHUNK, _SECTOR = 1 << 23, 1 << 12


@dataclass(frozen=True, slots=True)
class Mended:
    """A successor's objects, in local files, and the captures that are in it no longer."""

    contents: Contents
    lost: tuple[Capture, ...]


@dataclass(frozen=True, slots=True)
class Remains:
    """Reads what damage left in the store, into files of a folder."""

    archive: Archive
    folder: Path

    def manifest(self, name: str) -> Manifest:
        """The manifest of a sealing."""
        key = object_keys(name).manifest
        return parse_manifest(self.archive.store.get(key), key)

    def successor(self, old: Manifest, new_name: str) -> Mended:
        """The successor's objects: the same bytes whenever this is done."""
        keys, known = object_keys(old.name), self._known(old)
        warc, journal = self.folder / "warc", self.folder / "journal"
        size, fill, identify = old.size_of(keys.warc), lost_record(new_name, old.sealed_at), _identify(known)
        mend(self.fetch(keys.warc), warc, size, is_record, fill, identify=identify, is_long=False)
        borders = {part.offset for part in journal_parts(old, self._replaced(old))}
        mend(self.fetch(keys.journal), journal, old.size_of(keys.journal), is_event, blank_line, borders=borders)
        with warc.open("rb") as stream:
            captures = WarcReader(Report()).read(stream, "", new_name).captures
        there = {capture.offset for capture in captures}
        lost = tuple(capture for capture in known if capture.offset not in there)
        return Mended(Contents(warc, index_of(captures), journal), lost)

    def _replaced(self, old: Manifest) -> dict[str, Manifest]:
        """The manifests of all that was moved into a file."""
        found: dict[str, Manifest] = {}
        for item in old.replaces:
            found[item.name] = self.manifest(item.name)
            found |= self._replaced(found[item.name])
        return found

    def _known(self, old: Manifest) -> list[Capture]:
        """The captures that a WARC held: by its index, if that is whole, else the catalogue, else what is legible."""
        store, key = self.archive.store, object_keys(old.name).cdxj
        is_whole = sha256_of(store, key) == sha256_in(old, key)
        return (not is_whole and self.rows(old.name)) or list(_legible(self.fetch(key)))

    def fetch(self, key: str) -> Path:
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

    def rows(self, name: str) -> list[Capture]:
        """The captures that the catalogue has in a WARC."""
        with self.archive.catalogue.read() as connection:
            return list(captures_of(connection, name))


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


def index_of(captures: list[Capture]) -> bytes:
    """The CDXJ of these captures."""
    return b"".join(sorted(format_line(cdx_line(capture)).encode() + b"\n" for capture in captures))


def sha256_of(store: Store, key: str) -> str | None:
    """The SHA-256 of an object; None where there is none, empty where it cannot be read to its end."""
    try:
        return store.sha256(key)
    except MissingObject:
        return None
    except IntegrityFailure:
        return ""
