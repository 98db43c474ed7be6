"""Stage 0: of a source with ``render = true``, a fetched page becomes what a browser makes of it.

The exchange is captured already, as it crossed the wire. The DOM is kept beside it in a ``resource`` record, and
cleaned in the place of what the site sent.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from scrapy.crawler import Crawler

from newsmorgue.archive.capture import Policy
from newsmorgue.capture.entity import decode_entity
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.capture.policy import DOM_HEAD, refusal
from newsmorgue.errors import NewsmorgueError, RenderingFailed
from newsmorgue.pipelines.items import FetchedPage
from newsmorgue.stories.filing import RETRY_AFTER, EndVisit
from newsmorgue.times import now_utc

if TYPE_CHECKING:
    from newsmorgue.pipelines.browser import Browser

LARGEST_PAGE = 16 << 20


class RenderPipeline:
    """See the module."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._browser: Browser | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a pipeline."""
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """A :class:`FetchedPage` of such a source has the DOM in it from here on; or the outcome that says why not."""
        capture = CaptureExtension.of(self._crawler)
        if not isinstance(item, FetchedPage) or not capture.source.render or item.metadata_only:
            return item
        visit, retry_at = item.visit, now_utc() + RETRY_AFTER
        try:
            html = decode_entity(item.entity, item.content_encoding, LARGEST_PAGE)
            dom = await self._rendered(visit.address.url, html, item.charset)
        except RenderingFailed as error:
            return EndVisit(visit, "failed", str(error), retry_at)
        except NewsmorgueError as error:
            return EndVisit(visit, "failed", f"rendering: {error}")
        forbidden = None if capture.source.policy is Policy.ALL else refusal(DOM_HEAD, dom)
        if forbidden:  # a script may say so too
            return EndVisit(visit, "refused", f"{forbidden.reason} ({forbidden.where}, rendered)")
        if visit.capture is not None:
            capture.keep_rendering(visit.capture, dom)
        return replace(item, entity=dom, content_encoding=None, charset="utf-8")

    async def _rendered(self, url: str, html: bytes, charset: str | None) -> bytes:
        if self._browser is None:
            # Playwright is an extra, and starts slowly.
            from newsmorgue.pipelines.browser import Browser

            self._browser = Browser(self._crawler)
        return await self._browser.render(url, html, charset)

    async def close_spider(self) -> None:
        """The browser ends with the crawl."""
        if self._browser is not None:
            await self._browser.close()
