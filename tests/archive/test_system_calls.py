"""``kill -9`` at every system call of a session's commits and sealing, and disks that are full or fail from any call
on, or at one: what was said to be durable is there, and the next run goes on.

Needs strace. The short form is one commit and its sealing, killed at every call, but only at some of the many that
SQLite writes its pages with; the nightly run does all to a session of several commits.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from tests.archive.session import STEPS, Ended, Sessions, check_session, sessions

from newsmorgue.errors import ExitCode

# What writes: to the catalogue and the spool, to objects in the store, names, and what makes all of it durable.
CALLS = ("pwrite64", "write", "ftruncate", "fsync", "fdatasync", "link", "unlink", "mkdir")
# A file system without hard links: a folder store then gives an object its name by renaming.
NO_LINKS = ("-e", "inject=link:error=EPERM")
# How many objects a sealing puts into the store.
OBJECTS = 4
# In the short form each so-manieth: most pages are SQLite's, most folders are there already.
EACH = {"pwrite64": 6, "mkdir": 9}


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """Sessions at a tenth of the cost of a process for each."""
    with sessions(tmp_path_factory.mktemp("empty")) as started:
        yield started


@dataclass(frozen=True, slots=True)
class Tampering:
    """Sessions of so many steps, in folders that are made and removed, with something done to their system calls."""

    sessions: Sessions
    folder: Path
    steps: int

    def run(self, call: str, inject: str, more: tuple[str, ...] = ()) -> Ended:
        """Run a session in which ``inject`` is done to ``call``; then check what it left. How it ended."""
        process = self.sessions.begin(self.folder, self.steps)
        try:
            ended = self._traced(process, call, inject, more)
            assert ended.error == "", (call, inject)
            check_session(self.folder, ended.said)
        except AssertionError as error:
            error.add_note(f"{call}: {inject}")
            raise
        shutil.rmtree(self.folder)
        return ended

    def _traced(self, process: int, call: str, inject: str, more: tuple[str, ...]) -> Ended:
        trace = f"trace={call},link" if more else f"trace={call}"
        options = ["-f", "-o", "/dev/null", "-e", trace, "-e", f"inject={call}:{inject}", *more]
        with subprocess.Popen(
            ["strace", "-p", str(process), *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as tracer:
            assert tracer.stderr is not None
            said = tracer.stderr.readline()
            self.sessions.let_go()
            ended = self.sessions.end()
            tracer.stderr.read()
        if "attached" not in said:
            pytest.skip(f"strace may not trace here: {said.strip()}")
        return ended


def _killed_everywhere(tampering: Tampering, call: str, more: tuple[str, ...] = (), each: int = 1) -> int:
    """Kill sessions at each (or each so-manieth) time that they make a call; how many were killed."""
    for number in count(each, each):
        ended = tampering.run(call, f"signal=KILL:when={number}", more)
        assert ended.code in (0, -9)
        if ended.code == 0:
            return number // each - 1
    raise AssertionError


def _failed(tampering: Tampering, call: str, inject: str) -> None:
    """Have a call fail: the session says so as an operator is told, or needs not, the call being of no weight."""
    ended = tampering.run(call, inject)
    assert ended.code in (0, ExitCode.STORE_UNAVAILABLE), (call, inject)


@pytest.fixture
def short(forked: Sessions, tmp_path: Path) -> Tampering:
    """One commit, and the sealing."""
    _require_strace()
    return Tampering(forked, tmp_path / "session", 1)


@pytest.fixture
def long(forked: Sessions, tmp_path: Path) -> Tampering:
    """Three commits, and the sealing."""
    _require_strace()
    return Tampering(forked, tmp_path / "session", len(STEPS))


def _require_strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")


def test_killed_at_every_system_call_of_a_commit_and_its_sealing(short: Tampering) -> None:
    killed = {call: _killed_everywhere(short, call, each=EACH.get(call, 1)) for call in CALLS}
    assert all(killed.values())
    assert killed["link"] == _killed_everywhere(short, "rename", NO_LINKS) == OBJECTS


# Within a commit: the catalogue, the spool's WARC and journal; in sealing: the store, and what lets go of the spool.
@pytest.mark.parametrize(
    ("call", "inject"),
    [
        ("pwrite64", "error=ENOSPC:when=20+"),
        ("pwrite64", "error=EIO:when=40"),
        ("fsync", "error=EIO:when=7"),
        ("fsync", "error=ENOSPC:when=9+"),
        ("fdatasync", "error=EIO:when=2+"),
        ("write", "error=ENOSPC:when=2+"),
        ("link", "error=EIO:when=3"),
        ("unlink", "error=EIO:when=5"),
    ],
)
def test_a_disk_that_is_full_or_fails(short: Tampering, call: str, inject: str) -> None:
    _failed(short, call, inject)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_killed_and_failed_at_every_system_call(long: Tampering) -> None:
    """Killed; full from there on; failing there alone; failing from there on."""
    calls = {call: _killed_everywhere(long, call) for call in CALLS}
    assert calls["pwrite64"] > 100
    assert calls["link"] == _killed_everywhere(long, "rename", NO_LINKS) == OBJECTS
    for inject in ("error=ENOSPC:when={}+", "error=EIO:when={}", "error=EIO:when={}+"):
        for call, times in calls.items():
            for number in range(1, times + 1):
                _failed(long, call, inject.format(number))
    sys.stdout.write(f"killed at, full from, and failing at and from each of {calls}\n")
