"""The ``morgue`` command in a hurry: small WARCs, so that sealing happens in mid-crawl, and little patience.

Run as ``python -m tests.crawl.hurried crawl URL…``. What it changes, no operator may.
"""

import os
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.cli.command import Morgue, clean_environment
from tests.crawl import idle

from newsmorgue import cli
from newsmorgue.archive import frontier
from newsmorgue.archive.archive import Limits
from newsmorgue.archive.store import open_store
from newsmorgue.capture import recorder
from newsmorgue.pipelines import clean, worker
from newsmorgue.settings import opening
from newsmorgue.spiders import news

SEAL_AFTER = 12_000
PATIENCE = 2.0
IDLE_SECONDS = 0.1
# In bytes: how much the spool may hold.
SPOOL_LIMIT = "HURRIED_SPOOL_LIMIT"
# Set to anything: no page is cleaned within its time.
IDLE = "HURRIED_IDLE"
# Set to anything: a crawl looks at its lists again after two seconds, and what became due within them goes first.
NEWS = "HURRIED_NEWS"
# Set to anything: a page has two seconds of the processor's time, however long it waits for them, and some need more.
BRIEF = "HURRIED_BRIEF"
# A part of a page's address: its cleaning never comes to an end. Then nothing is in a hurry.
HELD = idle.HELD


class HurriedMorgue(Morgue):
    """:class:`Morgue`, so changed."""

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it at the head of a process group of its own."""
        root = Path(__file__).parents[2]
        path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crawl.hurried", *arguments],
            cwd=self.folder,
            env=clean_environment() | dict(self.environment) | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def _limits(_size: int, age: Any, spool: int, reserve: int) -> Limits:
    return Limits(SEAL_AFTER, age, int(os.environ.get(SPOOL_LIMIT, spool)), reserve)


def _hurry() -> None:
    recorder.PATIENCE = PATIENCE
    if IDLE in os.environ:
        clean.SECONDS = IDLE_SECONDS
        worker.read_page = idle.read_page  # type: ignore[assignment]
    if BRIEF in os.environ:
        clean.SECONDS, clean.OWN_SHARE = 200.0, 0.01
        worker.read_page = idle.read_light_page  # type: ignore[assignment]
    if NEWS in os.environ:
        news.LOOK_AGAIN = frontier.FRESH = timedelta(seconds=2)
    opening.Limits = _limits  # type: ignore[assignment,attr-defined]
    opening.open_store = partial(  # type: ignore[attr-defined]
        open_store, connect_timeout=1, read_timeout=1, attempts=1
    )


if __name__ == "__main__":
    if HELD in os.environ:
        clean.SECONDS = 3600.0
        worker.read_page = idle.read_others  # type: ignore[assignment]
    else:
        _hurry()
    cli.main()
