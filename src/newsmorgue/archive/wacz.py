"""Writing a WACZ, version 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/): one WARC, its index, its pages, in a ZIP.

The index is in ZipNum form as cdxj-indexer makes it: blocks of lines, each a gzip member, and a list of the blocks.
"""

import hashlib
import json
import sqlite3
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from newsmorgue import __version__
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.cdxj import format_line
from newsmorgue.archive.index import cdx_line
from newsmorgue.archive.journal import pack
from newsmorgue.errors import ConfigurationError

VERSION = "1.1.1"
SOFTWARE = f"newsmorgue/{__version__}"
_BLOCK_LINES = 1024
_WARC = "data.warc.gz"
_PAGES_HEADER = {"format": "json-pages-1.0", "id": "pages", "title": "All Pages", "hasText": True}
Write = Callable[[bytes], int]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that a reader may begin with: a capture that showed a version, with its headline and text."""

    url: str
    time: datetime
    title: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """A capture as it went into the package (``warc`` without meaning, ``offset`` in the new WARC), and its page."""

    capture: Capture
    page: Page | None = None


class SigningKey:
    """An ECDSA key on P-256, for anonymous signatures by WACZ Signing and Verification 0.1.0.

    Signatures are r and s, 32 bytes each, as WebCrypto makes and reads them; the public key is its DER form (SPKI).
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def read(cls, path: Path) -> "SigningKey":
        """From a PEM file. Raises :class:`ConfigurationError`."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigurationError(f"{path}: no private key in PEM form without a password: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            made = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
            raise ConfigurationError(f"{path}: not an ECDSA key on P-256; make one with '{made}'")
        return cls(key)

    def sign(self, digest: str, created: str) -> dict[str, str]:
        """The ``signedData`` for the hash of datapackage.json."""
        r, s = decode_dss_signature(self._key.sign(digest.encode(), ec.ECDSA(hashes.SHA256())))
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "hash": digest,
            "created": created,
            "software": SOFTWARE,
            "version": "0.1.0",
            "signature": b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode(),
            "publicKey": b64encode(public).decode(),
        }


def write_wacz(
    out: BinaryIO, write_warc: Callable[[Write], Iterator[Written]], title: str, now: datetime, key: SigningKey | None
) -> int:
    """Write a package to ``out``; how many captures it has. ``write_warc`` writes the WARC and yields its captures.

    Whatever grows with their number is in temporary files.
    """
    package = _Package(out, now)
    lines = _Lines()
    try:
        with package.entry(f"archive/{_WARC}", zipfile.ZIP_STORED) as entry:
            for written in write_warc(entry.write):
                lines.add(written)
        blocks = list(_write_index(package, lines))
        with package.entry("indexes/index.idx", zipfile.ZIP_DEFLATED) as entry:
            entry.write(b'!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n')
            entry.write(b"".join(blocks))
        with package.entry("pages/pages.jsonl", zipfile.ZIP_DEFLATED) as entry:
            entry.write(_json_line(_PAGES_HEADER))
            for line in lines.pages():
                entry.write(line)
        package.finish(title, key)
        return lines.count
    finally:
        package.close()
        lines.close()


def _write_index(package: "_Package", lines: "_Lines") -> Iterator[bytes]:
    """The index, sorted; the lines of the list of its blocks."""
    offset = 0
    with package.entry("indexes/index.cdx.gz", zipfile.ZIP_STORED) as entry:
        for block in _batched(lines.index(), _BLOCK_LINES):
            data = pack(b"".join(block))
            place = {"offset": offset, "length": len(data), "digest": _sha256(data), "filename": "index.cdx.gz"}
            first = b" ".join(block[0].split(b" ", 2)[:2])
            yield first + b" " + json.dumps(place).encode() + b"\n"
            offset += entry.write(data)


def _batched(lines: Iterator[bytes], count: int) -> Iterator[list[bytes]]:
    batch = []
    for line in lines:
        batch.append(line)
        if len(batch) == count:
            yield batch
            batch = []
    if batch:
        yield batch


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _json_line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


class _Lines:
    """The lines of index and pages until they are written, in a temporary file of SQLite's own, which also sorts."""

    def __init__(self) -> None:
        self.count = 0
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE lines (kind TEXT, line BLOB)")

    def add(self, written: Written) -> None:
        self.count += 1
        capture = replace(written.capture, warc=_WARC.removesuffix(".warc.gz"))
        self._insert("index", format_line(cdx_line(capture)).encode() + b"\n")
        if written.page is not None:
            self._insert("page", _page_line(written.page, self.count))

    def _insert(self, kind: str, line: bytes) -> None:
        self._database.execute("INSERT INTO lines VALUES (?, ?)", (kind, line))

    def index(self) -> Iterator[bytes]:
        return (row[0] for row in self._database.execute("SELECT line FROM lines WHERE kind = 'index' ORDER BY line"))

    def pages(self) -> Iterator[bytes]:
        return (row[0] for row in self._database.execute("SELECT line FROM lines WHERE kind = 'page' ORDER BY rowid"))

    def close(self) -> None:
        self._database.close()


def _page_line(page: Page, number: int) -> bytes:
    ts = page.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _json_line(
        {"id": str(number), "url": page.url, "ts": ts, "title": page.title or page.url, "text": page.text}
    )


class _Package:
    """A ZIP with a data package's list of what is in it."""

    def __init__(self, out: BinaryIO, now: datetime) -> None:
        self._zip = zipfile.ZipFile(out, "w")
        self._now = now
        self._resources: list[dict[str, Any]] = []

    def entry(self, path: str, compression: int) -> "_Entry":
        return _Entry(self._open(path, compression), path, self._resources)

    def _open(self, path: str, compression: int) -> IO[bytes]:
        info = zipfile.ZipInfo(path, self._now.timetuple()[:6])
        info.compress_type = compression
        info.external_attr = 0o644 << 16
        return self._zip.open(info, "w", force_zip64=True)

    def finish(self, title: str, key: SigningKey | None) -> None:
        created = self._now.strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {"profile": "data-package", "title": title, "created": created, "wacz_version": VERSION}
        package = json.dumps(about | {"software": SOFTWARE, "resources": self._resources}, indent=2).encode()
        digest: dict[str, Any] = {"path": "datapackage.json", "hash": _sha256(package)}
        if key is not None:
            digest["signedData"] = key.sign(digest["hash"], created)
        for path, data in (("datapackage.json", package), ("datapackage-digest.json", json.dumps(digest).encode())):
            with self._open(path, zipfile.ZIP_DEFLATED) as entry:
                entry.write(data)
        self._zip.close()

    def close(self) -> None:
        """Let go of it, whole or not: else Python would try once more, when the file is closed already."""
        with suppress(OSError):
            self._zip.close()


class _Entry:
    """A file of the package, listed with size and SHA-256 when it is whole."""

    def __init__(self, stream: IO[bytes], path: str, resources: list[dict[str, Any]]) -> None:
        self._stream = stream
        self._path = path
        self._resources = resources
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._bytes += len(data)
        self._stream.write(data)
        return len(data)

    def __enter__(self) -> "_Entry":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stream.close()
        name, digest = self._path.rpartition("/")[2], f"sha256:{self._digest.hexdigest()}"
        self._resources.append({"name": name, "path": self._path, "hash": digest, "bytes": self._bytes})
