"""The news spider: says which URLs of one source to fetch, and what each answer is.

The catalogue is the frontier. The spider claims small batches of what is due, and every claimed URL ends in exactly
one stored outcome. It writes nothing itself: what it finds goes through the pipelines as intents.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Self
from urllib.parse import urljoin

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response
from twisted.python.failure import Failure

from newsmorgue.archive.capture import PAGE_ROLES, Capture, Role
from newsmorgue.archive.frontier import Claim
from newsmorgue.archive.index import payload_capture
from newsmorgue.capture.entity import decode_entity
from newsmorgue.capture.extension import RECORDED, ROLE, CaptureExtension
from newsmorgue.capture.recorder import Recorded
from newsmorgue.errors import ForbiddenAddress, NewsmorgueError
from newsmorgue.pipelines.items import FetchedPage
from newsmorgue.settings.configuration import Configuration, SourceConfiguration, require_contact, user_agent
from newsmorgue.settings.opening import current_configuration
from newsmorgue.spiders.answers import (
    GUESS,
    OPERATOR,
    Answer,
    address_of,
    in_charge,
    may_follow,
    page_of,
    read_answer,
    strays,
)
from newsmorgue.spiders.budget import PATIENCE, HostBusy, Stopped
from newsmorgue.spiders.failures import why
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.links import page_links
from newsmorgue.spiders.lists import LARGEST_LIST
from newsmorgue.spiders.readers import Reader
from newsmorgue.spiders.robots import RobotsDisallowed, RobotsTxtMiddleware, RobotsUnavailable
from newsmorgue.spiders.sitemaps import MOST_BYTES, sitemaps_in_robots
from newsmorgue.stories.discovery import Discover, Finding
from newsmorgue.stories.filing import RETRY_AFTER, EndVisit, FileRedirect, Visit
from newsmorgue.stories.revisit import SHORTEST
from newsmorgue.times import now_utc
from newsmorgue.urls import address_key

_AT_ONCE = 32  # in hand at a time: small, so that a kill leaves little to be fetched again
_SOURCES_AT_ONCE = 8
_CLAIM_SECONDS = 0.1  # between two claims: each is a transaction
_PAUSE = 0.02  # seconds between looks at the frontier
LOOK_AGAIN = SHORTEST  # at the lists, in a crawl that goes on for longer
# A sitemap may be larger than any page (sitemaps.org).
_LIMITS: dict[Role, dict[str, Any]] = {Role.SITEMAP: {"download_maxsize": MOST_BYTES}}
_WITH_PAGES = frozenset({Role.HOME, Role.SECTION, Role.OLDER})
MAX_RESPELLINGS = 3  # http → https → www, and no way round again


_slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


def _running() -> asyncio.Semaphore:
    """Of many sources crawled by one process, so many run at the same time."""
    loop = asyncio.get_running_loop()
    return _slots.setdefault(loop, asyncio.Semaphore(_SOURCES_AT_ONCE))


def _be_polite(crawler: Crawler, configuration: Configuration, source: SourceConfiguration) -> None:
    """Name ourselves, and keep to the source's pace; ``-s`` on Scrapy's command line still goes before."""
    require_contact(configuration, source.home)
    settings = {
        "USER_AGENT": user_agent(configuration),
        "NEWSMORGUE_DELAY": source.delay,
        "CONCURRENT_REQUESTS_PER_DOMAIN": source.concurrency,
    }
    for name, value in settings.items():
        crawler.settings.set(name, value, priority="spider")


class NewsSpider(Spider):
    """``scrapy crawl news -a source=SLUG-OR-URL [-a recheck=1] [-a since=2026-01-31]``.

    ``-a save='URL URL'`` captures just those pages.
    """

    name = "news"

    def __init__(
        self,
        source: SourceConfiguration | None = None,
        recheck: bool = False,
        save: tuple[str, ...] = (),
        since: date | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if source is None:
            raise ValueError("the news spider wants -a source=SLUG-OR-URL")
        self.source = source
        self.recheck = recheck
        self.since = since
        self.typed_urls = save
        self.run_kind = "save" if save else "crawl"
        self._to_save = [address_key(url) for url in save]
        self._saved: set[str] = set()
        self._followed: Counter[str] = Counter()
        self._next_claim = 0.0
        self._outstanding = 0
        self._home: Answer | None = None
        self._named: list[str] = []
        self._looked_at = now_utc()
        self._is_stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Scrapy's way to make a spider; here ``source`` and the other arguments may be the command line's text."""
        configuration: Configuration = crawler.settings.get("NEWSMORGUE_CONFIGURATION") or current_configuration()
        source = kwargs.pop("source", None)
        if isinstance(source, str):
            source = configuration.source_for_url(source) if "://" in source else configuration.source_named(source)
        save = kwargs.pop("save", ())
        urls = tuple(save.split()) if isinstance(save, str) else tuple(save)
        recheck = str(kwargs.pop("recheck", "")).lower() in ("1", "true", "yes")
        since = kwargs.pop("since", None)
        since = date.fromisoformat(since) if isinstance(since, str) else since
        if isinstance(source, SourceConfiguration):
            _be_polite(crawler, configuration, source)
        spider = super().from_crawler(crawler, *args, source=source, recheck=recheck, save=urls, since=since, **kwargs)
        crawler.signals.connect(spider.end_broken_item, signals.item_error)
        crawler.signals.connect(spider.end_broken_answer, signals.spider_error)
        return spider

    # -- which URLs --------------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Any]:
        """What an ended run left uncleaned, then everything due, until nothing is."""
        try:
            async with _running():
                async for item in self._run():
                    yield item
        except NewsmorgueError as error:
            CaptureExtension.of(self.crawler).fail(error)
        except Stopped:
            return

    async def _run(self) -> AsyncIterator[Any]:
        capture = CaptureExtension.of(self.crawler)
        for left in capture.uncleaned():
            page = self._page_left(capture, left)
            if page is not None:
                yield page
        while capture.failure is None and any(capture.uncleaned()):
            await asyncio.sleep(_PAUSE)  # until they have their outcomes: what was kept is not fetched again
            capture.commit()
        await self._make_due(capture)
        self._looked_at = now_utc()
        while capture.failure is None and not self._is_stopped:
            self._look_again(capture)
            if self._outstanding < _AT_ONCE and not capture.look_for_room():
                await asyncio.sleep(1)
                continue
            claims = None if capture.must_learn else self._claim(capture)
            for claim in claims or ():
                self._outstanding += 1
                yield self._request(claim)
            if not self._outstanding and capture.has_pending:
                capture.commit()
            elif capture.must_learn and not self._outstanding and not capture.in_hand():
                capture.learn()
            elif claims is None or claims or self._outstanding:
                await asyncio.sleep(_PAUSE)
            elif capture.in_hand():
                await asyncio.sleep(_PAUSE)  # pages are still being cleaned
            elif capture.retries_within(PATIENCE, self._saved if self.typed_urls else None):
                await asyncio.sleep(1)  # a host asked to be asked again, and soon
            else:
                harder = list(self._look_harder(capture))
                if not harder:
                    break
                for item in harder:
                    yield item
        while not self._has_settled():
            await asyncio.sleep(_PAUSE)

    def _has_settled(self) -> bool:
        """Whether no stage has an item in hand: Scrapy looks for the end of one from :meth:`start` each 5 s alone."""
        engine = self.crawler.engine
        slot = engine.scraper.slot if engine is not None else None
        return slot is None or slot.is_idle()

    async def _make_due(self, capture: CaptureExtension) -> None:
        if self.typed_urls:
            self._discover(capture, OPERATOR, [(url, Role.STORY) for url in self.typed_urls])
            return
        vouched, guessed = await self.seeds()
        self._discover(capture, OPERATOR, vouched)
        if guessed:
            self._discover(capture, GUESS, guessed)
        capture.make_due(recheck=self.recheck)
        self._named = [url for url, role in vouched if role == Role.SITEMAP]
        capture.let_go(strays(self.source, capture.sitemaps(), self._named))
        forbidden = capture.disallowed()
        again = set(await RobotsTxtMiddleware.of(self.crawler).allowed_again(dict(forbidden.values())))
        capture.look_at([key for key, (url, _) in forbidden.items() if url in again])

    def _look_again(self, capture: CaptureExtension) -> None:
        """News must not wait behind a site's old pages: while some do that were due at the last look at the lists, look
        again. Without such the run comes to its end, and the next one looks.
        """
        now, before = now_utc(), self._looked_at
        if self.typed_urls or now - before < LOOK_AGAIN:
            return
        self._looked_at = now
        if capture.has_backlog(before):
            capture.make_due_again()
            capture.let_go(strays(self.source, capture.sitemaps(), self._named))

    async def seeds(self) -> tuple[list[tuple[str, Role]], list[tuple[str, Role]]]:
        """The lists that a crawl begins with: those that somebody named, and those that many sites have."""
        named = await self._sitemaps_in_robots()
        lists = [(self.source.home, Role.HOME)]
        lists += [(url, Role.FEED) for url in self.source.feeds]
        lists += [(url, Role.SITEMAP) for url in (*self.source.sitemaps, *named)]
        has_sitemaps = named or self.source.sitemaps
        return lists, [] if has_sitemaps else [(urljoin(self.source.home, "/sitemap.xml"), Role.SITEMAP)]

    def reader_for(self, claim: Claim) -> Reader | None:
        """How a list is read where the usual way does not do."""
        return None

    def change(self, found: Found) -> Found | None:
        """A thing that such a reader found, made right; None to pass it over."""
        return found

    async def _sitemaps_in_robots(self) -> list[str]:
        robots = RobotsTxtMiddleware.of(self.crawler)
        body = await robots.robots_txt(self.source.home)
        return in_charge(self.source, sitemaps_in_robots(body, self.source.home) if body else ())

    def _discover(self, capture: CaptureExtension, found_in: str, urls: list[tuple[str, Role]]) -> None:
        capture.add(Discover(self.source.slug, found_in, tuple(Finding(url, role) for url, role in urls)))
        capture.commit()

    def _claim(self, capture: CaptureExtension) -> list[Claim] | None:
        """What is due and not in hand; None where it is not the time to ask."""
        now = time.monotonic()
        if self._outstanding > _AT_ONCE // 2 or now < self._next_claim:
            return None
        self._next_claim = now + _CLAIM_SECONDS
        if not self.typed_urls:
            return capture.claim(_AT_ONCE - self._outstanding)
        keys, self._to_save = self._to_save, []
        if keys:
            capture.commit()  # a redirect's target is on the frontier only from then on
            self._saved.update(keys)
            return capture.claim_these(keys)
        return capture.claim_retries(self._saved) or capture.claim_assets(_AT_ONCE - self._outstanding)

    def _look_harder(self, capture: CaptureExtension) -> Iterator[Any]:
        """Where lists and links gave no story at all: every link of the home page, and the home page itself."""
        home, self._home = self._home, None
        if home is None or capture.has_any_story() or not may_follow(home):
            return
        if home.recorded.refusal is None:
            yield replace(page_of(home), visit=replace(home.visit, role=Role.LINK))
        body = decode_entity(home.recorded.exchange.entity, home.head.get("content-encoding"), LARGEST_LIST)
        links = page_links(body, home.claim.url, self.source.hosts)
        ours = [Finding(link.url, Role.LINK) for link in links if address_key(link.url) != home.claim.key]
        if ours:
            yield Discover(self.source.slug, home.claim.url, tuple(ours))

    def _request(self, claim: Claim) -> Request:
        headers = {"If-None-Match": claim.etag, "If-Modified-Since": claim.last_modified}
        if self._reads_on_from(claim):
            headers = {}
        if claim.role == Role.ASSET:
            headers["Accept"] = "*/*"  # not a page: what any reader is sent, in no format that only some can show
        return Request(
            claim.url,
            callback=self.parse,
            errback=self.fail,
            headers={name: value for name, value in headers.items() if value},
            meta={ROLE: claim.role, "claim": claim} | _LIMITS.get(claim.role, {}),
            dont_filter=True,  # the frontier's unique key deduplicates
        )

    def _reads_on_from(self, claim: Claim) -> bool:
        """Whether a list is wanted whole, changed or not, since it names the page that is further back."""
        return self.since is not None and (claim.role in _WITH_PAGES or self.reader_for(claim) is not None)

    # -- what the answers are ------------------------------------------------------------------------------------

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Any]:
        """An answer of any status."""
        self._outstanding -= 1
        capture = CaptureExtension.of(self.crawler)
        recorded: Recorded | None = response.meta.get(RECORDED)
        if recorded is None:  # the archive failed while this was on its way
            return
        claim: Claim = response.meta["claim"]
        ways = (self.reader_for(claim), self.change)
        answer = Answer(self.source, claim, recorded, capture.run, now_utc(), self.since, *ways)
        if answer.claim.role == Role.HOME and answer.head.status == 200:
            self._home = answer
        for item in self._read(capture, answer):
            if isinstance(item, FileRedirect):
                self._follow(item)
            yield item

    def _read(self, capture: CaptureExtension, answer: Answer) -> Iterator[Any]:
        """What an answer leads to. Of a page made by scripts 304 says nothing: what they ask for changes by itself."""
        kept = answer.recorded.capture
        is_page = self.source.render and answer.claim.role in PAGE_ROLES and answer.recorded.refusal is None
        if is_page and answer.head.status == 304 and kept is not None and kept.kind == "revisit":
            claim = answer.claim
            visit = replace(answer.visit, etag=claim.etag, last_modified=claim.last_modified)
            yield self._page_stored(capture, visit, kept)
        else:
            yield from read_answer(answer)

    def _follow(self, redirect: FileRedirect) -> None:
        """A page to be saved is saved where it leads; a crawl finds the target on the frontier by itself."""
        key = address_key(redirect.target)
        is_loop = redirect.target == redirect.visit.address.url
        if self.typed_urls and not is_loop and self._followed[key] < MAX_RESPELLINGS:
            self._followed[key] += 1
            self._to_save.append(key)

    def fail(self, failure: Failure) -> Iterator[EndVisit]:
        """No answer, or none that may be read."""
        self._outstanding -= 1
        claim: Claim = failure.request.meta["claim"]  # type: ignore[attr-defined]
        visit, error, later = self._visit(claim), failure.value, now_utc() + RETRY_AFTER
        if isinstance(error, Stopped):
            self._is_stopped = True  # it is put back, as all that is in hand when the run ends
        elif isinstance(error, RobotsDisallowed):
            yield EndVisit(visit, "disallowed", "robots.txt")
        elif isinstance(error, ForbiddenAddress) and claim.role in (Role.FEED, Role.SITEMAP) and claim.hops:
            yield EndVisit(visit, "failed", str(error)[:500], later)  # a list of the site's own leads there
        elif isinstance(error, ForbiddenAddress):
            yield EndVisit(visit, "refused", str(error))
        elif isinstance(error, RobotsUnavailable | HostBusy):
            yield EndVisit(visit, "deferred", str(error), error.until if isinstance(error, HostBusy) else later)
        elif isinstance(error, DownloadCancelledError) and visit.role == Role.ASSET:
            yield EndVisit(visit, "failed", str(error)[:500])  # too large: it would be tomorrow
        else:
            yield EndVisit(visit, "failed", why(error), later)

    # -- what went wrong in our own code: still an outcome, or the run would wait for it for ever ---------------------

    def end_broken_item(self, item: Any, failure: Failure) -> None:
        """A stage raised what it should not."""
        if isinstance(getattr(item, "visit", None), Visit):
            self._end_broken(item.visit, failure)

    def end_broken_answer(self, failure: Failure, response: Response | None) -> None:
        """Reading an answer raised what it should not (without a response it was the start of the crawl)."""
        claim: Claim | None = response.meta.get("claim") if response is not None else None
        if claim is not None:
            self._end_broken(self._visit(claim), failure)

    def _end_broken(self, visit: Visit, failure: Failure) -> None:
        capture = CaptureExtension.of(self.crawler)
        capture.add(EndVisit(visit, "failed", f"internal error: {failure.value!r}"[:500], now_utc() + RETRY_AFTER))

    def _visit(self, claim: Claim) -> Visit:
        capture = CaptureExtension.of(self.crawler)
        return Visit(address_of(self.source, claim.url, claim.key), capture.run, claim.reason, claim.role)

    def _page_left(self, capture: CaptureExtension, left: Capture) -> FetchedPage | None:
        """A capture whose run was killed before it was cleaned, as a page from the stored bytes."""
        address = address_of(self.source, left.url, address_key(left.url))
        visit = Visit(address, capture.run, "recovered", Role(left.role), left)
        page = self._page_stored(capture, visit, left)
        if isinstance(page, FetchedPage):
            return page
        capture.add(page)
        return None

    def _page_stored(self, capture: CaptureExtension, visit: Visit, shown: Capture) -> FetchedPage | EndVisit:
        """A capture as a page, from the stored bytes; or the outcome that says why there are none."""
        with capture.archive.catalogue.read() as connection:
            holder = payload_capture(connection, shown)
        try:
            if holder is None:
                raise NewsmorgueError(f"the capture that {shown.url} at {shown.time} refers to is not in the archive")
            record = capture.archive.read_capture(holder)
        except NewsmorgueError as error:
            return EndVisit(visit, "failed", str(error))
        head = record.http
        if shown.status == 200:
            visit = replace(visit, etag=head.get("etag") or None, last_modified=head.get("last-modified") or None)
        return FetchedPage(
            visit,
            record.entity,
            head.get("content-encoding"),
            head.charset,
            self.source.assets,
            self.source.selectors,
        )
