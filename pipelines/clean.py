"""Stage 1: a fetched page becomes an article, in a worker process with a limit on time and memory."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self, TypeVar

from pebble import ProcessExpired, ProcessPool
from scrapy.crawler import Crawler

from newsmorgue.archive.capture import Assets
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.cleaning import Article, Memory, Selectors
from newsmorgue.errors import CleaningFailed, CleaningStopped, NewsmorgueError
from newsmorgue.pipelines import worker
from newsmorgue.pipelines.items import CleanedPage, FetchedPage
from newsmorgue.spiders.lists import ListPage
from newsmorgue.stories.filing import RETRY_AFTER, EndVisit, Visit
from newsmorgue.times import now_utc

SECONDS = 10.0
LIST_SECONDS = 60.0  # the largest sitemap takes two
# What has had this much of that from a processor needs more on every machine; what has not, only while one is busy.
OWN_SHARE = 0.9
Result = TypeVar("Result")


class CleaningPool:
    """Worker processes that clean. Started by the first page."""

    def __init__(self, processes: int) -> None:
        # Never by fork: a forked child would keep the spool's lock after its parent was killed. The fork server
        # loads the cleaner once for all workers.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["newsmorgue.pipelines.preload"])
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
        """Clean in a worker. Raises :class:`CleaningFailed` with the reason; :class:`CleaningStopped` when it was
        killed."""
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
        pool = self._living()
        try:
            return await asyncio.wrap_future(_given(pool, (seconds * OWN_SHARE, function, *arguments), seconds))
        except FutureTimeout as error:
            raise CleaningStopped(f"it took more than {seconds:.0f} s on a busy machine") from error
        except ProcessExpired as error:
            if error.exitcode == -signal.SIGPROF:
                raise CleaningFailed(f"it took more than {seconds:.0f} s") from error
            raise CleaningStopped(f"the cleaning process ended with code {error.exitcode}") from error
        except BrokenProcessPool as error:
            if self._pool is pool:  # and no later one, which others wait for
                self.close()
            why = str(error) or repr(error.__cause__)
            raise CleaningStopped(f"the cleaning processes cannot be started: {why}") from error
        except NewsmorgueError as error:
            raise CleaningFailed(str(error)) from error

    def _living(self) -> ProcessPool:
        """The pool, made anew where its workers were killed while they had nothing to do."""
        if self._pool is not None and not self._pool.active:
            self.close()
        if self._pool is None:
            self._pool = ProcessPool(max_workers=self._processes, context=self._context, initializer=worker.prepare)
        return self._pool

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool = None


def _given(pool: ProcessPool, bounded: tuple[Any, ...], seconds: float) -> "Future[Any]":
    """What a worker makes of a call. Raises BrokenProcessPool where none can be started, however that comes out."""
    try:
        return pool.schedule(worker.within, args=bounded, timeout=seconds)
    except (RuntimeError, OSError) as error:
        raise BrokenProcessPool(str(error)) from error


_shared: CleaningPool | None = None


def stopped(visit: Visit, error: CleaningStopped) -> EndVisit:
    """The outcome of a page or list that the machine had no time for."""
    return EndVisit(visit, "failed", f"cleaning: {error}", now_utc() + RETRY_AFTER)


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
        except CleaningStopped as error:
            return stopped(item.visit, error)
        except CleaningFailed as error:
            return EndVisit(item.visit, "failed", f"cleaning: {error}")
        return CleanedPage(item.visit, article, memory, assets, item.selectors, item.metadata_only)

    def close_spider(self) -> None:
        """The pool's workers end with the last crawler."""
        self._pool.leave(self._crawler)
