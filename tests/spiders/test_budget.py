"""A host's pace: whatever asks it, however many there are of that, and what it asks for itself."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response
from tests.archive.harness import open_archive

from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.spiders.budget import BudgetMiddleware, HostBusy
from newsmorgue.spiders.robots import RobotsTxtMiddleware
from newsmorgue.times import now_utc

HOME = "https://news.example/"


@dataclass
class Process:
    """A crawl in a process of its own, as its middleware sees it; and when it was let through to a host."""

    folder: Path
    delay: float = 0.0
    concurrency: int = 4
    crawl_delays: dict[str, float] = field(default_factory=dict)
    takes: float = 0.0
    passed: list[datetime] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        source = SourceConfiguration("demo", HOME, delay=self.delay, concurrency=self.concurrency)
        robots = SimpleNamespace(crawl_delay=lambda url: self.crawl_delays.get(url.split("/")[2]))
        known: dict[type, Any] = {RobotsTxtMiddleware: robots}
        crawler: Any = SimpleNamespace(
            spider=SimpleNamespace(source=source),
            get_extension=lambda _: SimpleNamespace(archive=open_archive(self.folder)),
            get_downloader_middleware=known.get,
        )
        self.source, self.middleware = source, BudgetMiddleware(crawler)

    async def ask(self, url: str, times: int = 1) -> None:
        """Send requests, all at once as far as it is concerned."""
        await asyncio.gather(*(self._ask(url) for _ in range(times)))

    async def _ask(self, url: str) -> None:
        request = Request(url)
        await self.middleware.process_request(request)
        self.passed.append(now_utc())
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(self.takes)
        self.at_once -= 1
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

    began = now_utc()
    asyncio.run(crawl())
    moments = sorted(one.passed + other.passed)
    # Of six turns the last is five pauses after the first; a busy machine only makes it later.
    assert len(moments) == 6
    assert moments[-1] - began >= timedelta(seconds=5 * 0.2)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_host_gets_more_requests_at_once_than_it_may(concurrency: int, tmp_path: Path) -> None:
    process = Process(tmp_path, concurrency=concurrency, takes=0.05)
    asyncio.run(process.ask(HOME, 10))
    assert process.most_at_once == concurrency


def test_a_request_that_fails_gives_its_place_to_the_next(tmp_path: Path) -> None:
    process = Process(tmp_path, concurrency=1)

    async def crawl() -> None:
        failing = Request(HOME)
        await process.middleware.process_request(failing)
        process.middleware.process_exception(failing, TimeoutError())
        await process.ask(HOME)

    asyncio.run(asyncio.wait_for(crawl(), 5))
    assert len(process.passed) == 1


def test_hosts_do_not_wait_for_each_other(tmp_path: Path) -> None:
    process = Process(tmp_path, delay=30)

    async def crawl() -> None:
        await asyncio.gather(process.ask(HOME), process.ask("https://pictures.example/x"))

    asyncio.run(asyncio.wait_for(crawl(), 5))
    assert len(process.passed) == 2


def test_http_and_https_are_one_host(tmp_path: Path) -> None:
    process, began = Process(tmp_path, delay=0.3), now_utc()
    asyncio.run(process.ask("https://news.example/a"))
    asyncio.run(process.ask("http://news.example/b"))
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


def test_what_one_process_learned_of_a_host_the_next_one_knows(tmp_path: Path) -> None:
    slow = Process(tmp_path, delay=0.01)
    slow.answer(HOME, latency=2.0)
    asyncio.run(slow.ask(HOME))
    fresh = Process(tmp_path, delay=0.01)
    asyncio.run(fresh.ask(HOME))
    assert fresh.middleware.pace(fresh.source, HOME) == pytest.approx(0.5)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_retry_after_in_seconds_holds_for_all_processes(status: int, delay: float, tmp_path: Path) -> None:
    one, other = Process(tmp_path, delay=delay), Process(tmp_path, delay=delay)
    asked = now_utc()
    one.answer(HOME + "a", status, Retry_After="1")

    async def crawl() -> None:
        await asyncio.gather(one.ask(HOME + "b"), other.ask(HOME + "c"))

    asyncio.run(crawl())
    assert min(moment - asked for moment in one.passed + other.passed) >= timedelta(seconds=1)


def test_retry_after_as_a_date_beyond_patience_puts_urls_back(tmp_path: Path) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
    Process(tmp_path).answer(HOME, 503, Retry_After=format_datetime(until, usegmt=True))
    for delay in (0.0, 1.0):
        with pytest.raises(HostBusy) as busy:
            asyncio.run(Process(tmp_path, delay=delay).ask(HOME + "b"))
        assert busy.value.until == until
    asyncio.run(Process(tmp_path).ask("https://pictures.example/x"))


def test_too_many_requests_without_a_time_is_a_rest_of_seconds(tmp_path: Path) -> None:
    process = Process(tmp_path)
    asked = now_utc()
    process.answer(HOME, 429)
    asyncio.run(process.ask(HOME + "b"))
    assert timedelta(seconds=4) < process.passed[0] - asked < timedelta(seconds=20)


def test_a_foreign_spider_keeps_its_own_pace(tmp_path: Path) -> None:
    process = Process(tmp_path, delay=30)
    process.middleware._crawler.spider = SimpleNamespace(name="theirs")  # type: ignore[assignment]
    asyncio.run(asyncio.wait_for(process.ask(HOME, 3), 5))
    assert len(process.passed) == 3
