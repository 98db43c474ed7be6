"""What an answer means: from a recorded exchange to intents and pages. Pure: no Scrapy, no network, no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from urllib.parse import urlsplit

from newsmorgue.archive.capture import HTML_TYPES, PAGE_ROLES, Role
from newsmorgue.archive.exchange import HttpHead
from newsmorgue.archive.frontier import Claim
from newsmorgue.capture.entity import decode_entity
from newsmorgue.capture.recorder import Recorded
from newsmorgue.errors import NewsmorgueError
from newsmorgue.pipelines.items import FetchedPage
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.spiders.feeds import parse_feed
from newsmorgue.spiders.links import feeds_linked_from, story_links
from newsmorgue.spiders.mentions import Mention, absolute_address
from newsmorgue.spiders.requisites import css_requisites
from newsmorgue.spiders.sitemaps import parse_sitemap
from newsmorgue.stories.assets import DiscoverAssets
from newsmorgue.stories.filing import (
    MAX_HOPS,
    Discover,
    EndVisit,
    FileGone,
    FileRedirect,
    FileUnmodified,
    Finding,
    Intent,
    Visit,
)
from newsmorgue.stories.identity import Address, same_site
from newsmorgue.urls import address_key

_Found = tuple[list[Finding], str | None]  # what a list names, and what was wrong with it
OPERATOR = "operator"  # found_in of what was typed or configured, or what robots.txt names
GUESS = "guess"  # found_in of addresses that nobody named, but which many sites have
LARGEST_LIST = 64 << 20  # sitemaps.org allows 50 MB unpacked
LARGEST_STYLESHEET = 4 << 20
_BATCH = 500
_RETRY_AFTER = timedelta(minutes=15)
_LONGEST_WAIT = timedelta(days=1)


def address_of(source: SourceConfiguration, url: str, key: str) -> Address:
    """A URL of a source, as identity sees it."""
    return Address(source.slug, frozenset(source.hosts), url, key)


def is_ours(source: SourceConfiguration, url: str) -> bool:
    """Whether a URL is on the source's own site."""
    return same_site(address_of(source, source.home, ""), url)


@dataclass(frozen=True, slots=True)
class Answer:
    """A claimed URL, what became of its exchange, and when."""

    source: SourceConfiguration
    claim: Claim
    recorded: Recorded
    run: str
    now: datetime

    @property
    def head(self) -> HttpHead:
        """The response's head."""
        return self.recorded.exchange.head

    @property
    def visit(self) -> Visit:
        """The visit that this answer ends."""
        claim = self.claim
        address = address_of(self.source, claim.url, claim.key)
        validators = (
            (self.head.get("etag"), self.head.get("last-modified")) if self.head.status == 200 else (None, None)
        )
        return Visit(address, self.run, claim.reason, claim.role, self.recorded.capture, *validators)


def read_answer(answer: Answer) -> Iterator[Intent | FetchedPage]:
    """Everything an answer leads to. Exactly one of the items ends the visit, sooner or later."""
    status, refused = answer.head.status, answer.recorded.refusal
    if refused:
        yield EndVisit(answer.visit, "refused", f"{refused.reason} ({refused.where})")
    elif status in (200, 203) and answer.recorded.exchange.truncated:
        yield failed(answer, f"cut short ({answer.recorded.exchange.truncated})")
    elif status in (200, 203):
        yield from _read_asset(answer) if answer.claim.role == Role.ASSET else _read_content(answer)
    elif status == 304:
        yield _read_unmodified(answer)
    elif status in (301, 302, 303, 307, 308):
        yield from _read_moved_asset(answer) if answer.claim.role == Role.ASSET else [_read_redirect(answer)]
    elif status in (404, 410):
        yield _read_absence(answer)
    elif status in (429, 503):
        yield EndVisit(answer.visit, "retry", str(status), retry_time(answer.head, answer.now))
    else:
        yield failed(answer, f"status {status}")


def failed(answer: Answer, why: str) -> EndVisit:
    """A failure, to be tried again later; for an address nobody vouched for, only the fact that nothing is there."""
    if answer.claim.role == Role.LINK or answer.claim.found_in == GUESS:
        return EndVisit(answer.visit, "not_story", why)
    return EndVisit(answer.visit, "failed", why, answer.now + _RETRY_AFTER)


def retry_time(head: HttpHead, now: datetime) -> datetime:
    """When Retry-After (RFC 9110 §10.2.3: seconds or a date) allows the next try: at most a day, else 15 minutes."""
    value = (head.get("retry-after") or "").strip()
    if value.isdigit():
        return now + min(timedelta(seconds=int(value[:9])), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return now + _RETRY_AFTER
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(max(moment, now), now + _LONGEST_WAIT)


def _read_unmodified(answer: Answer) -> Intent:
    if answer.claim.role in PAGE_ROLES:
        return FileUnmodified(answer.visit)
    return EndVisit(answer.visit, "unchanged" if answer.claim.role == Role.ASSET else "listed", "304")


def _read_asset(answer: Answer) -> Iterator[Intent]:
    """A style sheet names others, and more that is wanted with ``assets = "all"``; any other file is just kept."""
    if answer.head.media_type == "text/css" and answer.claim.hops < MAX_HOPS:
        try:
            entity, coding = answer.recorded.exchange.entity, answer.head.get("content-encoding")
            css = decode_entity(entity, coding, LARGEST_STYLESHEET)
        except NewsmorgueError as error:
            yield EndVisit(answer.visit, "stored", str(error))
            return
        yield _found_in_asset(answer, css_requisites(css, answer.claim.url, answer.source.assets))
    kept = answer.recorded.capture
    yield EndVisit(answer.visit, "unchanged" if kept is not None and kept.kind == "revisit" else "stored")


def _read_moved_asset(answer: Answer) -> Iterator[Intent]:
    """Pictures are often at another site's: wherever the guard lets a request go, a redirect may lead."""
    target = absolute_address(answer.head.get("location"), answer.claim.url)
    if target is None or answer.claim.hops >= MAX_HOPS:
        yield EndVisit(answer.visit, "failed", "redirect that leads nowhere")
        return
    yield _found_in_asset(answer, (target,))
    yield EndVisit(answer.visit, "redirected", target)


def _found_in_asset(answer: Answer, urls: tuple[str, ...]) -> DiscoverAssets:
    return DiscoverAssets(answer.source.slug, answer.claim.url, urls, answer.claim.hops + 1)


def _read_redirect(answer: Answer) -> Intent:
    target = absolute_address(_as_sent(answer.head.get("location") or ""), answer.claim.url)
    if target is None:
        return failed(answer, "redirect without an http address in Location")
    if not is_ours(answer.source, target):
        if answer.claim.role in PAGE_ROLES:
            return EndVisit(answer.visit, "not_story", f"redirects to another site: {target[:500]}")
        return failed(
            answer, f"redirects to another site: {target[:500]}; if that is the source now, crawl it by that address"
        )
    return FileRedirect(answer.visit, target, answer.claim.hops, answer.now)


def _as_sent(value: str) -> str:
    """A header field's value, which is read as Latin-1, as the UTF-8 that many servers send in Location."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _read_absence(answer: Answer) -> Intent:
    if answer.claim.role == Role.ASSET:
        return EndVisit(answer.visit, "gone", str(answer.head.status))
    if answer.claim.role in PAGE_ROLES or answer.claim.found_in == GUESS:
        return FileGone(answer.visit, answer.head.status, answer.now)
    return failed(answer, f"status {answer.head.status}")


def _read_content(answer: Answer) -> Iterator[Intent | FetchedPage]:
    if answer.claim.role in PAGE_ROLES:
        yield _read_page(answer)
        return
    try:
        body = decode_entity(answer.recorded.exchange.entity, answer.head.get("content-encoding"), LARGEST_LIST)
    except NewsmorgueError as error:
        yield failed(answer, str(error))
        return
    findings, problem = _FINDERS[answer.claim.role](answer, body)
    yield from discoveries(answer.source.slug, answer.claim.url, findings)
    if problem and not findings and answer.claim.found_in == OPERATOR:
        yield failed(answer, problem)
    elif answer.claim.role == Role.HOME and urlsplit(answer.claim.url).path.strip("/"):
        yield _read_page(answer)  # "home" is what the operator typed: it may well be a story
    else:
        yield EndVisit(answer.visit, "listed", problem)


def _read_page(answer: Answer) -> Intent | FetchedPage:
    if answer.head.media_type not in HTML_TYPES:
        return EndVisit(answer.visit, "not_story", answer.head.media_type or "no Content-Type")
    return page_of(answer)


def page_of(answer: Answer) -> FetchedPage:
    """The answer as a page to be cleaned."""
    return FetchedPage(
        answer.visit,
        answer.recorded.exchange.entity,
        answer.head.get("content-encoding"),
        answer.head.charset,
        answer.source.assets,
        answer.source.selectors,
    )


def discoveries(source: str, found_in: str, findings: Iterable[Finding]) -> Iterator[Discover]:
    """Findings in batches that a commit takes in its stride."""
    remaining = iter(findings)
    while batch := tuple(islice(remaining, _BATCH)):
        yield Discover(source, found_in, batch)


def _in_home(answer: Answer, body: bytes) -> _Found:
    feeds = [url for url in feeds_linked_from(body, answer.claim.url) if is_ours(answer.source, url)]
    links = story_links(body, answer.claim.url, answer.source.hosts)
    return [*(Finding(url, Role.FEED) for url in feeds), *_stories(answer, links, Role.LINK)], None


def _in_feed(answer: Answer, body: bytes) -> _Found:
    feed = parse_feed(body, answer.claim.url)
    return list(_stories(answer, feed.mentions, Role.STORY)), feed.problem


def _in_sitemap(answer: Answer, body: bytes) -> _Found:
    sitemap = parse_sitemap(body, answer.claim.url)
    children = [Finding(child.url, Role.SITEMAP) for child in sitemap.children if is_ours(answer.source, child.url)]
    return [*children, *_stories(answer, sitemap.mentions, Role.STORY)], sitemap.problem


def _stories(answer: Answer, mentions: Iterable[Mention], role: Role) -> Iterator[Finding]:
    """The mentions on the source's own site, but for its home page."""
    home = address_key(answer.source.home)
    for mention in mentions:
        if is_ours(answer.source, mention.url) and address_key(mention.url) != home:
            yield Finding(mention.url, role, mention.stated)


_FINDERS = {Role.HOME: _in_home, Role.FEED: _in_feed, Role.SITEMAP: _in_sitemap}
