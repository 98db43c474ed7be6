"""The ``morgue`` command in a hurry: small WARCs, so that sealing happens in mid-crawl, and little patience.

Run as ``python -m tests.crawl.hurried crawl URL…``. What it changes, no operator may.
"""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.cli.command import Morgue, clean_environment

from newsmorgue import cli
from newsmorgue.archive.archive import Limits
from newsmorgue.archive.store import open_store
from newsmorgue.capture import recorder
from newsmorgue.settings import opening

SEAL_AFTER = 12_000
PATIENCE = 2.0
# In bytes: how much the spool may hold.
SPOOL_LIMIT = "HURRIED_SPOOL_LIMIT"


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


if __name__ == "__main__":
    recorder.PATIENCE = PATIENCE
    opening.Limits = _limits  # type: ignore[assignment,attr-defined]
    opening.open_store = partial(  # type: ignore[attr-defined]
        open_store, connect_timeout=1, read_timeout=1, attempts=1
    )
    cli.main()
