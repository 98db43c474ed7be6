"""The spool: the local folder where open WARCs and their journals grow until they are sealed into the store.

A pair of files has one name. Whoever holds the lock on the WARC may write both; the lock is the kernel's, so a
killed writer leaves none behind.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType

from newsmorgue.errors import Busy, StoreUnavailable
from newsmorgue.times import timestamp14

WARC_SUFFIX = ".warc.gz"
JOURNAL_SUFFIX = ".jsonl.gz"
CDXJ_SUFFIX = ".cdxj"
_NAME = re.compile(r"(?P<source>[a-z0-9._-]{1,64})-(?P<year>\d{4})(?P<month>\d\d)\d{8}-[0-9a-f]{8}-\d{5,}")


def called(kind: str) -> str:
    """A run of some kind, in words.

    >>> called("crawl"), called("import"), called("compact")
    ('a crawl', 'an import', 'a compaction')
    """
    return {"import": "an import", "compact": "a compaction"}.get(kind, f"a {kind}")


@dataclass(frozen=True, slots=True)
class ObjectKeys:
    """Where the store keeps what one name stands for."""

    warc: str
    cdxj: str
    journal: str
    manifest: str


def object_keys(name: str) -> ObjectKeys:
    """The keys of a name's objects. Raises ValueError for what is no name of ours.

    >>> object_keys("le-monde-20260131120000-0a1b2c3d-00007").warc
    'warc/le-monde/2026/01/le-monde-20260131120000-0a1b2c3d-00007.warc.gz'
    """
    parts = _NAME.fullmatch(name)
    if not parts:
        raise ValueError(f"{name!r} is not the name of a WARC of this archive")
    folder = f"{parts['source']}/{parts['year']}/{parts['month']}/{name}"
    return ObjectKeys(
        f"warc/{folder}{WARC_SUFFIX}",
        f"warc/{folder}{CDXJ_SUFFIX}",
        f"text/{folder}{JOURNAL_SUFFIX}",
        f"manifests/{folder}.json",
    )


def source_of(name: str) -> str:
    """The source's slug in a name."""
    parts = _NAME.fullmatch(name)
    if not parts:
        raise ValueError(f"{name!r} is not the name of a WARC of this archive")
    return parts["source"]


class SpoolFile:
    """An open WARC and its journal, held under the lock until :meth:`close`.

    What writes raises :class:`StoreUnavailable` where the disk is full or failing.
    """

    def __init__(self, name: str, warc: Path, journal: Path, descriptor: int) -> None:
        self.name = name
        self.warc_path = warc
        self.journal_path = journal
        self._warc = descriptor
        self._journal = os.open(journal, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.warc_length = os.lseek(self._warc, 0, os.SEEK_END)
        self.journal_length = os.lseek(self._journal, 0, os.SEEK_END)

    def append_warc(self, data: bytes) -> int:
        """Write at the WARC's end; the offset it went to. On a full disk what was half written is cut away again."""
        offset = self.warc_length
        with _clear_errors(self.warc_path):
            self.warc_length = _append(self._warc, data, offset)
        return offset

    def append_journal(self, data: bytes) -> int:
        """Write at the journal's end; the offset it went to."""
        offset = self.journal_length
        with _clear_errors(self.journal_path):
            self.journal_length = _append(self._journal, data, offset)
        return offset

    def sync_warc(self) -> None:
        """Make the WARC's bytes durable."""
        with _clear_errors(self.warc_path):
            os.fsync(self._warc)

    def sync_journal(self) -> None:
        """Make the journal's bytes durable."""
        with _clear_errors(self.journal_path):
            os.fsync(self._journal)

    def cut_warc(self, length: int) -> None:
        """Take away what stands behind ``length``, durably."""
        with _clear_errors(self.warc_path):
            _cut(self._warc, length)
        self.warc_length = length

    def cut_journal(self, length: int) -> None:
        """Take away what stands behind ``length``, durably."""
        with _clear_errors(self.journal_path):
            _cut(self._journal, length)
        self.journal_length = length

    @property
    def cdxj_path(self) -> Path:
        """Where the index lies from the beginning of a sealing to its end."""
        return self.warc_path.with_name(f"{self.name}{CDXJ_SUFFIX}")

    def keep_cdxj(self, data: bytes) -> None:
        """Keep the index that a sealing has begun with; a full disk keeps none, and holds up no sealing."""
        try:
            with self.cdxj_path.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            sync_folder(self.warc_path.parent)
        except OSError:
            self.cdxj_path.unlink(missing_ok=True)

    def kept_cdxj(self) -> bytes | None:
        """The index that :meth:`keep_cdxj` kept."""
        try:
            return self.cdxj_path.read_bytes()
        except OSError:
            return None

    def discard(self) -> None:
        """Remove all files of the name; for those that hold nothing, or stand in the store."""
        with _clear_errors(self.warc_path):
            self.cdxj_path.unlink(missing_ok=True)
            self.journal_path.unlink(missing_ok=True)
            self.warc_path.unlink(missing_ok=True)
            sync_folder(self.warc_path.parent)

    def close(self) -> None:
        """Let go of the files and their lock."""
        os.close(self._journal)
        os.close(self._warc)

    def __enter__(self) -> "SpoolFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        f"spool {path}: {error.strerror or error}; make room or mend the folder, then run the same command again: "
        "what was committed is safe"
    )


def _append(descriptor: int, data: bytes, offset: int) -> int:
    view, position = memoryview(data), offset
    try:
        while view:
            written = os.pwrite(descriptor, view, position)
            view, position = view[written:], position + written
    except OSError:
        os.ftruncate(descriptor, offset)
        raise
    return position


def _cut(descriptor: int, length: int) -> None:
    os.ftruncate(descriptor, length)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Spool:
    """The folder of all open files of one machine, one sub-folder a source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, source: str, now: datetime, number: int) -> SpoolFile:
        """A new pair of files, locked and durable. ``number`` is the catalogue's count of files."""
        name = f"{source}-{timestamp14(now)}-{secrets.token_hex(4)}-{number:05d}"
        warc, journal = self._paths(name)
        with _clear_errors(warc):
            warc.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(warc, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            created = SpoolFile(name, warc, journal, descriptor)
            for folder in (warc.parent, self.folder, self.folder.parent):
                sync_folder(folder)
        return created

    def names(self) -> list[str]:
        """Every name in the spool, oldest first within a source. What else lies there is passed over."""
        names = (path.name.removesuffix(WARC_SUFFIX) for path in self.folder.glob(f"*/*{WARC_SUFFIX}"))
        return sorted(name for name in names if _NAME.fullmatch(name))

    def size(self) -> int:
        """Bytes of all files in the spool."""
        sizes = (self._size(path) for path in self.folder.glob("*/*.gz"))
        return sum(sizes)

    @staticmethod
    def _size(path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:  # sealed in this moment
            return 0

    def existing_folder(self) -> Path:
        """The spool's folder, or the nearest one above it that exists."""
        return next(folder for folder in (self.folder, *self.folder.absolute().parents) if folder.exists())

    def lock(self, name: str) -> SpoolFile | None:
        """Take hold of an existing pair; None where another process holds it or has just sealed it."""
        warc, journal = self._paths(name)
        try:
            descriptor = os.open(warc, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable(warc, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before us may have sealed and removed it between our open and our lock.
            if warc.exists() and os.path.samestat(os.fstat(descriptor), warc.stat()):
                return SpoolFile(name, warc, journal, descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass  # held, or gone: not ours either way
        os.close(descriptor)
        return None

    def path(self, name: str, suffix: str) -> Path:
        """Where one of a name's files is (or would be)."""
        return self.folder / source_of(name) / f"{name}{suffix}"

    def _paths(self, name: str) -> tuple[Path, Path]:
        return self.path(name, WARC_SUFFIX), self.path(name, JOURNAL_SUFFIX)

    def is_locked(self, source: str, kind: str) -> bool:
        """Whether a run of a kind has the source on this machine."""
        try:
            with self.lock_source(source, kind):
                return False
        except Busy:
            return True

    @contextmanager
    def lock_source(self, source: str, kind: str) -> Iterator[None]:
        """Hold a source for one run of a kind (``crawl`` or ``save``).

        Raises :class:`Busy`, and :class:`StoreUnavailable` where the spool's folder cannot be made or written.
        """
        folder = self.folder / source
        with _clear_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / f"{kind}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise Busy(
                f"another process is at {called(kind)} of source '{source}'; wait for it to end, or stop it"
            ) from error
        finally:
            os.close(descriptor)
