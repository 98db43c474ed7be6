"""Sealing: an open WARC becomes objects in the store, with its CDXJ, journal and manifest, and leaves the spool."""

import hashlib
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import SEALED, SEALING, Archive
from newsmorgue.archive.cdxj import format_line
from newsmorgue.archive.events import decode
from newsmorgue.archive.index import captures_of, cdx_line
from newsmorgue.archive.manifests import Described, Manifest, link, parse_manifest
from newsmorgue.archive.salvage import intact_members, is_event
from newsmorgue.archive.spool import SpoolFile, object_keys, source_of
from newsmorgue.errors import IntegrityFailure
from newsmorgue.times import from_microseconds, iso


def seal(archive: Archive, file: SpoolFile, now: datetime) -> bool:
    """Store a file (held under its lock) and take it out of the spool; False where it held nothing to store.

    Can be done again after a crash at any point. Raises :class:`StoreUnavailable`, and the file stays in the spool.
    """
    if _is_empty(archive, file):
        _forget(archive, file)
        return False
    cdxj = _cdxj(archive, file.name)
    manifest = _manifest(archive, file, cdxj, now)
    keys = object_keys(file.name)
    archive.store.put_file(keys.warc, file.warc_path, sha256=sha256_in(manifest, keys.warc))
    archive.store.put_bytes(keys.cdxj, cdxj)
    archive.store.put_file(keys.journal, file.journal_path, sha256=sha256_in(manifest, keys.journal))
    archive.store.put_bytes(keys.manifest, manifest.to_json())
    read_back(archive, manifest)
    with archive.catalogue.write() as connection:
        connection.execute(sa.update(schema.files).where(schema.files.c.name == file.name).values(state=SEALED))
    file.discard()
    return True


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


def _cdxj(archive: Archive, name: str) -> bytes:
    with archive.catalogue.read() as connection:
        lines = sorted(format_line(cdx_line(capture)).encode() for capture in captures_of(connection, name))
    return b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)


def _manifest(archive: Archive, file: SpoolFile, cdxj: bytes, now: datetime) -> Manifest:
    """The manifest, its place in the source's chain fixed: made once, and the same bytes when asked for again."""
    table = schema.files
    objects, first_seq = _objects(file, cdxj), _first_seq(file)
    with archive.catalogue.write() as connection:
        row = connection.execute(sa.select(table.c.manifest, table.c.opened_at).where(table.c.name == file.name)).one()
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


def _objects(file: SpoolFile, cdxj: bytes) -> tuple[Described, ...]:
    keys = object_keys(file.name)
    return (
        Described(keys.warc, file.warc_length, file_sha256(file.warc_path)),
        Described(keys.cdxj, len(cdxj), hashlib.sha256(cdxj).hexdigest()),
        Described(keys.journal, file.journal_length, file_sha256(file.journal_path)),
    )


def read_back(archive: Archive, manifest: Manifest) -> None:
    """Compare what is stored with what was sent. Raises :class:`IntegrityFailure`."""
    for described in manifest.objects:
        if archive.store.sha256(described.key) != described.sha256:
            raise IntegrityFailure(
                f"{archive.store.address}/{described.key}: reads back with another SHA-256 than was sent; the spool "
                "keeps its copy; check the store, remove that object, and run 'morgue seal'"
            )
