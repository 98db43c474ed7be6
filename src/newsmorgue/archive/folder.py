"""Objects in a folder: each put is copy, fsync, link without overwriting, fsync of every folder above."""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from newsmorgue.archive.store import PARTIAL, ObjectInfo, checked_key, is_key
from newsmorgue.errors import IntegrityFailure, MissingObject, ObjectExists, StoreUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 2**20
# What link(2) says on file systems without hard links: FAT, some network and FUSE mounts.
# What read(2) says of a sector that is lost, or whose checksum the file system found wrong.
_UNREADABLE = {errno.EIO, errno.EBADMSG}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the quota is used up: free some space",
    errno.EROFS: "the file system is mounted read-only: mount it for writing",
    errno.EACCES: "give this user the right to read and write there",
    errno.EPERM: "give this user the right to read and write there",
}


class FolderStore:
    """A :class:`~newsmorgue.archive.store.Store` in one folder, which the first put makes.

    An unfinished put leaves at most a file named ``.partial-…`` beside its goal, which nothing ever reads.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.moved = 0

    def __repr__(self) -> str:
        return f"FolderStore({self.address!r})"

    @property
    def address(self) -> str:
        """The absolute path of the folder."""
        return str(self._root)

    def put_file(self, key: str, path: Path, *, sha256: str) -> None:
        """See :meth:`.Store.put_file`."""
        with path.open("rb") as source:
            self._put(key, lambda target: self._copy(source, target), sha256)

    def put_bytes(self, key: str, data: bytes) -> None:
        """See :meth:`.Store.put_bytes`."""
        digest = hashlib.sha256(data).hexdigest()
        self._put(key, lambda target: _write(data, target, digest), digest)

    def get(self, key: str) -> bytes:
        """See :meth:`.Store.get`."""
        with self._reading(key), self.open(key) as stream:
            return stream.read()

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """See :meth:`.Store.get_range`."""
        with self._reading(key), self.open(key) as stream:
            stream.seek(offset)
            data = stream.read(length)
        if len(data) < length:
            end = offset + length
            raise IntegrityFailure(f"{self.address}/{key}: ends before byte {end}; run 'morgue verify'")
        return data

    def open(self, key: str) -> BufferedReader:
        """See :meth:`.Store.open`."""
        with self._reading(key):
            return BufferedReader(_File(self._path(key), f"{self.address}/{key}"), _CHUNK)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See :meth:`.Store.list`."""
        with self._failures("list"):
            yield from _walk(self._root, "", prefix)

    def stat(self, key: str) -> ObjectInfo | None:
        """See :meth:`.Store.stat`."""
        path = self._path(key)
        with self._failures(key), suppress(FileNotFoundError, NotADirectoryError):
            return ObjectInfo(key, path.stat().st_size) if path.is_file() else None
        return None

    def sha256(self, key: str) -> str:
        """See :meth:`.Store.sha256`."""
        with self._reading(key), self.open(key) as stream:
            return self._digest(stream)

    def delete(self, key: str) -> None:
        """See :meth:`.Store.delete`."""
        path = self._path(key)
        with self._failures(key), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            _sync(path.parent)

    def abort_orphans(self, *, older_than: timedelta, now: datetime) -> tuple[str, ...]:
        """See :meth:`.Store.abort_orphans`."""
        removed = []
        with self._failures("remove unfinished files"):
            for path in sorted(self._root.rglob(f"{PARTIAL}*")):
                with suppress(FileNotFoundError):
                    if now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > older_than:
                        path.unlink()
                        removed.append(path.relative_to(self._root).as_posix())
        return tuple(removed)

    def _copy(self, source: BinaryIO, target: BinaryIO) -> str:
        digest = hashlib.sha256()
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
            self.moved += len(chunk)
        return digest.hexdigest()

    def _digest(self, stream: BinaryIO) -> str:
        digest = hashlib.sha256()
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            self.moved += len(chunk)
        return digest.hexdigest()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _put(self, key: str, fill: Callable[[BinaryIO], str], sha256: str) -> None:
        path = self._path(key)
        with self._failures(key):
            if path.exists() or not self._created(path, key, fill, sha256):
                self._require_same(path, key, sha256)
            self._sync_above(path)

    def _created(self, path: Path, key: str, fill: Callable[[BinaryIO], str], sha256: str) -> bool:
        """Whether this put made the object; False if another writer was first."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{PARTIAL}{os.getpid()}-{secrets.token_hex(8)}")
        try:
            with partial.open("xb") as target:
                written = fill(target)
                target.flush()
                os.fsync(target.fileno())
            if written != sha256.lower():
                raise IntegrityFailure(f"{key}: the file has SHA-256 {written}, not {sha256}; nothing was stored")
            return _published(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def _require_same(self, path: Path, key: str, sha256: str) -> None:
        """The put that made the object may have died before its fsync: this one says that it is stored."""
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        if found != sha256.lower():
            raise ObjectExists(
                f"{self.address}/{key}: exists with other content (SHA-256 {found}, not {sha256}); "
                "no object is ever altered: use another key"
            )

    def _sync_above(self, path: Path) -> None:
        for folder in path.parents:
            _sync(folder)
            if folder == self._root.parent:
                return

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        with self._failures(key):
            try:
                yield
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise MissingObject(f"{self.address}/{key}: there is no such object; run 'morgue verify'") from error

    @contextmanager
    def _failures(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            advice = _ADVICE.get(error.errno or 0, "see to the disk, then try again")
            raise StoreUnavailable(f"store {self.address}: {doing}: {error.strerror}; {advice}") from error


class _File(FileIO):
    """An object's file; what the disk cannot read is damage to that object, not a store that is away."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._name = name

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        with self._damage():
            return super().readinto(buffer) or 0

    def readall(self) -> bytes:
        with self._damage():
            return super().readall() or b""

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _UNREADABLE:
                raise
            where = f"{self._name}@{self.tell()}"
            raise IntegrityFailure(f"{where}: cannot be read: {error.strerror}; run 'morgue verify'") from error


def _write(data: bytes, target: BinaryIO, digest: str) -> str:
    target.write(data)
    return digest


def _published(partial: Path, path: Path) -> bool:
    """Give the file its name; False if that is taken."""
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Without hard links a rename could overwrite in a race of two writers; the source's lock allows one.
        if path.exists():
            return False
        partial.rename(path)
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _walk(folder: Path, above: str, prefix: str) -> Iterator[ObjectInfo]:
    """A folder sorts as its name with the slash, so that keys come in the order of their bytes."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name + "/" * entry.is_dir(), entry) for entry in entries if is_key(entry.name))
    except FileNotFoundError:
        return
    for name, entry in found:
        key = above + name
        if entry.is_dir() and (key.startswith(prefix) or prefix.startswith(key)):
            yield from _walk(folder / entry.name, key, prefix)
        elif entry.is_file() and key.startswith(prefix):
            yield ObjectInfo(key, entry.stat().st_size)
