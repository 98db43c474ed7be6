"""The middleware that gives each host the pace it bears, whoever asks it.

Turns are taken in the catalogue, so that all sources and processes that ask a host share its pace, and what it asks
for with Retry-After. The pace is the slowest of what the operator set, what robots.txt asks for (Crawl-delay), and what
the host's own answers allow: one that takes two seconds for each of four requests at once gets one every half second.
How many there are at once is counted here too: without a delay Scrapy 2.19 starts all that wait for a host at once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from newsmorgue.archive import hosts
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.exchange import HttpHead
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.errors import NewsmorgueError
from newsmorgue.settings.configuration import SourceConfiguration, usual_delay
from newsmorgue.spiders.answers import retry_time
from newsmorgue.spiders.robots import RobotsTxtMiddleware
from newsmorgue.times import now_utc
from newsmorgue.urls import host_and_port

# A crawl waits as long for a host's turn; for a longer rest the URL is put back.
PATIENCE = timedelta(seconds=60)
# What a host gets that says "too much" or "not now" and not for how long.
_REST = timedelta(seconds=5)
LONGEST_DELAY = 60.0  # seconds; who asks for more would be read for ever
# Below this a host is fast enough for any pace that was set.
_SLOW = 0.25
_WEIGHT = 0.3  # of the newest answer in the latency
_LOOK_AGAIN = timedelta(seconds=1)
_BUSY = (429, 503)
_PLACE = "newsmorgue_place"


class HostBusy(IgnoreRequest):
    """The host wants to be left alone for longer than a crawl waits: ``until`` says until when."""

    def __init__(self, host: str, until: datetime) -> None:
        super().__init__(f"{host} is to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC")
        self.until = until


class BudgetMiddleware:
    """Lets a request of our own crawl pass when its host's turn comes, or raises HostBusy."""

    def __init__(self, crawler: Crawler, clock: Callable[[], datetime] = now_utc) -> None:
        self._crawler = crawler
        self._clock = clock
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._places: dict[str, asyncio.Semaphore] = {}
        self._latency: dict[str, float] = {}
        self._looked: dict[str, tuple[datetime, datetime | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Scrapy's hook."""
        source = _source_of(self._crawler.spider)
        if source is None or not request.url.startswith(("http://", "https://")):
            return
        host = _host_of(request.url)
        place = self._places.setdefault(host, asyncio.Semaphore(source.concurrency))
        await place.acquire()
        request.meta[_PLACE] = place
        try:
            async with self._turns[host]:  # one turn at a time: a killed crawl leaves no row of them behind
                await self._wait(host, self.pace(source, request.url))
        except NewsmorgueError as error:
            CaptureExtension.of(self._crawler).fail(error)
            raise IgnoreRequest(str(error)) from error

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Scrapy's hook: there is no answer, or there was no request."""
        _leave(request)

    def process_response(self, request: Request, response: Response) -> Response:
        """Scrapy's hook: how fast the host is, and whether it wants to be left alone."""
        _leave(request)
        if _source_of(self._crawler.spider) is not None:
            host = _host_of(request.url)
            self._note(host, request.meta.get("download_latency"))
            if response.status in _BUSY:
                self._rest(host, response)
        return response

    def pace(self, source: SourceConfiguration, url: str) -> float:
        """Seconds between two requests to a URL's host, as it stands now."""
        host = _host_of(url)
        own = host == _host_of(source.home)
        asked = RobotsTxtMiddleware.of(self._crawler).crawl_delay(url) or 0.0
        latency = self._latency.get(host, 0.0)
        borne = latency / source.concurrency if latency > _SLOW else 0.0
        return max(source.delay, 0.0 if own else usual_delay(url), min(max(asked, borne), LONGEST_DELAY))

    @property
    def _catalogue(self) -> Catalogue:
        return CaptureExtension.of(self._crawler).archive.catalogue

    async def _wait(self, host: str, seconds: float) -> None:
        delay = timedelta(seconds=seconds)
        while True:
            now = self._clock()
            start = self._turn(host, now, delay) if delay else self._held_until(host, now) or now
            if start - now > PATIENCE:
                raise HostBusy(host, start)
            if start <= now:
                return
            await asyncio.sleep((start - now).total_seconds())
            if (self._held_until(host, self._clock()) or start) <= start:
                return

    def _turn(self, host: str, now: datetime, delay: timedelta) -> datetime:
        with self._catalogue.write() as connection:
            if host in self._latency:
                hosts.note_latency(connection, host, self._latency[host])
            else:
                self._latency[host] = hosts.known_host(connection, host).latency or 0.0
            return hosts.take_turn(connection, host, now, delay, PATIENCE)

    def _held_until(self, host: str, now: datetime) -> datetime | None:
        """Until when a host wants to be left alone; other processes' word on it is heard once a second."""
        looked, held = self._looked.get(host, (None, None))
        if looked is None or now - looked >= _LOOK_AGAIN:
            with self._catalogue.read() as connection:
                known = hosts.known_host(connection, host)
            held = known.held_until
            self._latency.setdefault(host, known.latency or 0.0)
            self._looked[host] = (now, held)
        return held

    def _note(self, host: str, latency: float | None) -> None:
        if latency is not None:
            before = self._latency.get(host) or latency
            self._latency[host] = before + _WEIGHT * (latency - before)

    def _rest(self, host: str, response: Response) -> None:
        now = self._clock()
        given = response.headers.get("Retry-After")
        head = HttpHead(b"HTTP/1.1 503\r\nRetry-After: " + given + b"\r\n\r\n") if given else None
        until = retry_time(head, now) if head else now + _REST
        with self._catalogue.write() as connection:
            hosts.hold(connection, host, until)
        self._looked.pop(host, None)


def _source_of(spider: Spider | None) -> SourceConfiguration | None:
    """The source of our own spider; a foreign project's pace is its own affair."""
    source = getattr(spider, "source", None)
    return source if isinstance(source, SourceConfiguration) else None


def _leave(request: Request) -> None:
    """Give a request's place among those at once to the next."""
    place: asyncio.Semaphore | None = request.meta.pop(_PLACE, None)
    if place is not None:
        place.release()


def _host_of(url: str) -> str:
    """A host and its port; http and https of one machine are one."""
    host, port = host_and_port(url)
    return f"{host}:{443 if port == 80 else port}"
