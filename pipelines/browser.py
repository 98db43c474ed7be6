"""A browser that renders pages without a network of its own.

A page that was captured is handed to it, as it came; what the page's scripts ask for goes through the crawl: the guard
against addresses that are not public, robots.txt, the pace of its host and the record of the exchange hold as for any
other request. Chromium itself is started so that it can connect to nothing (:mod:`newsmorgue.settings.browser`).
"""

import asyncio
import itertools
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Route
from playwright.async_api import Request as BrowserRequest
from playwright.async_api import TimeoutError as PlaywrightTimeout
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from scrapy_playwright.page import PageMethod

from newsmorgue.archive.capture import Role
from newsmorgue.capture.entity import decode_entity
from newsmorgue.capture.extension import ROLE
from newsmorgue.errors import NewsmorgueError, RenderingFailed
from newsmorgue.spiders.budget import Stopped
from newsmorgue.spiders.mentions import absolute_address
from newsmorgue.spiders.robots import NO_ANSWER

_QUIET_MILLISECONDS = 10_000
_CLOSE_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
LARGEST_DOM = 16 << 20
_LARGEST_ANSWER = 8 << 20
_MOST_REQUESTS, _MOST_BYTES = 100, 32 << 20
_MOST_REDIRECTS = 5
_PAGES_AT_ONCE = 2
# What can change a page's text. Pictures, fonts, films and style sheets cannot, and are not asked for here.
_ASKED_FOR = frozenset({"script", "xhr", "fetch"})
# Of the browser's request fields, those that say what is wanted; nothing that tells one reader from another.
_PASSED_ON = ("accept", "origin")
# A fulfilled answer is whole and plain; cookies stay out of the crawl.
_LEFT_OUT = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "set-cookie"})
_KEPT_SCRIPTS, _LARGEST_KEPT = 64, 1 << 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class _Visit:
    """One page as it is rendered: its own address and bytes, and what it may still ask for."""

    url: str
    html: bytes
    charset: str | None
    is_given: bool = False
    requests: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a request of a page's got."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Handler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]  # it ships no types
    """scrapy-playwright's handler: its browser, contexts and pages; but no request of a page leaves by it."""

    def __init__(self, crawler: Crawler, answer: Callable[[str, Route, BrowserRequest], Any]) -> None:
        super().__init__(crawler)
        self._answer = answer

    def _make_request_handler(self, context_name: str, **_: Any) -> Callable[..., Any]:
        async def handle(route: Route, request: BrowserRequest) -> None:
            with suppress(PlaywrightError):  # the page was closed in the meantime
                await self._answer(context_name, route, request)

        return handle


class Browser:
    """The crawl's browser. Started by the first page; :meth:`close` ends it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._seconds = crawler.settings.getfloat("NEWSMORGUE_RENDER_SECONDS")
        self._handler: _Handler | None = None
        self._starting = asyncio.Lock()
        self._free = asyncio.Semaphore(_PAGES_AT_ONCE)
        self._visits: dict[str, _Visit] = {}
        self._names = itertools.count()
        self._scripts: dict[str, _Answer] = {}

    async def render(self, url: str, html: bytes, charset: str | None) -> bytes:
        """The page's DOM once its scripts are quiet, as UTF-8. Raises :class:`RenderingFailed`."""
        async with self._free:
            name = f"newsmorgue-{next(self._names)}"
            self._visits[name] = _Visit(url, html, charset)
            request = self._request(url, name)
            try:
                dom = await asyncio.wait_for(self._dom(request), self._seconds)
            except TimeoutError as error:
                raise RenderingFailed(f"rendering took more than {self._seconds:.0f} s") from error
            except PlaywrightError as error:
                raise RenderingFailed(f"the browser could not render it: {error.message.splitlines()[0]}") from error
            finally:
                del self._visits[name]
                await self._forget(name)
        if len(dom) > LARGEST_DOM:
            raise RenderingFailed(f"the rendered page has {len(dom):,} bytes, over {LARGEST_DOM:,}")
        return dom

    async def close(self) -> None:
        """End the browser."""
        if self._handler is not None:
            await self._handler.close()

    def _request(self, url: str, name: str) -> Request:
        meta = {
            "playwright": True,
            "playwright_include_page": True,
            "playwright_context": name,  # of its own: no page finds what another has stored
            "playwright_context_kwargs": {
                "service_workers": "block",
                "accept_downloads": False,
                "user_agent": self._crawler.settings["USER_AGENT"],
            },
            "playwright_page_goto_kwargs": {"wait_until": "domcontentloaded"},
            "playwright_page_methods": [PageMethod(_wait_until_quiet)],
        }
        return Request(url, meta=meta, callback=NO_CALLBACK)

    async def _dom(self, request: Request) -> bytes:
        handler = await self._started()
        await handler.download_request(request)
        return str(await request.meta["playwright_page"].content()).encode("utf-8", "replace")

    async def _started(self) -> _Handler:
        async with self._starting:
            if self._handler is None:
                handler = _Handler(self._crawler, self._answer)
                await handler._launch()
                self._handler = handler
        return self._handler

    async def _forget(self, name: str) -> None:
        """Close a page with all that it stored; a browser that does not even do that is ended."""
        context = self._handler.context_wrappers.get(name) if self._handler else None
        if context is None or self._handler is None:
            return
        try:
            await asyncio.wait_for(context.context.close(), _CLOSE_SECONDS)
        except (TimeoutError, PlaywrightError):
            handler, self._handler = self._handler, None
            with suppress(TimeoutError, PlaywrightError):
                await asyncio.wait_for(handler.close(), _CLOSE_SECONDS)

    # -- what the page asks for ----------------------------------------------------------------------------------

    async def _answer(self, name: str, route: Route, request: BrowserRequest) -> None:
        visit = self._visits.get(name)
        if visit is None:
            await route.abort()
        elif request.is_navigation_request():
            await self._give_page(visit, route, request)
        else:
            answer = await self._fetched(visit, request)
            if answer is None:
                await route.abort("blockedbyclient")
            else:
                await route.fulfill(status=answer.status, headers=answer.headers, body=answer.body)

    async def _give_page(self, visit: _Visit, route: Route, request: BrowserRequest) -> None:
        """The page itself, once; where its scripts would lead elsewhere, or a frame, nobody follows."""
        is_first, visit.is_given = not visit.is_given, True
        if not is_first or request.frame.parent_frame is not None:
            await route.abort("aborted")
            return
        kind = f"text/html; charset={visit.charset}" if visit.charset else "text/html"
        await route.fulfill(status=200, headers={"content-type": kind}, body=visit.html)

    async def _fetched(self, visit: _Visit, request: BrowserRequest) -> _Answer | None:
        """What the crawl gets for a page's request; None where it is not made, or comes to nothing."""
        url = urldefrag(request.url)[0]
        if request.method != "GET" or request.resource_type not in _ASKED_FOR or visit.requests >= _MOST_REQUESTS:
            return None
        if url in self._scripts:
            return self._scripts[url]
        visit.requests += 1
        try:
            answer = await self._download(url, {name: request.headers.get(name) for name in _PASSED_ON})
        except NO_ANSWER as error:
            logging.getLogger(__name__).debug("%s: %s was not had: %r", visit.url, url, error)
            return None
        except Stopped:  # the page is not read without it: the run ends before it is quiet
            await asyncio.Event().wait()
            return None
        visit.bytes += len(answer.body)
        if visit.bytes > _MOST_BYTES:
            return None
        is_small = len(answer.body) <= _LARGEST_KEPT and len(self._scripts) < _KEPT_SCRIPTS
        if request.resource_type == "script" and answer.status == 200 and is_small:
            self._scripts[url] = answer  # the same on every page of a site
        return answer

    async def _download(self, url: str, wanted: dict[str, str | None]) -> _Answer:
        """Through the crawl's engine, so that all that holds for its requests holds here."""
        engine = self._crawler.engine
        if engine is None:
            raise NewsmorgueError("a page can only be rendered while the crawl runs")
        meta = {ROLE: Role.ASSET, "download_timeout": _ANSWER_SECONDS, "download_maxsize": _LARGEST_ANSWER}
        headers = {name: value for name, value in wanted.items() if value}
        address: str | None = url
        for _ in range(_MOST_REDIRECTS + 1):
            request = Request(address or url, headers=headers, meta=dict(meta), priority=100, callback=NO_CALLBACK)
            response = await engine.download_async(request)
            if response.status not in _REDIRECTS:
                return _answered(response)
            address = absolute_address((response.headers.get("Location") or b"").decode("latin-1"), response.url)
            if address is None:
                break
        raise NewsmorgueError(f"{url}: redirects that lead nowhere")


def _answered(response: Response) -> _Answer:
    fields = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in response.headers.items()
    }
    body = decode_entity(response.body, fields.get("content-encoding"), _LARGEST_ANSWER)
    return _Answer(response.status, {name: value for name, value in fields.items() if name not in _LEFT_OUT}, body)


async def _wait_until_quiet(page: Page) -> None:
    """Until nothing was asked for during half a second; a page that never rests is taken as it is then."""
    with suppress(PlaywrightTimeout):
        await page.wait_for_load_state("networkidle", timeout=_QUIET_MILLISECONDS)
