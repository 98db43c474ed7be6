"""Stage 3: an intent goes to the recorder, which settles it with the next commit."""

from typing import Any, Self

from scrapy.crawler import Crawler

from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.stories import filing
from newsmorgue.stories.assets import DiscoverAssets
from newsmorgue.stories.discovery import Discover

INTENTS = (
    filing.EndVisit,
    filing.FailUnvouched,
    filing.FilePage,
    filing.FileUnmodified,
    filing.FileGone,
    filing.FileRedirect,
    Discover,
    DiscoverAssets,
)


class FilePipeline:
    """See the module."""

    def __init__(self, capture: CaptureExtension) -> None:
        self._capture = capture

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a pipeline."""
        return cls(CaptureExtension.of(crawler))

    def process_item(self, item: Any) -> Any:
        """An intent is handed over; any item passes on as it came."""
        if isinstance(item, INTENTS):
            self._capture.add(item)
        return item
