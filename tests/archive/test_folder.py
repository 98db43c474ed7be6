"""What is peculiar to a store in a folder: kills, full disks, strange file systems and files."""

import errno
import os
import resource
import signal
import stat as file_modes
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.archive.objects import MIB, put, write
from tests.processes import SECONDS

from newsmorgue.archive.store import open_store
from newsmorgue.errors import (
    MissingObject,
    ObjectExists,
    StoreUnavailable,
)


def test_a_killed_put_leaves_nothing_that_is_seen(tmp_path: Path) -> None:
    archive, source = tmp_path / "archive", tmp_path / "source"
    source.write_bytes(os.urandom(8 * MIB))
    script = (
        "import os, signal, sys; from pathlib import Path; from newsmorgue.archive.store import open_store\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "open_store(sys.argv[1]).put_file('a/b', Path(sys.argv[2]), sha256='0' * 64)"
    )
    killed = subprocess.run([sys.executable, "-c", script, archive, source], check=False, timeout=SECONDS)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((archive / "a").iterdir())) == 1
    store = open_store(str(archive))
    assert list(store.list()) == []
    put(store, "a/b", source)
    assert [info.key for info in store.list()] == ["a/b"]
    assert store.abort_orphans(older_than=timedelta(hours=1), now=datetime.now(UTC)) == ()
    removed = store.abort_orphans(older_than=timedelta(hours=1), now=datetime.now(UTC) + timedelta(hours=2))
    assert len(removed) == 1 and removed[0].startswith("a/.partial-")
    assert [path.name for path in (archive / "a").iterdir()] == ["b"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    source = write(tmp_path / "source", os.urandom(2 * MIB))
    store = open_store(str(archive))
    with _no_file_over(MIB), pytest.raises(StoreUnavailable, match=r"store /.*/archive: a/b: File too large"):
        put(store, "a/b", source)
    assert list((archive / "a").iterdir()) == []
    put(store, "a/b", source)
    assert store.get("a/b") == source.read_bytes()


@contextmanager
def _no_file_over(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"a file, not a folder")
    store = open_store(str(tmp_path / "archive"))
    with pytest.raises(StoreUnavailable, match="try again"):
        store.put_bytes("a", b"x")
    with pytest.raises(MissingObject):
        store.get("a")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def no_links(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", no_links)
    store = open_store(str(tmp_path / "archive"))
    store.put_bytes("a/b", b"hello")
    store.put_bytes("a/b", b"hello")
    with pytest.raises(ObjectExists):
        store.put_bytes("a/b", b"other")
    assert [path.name for path in (tmp_path / "archive" / "a").iterdir()] == ["b"]


def test_a_put_is_synced_before_it_returns_up_to_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def spy(descriptor: int) -> None:
        kind = "folder" if file_modes.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append(f"{kind} {Path(f'/proc/self/fd/{descriptor}').readlink().name.split('-')[0]}")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    open_store(str(tmp_path / "archive")).put_bytes("a/b/c", b"hello")
    assert synced[0] == "file .partial"
    assert synced[-4:] == ["folder b", "folder a", "folder archive", f"folder {tmp_path.name.split('-')[0]}"]


def test_strange_files_in_the_folder_are_no_objects(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put_bytes("a", b"hello")
    (tmp_path / "line\nfeed").write_bytes(b"x")
    (tmp_path / ".partial-1-2").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    assert [info.key for info in store.list()] == ["a"]
