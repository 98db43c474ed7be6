"""Other processes: whether they live, and waiting for what they do. Time is no matter: a busy machine takes longer."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

SECONDS = 240.0


def wait_until(happened: Callable[[], object], seconds: float = SECONDS) -> None:
    """Fails where something does not happen at all."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def within_one_month(seconds: float = SECONDS) -> None:
    """Wait, if the month is over within so many seconds, for the next: what comes now is all in one."""
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    begin = then.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    time.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds()))


def lives(process: int) -> bool:
    """Whether a process runs. One that has ended may stay listed: whoever inherits orphans need not look after them."""
    return process in {one.number for one in _living()}


def group_lives(group: int) -> bool:
    """Whether any process of a group runs."""
    return group in {one.group for one in _living()}


def children(parent: int) -> list[int]:
    """The processes that run as children of another."""
    return [one.number for one in _living() if one.parent == parent]


class _Process(NamedTuple):
    number: int
    parent: int
    group: int


def _living() -> Iterator[_Process]:
    """All that run: proc(5) has the state, the parent and the group behind a name in brackets."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, group, *_ = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if state not in ("Z", "X"):
                yield _Process(int(folder.name), int(parent), int(group))
