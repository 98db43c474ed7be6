"""The middleware that asks a site once a day what it reserves from text and data mining (TDM Reservation Protocol).

The W3C community group's report (2024) has three ways: a header field and a meta element, which stand in the answer
(:mod:`newsmorgue.capture.policy`), and ``/.well-known/tdmrep.json`` for all of a host, which is read here.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
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
from newsmorgue.capture.policy import Mark
from newsmorgue.errors import NewsmorgueError
from newsmorgue.spiders.robots import KEPT, NO_ANSWER
from newsmorgue.times import now_utc

PATH = "/.well-known/tdmrep.json"
_LARGEST = 1 << 20
_MOST_RULES = 1000


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
        self._known: dict[str, asyncio.Task[Protego | None]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Scrapy's hook."""
        if request.meta.get(ROLE) not in PAGE_ROLES:
            return
        parts = urlsplit(request.url)
        authority = f"{parts.scheme}://{parts.netloc}"
        if authority not in self._known:
            self._known[authority] = asyncio.ensure_future(self._get(authority))
        rules = await asyncio.shield(self._known[authority])
        if rules is not None and not rules.can_fetch(request.url, "*"):
            request.meta[ASKED] = (*request.meta.get(ASKED, ()), Mark("tdm-reservation", "tdmrep.json"))

    async def _get(self, authority: str) -> Protego | None:
        """The catalogue's copy of the file while it is of today, else the host's; the copy where that cannot be had."""
        catalogue, now = CaptureExtension.of(self._crawler).archive.catalogue, self._clock()
        with catalogue.read() as connection:
            known = known_robots(connection, authority + PATH) or KnownRobots()
        if known.fetched_at is None or now - known.fetched_at >= KEPT:
            known = KnownRobots(await self._fetch(authority, known.body), now)
            with catalogue.write() as connection:
                remember_robots(connection, authority + PATH, known)
        return parse_tdmrep(known.body) if known.body is not None else None

    async def _fetch(self, authority: str, before: bytes | None) -> bytes | None:
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("tdmrep.json can only be fetched while the crawl runs")
        meta = {"dont_redirect": True, ROLE: Role.ROBOTS}
        try:
            response = await engine.download_async(Request(authority + PATH, meta=meta, callback=NO_CALLBACK))
            return _body(response, before)
        except (*NO_ANSWER, NewsmorgueError):
            return before


def _body(response: Response, before: bytes | None) -> bytes | None:
    if response.status == 200:
        coding = response.headers.get("Content-Encoding")
        return decode_entity(response.body, coding.decode("latin-1") if coding else None, _LARGEST)
    return None if 300 <= response.status < 500 and response.status != 429 else before
