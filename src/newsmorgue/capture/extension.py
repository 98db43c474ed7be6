"""The extension that gives a crawl its archive: a run begins and ends with the spider, and what is recorded is
committed at least once a second."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa
from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.utils.asyncio import create_looping_call

from newsmorgue.archive import frontier, hosts, schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import PAGE_ROLES, UNCLEANED, Assets, Capture, Policy, Role
from newsmorgue.archive.exchange import Exchange
from newsmorgue.archive.holds import LASTS, RENEW_AFTER, Hold
from newsmorgue.archive.index import capture_from_row
from newsmorgue.capture import guard
from newsmorgue.capture.provenance import about_run, about_visit
from newsmorgue.capture.recorder import Recorder
from newsmorgue.capture.runs import BeginRun, EndRun
from newsmorgue.errors import ForbiddenAddress, NewsmorgueError, StoreUnavailable
from newsmorgue.settings.configuration import Configuration, SourceConfiguration
from newsmorgue.settings.opening import current_configuration, open_archive
from newsmorgue.stories.filing import Intent
from newsmorgue.stories.reading import has_stories
from newsmorgue.stories.revisit_planning import plan_revisits
from newsmorgue.times import now_utc
from newsmorgue.urls import host_and_port

_log = logging.getLogger(__name__)
RECORDED = "newsmorgue_recorded"
ROLE = "newsmorgue_role"
ASKED = "newsmorgue_asked"  # what the site asks for a request's answer elsewhere than in it: marks
CUT = "newsmorgue_cut"  # WARC's word for why somebody stopped a request's answer before it was whole
_COMMIT_SECONDS = 1.0
# A run that is stopped has 10 seconds: what is too large to be stored in that time is left to the next run.
_PATIENCE_WHEN_STOPPED, _SEALED_WHEN_STOPPED = 2.0, 64 << 20
_FAILED = "archive_failed"
_OUTCOMES = {"finished": "finished", "shutdown": "interrupted"}  # by Scrapy's reason; any other is a fault of ours
# Sent after each commit, with ``capture`` (this extension), for whoever shows how far a run is.
PROGRESS = object()


class CaptureExtension:
    """One run of one source, from ``spider_opened`` to ``spider_closed``.

    The source is the spider's ``source`` (a :class:`SourceConfiguration`), or for a foreign spider one named after
    the spider. ``failure`` is what ended the run early, if anything did.
    """

    def __init__(self, crawler: Crawler, configuration: Configuration) -> None:
        self._crawler = crawler
        self.configuration = configuration
        self.run = secrets.token_hex(8)
        self.failure: NewsmorgueError | None = None
        self.outcome: str | None = None
        self.has_stories = False
        self.troubles: list[tuple[str, str, str]] = []
        self._stack = ExitStack()
        self._loop: Any = None
        self._looked = -_COMMIT_SECONDS
        self._is_closed = False
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make an extension. Raises ConfigurationError."""
        configuration = crawler.settings.get("NEWSMORGUE_CONFIGURATION") or current_configuration()
        extension = cls(crawler, configuration)
        crawler.signals.connect(extension.open, signals.spider_opened)
        crawler.signals.connect(extension.close, signals.spider_closed)
        return extension

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The crawler's extension. Raises RuntimeError where it is not among ``EXTENSIONS``."""
        extension = crawler.get_extension(cls)
        if extension is None:
            raise RuntimeError("newsmorgue's CaptureExtension is not enabled; use its add-on or its settings")
        return extension

    # -- the run ---------------------------------------------------------------------------------------------

    def open(self, spider: Spider) -> None:
        """Open the archive, take the source, begin the run. What goes wrong closes the spider."""
        self.source = _source_of(spider, self.configuration)
        self._is_ours = isinstance(getattr(spider, "source", None), SourceConfiguration)
        self._allowed = self._typed_addresses(spider)
        for host, port in self._allowed:
            guard.allow(host, port)  # the resolver is the process's; a run's own requests are held to its own
        try:
            self._begin()
        except NewsmorgueError as error:
            self.failure = error
            raise CloseSpider(_FAILED) from error
        self._loop = create_looping_call(self.commit)
        self._loop.start(_COMMIT_SECONDS, now=False)

    def _typed_addresses(self, spider: Spider) -> frozenset[tuple[str, int]]:
        typed = [self.source.home, *self.source.feeds, *self.source.sitemaps, *getattr(spider, "typed_urls", ())]
        typed += [f"{scheme}://{host}" for host in self.source.hosts for scheme in ("http", "https")]
        return frozenset(host_and_port(url) for url in typed)

    def _begin(self) -> None:
        self._began = now_utc()
        self.archive: Archive = open_archive(self.configuration)
        self._stack.callback(self.archive.close)
        kind = getattr(self._crawler.spider, "run_kind", "crawl")
        self._stack.enter_context(self.archive.spool.lock_source(self.source.slug, kind))
        self._hold = Hold(self.source.slug, kind, self.run, self.archive.place)
        with self.archive.catalogue.write() as connection:
            self._hold.take(connection, self._began)
        self._stack.callback(self._release)
        self._renewed = time.monotonic()
        info = about_run(self._crawler.settings, self.source.slug, self.archive.host, self.configuration.contact)
        dedupe = self.source.dedupe_across_urls
        self.recorder = Recorder(
            self.archive, self.source.slug, info, now_utc, dedupe_across_urls=dedupe, policy=self.source.policy
        )
        self._stack.callback(self.recorder.abandon)
        self.recorder.take_over()
        self.recorder.add(BeginRun(self.run, self.source, kind, self.archive.host))
        self.recorder.commit()

    def _renew(self) -> None:
        """Say that the run lives, before it commits anything. Raises Busy where the source is another run's by now."""
        if time.monotonic() - self._renewed > RENEW_AFTER.total_seconds():
            with self.archive.catalogue.write() as connection:
                self._hold.renew(connection, now_utc())
            self._renewed = time.monotonic()

    def _release(self) -> None:
        try:
            with self.archive.catalogue.write() as connection:
                self._hold.release(connection)
                hosts.withdraw(connection, self.run)
        except NewsmorgueError as error:
            _log.warning("%s; the source is free for another machine in %s", error, LASTS)

    def look_for_room(self) -> bool:
        """Whether more may be captured now; else the crawl waits while files travel to the store.

        Where nothing is left that could make room, the run ends.
        """
        if time.monotonic() - self._looked < _COMMIT_SECONDS:
            return True
        shortage = self.archive.shortage()
        if shortage is None:
            self._looked = time.monotonic()
            return True
        if not self.recorder.sealer.waiting:
            self.commit()
            self.recorder.seal_now()
            if not self.recorder.sealer.waiting:
                self.fail(StoreUnavailable(f"{shortage}; make room, then run the same command again"))
        return False

    def close(self, reason: str) -> None:
        """Settle, put back what was not done, end the run, seal. A second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._loop is not None and self._loop.running:
            self._loop.stop()
        try:
            if self.failure is None:
                self.outcome = _OUTCOMES.get(reason, "failed")
                self._end(self.outcome)
        except NewsmorgueError as error:
            self.failure = error
            _log.error("%s", error)
        finally:
            self._stack.close()

    def _end(self, outcome: str) -> None:
        self.recorder.learn(self.run)
        with self.archive.catalogue.read() as connection:
            self.has_stories = has_stories(connection, self.source.slug)
            self.troubles = frontier.troubles(connection, self.source.slug, self._began)
        self.recorder.add(EndRun(self.run, outcome, dict(self.recorder.counts)))
        if outcome == "interrupted":
            self.recorder.finish(_PATIENCE_WHEN_STOPPED, largest=_SEALED_WHEN_STOPPED)
        else:
            self.recorder.finish()

    def fail(self, error: NewsmorgueError) -> None:
        """Stop the crawl: the archive can take no more. What was committed is safe, the rest is fetched again."""
        if self.failure is None:
            self.failure = error
            _log.error("%s", error)
            engine = self._crawler.engine
            if engine is not None and engine.spider is not None:
                closing = engine.close_spider_async(reason=_FAILED)
                self._closing = asyncio.get_running_loop().create_task(closing)

    # -- what the tap and the stages hand over -----------------------------------------------------------------

    def refuse_forbidden(self, request: Request) -> None:
        """Stop a request to where nothing a site says may lead. Raises ForbiddenAddress.

        A foreign spider goes where its project lets it go: the add-on records, and forbids nothing.
        """
        if self._is_ours:
            reason = guard.forbidden_reason(request.url, self._allowed)
            if reason:
                raise ForbiddenAddress(reason)

    def record(self, request: Request, exchange: Exchange) -> None:
        """Keep an exchange; what became of it is in the request's meta."""
        role = request.meta.get(ROLE) or (Role.ROBOTS if exchange.url.endswith("/robots.txt") else Role.LINK)
        if self.failure is not None or self.outcome is not None:
            return
        try:
            claim: frontier.Claim | None = request.meta.get("claim")
            is_first = claim is not None and claim.reason == "new" and claim.role in PAGE_ROLES
            recorded = self.recorder.record(
                exchange, str(role), about_visit(claim, exchange), is_first=is_first, asked=request.meta.get(ASKED, ())
            )
            request.meta[RECORDED] = recorded
        except NewsmorgueError as error:
            self.fail(error)

    def keep_rendering(self, capture: Capture, dom: bytes) -> None:
        """Keep the DOM that a browser made of a captured page."""
        if self.failure is None and self.outcome is None:
            try:
                self.recorder.keep_rendering(capture, dom)
            except NewsmorgueError as error:
                self.fail(error)

    def add(self, *intents: Intent) -> None:
        """Have intents settled by the next commit."""
        if self.failure is None and self.outcome is None:
            try:
                self.recorder.add(*intents)
            except NewsmorgueError as error:
                self.fail(error)

    def commit(self) -> None:
        """Make all so far durable now."""
        if self.failure is None:
            try:
                self._renew()
                self.recorder.commit()
            except NewsmorgueError as error:
                self.fail(error)
            self._crawler.signals.send_catch_log(PROGRESS, capture=self)

    @property
    def must_learn(self) -> bool:
        """Whether the run should pause to look at what the source's stories repeat: see :meth:`Recorder.learn`."""
        return self.failure is None and self.recorder.must_learn

    def learn(self) -> None:
        """See :meth:`Recorder.learn`."""
        try:
            self.recorder.learn(self.run)
        except NewsmorgueError as error:
            self.fail(error)

    @property
    def has_pending(self) -> bool:
        """Whether there is something that the next commit would settle."""
        return self.failure is None and self.recorder.has_pending

    # -- the frontier ------------------------------------------------------------------------------------------

    def claim(self, limit: int) -> list[frontier.Claim]:
        """Take due URLs into hand."""
        with self.archive.catalogue.write() as connection:
            assets = self.source.assets is not Assets.NONE
            return frontier.claim(connection, self.source.slug, self.run, now_utc(), limit, assets=assets)

    def claim_these(self, keys: list[str]) -> list[frontier.Claim]:
        """Take just these URLs into hand, due or not."""
        with self.archive.catalogue.write() as connection:
            return frontier.claim_these(connection, self.source.slug, self.run, keys)

    def claim_retries(self, keys: Collection[str]) -> list[frontier.Claim]:
        """Take those of these URLs into hand that asked in this run to be asked again, once their time has come."""
        with self.archive.catalogue.write() as connection:
            return frontier.claim_retries(connection, self.source.slug, self.run, keys, self._began, now_utc())

    def claim_assets(self, limit: int) -> list[frontier.Claim]:
        """Take assets into hand that became due in this run."""
        with self.archive.catalogue.write() as connection:
            return frontier.claim_assets(connection, self.source.slug, self.run, self._began, now_utc(), limit)

    def make_due(self, *, recheck: bool) -> None:
        """Look at the source's lists again, at what failed, at the stories whose next visit has come, and (``recheck``)
        at every story that is known."""
        now, slug = now_utc(), self.source.slug
        with self.archive.catalogue.write() as connection:
            plan_revisits(connection, slug, now)
            frontier.make_seeds_due(connection, slug, now, all_of_them=recheck)
            frontier.make_failed_due(connection, slug, now)
            if self.source.policy is not Policy.NOTHING:
                frontier.make_reserved_due(connection, slug, now)
            if recheck:
                frontier.make_stories_due(connection, slug, now)

    def sitemaps(self) -> list[frontier.KnownList]:
        """Every sitemap that is known of the source."""
        with self.archive.catalogue.read() as connection:
            return frontier.sitemaps(connection, self.source.slug)

    def disallowed(self) -> dict[str, tuple[str, datetime]]:
        """The source's pages that a robots.txt forbade at their last visit, and when, by their keys."""
        with self.archive.catalogue.read() as connection:
            return frontier.disallowed(connection, self.source.slug)

    def look_at(self, keys: Collection[str]) -> None:
        """Look at these URLs too."""
        if keys:
            with self.archive.catalogue.write() as connection:
                frontier.look_at(connection, self.source.slug, keys, now_utc())

    def let_go(self, keys: Collection[str]) -> None:
        """Do not look at these URLs, though they were due."""
        if keys:
            with self.archive.catalogue.write() as connection:
                frontier.let_go(connection, self.source.slug, keys)

    def make_due_again(self) -> None:
        """Within a run that goes on for long: look at the source's lists, and at stories whose next visit has come."""
        now, slug = now_utc(), self.source.slug
        with self.archive.catalogue.write() as connection:
            plan_revisits(connection, slug, now)
            frontier.make_seeds_due(connection, slug, now)

    def has_backlog(self, since: datetime) -> bool:
        """Whether pages that were due then are still waiting."""
        with self.archive.catalogue.read() as connection:
            return frontier.has_backlog(connection, self.source.slug, since)

    def retries_within(self, patience: timedelta, keys: Collection[str] | None = None) -> bool:
        """Whether a URL (of these, if told) is to be tried again by then."""
        with self.archive.catalogue.read() as connection:
            now = now_utc()
            return frontier.has_retry(connection, self.source.slug, now, now + patience, keys)

    def has_any_story(self) -> bool:
        """Whether the source has a story by now."""
        with self.archive.catalogue.read() as connection:
            return has_stories(connection, self.source.slug)

    def in_hand(self) -> int:
        """How many claimed URLs have no outcome yet."""
        with self.archive.catalogue.read() as connection:
            return frontier.claimed(connection, self.run)

    def uncleaned(self) -> Iterator[Capture]:
        """Captures that an ended run kept and did not get to clean."""
        c = schema.captures.c
        query = (
            sa.select(schema.captures).where(c.source == self.source.slug, c.state == UNCLEANED).order_by(c.timestamp)
        )
        with self.archive.catalogue.read() as connection:
            rows = connection.execute(query).all()
        return (capture_from_row(row) for row in rows)


def _source_of(spider: Spider, configuration: Configuration) -> SourceConfiguration:
    """The spider's source; for a foreign spider one named after it, at home where it starts."""
    source = getattr(spider, "source", None)
    if isinstance(source, SourceConfiguration):
        return source
    slug = re.sub(r"[^a-z0-9._-]", "-", spider.name.lower())[:64]
    if slug in configuration.sources:
        return configuration.sources[slug]
    starts = getattr(spider, "start_urls", None) or [
        f"https://{host}/" for host in getattr(spider, "allowed_domains", None) or ()
    ]
    return SourceConfiguration(
        slug, starts[0] if starts else "about:blank", hosts=tuple(getattr(spider, "allowed_domains", None) or ())
    )
