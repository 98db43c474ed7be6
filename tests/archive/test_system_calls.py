"""``kill -9`` at system calls: what was said to be durable is there, and the next run goes on.

Needs strace. A few calls are tried each time, all of them in the nightly run.
"""

import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.archive.harness import BRIDGE, START, Visitor, captures, open_archive, problems, rebuilt, rows
from tests.archive.session import STEPS

from newsmorgue.archive.capture import UNCLEANED
from newsmorgue.stories.reading import find_story, show_at, story_versions

# How often a session makes each call, at the least. SQLite makes nearly all the writes.
CALLS = {"fsync": 24, "fdatasync": 14, "ftruncate": 2, "unlink": 3, "link": 4, "pwrite64": 340}
A_FEW = [("fsync", 5), ("fsync", 9), ("fdatasync", 6), ("pwrite64", 200), ("pwrite64", 301), ("unlink", 1), ("link", 2)]
ALL = [(call, number) for call, count in CALLS.items() for number in range(1, count + 1)]


def _killed_at(folder: Path, call: str, number: int) -> set[str]:
    """Run a session that is killed at that call, or ends before it; what it said was durable."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    inject = [
        strace,
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:signal=KILL:when={number}",
    ]
    command = [*inject, sys.executable, "-m", "tests.archive.session", str(folder)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode in (0, -9, 137), done.stderr
    return set(done.stdout.split())


def _check(folder: Path, said: set[str]) -> None:
    archive = open_archive(folder)
    visitor = Visitor(archive, now=START + timedelta(hours=1), run="run-2")
    for name, url, text in STEPS:
        if name in said:
            story = find_story(archive, url)
            numbers = range(1, len(story_versions(archive, story)) + 1)
            assert (name, text) in [_version(visitor, story, number) for number in numbers]
    for capture in captures(archive):
        if capture.state == UNCLEANED:
            visitor.file(capture.url, capture)
    visitor.see(BRIDGE)
    visitor.end()
    assert problems(archive) == []
    assert archive.spool.names() == []
    assert rows(rebuilt(archive, f"sqlite:///{folder / 'rebuilt.sqlite'}")) == rows(archive)


def _version(visitor: Visitor, story: str, number: int) -> tuple[str | None, str]:
    rows = story_versions(visitor.archive, story)
    shown = show_at(visitor.archive, story, rows[number - 1].first_seen)
    return shown.article.headline, shown.article.text


@pytest.mark.parametrize(("call", "number"), A_FEW)
def test_killed_at_a_system_call(tmp_path: Path, call: str, number: int) -> None:
    _check(tmp_path, _killed_at(tmp_path, call, number))


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_killed_at_every_system_call(tmp_path: Path) -> None:
    for call, number in ALL:
        folder = tmp_path / f"{call}-{number}"
        folder.mkdir()
        _check(folder, _killed_at(folder, call, number))
        shutil.rmtree(folder)
