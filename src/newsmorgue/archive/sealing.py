"""Sealing: an open WARC becomes objects in the store, with its CDXJ, journal and manifest, and leaves the spool."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import COMPACTING, SEALED, SEALING, Archive
from newsmorgue.archive.catalogue import next_number
from newsmorgue.archive.cdxj import format_line
from newsmorgue.archive.events import decode
from newsmorgue.archive.index import captures_of, cdx_line
from newsmorgue.archive.manifests import Described, Manifest, link, parse_manifest
from newsmorgue.archive.presence import require_something
from newsmorgue.archive.salvage import intact_members, is_event
from newsmorgue.archive.spool import SpoolFile, object_keys, source_of
from newsmorgue.errors import IntegrityFailure
from newsmorgue.times import from_iso, from_microseconds, iso, microseconds


@dataclass(frozen=True, slots=True)
class Contents:
    """What becomes the objects of one name: WARC and journal in local files, and the index."""

    warc: Path
    cdxj: bytes
    journal: Path

    def described(self, name: str) -> tuple[Described, ...]:
        """The objects as a manifest has them."""
        keys = object_keys(name)
        return (
            Described(keys.warc, self.warc.stat().st_size, file_sha256(self.warc)),
            Described(keys.cdxj, len(self.cdxj), hashlib.sha256(self.cdxj).hexdigest()),
            Described(keys.journal, self.journal.stat().st_size, file_sha256(self.journal)),
        )


def seal(archive: Archive, file: SpoolFile, now: datetime) -> bool:
    """Store a file (held under its lock) and take it out of the spool; False where it held nothing to store.

    Can be done again after a crash at any point. Raises :class:`StoreUnavailable`, and the file stays in the spool.
    """
    if _is_empty(archive, file):
        _forget(archive, file)
        return False
    contents = Contents(file.warc_path, _index(archive, file), file.journal_path)
    manifest = _manifest(archive, file, contents, now)
    require_something(archive)  # else all would lie hidden once the store is mounted
    store_objects(archive, manifest, contents)
    store_manifest(archive, manifest)
    with archive.catalogue.write() as connection:
        connection.execute(sa.update(schema.files).where(schema.files.c.name == file.name).values(state=SEALED))
    file.discard()
    return True


def store_objects(archive: Archive, manifest: Manifest, contents: Contents) -> None:
    """Store what a manifest describes."""
    keys = object_keys(manifest.name)
    archive.store.put_file(keys.warc, contents.warc, sha256=sha256_in(manifest, keys.warc))
    archive.store.put_bytes(keys.cdxj, contents.cdxj)
    archive.store.put_file(keys.journal, contents.journal, sha256=sha256_in(manifest, keys.journal))


def store_manifest(archive: Archive, manifest: Manifest) -> None:
    """Store the manifest of stored objects, and read these back. Raises :class:`IntegrityFailure`."""
    archive.store.put_bytes(object_keys(manifest.name).manifest, manifest.to_json())
    read_back(archive, manifest)


def successor_name(archive: Archive, old: str) -> str:
    """A name for what replaces a sealing: that of a file of the same time."""
    with archive.catalogue.write() as connection:
        number = next_number(connection, "files")
    opened = re.sub(r".*-(\d{14})-[0-9a-f]{8}-\d+", r"\1", old)
    return f"{source_of(old)}-{opened}-{secrets.token_hex(4)}-{number:05d}"


def begin_successor(archive: Archive, connection: sa.Connection, manifest: Manifest) -> None:
    """Fix the place in the chain of what replaces other sealings: from here on it will be finished."""
    keys = object_keys(manifest.name)
    values: dict[str, Any] = {"name": manifest.name, "source": manifest.source, "host": archive.host}
    values |= {"state": COMPACTING, "chain_position": manifest.position, "manifest": manifest.to_json().decode()}
    values |= {"opened_at": microseconds(from_iso(manifest.opened_at))}
    lengths = {"warc_length": manifest.size_of(keys.warc), "journal_length": manifest.size_of(keys.journal)}
    connection.execute(sa.insert(schema.files).values(**values, **lengths))


def sha256_in(manifest: Manifest, key: str) -> str:
    """The SHA-256 that a manifest has for one of its objects."""
    return next(described.sha256 for described in manifest.objects if described.key == key)


def file_sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_empty(archive: Archive, file: SpoolFile) -> bool:
    with archive.catalogue.read() as connection:
        there = connection.execute(
            sa.select(schema.captures.c.offset).where(schema.captures.c.warc == file.name).limit(1)
        ).first()
    return there is None and file.journal_length == 0


def _forget(archive: Archive, file: SpoolFile) -> None:
    with archive.catalogue.write() as connection:
        connection.execute(sa.delete(schema.files).where(schema.files.c.name == file.name))
    file.discard()


def _index(archive: Archive, file: SpoolFile) -> bytes:
    """The file's CDXJ: where its sealing was begun before, the one of then. Another version may write it otherwise."""
    kept = file.kept_cdxj()
    with archive.catalogue.read() as connection:
        row = archive.row_of(connection, file.name)
    if kept is not None and row.state == SEALING and _is_described(file.name, row.manifest, kept):
        return kept
    cdxj = _cdxj(archive, file.name)
    file.keep_cdxj(cdxj)
    return cdxj


def _is_described(name: str, manifest: str | None, cdxj: bytes) -> bool:
    """Whether an index is that of a manifest; after a reindex there is none yet."""
    if manifest is None:
        return True
    described = sha256_in(parse_manifest(manifest.encode(), name), object_keys(name).cdxj)
    return hashlib.sha256(cdxj).hexdigest() == described


def _cdxj(archive: Archive, name: str) -> bytes:
    with archive.catalogue.read() as connection:
        lines = sorted(format_line(cdx_line(capture)).encode() for capture in captures_of(connection, name))
    return b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)


def _manifest(archive: Archive, file: SpoolFile, contents: Contents, now: datetime) -> Manifest:
    """The manifest, its place in the source's chain fixed: made once, and the same bytes when asked for again."""
    table = schema.files
    objects, first_seq = contents.described(file.name), _first_seq(file)
    with archive.catalogue.write() as connection:
        row = archive.row_of(connection, file.name)
        if row.manifest is not None:
            return parse_manifest(row.manifest.encode(), file.name)
        if archive.require_settled(connection, file) != file.warc_length:
            raise IntegrityFailure(f"{file.name}: holds captures that no commit covers; commit them before sealing")
        position, previous = end_of_chain(connection, source_of(file.name))
        opened, sealed = iso(from_microseconds(row.opened_at)), iso(now)
        manifest = Manifest(file.name, source_of(file.name), position, previous, opened, sealed, first_seq, objects)
        values = {"manifest": manifest.to_json().decode(), "chain_position": position, "state": SEALING}
        connection.execute(sa.update(table).where(table.c.name == file.name).values(**values))
    return manifest


def end_of_chain(connection: sa.Connection, source: str) -> tuple[int, str | None]:
    """The next position in a source's chain, and the link to the manifest before it."""
    c = schema.files.c
    query = sa.select(c.manifest, c.chain_position).where(c.source == source, c.chain_position.is_not(None))
    last = connection.execute(query.order_by(c.chain_position.desc()).limit(1)).first()
    return (last.chain_position + 1, link(last.manifest.encode())) if last else (1, None)


def _first_seq(file: SpoolFile) -> int | None:
    """Damage holds up no sealing: verify names it, once the file is stored."""
    found = intact_members(file.journal_path, is_event)
    return next((decode(content, file.name).seq for _, _, content in found if content.strip()), None)


def read_back(archive: Archive, manifest: Manifest) -> None:
    """Compare what is stored with what was sent. Raises :class:`IntegrityFailure`."""
    for described in manifest.objects:
        if archive.store.sha256(described.key) != described.sha256:
            raise IntegrityFailure(
                f"{archive.store.address}/{described.key}: reads back with another SHA-256 than was sent; the spool "
                "keeps its copy; check the store, remove that object, and run 'morgue seal'"
            )
