"""The add-on: an existing Scrapy project gets WARC capture and versions by one line in its settings::

    ADDONS = {"newsmorgue.pipelines.addon.NewsmorgueAddon": 500}

Every exchange is recorded, every 200 HTML answer that is an article is versioned. The project's spiders, items,
middlewares and pipelines work on as they did.
"""

import asyncio
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from scrapy.settings import BaseSettings

from newsmorgue.archive.capture import Role, is_cleanable
from newsmorgue.capture.extension import RECORDED, CaptureExtension
from newsmorgue.capture.recorder import Recorded
from newsmorgue.pipelines.clean import CleanPipeline
from newsmorgue.pipelines.file import FilePipeline
from newsmorgue.pipelines.items import FetchedPage
from newsmorgue.pipelines.version import VersionPipeline
from newsmorgue.stories.discovery import Discover, Finding
from newsmorgue.stories.filing import Visit
from newsmorgue.stories.identity import Address
from newsmorgue.urls import address_key, without_tracking

_PRIORITY = "addon"
# Scrapy's marks of an answer that it hands on though it is not whole: half a text is no version.
_CUT = frozenset({"dataloss", "download_stopped"})
_SWITCHED_OFF = ("TELNETCONSOLE_ENABLED", "REMOTE_CONTROL_ENABLED")


class NewsmorgueAddon:
    """See the module. What the project sets itself at ``project`` priority or above stays as it is."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Put the tap, the extension and the versioning in place."""
        for scheme in ("http", "https"):
            settings["DOWNLOAD_HANDLERS"].set(scheme, "newsmorgue.capture.tap.TapDownloadHandler", "cmdline")
        settings["EXTENSIONS"].set("newsmorgue.capture.extension.CaptureExtension", 0, _PRIORITY)
        settings["EXTENSIONS"].set("newsmorgue.pipelines.addon.VersionResponses", 1, _PRIORITY)
        for name in _SWITCHED_OFF:
            settings.set(name, False, _PRIORITY)


class VersionResponses:
    """Takes every 200 HTML answer of a foreign spider through the stages, beside the spider's own work."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make an extension."""
        extension = cls(crawler)
        crawler.signals.connect(extension.open, signals.spider_opened)
        crawler.signals.connect(extension.see, signals.response_received)
        crawler.signals.connect(extension.wait, signals.spider_idle)
        crawler.signals.connect(extension.finish, signals.spider_closed)
        return extension

    def open(self) -> None:
        """Make the stages: they ask for the extensions, which are all there by now."""
        self._clean = CleanPipeline.from_crawler(self._crawler)
        self._version = VersionPipeline.from_crawler(self._crawler)
        self._file = FilePipeline.from_crawler(self._crawler)

    def see(self, response: Response, request: Request) -> None:
        """An answer came: if it is a page, begin its way through the stages."""
        recorded: Recorded | None = request.meta.pop(RECORDED, None)
        if recorded is None or recorded.capture is None or not _CUT.isdisjoint(response.flags):
            return
        head = recorded.exchange.head
        if request.method == "GET" and is_cleanable(Role.LINK, head.status, head.media_type) and head.status == 200:
            task = asyncio.get_running_loop().create_task(self._keep(recorded))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _keep(self, recorded: Recorded) -> None:
        capture = CaptureExtension.of(self._crawler)
        url, head = without_tracking(recorded.exchange.url), recorded.exchange.head
        source = capture.source
        capture.add(Discover(source.slug, "spider", (Finding(recorded.exchange.url, Role.LINK),)))
        address = Address(source.slug, frozenset(source.hosts), url, address_key(url))
        is_whole = recorded.refusal is None
        validators = (head.get("etag"), head.get("last-modified")) if is_whole else (None, None)
        visit = Visit(address, capture.run, "spider", Role.LINK, recorded.capture, *validators)
        coding, selectors = head.get("content-encoding"), capture.source.selectors
        page = FetchedPage(
            visit, recorded.exchange.entity, coding, head.charset, selectors=selectors, metadata_only=not is_whole
        )
        self._file.process_item(await self._version.process_item(await self._clean.process_item(page)))

    def wait(self) -> None:
        """Keep the crawl open while pages are under way."""
        if self._tasks:
            raise DontCloseSpider

    async def finish(self) -> None:
        """Let pages under way end, and end the cleaning processes."""
        await asyncio.gather(*self._tasks)
        self._clean.close_spider()
