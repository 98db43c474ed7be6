"""Running crawls from a program: one process, one Scrapy crawler for each source."""

# First: it looks through all loaded modules for each frame of the stack, three times, and there are few of either yet.
import scrapy.core.downloader.contextfactory  # noqa: F401, I001

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings
from scrapy.utils.asyncio import create_looping_call

from newsmorgue.capture.extension import PROGRESS, CaptureExtension
from newsmorgue.errors import ExitCode, NewsmorgueError
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.settings.configuration import Configuration, SourceConfiguration
from newsmorgue.spiders.budget import BudgetMiddleware
from newsmorgue.spiders.news import NewsSpider
from newsmorgue.spiders.own import spider_of
from newsmorgue.spiders.trial import on_trial

# Of the 10 seconds that a stop may take: the rest is for the last commit and for storing what is small.
_GRACE_SECONDS = 2.5
_LOOK_SECONDS = 0.2
Watch = Callable[[str, Counter[str]], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A run to be made: of a whole source, or (``save``) of just these pages of it.

    ``since`` is how far back its sections' further pages are read; None: as long as each has something new. With
    ``sample`` it is only tried: lists, and so many pages.
    """

    source: SourceConfiguration
    recheck: bool = False
    save: tuple[str, ...] = ()
    since: date | None = None
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended. ``outcome`` is ``finished``, ``interrupted``, ``failed`` or None where ``failure`` ended it.

    ``troubles`` are the URLs that failed or must be tried later: URL, outcome, reason.
    """

    source: str
    outcome: str | None
    counts: Counter[str]
    has_stories: bool
    troubles: list[tuple[str, str, str]]
    failure: NewsmorgueError | None

    @property
    def exit_code(self) -> ExitCode:
        """What this run alone would tell the shell."""
        if self.failure is not None:
            return self.failure.exit_code
        if self.outcome != "finished":
            return ExitCode.INTERRUPTED if self.outcome == "interrupted" else ExitCode.INTERNAL
        if self.troubles:
            return ExitCode.PAGES_FAILED
        return ExitCode.OK if self.has_stories else ExitCode.NOTHING_FOUND


def run_jobs(configuration: Configuration, jobs: Sequence[Job], watch: Watch | None = None) -> list[Report]:
    """Make the runs, at the same time, until all have ended. ``watch`` hears of each run's counts once a second.

    Starts Twisted's reactor: once in a process's life. Raises ConfigurationError where a source's own spider is wrong.
    """
    spiders = [_spider(job) for job in jobs]
    process = AsyncCrawlerProcess(_settings(configuration))
    crawlers = []
    for job, spider in zip(jobs, spiders, strict=True):
        crawler = Crawler(spider, process.settings.copy())
        if watch is not None:
            crawler.signals.connect(_Watcher(watch), PROGRESS, weak=False)
        process.crawl(crawler, source=job.source, recheck=job.recheck, save=job.save, since=job.since)
        crawlers.append(crawler)
    gc.freeze()  # all that is loaded stays: no collection need look through it
    create_looping_call(_Stopper(crawlers).look).start(_LOOK_SECONDS, now=False)
    process.start()
    return [_report(job, crawler) for job, crawler in zip(jobs, crawlers, strict=True)]


def _spider(job: Job) -> type[NewsSpider]:
    spider = spider_of(job.source)
    return on_trial(spider, job.sample) if job.sample is not None else spider


class _Stopper:
    """Once the process is told to stop, gives what is on its way a few seconds, and then ends the runs without it.

    Scrapy alone waits for every request that it has begun, also for those that wait for their turn: with a delay of
    20 seconds, ten minutes. These are let go at once. What is so, and what is cut off, is fetched by the next run.
    """

    def __init__(self, crawlers: Sequence[Crawler]) -> None:
        self._crawlers = crawlers
        self._until: float | None = None

    def look(self) -> None:
        """Called several times a second."""
        stopping = [crawler for crawler in self._crawlers if _is_stopping(crawler)]
        if stopping and self._until is None:
            self._until = time.monotonic() + _GRACE_SECONDS
            for budget in filter(None, (crawler.get_downloader_middleware(BudgetMiddleware) for crawler in stopping)):
                budget.stop()
        if stopping and self._until is not None and time.monotonic() >= self._until:
            self._cut_off(stopping)

    def _cut_off(self, crawlers: Sequence[Crawler]) -> None:
        from twisted.internet import reactor

        # It would complain of the tasks that wait for what is cut off here, and are dropped with it.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        for crawler in crawlers:
            CaptureExtension.of(crawler).close("shutdown")
            CleaningPool.of(crawler).leave(crawler)
        with suppress(RuntimeError):  # it is being stopped already
            reactor.stop()  # type: ignore[misc]


def _is_stopping(crawler: Crawler) -> bool:
    """Whether Scrapy was told to stop a crawl that is still open."""
    engine = crawler.engine if crawler.spider is not None else None
    return engine is not None and engine.spider is not None and not crawler.crawling


@dataclass(frozen=True, slots=True)
class _Watcher:
    watch: Watch

    def __call__(self, capture: CaptureExtension) -> None:
        self.watch(capture.source.slug, capture.recorder.counts)


def _settings(configuration: Configuration) -> Settings:
    settings = Settings()
    settings.setmodule("newsmorgue.settings.base", priority="project")
    settings.set("NEWSMORGUE_CONFIGURATION", configuration, priority="cmdline")
    return settings


def _report(job: Job, crawler: Crawler) -> Report:
    capture = CaptureExtension.of(crawler)
    recorder = getattr(capture, "recorder", None)
    counts = Counter(recorder.counts) if recorder else Counter[str]()
    return Report(job.source.slug, capture.outcome, counts, capture.has_stories, capture.troubles, capture.failure)
