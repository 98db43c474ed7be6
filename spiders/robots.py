"""The middleware that obeys robots.txt by RFC 9309.

It differs from Scrapy's own in what the RFC asks for: a server that fails to answer (5xx, 429, no answer)
means "not now" and not "everything", the body of an error is not read as rules, at most five redirects are
followed, at most 500 KiB are parsed, and a group is ours only if it names ``newsmorgue`` itself, not a part
of it.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    StopDownload,
    UnsupportedURLSchemeError,
)
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from twisted.internet.error import ConnectError, ConnectionClosed

from newsmorgue.archive.capture import Role
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.hosts import KnownRobots, authority_of, known_robots, remember_robots
from newsmorgue.capture.entity import entity_pieces
from newsmorgue.capture.extension import ASKED, CUT, RECORDED, ROLE, CaptureExtension
from newsmorgue.capture.policy import AI, Mark
from newsmorgue.capture.recorder import Recorded
from newsmorgue.errors import ForbiddenAddress, NewsmorgueError
from newsmorgue.spiders.copies import copy_of, has_conditions, with_conditions
from newsmorgue.spiders.failures import why
from newsmorgue.spiders.mentions import absolute_address
from newsmorgue.times import now_utc

# Crawlers that gather for language models, by the product tokens that their operators publish.
AI_CRAWLERS = frozenset({
    "ai2bot", "amazonbot", "anthropic-ai", "applebot-extended", "bytespider", "ccbot", "chatgpt-user",
    "claude-searchbot", "claude-user", "claude-web", "claudebot", "cohere-ai", "cohere-training-data-crawler",
    "diffbot", "facebookbot", "google-cloudvertexbot", "google-extended", "gptbot", "img2dataset",
    "meta-externalagent", "meta-externalfetcher", "mistralai-user", "oai-searchbot", "omgili", "omgilibot",
    "perplexity-user", "perplexitybot", "timpibot", "webzio-extended", "youbot",
})  # fmt: skip
NO_ROBOTS = "newsmorgue_no_robots"
PRODUCT_TOKEN = "newsmorgue"
MOST_REDIRECTS = 5  # RFC 9309 §2.3.1.2
MOST_BYTES = 500 * 1024  # RFC 9309 §2.5
KEPT = timedelta(hours=24)  # RFC 9309 §2.4
GIVEN_UP = timedelta(days=30)  # RFC 9309 §2.3.1.4
# A host that gave no answer is asked again, but not once for every URL in hand.
_FAILURE_KEPT = timedelta(minutes=5)
# So much is received and kept, as of any page; what is read stands at its beginning.
_LARGEST_BODY = 16 << 20
_ENOUGH = "newsmorgue_enough"
REDIRECTS = frozenset((301, 302, 303, 307, 308))
_AGENT_LINE = re.compile(r"user[ -]?agent(?:\s*+:|\s)(.*)", re.I | re.S)
# RFC 9309 §2.2.4: no other record may end a group. The misspellings are those that Protego reads.
_GROUP_LINE = re.compile(r"\s*(?:user[ -]?agent|allow|diss?allow|diss?alow|diasllow|disallaw)(?:\s|:)", re.I)
# RFC 3986 §2.2, but for what has a meaning of its own in a rule ($, *), in a query (&, =, +) or in an address (#).
_RESERVED = re.compile(r"%(3a|2f|3f|5b|5d|40|21|27|28|29|2c|3b)", re.I)
_TOKEN = re.compile(r"[A-Za-z_-]+")  # RFC 9309 §2.2.1
# What a download ends with that got no answer, or none that may be read.
NO_ANSWER = (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
    ConnectError,
    ConnectionClosed,
    NewsmorgueError,
    OSError,
    ValueError,
)


class RobotsDisallowed(IgnoreRequest):
    """The robots.txt of the host disallows the URL for newsmorgue."""


class RobotsUnavailable(IgnoreRequest):
    """The host's robots.txt cannot be had now, so nothing may be fetched there now (RFC 9309 §2.3.1.4)."""


@dataclass(frozen=True, slots=True)
class Robots:
    """A host's rules. ``body`` is None where it has no robots.txt, which allows everything.

    ``crawl_delay`` is how many seconds the host wants between requests: not part of the RFC, and common.
    """

    rules: Protego
    body: bytes | None = None
    shut_out: str | None = None  # names of AI crawlers to which the whole host is closed, as robots.txt spells them
    crawl_delay: float | None = None

    def allows(self, url: str) -> bool:
        """Whether newsmorgue may fetch a URL of this host."""
        return self.rules.can_fetch(_plain_query(url), PRODUCT_TOKEN)


def parse_robots(body: bytes) -> Robots:
    """Read a robots.txt: its first 500 KiB, whole lines of UTF-8, a byte order mark or not. Never raises.

    >>> parse_robots(b"User-agent: *\\nDisallow: /private").allows("https://example.org/private/x")
    False
    """
    head = _head(body)
    lines = head.decode("utf-8-sig", "replace").splitlines()
    of_groups = list(filter(_GROUP_LINE.match, lines))
    return Robots(_rules(of_groups), head, _shut_out(of_groups), _crawl_delay(lines))


def rules_in(body: bytes | None) -> list[str]:
    """The lines of a robots.txt that say what may be fetched."""
    return list(filter(_GROUP_LINE.match, _head(body or b"").decode("utf-8-sig", "replace").splitlines()))


def _head(body: bytes) -> bytes:
    """What is read of a robots.txt: whole lines, for half a ``Disallow: /private`` could be ``Disallow: /``."""
    head = body[:MOST_BYTES]
    return head if len(body) <= MOST_BYTES else head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]


def _rules(lines: Iterable[str]) -> Protego:
    return Protego.parse("\n".join(map(_exact_agent, lines)))


def _crawl_delay(lines: list[str]) -> float | None:
    """As everybody writes it, a group may be nothing but its name and this."""
    is_there = any("delay" in line.lower() for line in lines)
    return _rules(lines).crawl_delay(PRODUCT_TOKEN) if is_there else None


def _shut_out(lines: list[str]) -> str | None:
    """The AI crawlers whose group closes the whole host, each once."""
    named = [match[1].strip() for line in lines if (match := _AGENT_LINE.fullmatch(line.partition("#")[0].strip()))]
    present = {name.lower(): name for name in named if name.lower() in AI_CRAWLERS}
    if not present:
        return None
    rules = Protego.parse("\n".join(lines))
    closed = sorted(name for name in present.values() if not rules.can_fetch("https://host.invalid/", name))
    return ", ".join(closed) or None


def _robots_of(body: bytes | None) -> Robots:
    return Robots(Protego.parse("")) if body is None else parse_robots(body)


def _plain_query(address: str) -> str:
    """RFC 9309 §2.2.2: ``?a=http://b`` in a rule and ``?a=http%3A%2F%2Fb`` in an address are one; here, unescaped."""
    path, mark, query = address.partition("?")
    return f"{path}{mark}{_RESERVED.sub(lambda escape: chr(int(escape[1], 16)), query)}"


def _exact_agent(line: str) -> str:
    """Protego would take ``User-agent: news`` for ours; one name for all others keeps thousands of them fast."""
    agent = _AGENT_LINE.fullmatch(line.partition("#")[0].strip())
    if agent is None:
        return _plain_query(line)
    name = agent[1].strip()
    if name == "*":
        return "User-agent: *"
    token = _TOKEN.match(name)
    ours = token is not None and token[0].lower() == PRODUCT_TOKEN
    return f"User-agent: {PRODUCT_TOKEN if ours else 'another'}"


class RobotsTxtMiddleware:
    """Lets a request pass, or raises RobotsDisallowed or RobotsUnavailable.

    robots.txt is fetched through the engine, so that it is recorded, once for each scheme, host and port, and
    kept for 24 hours, by the catalogue for all crawls. While it cannot be had an older copy holds; after 30 days
    there is none. A request with ``newsmorgue_no_robots`` in its meta is not looked at.
    """

    def __init__(self, crawler: Crawler, clock: Callable[[], datetime] = now_utc) -> None:
        self._crawler = crawler
        self._clock = clock
        self._known: dict[str, tuple[datetime, asyncio.Task[Robots]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a middleware."""
        return cls(crawler)

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The crawler's middleware. Raises RuntimeError where it is not among ``DOWNLOADER_MIDDLEWARES``."""
        middleware = crawler.get_downloader_middleware(cls)
        if middleware is None:
            raise RuntimeError("newsmorgue's RobotsTxtMiddleware is not enabled; use its add-on or its settings")
        return middleware

    async def process_request(self, request: Request) -> None:
        """Scrapy's hook."""
        if request.meta.get(NO_ROBOTS) or not request.url.startswith(("http://", "https://")):
            return
        robots = await self._robots(request.url)
        if not robots.allows(request.url):
            raise RobotsDisallowed(f"{request.url}: disallowed by robots.txt")
        if robots.shut_out:
            request.meta[ASKED] = (Mark(AI, f"robots.txt: {robots.shut_out}"),)

    async def robots_txt(self, url: str) -> bytes | None:
        """The robots.txt of a URL's host, without content-coding; None where there is none, or none to be had
        now.
        """
        try:
            return (await self._robots(url)).body
        except (RobotsUnavailable, ForbiddenAddress):
            return None

    async def allowed_again(self, urls: Mapping[str, datetime]) -> list[str]:
        """Of URLs that were disallowed, and when, those that are not by rules that are newer."""
        found: list[str] = []
        for authority in dict.fromkeys(map(authority_of, urls)):
            mine = [url for url in urls if authority_of(url) == authority]
            try:
                robots = await self._robots(mine[0])
            except (RobotsUnavailable, ForbiddenAddress):
                continue
            changed = self._read_copy(authority).changed_at
            found += [url for url in mine if changed and urls[url] < changed and robots.allows(url)]
        return found

    def crawl_delay(self, url: str) -> float | None:
        """Seconds that the host of a URL asks for between requests; None where it asks for none or was not
        asked yet.
        """
        _, task = self._known.get(authority_of(url), (None, None))
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        return task.result().crawl_delay

    async def _robots(self, url: str) -> Robots:
        """All that ask for one host wait for one answer; none of them can cancel it for the others."""
        key = authority_of(url)
        until, task = self._known.get(key, (None, None))
        if task is None or until is None or (task.done() and self._clock() >= until):
            task = asyncio.ensure_future(self._get(key, f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/robots.txt"))
            self._known[key] = (self._clock() + KEPT, task)
        return await asyncio.shield(task)

    async def _get(self, key: str, url: str) -> Robots:
        """The catalogue's copy while it is fresh, else the host's; the copy again while the host has none to give."""
        now, known = self._clock(), self._read_copy(key)
        if known.fetched_at is not None and known.failed_since is None and now - known.fetched_at < KEPT:
            self._known[key] = (known.fetched_at + KEPT, self._known[key][1])
            return _robots_of(known.body)
        try:
            fresh = await self._fetch(url, known)
        except RobotsUnavailable:
            self._known[key] = (now + _FAILURE_KEPT, self._known[key][1])
            since = known.failed_since or now
            self._keep_copy(key, replace(known, failed_since=since))
            if now - since >= GIVEN_UP:  # RFC 9309 §2.3.1.4: then it is as if there were none
                return _robots_of(None)
            if known.fetched_at is None:
                raise
            return _robots_of(known.body)
        is_same = known.fetched_at is not None and rules_in(fresh.body) == rules_in(known.body)
        self._keep_copy(key, replace(fresh, changed_at=known.changed_at if is_same else now))
        return _robots_of(fresh.body)

    @property
    def _catalogue(self) -> Catalogue | None:
        """Where copies are kept; without an archive this process's own memory is all there is."""
        capture = self._crawler.get_extension(CaptureExtension)
        return capture.archive.catalogue if capture is not None else None

    def _read_copy(self, key: str) -> KnownRobots:
        if self._catalogue is None:
            return KnownRobots()
        with self._catalogue.read() as connection:
            return known_robots(connection, key) or KnownRobots()

    def _keep_copy(self, key: str, known: KnownRobots) -> None:
        if self._catalogue is not None:
            with self._catalogue.write() as connection:
                remember_robots(connection, key, known)

    async def _fetch(self, url: str, known: KnownRobots) -> KnownRobots:
        address: str | None = url
        for _ in range(MOST_REDIRECTS + 1):
            request = _request(address or url, known)
            try:
                response = await self._download(request)
            except NO_ANSWER as error:
                if isinstance(error, ForbiddenAddress) and address == url:
                    raise  # so is all that is there, today and tomorrow
                begun = _begun(request)
                if begun is None:
                    raise RobotsUnavailable(f"{address}: {why(error)}") from error
                return KnownRobots(begun, self._clock())
            if response.status == 304 and has_conditions(request):
                return replace(known, fetched_at=self._clock(), failed_since=None)
            if response.status not in REDIRECTS:
                return copy_of(response, request, _judge(response), self._clock())
            address = target_of(response)
            if address is None:
                break
        # RFC 9309 §2.3.1.2: after so many redirects a crawler may take it that there is none.
        return KnownRobots(None, self._clock())

    async def _download(self, request: Request) -> Response:
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("robots.txt can only be fetched while the crawl runs")
        enough = request.meta[_ENOUGH] = _Enough()
        self._crawler.signals.connect(enough.look, signals.bytes_received)
        try:
            return await engine.download_async(request)
        finally:
            self._crawler.signals.disconnect(enough.look, signals.bytes_received)


class _Enough:
    """Ends a download that is longer than any that is kept, and has what came of it taken for the answer: Scrapy's own
    limit would give nothing of it."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._received = 0

    def look(self, request: Request, data: bytes) -> None:
        """Scrapy's signal: more of an answer came."""
        if request.meta.get(_ENOUGH) is not self:
            return
        if request is not self._request:  # the first try, or another one
            self._request, self._received = request, 0
        self._received += len(data)
        if self._received > _LARGEST_BODY:
            request.meta[CUT] = "length"
            raise StopDownload(fail=False)


def _request(url: str, known: KnownRobots) -> Request:
    meta = {NO_ROBOTS: True, "dont_redirect": True, "download_maxsize": 0, ROLE: Role.ROBOTS}
    return with_conditions(Request(url, priority=1000, meta=meta, callback=NO_CALLBACK), known)


def _begun(request: Request) -> bytes | None:
    """What came of a file that did not end, if that is all that is read of one; else None."""
    recorded: Recorded | None = request.meta.get(RECORDED)
    if recorded is None or not 200 <= recorded.exchange.head.status < 300:
        return None
    try:
        begun = _beginning(recorded.exchange.entity, recorded.exchange.head.get("content-encoding"))
    except NewsmorgueError:
        return None
    return begun if len(begun) > MOST_BYTES else None


def _beginning(body: bytes, coding: str | None) -> bytes:
    """What is read of a body, without its content-coding, and something more where there is more. Raises what
    :func:`entity_pieces` raises, if that is before as much could be read."""
    beginning = b""
    for piece in entity_pieces(body, coding, _LARGEST_BODY):
        beginning += piece
        if len(beginning) > MOST_BYTES:
            break
    return beginning


def _judge(response: Response) -> bytes | None:
    """RFC 9309 §2.3.1: 2xx has rules, 4xx means there are none; all else, and 429, means not now."""
    if 200 <= response.status < 300:
        try:
            return _beginning(response.body, _header(response, "Content-Encoding"))
        except NewsmorgueError as error:
            raise RobotsUnavailable(f"{response.url}: cannot be read: {error}") from error
    if 400 <= response.status < 500 and response.status != 429:
        return None
    raise RobotsUnavailable(f"{response.url}: status {response.status}")


def target_of(response: Response) -> str | None:
    """Where a redirect leads; None where that is no web address."""
    return absolute_address(_header(response, "Location"), response.url)


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("utf-8", "replace") if value else None
