"""A host's pace: whatever asks it, however many there are of that, and what it asks for itself.

Time passes by itself here, and no second is waited for: what is early or late is so on every machine.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil
from pathlib import Path
from secrets import token_hex
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from scrapy import Request
from scrapy.http import Response
from tests.archive.harness import open_archive

from newsmorgue.archive import hosts
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.spiders import budget
from newsmorgue.spiders.budget import BudgetMiddleware, HostBusy
from newsmorgue.spiders.robots import RobotsTxtMiddleware

HOME = "https://news.example/"
Result = TypeVar("Result")


class Clock:
    """A time that goes on only while all of an event loop's tasks sleep, and then at once to the first that wakes."""

    def __init__(self) -> None:
        self._microseconds = 0

    def now(self) -> datetime:
        """The time of day."""
        return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(microseconds=self._microseconds)

    def seconds(self) -> float:
        """That an event loop goes by."""
        return self._microseconds / 1_000_000

    def go_on_to(self, seconds: float) -> None:
        """Let time pass."""
        self._microseconds = max(self._microseconds, ceil(round(seconds * 1_000_000, 3)))


class Loop(asyncio.SelectorEventLoop):
    """An event loop by that clock."""

    _scheduled: list[asyncio.TimerHandle]
    _ready: object

    def time(self) -> float:
        """See the base."""
        return CLOCK.seconds()

    def _run_once(self) -> None:
        wakes = [handle.when() for handle in self._scheduled if not handle.cancelled()]
        if wakes and not self._ready:
            CLOCK.go_on_to(min(wakes))
        super()._run_once()  # type: ignore[misc]


CLOCK = Clock()


def run(crawl: Coroutine[Any, Any, Result]) -> Result:
    """As :func:`asyncio.run` does."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(crawl)


@dataclass
class Process:
    """A crawl in a process of its own, as its middleware sees it; and when it was let through to a host.

    ``under_way`` counts the requests of all that share it.
    """

    folder: Path
    delay: float = 0.0
    concurrency: int = 4
    crawl_delays: dict[str, float] = field(default_factory=dict)
    takes: float = 0.0
    run: str = field(default_factory=lambda: token_hex(8))
    passed: list[datetime] = field(default_factory=list)
    under_way: list[int] = field(default_factory=lambda: [0])
    most_at_once: int = 0

    def __post_init__(self) -> None:
        source = SourceConfiguration("demo", HOME, delay=self.delay, concurrency=self.concurrency)
        robots = SimpleNamespace(crawl_delay=lambda url: self.crawl_delays.get(url.split("/")[2]))
        known: dict[type, Any] = {RobotsTxtMiddleware: robots}
        crawler: Any = SimpleNamespace(
            spider=SimpleNamespace(source=source),
            get_extension=lambda _: SimpleNamespace(archive=open_archive(self.folder), run=self.run),
            get_downloader_middleware=known.get,
        )
        self.source, self.middleware = source, BudgetMiddleware(crawler, CLOCK.now)

    async def ask(self, url: str, times: int = 1) -> None:
        """Send requests, all at once as far as it is concerned."""
        await asyncio.gather(*(self._ask(url) for _ in range(times)))

    async def _ask(self, url: str) -> None:
        request = Request(url)
        try:
            await self.middleware.process_request(request)
        except Exception as error:
            self.middleware.process_exception(request, error)  # as Scrapy does
            raise
        self.passed.append(CLOCK.now())
        self.under_way[0] += 1
        self.most_at_once = max(self.under_way[0], self.most_at_once)
        await asyncio.sleep(self.takes)
        self.under_way[0] -= 1
        self.middleware.process_response(request, Response(url))

    def answer(self, url: str, status: int = 200, latency: float = 0.01, **headers: str) -> None:
        """An answer comes."""
        request = Request(url, meta={"download_latency": latency})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.middleware.process_response(request, Response(url, status=status, headers=named))


def test_two_processes_share_one_pace(tmp_path: Path) -> None:
    one, other = Process(tmp_path, delay=0.2), Process(tmp_path, delay=0.2)

    async def crawl() -> None:
        await asyncio.gather(one.ask(HOME + "a", 3), other.ask(HOME + "b", 3))

    began = CLOCK.now()
    run(crawl())
    moments = sorted(one.passed + other.passed)
    assert [moment - began for moment in moments] == [timedelta(seconds=0.2) * number for number in range(6)]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_host_gets_more_requests_at_once_than_it_may(concurrency: int, tmp_path: Path) -> None:
    process = Process(tmp_path, concurrency=concurrency, takes=0.05)
    run(process.ask(HOME, 10))
    assert process.most_at_once == concurrency


@pytest.mark.parametrize(("concurrency", "crawls"), [(4, 2), (4, 3), (2, 5)])
def test_all_that_ask_a_host_share_what_it_gets_at_once(
    concurrency: int, crawls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be there more of them than requests, too: then each has its times."""
    monkeypatch.setattr(budget, "_LOOK_AGAIN", timedelta(seconds=0.2))
    monkeypatch.setattr(budget, "_ROUND", 1)
    under_way = [0]
    all_of_them = [Process(tmp_path, concurrency=concurrency, takes=0.05, under_way=under_way) for _ in range(crawls)]

    async def crawl() -> None:
        for process in all_of_them:  # each makes itself known, and hears of the others
            process.middleware._view("news.example:443", CLOCK.now())
        await asyncio.sleep(0.3)
        await asyncio.gather(*(process.ask(HOME, 8) for process in all_of_them))

    run(asyncio.wait_for(crawl(), 60))
    assert [len(process.passed) for process in all_of_them] == [8] * crawls
    most = max(process.most_at_once for process in all_of_them)
    assert most == concurrency


def test_a_crawl_that_ended_leaves_its_share_to_the_others(tmp_path: Path) -> None:
    one, other = Process(tmp_path, takes=0.05), Process(tmp_path)
    archive = open_archive(tmp_path)
    now = CLOCK.now()
    with archive.catalogue.write() as connection:
        hosts.announce(connection, "news.example:443", "killed", now - timedelta(minutes=2), now - timedelta(minutes=1))
    run(other.ask(HOME))
    with archive.catalogue.write() as connection:
        hosts.withdraw(connection, other.run)
    run(one.ask(HOME, 10))
    assert one.most_at_once == 4


def test_a_request_that_fails_gives_its_place_to_the_next(tmp_path: Path) -> None:
    process = Process(tmp_path, concurrency=1)

    async def crawl() -> None:
        failing = Request(HOME)
        await process.middleware.process_request(failing)
        process.middleware.process_exception(failing, TimeoutError())
        await process.ask(HOME)

    run(asyncio.wait_for(crawl(), 5))
    assert len(process.passed) == 1


def test_hosts_do_not_wait_for_each_other(tmp_path: Path) -> None:
    process = Process(tmp_path, delay=30)

    async def crawl() -> None:
        await asyncio.gather(process.ask(HOME), process.ask("https://pictures.example/x"))

    run(asyncio.wait_for(crawl(), 5))
    assert len(process.passed) == 2


def test_http_and_https_are_one_host(tmp_path: Path) -> None:
    process, began = Process(tmp_path, delay=0.3), CLOCK.now()
    run(process.ask("https://news.example/a"))
    run(process.ask("http://news.example/b"))
    assert process.passed[1] - began >= timedelta(seconds=0.3)


def test_the_pace_is_the_slowest_of_what_is_asked_for(tmp_path: Path) -> None:
    process = Process(
        tmp_path, delay=0.5, crawl_delays={"news.example": 2.0, "pictures.example": 3.0, "mad.example": 1e6}
    )
    pace = process.middleware.pace
    assert pace(process.source, HOME) == 2.0
    # What a host asks for in its robots.txt holds for every host, and what nobody asks for is a second for strangers.
    assert pace(process.source, "https://pictures.example/x.jpg") == 3.0
    assert pace(process.source, "https://other.example/x.jpg") == 1.0
    assert pace(process.source, "https://mad.example/x.jpg") == 60.0


def test_a_host_that_grows_slow_is_asked_less_often_and_recovers(tmp_path: Path) -> None:
    process = Process(tmp_path, delay=0.1, concurrency=4)

    def pace() -> float:
        return process.middleware.pace(process.source, HOME)

    for _ in range(20):
        process.answer(HOME, latency=4.0)
    assert pace() == pytest.approx(1.0, rel=0.05)
    for _ in range(20):
        process.answer(HOME, latency=0.05)
    assert pace() == 0.1


def test_however_many_wait_for_their_turns_none_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience is for a host that rests: three crawls of one with half a minute between requests are just slow."""
    monkeypatch.setattr(budget, "PATIENCE", timedelta(seconds=0.25))
    crawls = [Process(tmp_path, delay=0.2) for _ in range(3)]

    async def crawl() -> None:
        await asyncio.gather(*(process.ask(HOME, 3) for process in crawls))

    asyncio.run(crawl())
    assert [len(process.passed) for process in crawls] == [3, 3, 3]


def test_what_one_process_learned_of_a_host_the_next_one_knows(tmp_path: Path) -> None:
    slow = Process(tmp_path, delay=0.01)
    slow.answer(HOME, latency=2.0)
    run(slow.ask(HOME))
    fresh = Process(tmp_path, delay=0.01)
    run(fresh.ask(HOME))
    assert fresh.middleware.pace(fresh.source, HOME) == pytest.approx(0.5)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_retry_after_in_seconds_holds_for_all_processes(status: int, delay: float, tmp_path: Path) -> None:
    one, other = Process(tmp_path, delay=delay), Process(tmp_path, delay=delay)
    asked = CLOCK.now()
    one.answer(HOME + "a", status, Retry_After="1")

    async def crawl() -> None:
        await asyncio.gather(one.ask(HOME + "b"), other.ask(HOME + "c"))

    run(crawl())
    assert min(moment - asked for moment in one.passed + other.passed) >= timedelta(seconds=1)


def test_retry_after_as_a_date_beyond_patience_puts_urls_back(tmp_path: Path) -> None:
    until = CLOCK.now().replace(microsecond=0) + timedelta(minutes=30)
    Process(tmp_path).answer(HOME, 503, Retry_After=format_datetime(until, usegmt=True))
    for delay in (0.0, 1.0):
        with pytest.raises(HostBusy) as busy:
            run(Process(tmp_path, delay=delay).ask(HOME + "b"))
        assert busy.value.until == until
    run(Process(tmp_path).ask("https://pictures.example/x"))


def test_too_many_requests_without_a_time_is_a_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_REST", timedelta(seconds=1))
    process = Process(tmp_path)
    asked = CLOCK.now()
    process.answer(HOME, 429)
    run(process.ask(HOME + "b"))
    assert process.passed[0] - asked >= timedelta(seconds=1)


def test_a_foreign_spider_keeps_its_own_pace(tmp_path: Path) -> None:
    process = Process(tmp_path, delay=30)
    process.middleware._crawler.spider = SimpleNamespace(name="theirs")  # type: ignore[assignment]
    run(asyncio.wait_for(process.ask(HOME, 3), 5))
    assert len(process.passed) == 3


def test_a_crawl_that_is_stopped_sends_nothing_more(tmp_path: Path) -> None:
    process = Process(tmp_path, delay=30, concurrency=2)

    async def crawl() -> list[BaseException | None]:
        waiting = asyncio.gather(*(process.ask(HOME) for _ in range(5)), return_exceptions=True)
        await asyncio.sleep(0.1)
        process.middleware.stop()
        return await asyncio.wait_for(waiting, 5)

    ended = run(crawl())
    assert sorted(type(each).__name__ for each in ended) == ["NoneType", *["Stopped"] * 4]
    assert len(process.passed) == 1
