"""A child process that visits pages until it is killed, or the disk ends, at a chosen step.

Run as ``python -m tests.archive.dying FOLDER CATALOGUE STEP``. What it committed before is one visit to BRIDGE.
"""

import os
import random
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.archive.harness import BRIDGE, OTHER_TEXT, Visitor, open_archive

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.spool import Spool, SpoolFile
from newsmorgue.errors import NewsmorgueError

SECOND = "https://news.example/2026/schools"


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: Any, name: str, act: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def acted(*args: Any, **kwargs: Any) -> Any:
        act(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, acted)


def _after(owner: Any, name: str) -> None:
    original = getattr(owner, name)

    def acted(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        _kill()

    setattr(owner, name, acted)


def _half(append: Callable[[SpoolFile, bytes], int]) -> Callable[..., None]:
    def act(file: SpoolFile, data: bytes) -> None:
        append(file, data[: len(data) // 2])
        _kill()

    return act


def _die_in_creation() -> None:
    _after(Spool, "create")


def _die_in_first_record() -> None:
    _before(SpoolFile, "append_warc", _half(SpoolFile.append_warc))


STEPS: dict[str, Callable[[], None]] = {
    "nothing of the WARC": lambda: _before(SpoolFile, "append_warc", lambda *_: _kill()),
    "half of the WARC's bytes": lambda: _before(SpoolFile, "append_warc", _half(SpoolFile.append_warc)),
    "all of the WARC's bytes": lambda: _after(SpoolFile, "append_warc"),
    "WARC durable": lambda: _after(SpoolFile, "sync_warc"),
    "half of an event": lambda: _before(SpoolFile, "append_journal", _half(SpoolFile.append_journal)),
    "one event": lambda: _after(SpoolFile, "append_journal"),
    "all events": lambda: _before(SpoolFile, "sync_journal", lambda *_: _kill()),
    "journal durable": lambda: _after(SpoolFile, "sync_journal"),
    "lengths stored, not committed": lambda: _after(Archive, "_store_lengths"),
    "committed": lambda: None,
}
BEGINNINGS: dict[str, Callable[[], None]] = {
    "no byte in the new WARC": _die_in_creation,
    "half of the first record": _die_in_first_record,
}
DISK_FULL = "disk full"


def _fill_up(visitor: Visitor) -> None:
    """Write on until a file may not grow. What is random does not shrink, so that the WARC is the largest file."""
    noise = random.Random(1)
    visitor.record("https://news.example/large", noise.randbytes(2_000_000))
    visitor.recorder.commit()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_100_000, resource.RLIM_INFINITY))
    try:
        for number in range(100):
            visitor.record(f"https://news.example/{number}", noise.randbytes(30_000))
            visitor.recorder.commit()
    except NewsmorgueError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}")


def main(folder: Path, catalogue: str, step: str) -> None:
    """Visit one page whole and another until STEP."""
    archive = open_archive(folder, catalogue=catalogue)
    if step in BEGINNINGS:
        BEGINNINGS[step]()
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    if step == DISK_FULL:
        _fill_up(visitor)
        return
    STEPS[step]()
    visitor.see(SECOND, OTHER_TEXT, headline="Schools")
    _kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
