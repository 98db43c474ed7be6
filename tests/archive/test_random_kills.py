"""``kill -9`` at any moment of a session: what was said to be durable is there, and the next run goes on.

``tests/crawl/test_torture.py`` does the same to whole crawls, whose start takes twenty times as long.
"""

import os
import random
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.archive.session import Ended, Sessions, check_session, sessions

KILLS, NIGHTLY_KILLS = 46, 450


def _seconds(forked: Sessions, folder: Path) -> float:
    """How long a session takes that is let be."""
    forked.begin(folder)
    began = time.monotonic()
    forked.let_go()
    assert forked.end().code == 0
    shutil.rmtree(folder)
    return time.monotonic() - began


def _killed_after(forked: Sessions, folder: Path, seconds: float) -> Ended:
    process = forked.begin(folder)
    forked.let_go()
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # it was quicker
        os.kill(process, signal.SIGKILL)
    return forked.end()


def _kill_many(folder: Path, kills: int, seed: int) -> None:
    chance, told = random.Random(seed), list[Ended]()
    with sessions(folder / "empty") as forked:
        longest = _seconds(forked, folder / "session")
        while len(told) < kills or not _are_in_the_midst(told, kills // 10):
            assert len(told) < 20 * kills, "it was too early each time, or too late"
            ended = _killed_after(forked, folder / "session", chance.random() * longest)
            # A session takes longer while the machine has other work, and then less again.
            longest *= 0.8 if ended.code == 0 else 1.1
            check_session(folder / "session", ended.said)
            shutil.rmtree(folder / "session")
            told.append(ended)


def _are_in_the_midst(told: list[Ended], enough: int) -> bool:
    """Whether so many were killed after their first commit and before their end, at different steps."""
    in_the_midst = [ended.said for ended in told if ended.code == -9 and ended.said]
    return len(in_the_midst) > enough and len(set(in_the_midst)) > 1


def test_sessions_that_are_killed_at_random(tmp_path: Path) -> None:
    _kill_many(tmp_path, KILLS, seed=31)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_sessions_that_are_killed_many_times(tmp_path: Path) -> None:
    _kill_many(tmp_path, NIGHTLY_KILLS, seed=32)
