"""The scheduler by itself, under a clock of the test's: the right runs at the right times, whatever dies."""

import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import START, Visitor, open_archive
from tests.cli.command import clean_environment
from tests.processes import wait_until

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.holds import LASTS, Hold
from newsmorgue.capture.runs import BeginRun, PauseSource
from newsmorgue.errors import Busy, ExitCode
from newsmorgue.schedule.scheduler import Scheduler
from newsmorgue.schedule.timetable import Timetable, quiet_hours
from newsmorgue.settings.configuration import SourceConfiguration

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# In seconds: ten sources, from 3 runs in five minutes to 30.
SPANS = (10, 15, 20, 25, 30, 40, 50, 60, 75, 100)
TEN = {f"source-{seconds}": Timetable(seconds * SECOND) for seconds in SPANS}


@dataclass
class FakeRun:
    """A process that ends with ``code`` when the clock says ``until``."""

    bench: "Bench"
    until: object
    code: int = 0
    was_told_to_stop: bool = False

    def poll(self) -> int | None:
        return self.code if self.bench.now >= self.until else None  # type: ignore[operator]

    def terminate(self) -> None:
        self.was_told_to_stop = True
        self.until = self.bench.now

    def wait(self, timeout: float) -> int:
        return self.code


@dataclass
class Bench:
    """A scheduler over a catalogue, and a clock that moves when it is told to."""

    archive: Archive
    timetables: Mapping[str, Timetable]
    limit: int = 4
    seconds: int = 3  # that a run takes
    now: object = START
    began: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    runs: list[FakeRun] = field(default_factory=list)
    codes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.scheduler = self.make()

    def make(self) -> Scheduler:
        return Scheduler(
            self.archive,
            lambda: self.timetables,
            lambda: self.now,  # type: ignore[arg-type,return-value]
            self.limit,
            self._start,  # type: ignore[arg-type]
        )

    def _start(self, source: str) -> FakeRun:
        self.began[source].append((self.now - START) // SECOND)  # type: ignore[operator]
        code = self.codes[source].pop(0) if self.codes[source] else 0
        self.runs.append(FakeRun(self, self.now + self.seconds * SECOND, code))  # type: ignore[operator]
        return self.runs[-1]

    def pass_(self, span: timedelta, *schedulers: Scheduler) -> None:
        """Time passes, a second a step."""
        for _ in range(span // SECOND):
            for scheduler in schedulers or (self.scheduler,):
                scheduler.step()
            self.now += SECOND  # type: ignore[operator]

    @property
    def under_way(self) -> int:
        return sum(run.poll() is None for run in self.runs)


@pytest.fixture
def archive(tmp_path: Path, catalogue_url: str) -> Archive:
    return open_archive(tmp_path, catalogue=catalogue_url)


def test_ten_sources_for_five_minutes(tmp_path: Path) -> None:
    bench = Bench(open_archive(tmp_path), TEN, limit=10)
    bench.pass_(5 * MINUTE)
    assert bench.began == {f"source-{span}": list(range(0, 300, span)) for span in SPANS}


def test_no_more_at_once_than_the_limit_and_the_longest_due_first(tmp_path: Path) -> None:
    bench = Bench(open_archive(tmp_path), {name: Timetable(MINUTE) for name in "abcde"}, limit=2, seconds=10)
    for _ in range(60):
        bench.pass_(SECOND)
        assert bench.under_way <= 2
    assert bench.began == {"a": [0], "b": [0], "c": [10], "d": [10], "e": [20]}


def test_a_source_is_not_begun_while_it_runs_and_what_it_missed_is_not_made_up_for(tmp_path: Path) -> None:
    bench = Bench(open_archive(tmp_path), {"slow": Timetable(10 * SECOND)}, seconds=25)
    bench.pass_(70 * SECOND)
    assert bench.began == {"slow": [0, 25, 50]}


def test_of_two_schedulers_one_begins_a_run(archive: Archive) -> None:
    bench = Bench(archive, {"only": Timetable(20 * SECOND)})
    bench.pass_(50 * SECOND, bench.scheduler, bench.make())
    assert bench.began == {"only": [0, 20, 40]}


def test_a_scheduler_that_begins_anew_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    bench = Bench(open_archive(tmp_path), TEN, limit=10)
    for _ in range(3):
        bench.pass_(100 * SECOND)
        bench.scheduler = bench.make()
    assert bench.began == {f"source-{span}": list(range(0, 300, span)) for span in SPANS}


@pytest.mark.parametrize("code", [-signal.SIGKILL, ExitCode.INTERRUPTED, ExitCode.BUSY])
def test_a_run_that_was_cut_short_is_resumed_and_ever_later(tmp_path: Path, code: int) -> None:
    bench = Bench(open_archive(tmp_path), {"dies": Timetable(600 * SECOND)}, seconds=1)
    bench.codes["dies"] = [code] * 3
    bench.pass_(120 * SECOND)
    assert bench.began == {"dies": [0, 11, 32, 73]}


def test_a_run_that_failed_by_itself_waits_for_its_next_time(tmp_path: Path) -> None:
    bench = Bench(open_archive(tmp_path), {"fails": Timetable(60 * SECOND)}, seconds=1)
    bench.codes["fails"] = [ExitCode.PAGES_FAILED, ExitCode.STORE_UNAVAILABLE, ExitCode.NOTHING_FOUND]
    bench.pass_(200 * SECOND)
    assert bench.began == {"fails": [0, 60, 120, 180]}


def test_a_paused_source_is_left_alone_and_then_taken_up_again(archive: Archive) -> None:
    bench = Bench(archive, {"demo": Timetable(20 * SECOND)})
    visitor = Visitor(archive, source="demo")
    visitor.end()
    source = SourceConfiguration("demo", "https://news.example/")
    visitor.settle(PauseSource(source, paused=True))
    bench.pass_(70 * SECOND)
    assert bench.began == {}
    visitor.settle(PauseSource(source, paused=False))
    bench.pass_(31 * SECOND)
    assert bench.began == {"demo": [70, 80, 100]}


def test_another_timetable_holds_from_the_last_run_on(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    Visitor(archive, source="demo", now=START - 50 * SECOND).end()
    bench = Bench(archive, {"demo": Timetable(60 * MINUTE)})
    bench.pass_(5 * SECOND)
    assert bench.began == {}
    bench.timetables = {"demo": Timetable(MINUTE)}
    bench.pass_(20 * SECOND)
    assert bench.began == {"demo": [10]}


def test_in_quiet_hours_nothing_begins_that_was_due_before_them_or_was_cut_short(tmp_path: Path) -> None:
    """START is at noon. One run is killed within the hours, one source waits for its place since before them."""
    rest = Timetable(60 * MINUTE, quiet=(quiet_hours("12:01-12:05"),))
    bench = Bench(open_archive(tmp_path), {"killed": rest, "waits": rest}, limit=1, seconds=65)
    bench.codes["killed"] = [-signal.SIGKILL]
    bench.pass_(7 * MINUTE)
    assert bench.began == {"killed": [0, 365], "waits": [300]}


def test_a_scheduler_that_begins_in_quiet_hours_waits_for_their_end(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    Visitor(archive, source="demo", now=START - 59 * MINUTE)  # a run that is never ended
    bench = Bench(archive, {"demo": Timetable(60 * MINUTE, quiet=(quiet_hours("11:30-12:03"),))})
    bench.pass_(5 * MINUTE)
    assert bench.began == {"demo": [180]}


def test_what_a_dead_scheduler_left_unended_is_resumed_at_once(archive: Archive) -> None:
    Visitor(archive, source="demo")  # a run that is never ended
    bench = Bench(archive, {"demo": Timetable(60 * MINUTE)})
    bench.pass_(5 * SECOND)
    assert bench.began == {"demo": [0]}


def test_what_runs_still_is_not_begun_again(archive: Archive) -> None:
    visitor = Visitor(archive, source="demo")
    with archive.catalogue.write() as connection:
        Hold("demo", "crawl", visitor.run, archive.place).take(connection, START)
    with archive.spool.lock_source("demo", "crawl"):
        bench = Bench(archive, {"demo": Timetable(60 * MINUTE)})
        bench.pass_(5 * SECOND)
        assert bench.began == {}


def test_stopping_tells_every_run_and_waits_for_them(tmp_path: Path) -> None:
    bench = Bench(open_archive(tmp_path), {name: Timetable(MINUTE) for name in "abc"}, seconds=1000)
    bench.pass_(2 * SECOND)
    bench.scheduler.stop()
    bench.scheduler.run()
    assert [run.was_told_to_stop for run in bench.runs] == [True] * 3


# -- one run of a source, whichever machine it is on -------------------------------------------------------------------


def test_a_source_that_another_machine_crawls_is_busy_until_that_machine_falls_silent(archive: Archive) -> None:
    here, there = Hold("demo", "crawl", "run-1", "here:/spool"), Hold("demo", "crawl", "run-2", "there:/spool")
    with archive.catalogue.write() as connection:
        here.take(connection, START)
    with archive.catalogue.write() as connection, pytest.raises(Busy, match=r"here:/spool is at a crawl of .*demo"):
        there.take(connection, START + LASTS - SECOND)
    with archive.catalogue.write() as connection:
        here.renew(connection, START + LASTS - SECOND)
    with archive.catalogue.write() as connection, pytest.raises(Busy):
        there.take(connection, START + LASTS)
    with archive.catalogue.write() as connection:
        there.take(connection, START + 2 * LASTS)
    with archive.catalogue.write() as connection, pytest.raises(Busy, match="source 'demo'"):
        here.renew(connection, START + 2 * LASTS)
    with archive.catalogue.write() as connection:
        here.release(connection)
        there.renew(connection, START + 2 * LASTS)


def test_a_killed_run_of_the_same_machine_holds_nothing(archive: Archive) -> None:
    with archive.catalogue.write() as connection:
        Hold("demo", "crawl", "killed", archive.place).take(connection, START)
        Hold("demo", "crawl", "next", archive.place).take(connection, START + SECOND)


def test_a_run_that_another_machine_lost_is_ended_by_the_next(archive: Archive, tmp_path: Path) -> None:
    lost = Visitor(archive, run="run-1")
    lost.mention("https://news.example/a")
    url = archive.catalogue.url.render_as_string(hide_password=False)
    other = open_archive(tmp_path / "other", store=archive.store, catalogue=url, host="other")
    taken_over = Visitor(other, run="run-2")
    taken_over.settle(BeginRun("run-3", SourceConfiguration("demo", "https://news.example/"), "crawl", "other"))
    with archive.catalogue.read() as connection:
        found = connection.execute(sa.select(schema.runs.c.id, schema.runs.c.outcome))
        outcomes = {row.id: row.outcome for row in found}
    assert outcomes == {"run-1": "lost", "run-2": "lost", "run-3": None}


# -- with processes ----------------------------------------------------------------------------------------------------


def accelerated(folder: Path, begin: int, end: int, log: Path) -> "subprocess.Popen[bytes]":
    """The scheduler as a program of its own, under a clock that goes as fast as it can."""
    program = [sys.executable, "-m", "tests.schedule.accelerated", str(folder), str(begin), str(end), str(log)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(program, cwd=root, env=clean_environment())


def logged(log: Path) -> list[tuple[int, int]]:
    """What began: the span of its source, and the second."""
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    return [(int(line[0].removeprefix("source-")), int(line[1])) for line in lines if len(line) == 3]


def last(log: Path) -> int:
    """The last second in which a run began."""
    return max((second for _, second in logged(log)), default=-1)


def test_five_minutes_of_an_accelerated_clock_with_deaths(tmp_path: Path) -> None:
    """Real processes; ``kill -9`` of runs (source-60 kills itself twice) and, after two minutes, of the scheduler."""
    log = tmp_path / "began.log"
    first = accelerated(tmp_path, 0, 150, log)
    wait_until(lambda: last(log) >= 120)
    first.kill()
    first.wait()
    died = last(log)
    second = accelerated(tmp_path, died + 1, 300, log)
    wait_until(lambda: last(log) == 300)
    second.terminate()
    assert second.wait(60) == 0
    began: dict[int, list[int]] = {span: [] for span in SPANS}
    for span, moment in logged(log):
        began[span].append(moment)
    # The two that killed themselves were resumed after 10 seconds and after 20, from when on a minute counts.
    assert began.pop(60) == [0, 60, 71, 92, 152, 212, 272]
    for span, moments in began.items():
        # One run for each time that is due, at the latest by the second scheduler's first look, and not twice.
        slots = [moment // span for moment in moments if moment < 300]
        assert len(slots) == len(set(slots)), (span, moments)
        assert all(moment % span == 0 or moment == died + 1 for moment in moments), (span, moments)
        # But for what the first scheduler was about to begin.
        missed = set(range(-(-300 // span))) - set(slots)
        assert all(died <= slot * span <= died + min(SPANS) for slot in missed), (span, moments, died)
