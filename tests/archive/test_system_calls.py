"""``kill -9`` at system calls, and a disk that is full from one on: what was said to be durable is there, and the next
run goes on.

Needs strace. A few calls are tried each time, all of them in the nightly run.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.archive.session import check_session

from newsmorgue.errors import ExitCode

# How often a session makes each call, at the least. SQLite makes nearly all the writes.
CALLS = {"fsync": 24, "fdatasync": 14, "ftruncate": 2, "unlink": 3, "link": 4, "pwrite64": 340}
A_FEW = [("fsync", 5), ("fsync", 9), ("fdatasync", 6), ("pwrite64", 200), ("pwrite64", 301), ("unlink", 1), ("link", 2)]
ALL = [(call, number) for call, count in CALLS.items() for number in range(1, count + 1)]
# What a full disk refuses. write(2) copies objects into the folder of the store; before that Python writes its own.
REFUSED = {"pwrite64": 340, "ftruncate": 2, "link": 4, "fsync": 24, "fdatasync": 14}
# Within a commit: the catalogue; the spool; in sealing: the store.
A_FEW_REFUSED = [("pwrite64", 223), ("pwrite64", 260), ("fsync", 9), ("link", 2)]
ALL_REFUSED = [(call, number) for call, count in REFUSED.items() for number in range(1, count + 1)]


def _run(folder: Path, call: str, inject: str) -> "subprocess.CompletedProcess[str]":
    """Run a session in which something is done to a call."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    options = ["-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{inject}"]
    command = [strace, *options, sys.executable, "-m", "tests.archive.session", str(folder)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    if "ptrace" in done.stderr.lower():
        pytest.skip("strace may not trace here")
    return done


def _killed_at(folder: Path, call: str, number: int) -> set[str]:
    """Run a session that is killed at that call, or ends before it; what it said was durable."""
    done = _run(folder, call, f"signal=KILL:when={number}")
    assert done.returncode in (0, -9, 137), done.stderr
    return set(done.stdout.split())


def _refused_from(folder: Path, call: str, number: int) -> set[str]:
    """Run a session on a disk that is full from that call on; what it said was durable before it gave up."""
    done = _run(folder, call, f"error=ENOSPC:when={number}+")
    assert done.returncode in (0, ExitCode.STORE_UNAVAILABLE), done.stderr
    assert "Traceback" not in done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(("call", "number"), A_FEW)
def test_killed_at_a_system_call(tmp_path: Path, call: str, number: int) -> None:
    check_session(tmp_path, _killed_at(tmp_path, call, number))


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_killed_at_every_system_call(tmp_path: Path) -> None:
    for call, number in ALL:
        folder = tmp_path / f"{call}-{number}"
        folder.mkdir()
        check_session(folder, _killed_at(folder, call, number))
        shutil.rmtree(folder)


@pytest.mark.parametrize(("call", "number"), A_FEW_REFUSED)
def test_a_disk_that_is_full_from_a_system_call_on(tmp_path: Path, call: str, number: int) -> None:
    check_session(tmp_path, _refused_from(tmp_path, call, number))


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_a_disk_that_is_full_from_any_system_call_on(tmp_path: Path) -> None:
    for call, number in ALL_REFUSED:
        folder = tmp_path / f"{call}-{number}"
        folder.mkdir()
        check_session(folder, _refused_from(folder, call, number))
        shutil.rmtree(folder)
