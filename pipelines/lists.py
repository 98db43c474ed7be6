"""Stage 0: a fetched list becomes what it names, read in a worker process and settled a few at a time.

Each batch is committed by itself, and the crawl goes on between two: a sitemap of 50,000 addresses holds nothing up.
"""

import asyncio
from typing import Any, Self

from scrapy.crawler import Crawler

from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.errors import CleaningFailed, CleaningStopped
from newsmorgue.pipelines.clean import CleaningPool, stopped
from newsmorgue.pipelines.items import FetchedList
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.lists import unpack
from newsmorgue.stories.discovery import Discover


class ListPipeline:
    """See the module."""

    def __init__(self, capture: CaptureExtension, pool: CleaningPool) -> None:
        self._capture = capture
        self._pool = pool

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a pipeline."""
        return cls(CaptureExtension.of(crawler), CleaningPool.of(crawler))

    async def process_item(self, item: Any) -> Any:
        """A :class:`FetchedList` becomes what ends its visit, once all that it names is on the frontier."""
        if not isinstance(item, FetchedList):
            return item
        try:
            found = unpack(await self._pool.read_list(item.page))
        except CleaningStopped as error:
            return stopped(item.visit, error)  # with its validators known it would not be sent again
        except CleaningFailed as error:
            found = iter((Found(None, "", problem=f"cannot be read: {error}"),))
        ending: Any = None
        for told in item.read(found):
            if isinstance(told, Discover):
                self._capture.add(told)
                self._capture.commit()
                await asyncio.sleep(0)
            else:
                ending = told
        return ending
