"""Stage 1: a fetched page becomes an article, in a worker process with a limit on time and memory."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self, TypeVar

from pebble import ProcessExpired, ProcessPool
from scrapy.crawler import Crawler

from newsmorgue.archive.capture import Assets
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.cleaning import Article, Memory, Selectors
from newsmorgue.errors import CleaningFailed, NewsmorgueError
from newsmorgue.pipelines import worker
from newsmorgue.pipelines.items import CleanedPage, FetchedPage
from newsmorgue.spiders.lists import ListPage
from newsmorgue.stories.filing import EndVisit

SECONDS = 10.0
LIST_SECONDS = 60.0  # the largest sitemap takes two
Result = TypeVar("Result")


class CleaningPool:
    """Worker processes that clean. Started by the first page."""

    def __init__(self, processes: int) -> None:
        # Never by fork: a forked child would keep the spool's lock after its parent was killed. The fork server
        # imports the cleaner once for all workers.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([worker.__name__])
        self._processes = processes
        self._pool: ProcessPool | None = None
        self._users: set[int] = set()

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The process's one pool, which all its crawlers share; each of them must :meth:`leave` it at its end."""
        global _shared
        if not isinstance(_shared, cls):
            _shared = cls(CaptureExtension.of(crawler).configuration.cleaning_processes)
        _shared._users.add(id(crawler))
        return _shared

    def leave(self, crawler: Crawler) -> None:
        """A crawler needs the pool no more; the last one ends the workers."""
        self._users.discard(id(crawler))
        if not self._users:
            self.close()

    async def clean(
        self,
        entity: bytes,
        content_encoding: str | None,
        charset: str | None,
        url: str,
        memory: Memory | None = None,
        selectors: Selectors | None = None,
    ) -> Article:
        """Clean in a worker. Raises :class:`CleaningFailed` with the reason, also when the worker had to be killed."""
        return (await self.read(entity, content_encoding, charset, url, memory, selectors, Assets.NONE))[0]

    async def read(
        self,
        entity: bytes,
        content_encoding: str | None,
        charset: str | None,
        url: str,
        memory: Memory | None,
        selectors: Selectors | None,
        assets: Assets,
    ) -> tuple[Article, tuple[str, ...]]:
        """As :meth:`clean`, and the URLs of the assets that are to be kept with a story."""
        return await self._run(
            worker.read_page, (entity, content_encoding, charset, url, memory, selectors, assets), SECONDS
        )

    async def read_list(self, page: ListPage) -> bytes:
        """Read a list in a worker; what it says, packed. Raises :class:`CleaningFailed`."""
        return await self._run(worker.read_list, (page,), LIST_SECONDS)

    async def _run(self, function: Callable[..., Result], arguments: tuple[Any, ...], seconds: float) -> Result:
        if self._pool is None:
            self._pool = ProcessPool(max_workers=self._processes, context=self._context, initializer=worker.prepare)
        job = self._pool.schedule(function, args=arguments, timeout=seconds)
        try:
            return await asyncio.wrap_future(job)
        except FutureTimeout as error:
            raise CleaningFailed(f"it took more than {seconds:.0f} s") from error
        except ProcessExpired as error:
            raise CleaningFailed(f"the cleaning process ended with code {error.exitcode}") from error
        except BrokenProcessPool as error:
            self.close()
            raise CleaningFailed(f"the cleaning processes cannot be started: {error}") from error
        except MemoryError as error:
            raise CleaningFailed("cleaning needed more memory than it may have") from error
        except NewsmorgueError as error:
            raise CleaningFailed(str(error)) from error

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool = None


_shared: CleaningPool | None = None


class CleanPipeline:
    """See the module."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._pool = CleaningPool.of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make a pipeline."""
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """A :class:`FetchedPage` becomes a :class:`CleanedPage`, or the outcome that says why not."""
        if not isinstance(item, FetchedPage):
            return item
        memory = CaptureExtension.of(self._crawler).recorder.memory
        try:
            article, assets = await self._pool.read(
                item.entity,
                item.content_encoding,
                item.charset,
                item.visit.address.url,
                memory,
                item.selectors,
                item.assets,
            )
        except CleaningFailed as error:
            return EndVisit(item.visit, "failed", f"cleaning: {error}")
        return CleanedPage(item.visit, article, memory, assets, item.selectors, item.metadata_only)

    def close_spider(self) -> None:
        """The pool's workers end with the last crawler."""
        self._pool.leave(self._crawler)
