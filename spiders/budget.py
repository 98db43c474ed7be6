"""The middleware that gives each host the pace it bears, whoever asks it.

Turns are taken in the catalogue, so that all sources and processes that ask a host share its pace, and what it asks
for with Retry-After. The pace is the slowest of what the operator set, what robots.txt asks for (Crawl-delay), and what
the host's own answers allow: one that takes two seconds for each of four requests at once gets one every half second.
How many there are at once is counted here too: without a delay Scrapy 2.19 starts all that wait for a host at once.
Each run says in the catalogue which hosts it asks, and all that ask one divide its requests at once among them.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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

# A crawl waits as long for a host that rests; for a longer rest the URL is put back. For its turn among others that ask
# the host it waits however long that takes.
PATIENCE = timedelta(seconds=60)
# What a host gets that says "too much" or "not now" and not for how long.
_REST = timedelta(seconds=5)
LONGEST_DELAY = 60.0  # seconds; who asks for more would be read for ever
# Below this a host is fast enough for any pace that was set.
_SLOW = 0.25
_WEIGHT = 0.3  # of the newest answer in the latency
_LOOK_AGAIN = timedelta(seconds=1)
# A run counts among a host's askers for so long, and says so again after so long.
_COUNTS_FOR, _ANNOUNCE_AFTER = timedelta(seconds=30), timedelta(seconds=10)
_ROUND = 5  # seconds after which what of the requests at once cannot be divided is the next run's
_BUSY = (429, 503)
_PLACE = "newsmorgue_place"


class HostBusy(IgnoreRequest):
    """The host wants to be left alone for longer than a crawl waits: ``until`` says until when."""

    def __init__(self, host: str, until: datetime) -> None:
        super().__init__(f"{host} is to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC")
        self.until = until


class Stopped(Exception):
    """The crawl is being stopped: what waits for its turn is not sent any more, and stays due."""


@dataclass(frozen=True, slots=True)
class _View:
    """What is known of a host at a moment: until when it is to be left alone, and which of how many runs that ask it
    this is.
    """

    at: datetime
    held_until: datetime | None
    place: int
    askers: int


class BudgetMiddleware:
    """Lets a request of our own crawl pass when its host's turn comes, or raises HostBusy, or Stopped."""

    def __init__(self, crawler: Crawler, clock: Callable[[], datetime] = now_utc) -> None:
        self._crawler = crawler
        self._clock = clock
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._at_once: Counter[str] = Counter()
        self._left: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._latency: dict[str, float] = {}
        self._views: dict[str, _View] = {}
        self._announced: dict[str, datetime] = {}
        self._stopped = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a middleware."""
        return cls(crawler)

    def stop(self) -> None:
        """Send nothing more: all that waits for its turn is let go at once."""
        self._stopped.set()

    async def process_request(self, request: Request) -> None:
        """Scrapy's hook."""
        source = _source_of(self._crawler.spider)
        if source is None or not request.url.startswith(("http://", "https://")):
            return
        host = _host_of(request.url)
        try:
            async with self._doors[host]:  # first come, first served
                await self._enter(host, source)
            request.meta[_PLACE] = host
            async with self._turns[host]:  # one turn at a time: a killed crawl leaves no row of them behind
                await self._wait(host, self.pace(source, request.url))
        except NewsmorgueError as error:
            CaptureExtension.of(self._crawler).fail(error)
            raise IgnoreRequest(str(error)) from error

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Scrapy's hook: there is no answer, or there was no request."""
        self._leave(request)

    def process_response(self, request: Request, response: Response) -> Response:
        """Scrapy's hook: how fast the host is, and whether it wants to be left alone."""
        self._leave(request)
        if _source_of(self._crawler.spider) is not None:
            host = _host_of(request.url)
            self._note(host, request.meta.get("download_latency"))
            if response.status in _BUSY:
                self._rest(host, response)
        return response

    async def _enter(self, host: str, source: SourceConfiguration) -> None:
        """Wait for a place among the requests that a host gets at once, of all that ask it."""
        while self._at_once[host] >= self._share(host, source):
            if self._at_once[host]:
                self._left[host].clear()
                await self._left[host].wait()
            else:
                await self._sleep(_LOOK_AGAIN.total_seconds())
        self._at_once[host] += 1

    def _leave(self, request: Request) -> None:
        """Give a request's place to the next."""
        host: str | None = request.meta.pop(_PLACE, None)
        if host is not None:
            self._at_once[host] -= 1
            self._left[host].set()

    def _share(self, host: str, source: SourceConfiguration) -> int:
        """What goes round comes a little later than it went, since then its last request has an answer."""
        now = self._clock()
        view = self._view(host, now)
        turns = {int(moment.timestamp()) // _ROUND for moment in (now, now - _LOOK_AGAIN)}
        return min(hosts.share(source.concurrency, view.place, view.askers, turn) for turn in turns)

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
            if self._stopped.is_set():
                raise Stopped
            now = self._clock()
            start = self._turn(host, now, delay) if delay else self._held_until(host, now) or now
            if start is None or (not delay and start - now > PATIENCE):
                self._views.pop(host, None)
                raise HostBusy(host, self._held_until(host, now) or now)
            if start <= now:
                return
            await self._sleep((start - now).total_seconds())
            if (self._held_until(host, self._clock()) or start) <= start:
                return

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)
            raise Stopped

    def _turn(self, host: str, now: datetime, delay: timedelta) -> datetime | None:
        with self._catalogue.write() as connection:
            if host in self._latency:
                hosts.note_latency(connection, host, self._latency[host])
            else:
                self._latency[host] = hosts.known_host(connection, host).latency or 0.0
            return hosts.take_turn(connection, host, now, delay, PATIENCE)

    def _held_until(self, host: str, now: datetime) -> datetime | None:
        """Until when a host wants to be left alone."""
        return self._view(host, now).held_until

    def _view(self, host: str, now: datetime) -> _View:
        """What the catalogue says of a host; other processes' word is heard once a second."""
        view = self._views.get(host)
        if view is None or now - view.at >= _LOOK_AGAIN:
            view = self._views[host] = self._look(host, now)
        return view

    def _look(self, host: str, now: datetime) -> _View:
        asker = CaptureExtension.of(self._crawler).run
        announced = self._announced.get(host)
        if announced is None or now - announced >= _ANNOUNCE_AFTER:
            with self._catalogue.write() as connection:
                hosts.announce(connection, host, asker, now, now + _COUNTS_FOR)
            self._announced[host] = now
        with self._catalogue.read() as connection:
            known, askers = hosts.known_host(connection, host), hosts.askers(connection, host, now)
        self._latency.setdefault(host, known.latency or 0.0)
        others = [one for one in askers if one != asker]
        place = sum(one < asker for one in others)
        return _View(now, known.held_until, place, len(others) + 1)

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
        self._views.pop(host, None)


def _source_of(spider: Spider | None) -> SourceConfiguration | None:
    """The source of our own spider; a foreign project's pace is its own affair."""
    source = getattr(spider, "source", None)
    return source if isinstance(source, SourceConfiguration) else None


def _host_of(url: str) -> str:
    """A host and its port; http and https of one machine are one."""
    host, port = host_and_port(url)
    return f"{host}:{443 if port == 80 else port}"
