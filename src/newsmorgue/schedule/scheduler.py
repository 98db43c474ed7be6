"""The scheduler: starts a process for each source that is due, watches it, and stops all of them in time."""

import ctypes
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsmorgue.archive.archive import Archive
from newsmorgue.errors import ExitCode
from newsmorgue.schedule.plans import bring_forward, due_sources, plan_runs, resume_runs, take_run
from newsmorgue.schedule.timetable import Timetable

Process = subprocess.Popen[bytes]
Start = Callable[[str], Process]
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# All is over within 10 seconds of a SIGTERM: a crawl needs less, and what does not end by itself is killed.
STOP_SECONDS = 8.0
# A run that was cut short is resumed after so long, after twice as long the next time, and so on.
_RESUME_AFTER, _LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=10)
# What a run that was not let come to its end says: killed (below 0), stopped, or another process has the source.
_AGAIN = (ExitCode.INTERRUPTED, ExitCode.BUSY)


def start_crawl(command: Sequence[str], source: str) -> Process:
    """``command`` for one source, in a session of its own; it is stopped, orderly, when this process dies."""
    parent = os.getpid()

    def die_with_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGTERM)

    return subprocess.Popen(
        [*command, source], stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
    )


@dataclass
class Scheduler:
    """Runs what is due of some timetables, at most ``limit`` sources at once, each in a process that ``start`` makes.

    ``clock`` is what timetables go by. ``ended`` hears of each run that ended: its source, its exit code (negative:
    the signal that killed it).
    """

    archive: Archive
    timetables: Callable[[], Mapping[str, Timetable]]
    clock: Callable[[], datetime]
    limit: int
    start: Start
    ended: Callable[[str, int], None] = lambda source, code: None
    _running: dict[str, Process] = field(default_factory=dict)
    _cut_short: Counter[str] = field(default_factory=Counter)
    _known: dict[str, Timetable] = field(default_factory=dict)
    _stopping: bool = False

    def stop(self, *_: object) -> None:
        """Have :meth:`run` end (also as a signal's handler)."""
        self._stopping = True

    def run(self, tick: float = 0.5) -> None:
        """Until :meth:`stop`: look each ``tick`` seconds at what is due and at what ended."""
        while not self._stopping:
            self.step()
            time.sleep(tick)
        self.stop_all()

    def step(self) -> None:
        """One look at what ended and at what is due."""
        timetables = self.timetables()
        if timetables != self._known:
            self._plan(timetables, timetables.keys() - self._known.keys())
            self._known = dict(timetables)
        self._reap()
        self._start_due(timetables)

    def run_once(self, tick: float = 0.2) -> None:
        """What is due now, to its end."""
        timetables = self.timetables()
        self._plan(timetables, timetables)
        with self.archive.catalogue.read() as connection:
            waiting = due_sources(connection, timetables, self.clock())
        while not self._stopping and (waiting or self._running):
            while waiting and len(self._running) < self.limit:
                self._start(waiting.pop(0), timetables)
            time.sleep(tick)
            self._reap()
        self.stop_all()

    def _plan(self, timetables: Mapping[str, Timetable], fresh: Iterable[str]) -> None:
        with self.archive.catalogue.write() as connection:
            plan_runs(connection, timetables, self.clock())
            resume_runs(self.archive, connection, fresh, self.clock())

    def _start_due(self, timetables: Mapping[str, Timetable]) -> None:
        with self.archive.catalogue.read() as connection:
            due = due_sources(connection, timetables, self.clock())
        for source in due:
            if len(self._running) >= self.limit:
                return
            if source not in self._running:
                self._start(source, timetables)

    def _start(self, source: str, timetables: Mapping[str, Timetable]) -> None:
        with self.archive.catalogue.write() as connection:
            taken = take_run(connection, source, timetables[source], self.clock())
        if taken:
            self._running[source] = self.start(source)

    def _reap(self) -> None:
        for source, process in list(self._running.items()):
            code = process.poll()
            if code is not None:
                del self._running[source]
                self._after(source, code)

    def _after(self, source: str, code: int) -> None:
        self.ended(source, code)
        if code >= 0 and code not in _AGAIN:
            del self._cut_short[source]
            return
        self._cut_short[source] += 1
        wait = min(_RESUME_AFTER * (1 << min(self._cut_short[source] - 1, 10)), _LONGEST_WAIT)
        with self.archive.catalogue.write() as connection:
            bring_forward(connection, source, self.clock() + wait)

    def stop_all(self) -> None:
        """End all runs, orderly and in time."""
        for process in self._running.values():
            process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._reap()
