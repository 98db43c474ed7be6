"""Sealing: an open WARC becomes objects in the store, with its CDXJ, journal and manifest, and leaves the spool."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import SEALED, SEALING, Archive
from newsmorgue.archive.cdxj import format_line
from newsmorgue.archive.index import cdx_line, captures_of
from newsmorgue.archive.spool import SpoolFile, object_keys
from newsmorgue.errors import IntegrityFailure
from newsmorgue.times import iso

FORMAT = "newsmorgue manifest 1"


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
    for described in json.loads(manifest)["objects"]:
        if described["key"] == keys.cdxj:
            archive.store.put_bytes(keys.cdxj, cdxj)
        else:
            path = file.warc_path if described["key"] == keys.warc else file.journal_path
            archive.store.put_file(described["key"], path, sha256=described["sha256"])
    archive.store.put_bytes(keys.manifest, manifest)
    _read_back(archive, manifest)
    with archive.catalogue.write() as connection:
        connection.execute(sa.update(schema.files).where(schema.files.c.name == file.name).values(state=SEALED))
    file.discard()
    return True


def seal_all(archive: Archive, now: datetime, source: str | None = None) -> list[str]:
    """Seal every file of this spool that no other process holds (of one source, or of all); their names."""
    from newsmorgue.archive.recovery import adopt

    sealed = []
    for name in archive.spool.names():
        if source is not None and archive.spool.path(name, "").parent.name != source:
            continue
        file = adopt(archive, name, now)
        if file is not None:
            with file:
                if seal(archive, file, now):
                    sealed.append(name)
    return sealed


def file_sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_empty(archive: Archive, file: SpoolFile) -> bool:
    with archive.catalogue.read() as connection:
        there = connection.execute(sa.select(schema.captures.c.offset).where(schema.captures.c.warc == file.name).limit(1)).first()
    return there is None and file.journal_length == 0


def _forget(archive: Archive, file: SpoolFile) -> None:
    with archive.catalogue.write() as connection:
        connection.execute(sa.delete(schema.files).where(schema.files.c.name == file.name))
    file.discard()


def _cdxj(archive: Archive, name: str) -> bytes:
    with archive.catalogue.read() as connection:
        lines = sorted(format_line(cdx_line(capture)).encode() for capture in captures_of(connection, name))
    return b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)


def _manifest(archive: Archive, file: SpoolFile, cdxj: bytes, now: datetime) -> bytes:
    """The manifest, its place in the source's chain fixed: made once, and the same bytes when asked for again."""
    table = schema.files
    source = file.warc_path.parent.name
    with archive.catalogue.write() as connection:
        known = connection.execute(sa.select(table.c.manifest).where(table.c.name == file.name)).scalar()
        if known is not None:
            return str(known).encode()
        query = sa.select(table.c.manifest, table.c.chain_position).where(table.c.source == source, table.c.chain_position.is_not(None))
        last = connection.execute(query.order_by(table.c.chain_position.desc()).limit(1)).first()
        position = last.chain_position + 1 if last else 1
        previous = hashlib.sha256(last.manifest.encode()).hexdigest() if last else None
        chain = {"source": source, "position": position, "previous": previous, "sealed_at": iso(now)}
        text = json.dumps({"format": FORMAT, "name": file.name} | chain | {"objects": _objects(file, cdxj)}, indent=1) + "\n"
        values = {"manifest": text, "chain_position": position, "state": SEALING}
        connection.execute(sa.update(table).where(table.c.name == file.name).values(**values))
    return text.encode()


def _objects(file: SpoolFile, cdxj: bytes) -> list[dict[str, Any]]:
    keys = object_keys(file.name)
    return [
        {"key": keys.warc, "size": file.warc_length, "sha256": file_sha256(file.warc_path)},
        {"key": keys.cdxj, "size": len(cdxj), "sha256": hashlib.sha256(cdxj).hexdigest()},
        {"key": keys.journal, "size": file.journal_length, "sha256": file_sha256(file.journal_path)},
    ]


def _read_back(archive: Archive, manifest: bytes) -> None:
    for described in json.loads(manifest)["objects"]:
        if archive.store.sha256(described["key"]) != described["sha256"]:
            raise IntegrityFailure(
                f"{archive.store.address}/{described['key']}: reads back with another SHA-256 than was sent; the spool keeps "
                "its copy; check the store, remove that object, and run 'morgue seal'"
            )
