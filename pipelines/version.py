"""Stage 2: an article becomes the intent to file it, its story's versions brought to the current reading first."""

import logging
from dataclasses import replace
from typing import Any, Protocol, Self

from scrapy.crawler import Crawler

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.index import capture_at, payload_capture
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.cleaning import STORY_KINDS, Article, reading
from newsmorgue.errors import CleaningStopped, NewsmorgueError
from newsmorgue.pipelines.clean import CleaningPool, stopped
from newsmorgue.pipelines.items import CleanedPage
from newsmorgue.stories.filing import EndVisit, FilePage, Renewal, StaleVersion, stale_versions

_CONTENT = ("summary", "body", "text", "markdown")
_log = logging.getLogger(__name__)


class HoldsArchive(Protocol):
    """What the stage asks of whoever records: the archive."""

    archive: Archive


class VersionPipeline:
    """See the module."""

    def __init__(self, capture: HoldsArchive, pool: CleaningPool) -> None:
        self._capture = capture
        self._pool = pool

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a pipeline."""
        return cls(CaptureExtension.of(crawler), CleaningPool.of(crawler))

    async def process_item(self, item: Any) -> Any:
        """A :class:`CleanedPage` becomes a :class:`FilePage`, or the outcome that it is no story."""
        if not isinstance(item, CleanedPage):
            return item
        try:
            return await self.judge(item)
        except CleaningStopped as error:
            return stopped(item.visit, error)

    async def judge(self, item: CleanedPage) -> FilePage | EndVisit:
        """What a cleaned page is. Raises :class:`CleaningStopped` where there was no time to clean anew what it must be
        compared with.
        """
        if item.article.kind not in STORY_KINDS or not item.article.text.strip():
            return EndVisit(item.visit, "not_story", item.article.kind.value)
        if item.metadata_only:
            return FilePage(item.visit, metadata_of(item.article), reading=_reading(item), metadata_only=True)
        renewals = [renewal for stale in self._stale(item) if (renewal := await self._renew(stale, item))]
        return FilePage(item.visit, item.article, tuple(renewals), item.assets, _reading(item))

    def _stale(self, item: CleanedPage) -> list[StaleVersion]:
        if item.visit.reason == "new":
            return []
        with self._capture.archive.catalogue.read() as connection:
            return stale_versions(connection, item.visit.address.key, _reading(item))

    async def _renew(self, stale: StaleVersion, item: CleanedPage) -> Renewal | None:
        """Clean a version's last capture under the page's reading, so that neither an upgrade makes a version, nor what
        was learned or said of the site."""
        archive = self._capture.archive
        with archive.catalogue.read() as connection:
            sighted = capture_at(connection, stale.warc, stale.offset)
            holder = payload_capture(connection, sighted) if sighted else None
        if holder is None:
            return None
        try:
            record = archive.read_capture(holder)
            head = record.http
            page = (record.entity, head.get("content-encoding"), head.charset)
            dom = archive.read_rendering(sighted) if sighted else None
            if dom is not None:
                page = (dom, None, "utf-8")
            article = await self._pool.clean(*page, stale.url, item.memory, item.selectors)
        except CleaningStopped:
            raise
        except NewsmorgueError as error:
            _log.warning("version %s of %s keeps its old reading: %s", stale.version, stale.url, error)
            return None
        return Renewal(stale.version, article, stale.warc, stale.offset)


def metadata_of(article: Article) -> Article:
    """An article without what it tells: neither its text nor its standfirst."""
    found = {name: how for name, how in article.found.items() if name not in _CONTENT}
    return replace(article, summary=None, body=(), text="", markdown="", found=found)


def _reading(item: CleanedPage) -> str:
    return reading(item.memory, item.selectors)
