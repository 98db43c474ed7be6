"""Objects: the one interface through which the archive's files are written and read, and how to open one.

A store is a folder or a bucket (:mod:`~newsmorgue.archive.folder`, :mod:`~newsmorgue.archive.s3`). An object
is never altered: a put creates, or finds the same content there already, or fails. Every operation may raise
:class:`~newsmorgue.errors.StoreUnavailable`, and ``ValueError`` for a key that :func:`checked_key` refuses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Literal, Protocol

from newsmorgue.errors import ConfigurationError

Checksums = Literal["when_supported", "when_required"]
PART_SIZE = 16 * 2**20
# Names of unfinished files in a folder store begin so, which no key may.
PARTIAL = ".partial-"
# Control characters of ASCII and Latin-1, the backslash (elsewhere a separator), and what UTF-8 cannot spell.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# In bytes of UTF-8: S3 takes keys of 1,024 with the store's prefix, the common file systems names of 255.
_KEY_BYTES, _NAME_BYTES = 900, 255


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object's key, and its size in bytes."""

    key: str
    size: int


class Store(Protocol):
    """A place for objects, whose keys are relative and ``/``-separated."""

    @property
    def address(self) -> str:
        """What a person calls this store: an absolute folder or ``s3://bucket/prefix``."""

    @property
    def moved(self) -> int:
        """How many bytes went to and came from the store so far: it grows while a slow store is not a dead one."""

    def put_file(self, key: str, path: Path, *, sha256: str) -> None:
        """Copy a local file to a new object, durably: when this returns, the object outlives power loss.

        ``sha256`` is the hexadecimal digest the file must have. An object of the same content under that key
        is success, so that a put can be done again after a crash. Raises :class:`ObjectExists` for other
        content there, and :class:`IntegrityFailure` if the file, or what arrived, has another digest: nothing
        is created then.
        """

    def put_bytes(self, key: str, data: bytes) -> None:
        """Create a new object from memory, under the same rules as :meth:`put_file`."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises :class:`MissingObject`."""

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``.

        Raises :class:`MissingObject`, or :class:`IntegrityFailure` where the object ends sooner.
        """

    def open(self, key: str) -> BufferedReader:
        """A stream over the object, to be closed by the caller (``with``). Raises :class:`MissingObject`."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key begins with ``prefix`` (not only at a ``/``), streaming.

        The order is that of the keys' UTF-8 bytes, but for this: where the name of a folder begins with the
        name of its neighbour (``bbc-news``, ``bbc``), either's objects may come first, never mixed. S3 stores
        differ there: Amazon's compares whole keys, SeaweedFS names.
        """

    def stat(self, key: str) -> ObjectInfo | None:
        """The object's size, or None if there is no such object."""

    def sha256(self, key: str) -> str:
        """The hexadecimal SHA-256 of the bytes as they are read back. Raises :class:`MissingObject`."""

    def delete(self, key: str) -> None:
        """Remove the object; success also if there is none."""

    def abort_orphans(self, *, older_than: timedelta, now: datetime) -> tuple[str, ...]:
        """Throw away what unfinished puts left behind, if it is older than that; returns their names."""


def open_store(
    address: str,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    checksums: Checksums = "when_supported",
    connect_timeout: float = 5.0,
    read_timeout: float = 30.0,
    attempts: int = 3,
    part_size: int = PART_SIZE,
) -> Store:
    """The store at a folder's path or at ``s3://bucket/prefix``. Nothing is read, written or connected to.

    All but ``address`` is for S3. ``endpoint`` is the URL of a store other than Amazon's. Where it refuses
    SHA-256 checksums, ``checksums="when_required"`` sends Content-MD5 instead. ``attempts`` is how often one
    request is tried, time-outs are in seconds. A file larger than ``part_size`` bytes (S3's least: 5 MiB) is
    sent in parts of that size. Raises :class:`ConfigurationError` for an address or a mode it does not know.
    """
    if endpoint is not None and not re.match(r"https?://[^/]", endpoint):
        raise ConfigurationError(f"endpoint = '{endpoint}': give a URL, as in https://s3.example.org")
    if checksums not in ("when_supported", "when_required"):
        raise ConfigurationError(f"checksums = '{checksums}': give 'when_supported' or 'when_required'")
    if not address.startswith("s3://"):
        return _open_folder(address)
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    _check_place(address, bucket, prefix)
    # boto3 takes a third of a second to import: not to be paid for a folder.
    from newsmorgue.archive.s3 import S3Options, S3Store

    options = S3Options(endpoint, region, checksums, connect_timeout, read_timeout, attempts, part_size)
    return S3Store(bucket, prefix, options)


def checked_key(key: str) -> str:
    """The key itself, if it may name an object; else ValueError.

    >>> checked_key("warc/example.org/2026/01/a.warc.gz")
    'warc/example.org/2026/01/a.warc.gz'
    >>> checked_key("../secret")
    Traceback (most recent call last):
    ValueError: not a key: '../secret' (want names joined by '/', no '..', backslash or control character)
    """
    names = key.split("/")
    if _FORBIDDEN.search(key) or len(key.encode()) > _KEY_BYTES or not all(map(_is_name, names)):
        raise ValueError(f"not a key: {key!r} (want names joined by '/', no '..', backslash or control character)")
    return key


def is_key(key: str) -> bool:
    """Whether :func:`checked_key` takes it: what lies in the store under other names is none of ours."""
    try:
        checked_key(key)
    except ValueError:
        return False
    return True


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and not name.startswith(PARTIAL) and len(name.encode()) <= _NAME_BYTES


def _open_folder(address: str) -> Store:
    if not address or "\0" in address or _SCHEME.match(address):
        raise ConfigurationError(f"store = '{address}': give a folder or s3://bucket/prefix")
    from newsmorgue.archive.folder import FolderStore

    return FolderStore(Path(address))


def _check_place(address: str, bucket: str, prefix: str) -> None:
    # docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, with the capitals and '_' of old.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]", bucket) or not (not prefix or is_key(prefix)):
        raise ConfigurationError(f"store = '{address}': give s3://bucket/prefix, as in s3://my-archive/news")
