"""The middleware that asks a site once a day what it reserves from text and data mining (TDM Reservation Protocol).

The W3C community group's report (2024) has three ways: a header field and a meta element, which stand in the answer
(:mod:`newsmorgue.capture.policy`), and ``/.well-known/tdmrep.json`` for all of a host, which is read here.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from newsmorgue.archive.capture import PAGE_ROLES, Role
from newsmorgue.archive.hosts import KnownRobots, known_robots, remember_robots
from newsmorgue.capture.entity import decode_entity
from newsmorgue.capture.extension import ASKED, ROLE, CaptureExtension
from newsmorgue.capture.policy import TDM, Mark
from newsmorgue.errors import NewsmorgueError
from newsmorgue.spiders.copies import copy_of, has_conditions, with_conditions
from newsmorgue.spiders.robots import KEPT, MOST_REDIRECTS, NO_ANSWER, REDIRECTS, target_of
from newsmorgue.times import now_utc

PATH = "/.well-known/tdmrep.json"
_LARGEST = 1 << 20
_MOST_RULES = 1000
# A host that could not give it is asked again then: some answer 503 to all that they do not know.
_FAILURE_KEPT = timedelta(hours=1)


def parse_tdmrep(body: bytes) -> Protego | None:
    """The rules of a tdmrep.json, as robots.txt rules: what is disallowed is reserved. None where it has none.

    Its locations are patterns as in RFC 9309 (``*``, ``$``), and the longest that matches a path speaks for it.

    >>> parse_tdmrep(b'[{"location": "/news/*", "tdm-reservation": 1}]').can_fetch("https://example.org/news/a", "x")
    False
    """
    try:
        rules = json.loads(body)
    except (ValueError, RecursionError):
        return None
    lines = [_line(rule) for rule in rules[:_MOST_RULES]] if isinstance(rules, list) else []
    usable = [line for line in lines if line]
    return Protego.parse("\n".join(["User-agent: *", *usable])) if usable else None


def _line(rule: Any) -> str | None:
    location = rule.get("location") if isinstance(rule, dict) else None
    if not isinstance(location, str) or not location.startswith("/") or "\n" in location or "\r" in location:
        return None
    return f"{'Disallow' if rule.get('tdm-reservation') in (1, '1') else 'Allow'}: {location}"


class ReservationsMiddleware:
    """Marks requests for pages that their host reserves, so that the answer is kept as the source's policy says."""

    def __init__(self, crawler: Crawler, clock: Callable[[], datetime] = now_utc) -> None:
        self._crawler = crawler
        self._clock = clock
        self._known: dict[str, tuple[datetime, asyncio.Task[Protego | None]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Scrapy's hook."""
        if request.meta.get(ROLE) not in PAGE_ROLES:
            return
        parts = urlsplit(request.url)
        rules = await self._rules(f"{parts.scheme}://{parts.netloc}")
        if rules is not None and not rules.can_fetch(request.url, "*"):
            request.meta[ASKED] = (*request.meta.get(ASKED, ()), Mark(TDM, "tdmrep.json"))

    async def _rules(self, authority: str) -> Protego | None:
        until, task = self._known.get(authority, (None, None))
        if task is None or until is None or (task.done() and self._clock() >= until):
            task = asyncio.ensure_future(self._get(authority))
            self._known[authority] = (self._clock() + KEPT, task)
        return await asyncio.shield(task)

    async def _get(self, authority: str) -> Protego | None:
        """The catalogue's copy of the file while it is of today, else the host's; the copy where that cannot be had."""
        catalogue, now = CaptureExtension.of(self._crawler).archive.catalogue, self._clock()
        with catalogue.read() as connection:
            known = known_robots(connection, authority + PATH) or KnownRobots()
        if _is_wanted(known, now):
            fresh = await self._fetch(authority, known)
            if fresh is None:
                self._known[authority] = (now + _FAILURE_KEPT, self._known[authority][1])
            known = fresh or replace(known, failed_since=now)
            with catalogue.write() as connection:
                remember_robots(connection, authority + PATH, known)
        return parse_tdmrep(known.body) if known.body is not None else None

    async def _fetch(self, authority: str, known: KnownRobots) -> KnownRobots | None:
        """The file as it is now; None where the host cannot tell."""
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("tdmrep.json can only be fetched while the crawl runs")
        address: str | None = authority + PATH
        try:
            for _ in range(MOST_REDIRECTS + 1):
                if address is None:
                    break
                request = with_conditions(_request(address), known)
                response = await engine.download_async(request)
                if response.status == 304 and has_conditions(request):
                    return replace(known, fetched_at=self._clock(), failed_since=None)
                if response.status not in REDIRECTS:
                    body = _body(response)
                    return copy_of(response, request, body, self._clock()) if _is_answer(response) else None
                address = target_of(response)
        except (*NO_ANSWER, NewsmorgueError):
            return None
        return KnownRobots(None, self._clock())


def _request(url: str) -> Request:
    return Request(url, meta={"dont_redirect": True, ROLE: Role.ROBOTS}, callback=NO_CALLBACK)


def _is_wanted(known: KnownRobots, now: datetime) -> bool:
    is_fresh = known.fetched_at is not None and now - known.fetched_at < KEPT
    has_just_failed = known.failed_since is not None and now - known.failed_since < _FAILURE_KEPT
    return not is_fresh and not has_just_failed


def _is_answer(response: Response) -> bool:
    """Whether the host says what there is: else, as with robots.txt, it says "not now"."""
    return 200 <= response.status < 500 and response.status not in (304, 429)


def _body(response: Response) -> bytes | None:
    if response.status != 200:
        return None
    coding = response.headers.get("Content-Encoding")
    return decode_entity(response.body, coding.decode("latin-1") if coding else None, _LARGEST)
