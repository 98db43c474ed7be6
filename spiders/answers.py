"""What an answer means: from a recorded exchange to intents and pages. Pure: no Scrapy, no network, no clock."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import islice
from urllib.parse import urlsplit

from newsmorgue.archive.capture import HTML_TYPES, PAGE_ROLES, Assets, Role
from newsmorgue.archive.exchange import HttpHead
from newsmorgue.archive.frontier import Claim, KnownList
from newsmorgue.capture.entity import decode_entity
from newsmorgue.capture.policy import TDM, marks_of
from newsmorgue.capture.recorder import Recorded
from newsmorgue.errors import NewsmorgueError
from newsmorgue.pipelines.items import FetchedList, FetchedPage
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.links import is_advert
from newsmorgue.spiders.lists import ListPage
from newsmorgue.spiders.mentions import absolute_address
from newsmorgue.spiders.readers import Reader
from newsmorgue.spiders.requisites import css_requisites
from newsmorgue.stories.assets import DiscoverAssets
from newsmorgue.stories.discovery import Discover, Finding, NextPage
from newsmorgue.stories.filing import (
    MAX_HOPS,
    RETRY_AFTER,
    EndVisit,
    FailUnvouched,
    FileGone,
    FileRedirect,
    FileUnmodified,
    Intent,
    Visit,
)
from newsmorgue.stories.identity import Address, same_site
from newsmorgue.urls import address_key, host_and_port

OPERATOR = "operator"  # found_in of what was typed or configured, or what robots.txt names
GUESS = "guess"  # found_in of addresses that nobody named, but which many sites have
LARGEST_STYLESHEET = 4 << 20
# Each is a transaction of its own, and holds the crawl up for some hundredths of a second.
_BATCH = 100
_MOST_LINKS = 5000
# Further pages of a section: what a crawl reads as long as each has something new, and with a day to go back to.
MOST_PAGES = 50
MOST_PAGES_SINCE = 2000
MOST_OTHER_HOSTS = 5
_MAY_BE_ELSEWHERE = frozenset({Role.FEED, Role.SITEMAP})
_UNVOUCHED = frozenset({Role.LINK, Role.SECTION})
_LONGEST_WAIT = timedelta(days=1)


def address_of(source: SourceConfiguration, url: str, key: str) -> Address:
    """A URL of a source, as identity sees it: a page on one of the source's other hosts may name its home's."""
    return Address(source.slug, frozenset((*source.hosts, urlsplit(source.home).netloc)), url, key)


def is_ours(source: SourceConfiguration, url: str) -> bool:
    """Whether a URL is on the source's own site."""
    return same_site(address_of(source, source.home, ""), url)


def in_charge(source: SourceConfiguration, sitemaps: Iterable[str]) -> list[str]:
    """The sitemaps that are read of those that the source's robots.txt names: its owner may keep them at another site
    (sitemaps.org, "Sitemaps & Cross Submits"). At five others at most: nobody's file sends a crawl round the world."""
    named = list(sitemaps)
    others = list(dict.fromkeys(host_and_port(url) for url in named if not is_ours(source, url)))[:MOST_OTHER_HOSTS]
    return [url for url in named if is_ours(source, url) or host_and_port(url) in others]


def strays(source: SourceConfiguration, known: Sequence[KnownList], named: Sequence[str]) -> list[str]:
    """The keys of sitemaps at other sites that nobody there is in charge of any more: neither does ``named`` lead to
    that site, nor does a sitemap of the source's redirect to it."""
    targets = {one.leads_to for one in known if is_ours(source, one.url)}
    said = [*named, *(one.url for one in known if one.key in targets)]
    elsewhere = (one for one in known if not is_ours(source, one.url))
    return [one.key for one in elsewhere if not any(is_beside(source, url, one.url) for url in said)]


def is_beside(source: SourceConfiguration, url: str, other: str) -> bool:
    """Whether a list at another site, at ``url``, and ``other`` are at the same one."""
    return same_site(address_of(source, url, ""), other)


@dataclass(frozen=True, slots=True)
class Answer:
    """A claimed URL, what became of its exchange, and when; ``since``: how far back the crawl looks, if told.

    ``reader`` and ``change`` are the source's own ways to read this list, if it has a spider with such.
    """

    source: SourceConfiguration
    claim: Claim
    recorded: Recorded
    run: str
    now: datetime
    since: date | None = None
    reader: Reader | None = None
    change: Callable[[Found], Found | None] | None = None

    @property
    def head(self) -> HttpHead:
        """The response's head."""
        return self.recorded.exchange.head

    @property
    def visit(self) -> Visit:
        """The visit that this answer ends."""
        claim = self.claim
        address = address_of(self.source, claim.url, claim.key)
        # Of what was not kept as it came, a 304 would have nothing to refer to but what was kept before it.
        is_kept = self.head.status == 200 and self.recorded.refusal is None
        validators = (self.head.get("etag"), self.head.get("last-modified")) if is_kept else (None, None)
        return Visit(address, self.run, claim.reason, claim.role, self.recorded.capture, *validators)


def read_answer(answer: Answer) -> Iterator[Intent | FetchedPage | FetchedList]:
    """Everything an answer leads to. Exactly one of the items ends the visit, sooner or later."""
    status, refused = answer.head.status, answer.recorded.refusal
    if refused and answer.recorded.capture is None and not may_follow(answer):
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


def may_follow(answer: Answer) -> bool:
    """Whether a list is read for its addresses: ``noarchive`` speaks of keeping, a TDM reservation of reading."""
    is_list = answer.claim.role not in PAGE_ROLES and answer.claim.role != Role.ASSET
    marks = marks_of(answer.head, answer.recorded.exchange.entity) if answer.recorded.refusal else ()
    return is_list and not any(mark.reason == TDM for mark in marks)


def failed(answer: Answer, why: str) -> EndVisit | FailUnvouched:
    """A failure, to be tried again later; for an address nobody vouched for, only the fact that nothing is there."""
    if answer.claim.role in _UNVOUCHED or answer.claim.found_in == GUESS:
        return FailUnvouched(answer.visit, why, answer.now + RETRY_AFTER)
    return EndVisit(answer.visit, "failed", why, answer.now + RETRY_AFTER)


def retry_time(head: HttpHead, now: datetime) -> datetime:
    """When Retry-After (RFC 9110 §10.2.3: seconds or a date) allows the next try: at most a day, else 15 minutes."""
    value = (head.get("retry-after") or "").strip()
    if value.isdecimal():
        return now + min(timedelta(seconds=int(value[:9])), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return now + RETRY_AFTER
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
    if not is_ours(answer.source, target) and not _is_list_moved(answer, target):
        if answer.claim.role in PAGE_ROLES:
            return EndVisit(answer.visit, "not_story", f"redirects to another site: {target[:500]}")
        return failed(
            answer, f"redirects to another site: {target[:500]}; if that is the source now, crawl it by that address"
        )
    # A further page of a list counts how far back it is, not redirects.
    most = MOST_PAGES_SINCE if answer.claim.role == Role.OLDER else MAX_HOPS
    return FileRedirect(answer.visit, target, answer.claim.hops, answer.now, most)


def _is_list_moved(answer: Answer, target: str) -> bool:
    """Whether the site itself says that its feed or sitemap is elsewhere, or one that is moves within that place."""
    is_said = is_ours(answer.source, answer.claim.url) or is_beside(answer.source, answer.claim.url, target)
    return answer.claim.role in _MAY_BE_ELSEWHERE and is_said


def _as_sent(value: str) -> str:
    """A header field's value, which is read as Latin-1, as the UTF-8 that many servers send in Location."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _read_absence(answer: Answer) -> Intent:
    if answer.claim.role in PAGE_ROLES:
        return FileGone(answer.visit, answer.head.status, answer.now)
    if answer.claim.role == Role.HOME or answer.claim.found_in == OPERATOR:
        return failed(answer, f"status {answer.head.status}")
    return EndVisit(answer.visit, "gone", str(answer.head.status))  # a dead link of the site's is no failure of ours


def _read_content(answer: Answer) -> Iterator[Intent | FetchedPage | FetchedList]:
    if answer.claim.role in PAGE_ROLES:
        yield _read_page(answer)
        return
    head, url = answer.head, answer.claim.url
    entity, coding = answer.recorded.exchange.entity, head.get("content-encoding")
    page = ListPage(answer.claim.role, url, entity, coding, head.charset, answer.source.hosts, answer.reader)
    yield FetchedList(answer.visit, page, partial(list_intents, answer))


def list_intents(answer: Answer, found: Iterable[Found]) -> Iterator[Intent | FetchedPage]:
    """What a list says, as intents: batches that a commit takes in its stride, and last what ends the visit."""
    source, here = answer.source.slug, answer.claim.url
    told = _Told()
    if answer.reader is not None and answer.change is not None:
        found = filter(None, map(answer.change, found))
    # A page is settled at once: whether it has anything new says whether its next page is wanted.
    has_pages = answer.claim.role not in (Role.SITEMAP, Role.FEED) or answer.reader is not None
    size = _MOST_LINKS if has_pages and answer.claim.role != Role.SITEMAP else _BATCH
    for findings in _batches(_on_site(answer, told.noting(found)), size):
        yield Discover(source, here, tuple(findings), then=told.next_page(answer))
    if told.guesses:
        yield Discover(source, GUESS, tuple(told.guesses))
    yield _ending(answer, told)


def _ending(answer: Answer, told: "_Told") -> Intent | FetchedPage:
    if told.problem and not told.count and answer.claim.found_in == OPERATOR:
        return failed(answer, told.problem)
    if answer.claim.role == Role.HOME and urlsplit(answer.claim.url).path.strip("/") and not answer.recorded.refusal:
        return _read_page(answer)  # "home" is what the operator typed: it may well be a story
    return EndVisit(answer.visit, "listed", told.problem)


@dataclass(slots=True)
class _Told:
    """What a list says beside its addresses, as it is read."""

    problem: str | None = None
    older: Found | None = None
    count: int = 0
    guesses: list[Finding] = field(default_factory=list)

    def noting(self, found: Iterable[Found]) -> Iterator[Found]:
        """The addresses alone; the rest is noted."""
        for one in found:
            if one.role is None:
                self.problem = one.problem
            elif one.role == Role.OLDER:
                self.older = one
            elif one.guessed:
                self.guesses.append(Finding(one.url, one.role))
            else:
                self.count += 1
                yield one

    def next_page(self, answer: Answer) -> "NextPage | None":
        """The list's next page, unless this one is as far back as the crawl goes."""
        if self.older is None or not is_ours(answer.source, self.older.url):
            return None
        since, newest = answer.since, self.older.stated
        if since is not None and newest is not None and newest < since.isoformat():
            return None
        most = MOST_PAGES if since is None else MOST_PAGES_SINCE
        depth = answer.claim.hops if answer.claim.role == Role.OLDER else 0
        if depth + 1 >= most:
            return None
        return NextPage(Finding(self.older.url, Role.OLDER), depth + 1, whatever=since is not None)


def _on_site(answer: Answer, found: Iterable[Found]) -> Iterator[Finding]:
    """What is on the source's own site, but for its home page. The rest are adverts, or another source's.

    Its feed may be at a service that counts readers: a page that declares it says so. Its sitemaps may be at another
    site too, and name further ones there. What stories they name must be here.
    """
    home = address_key(answer.source.home)
    for one in found:
        role = one.role
        if role is None or not _is_wanted(answer, role, one.url) or address_key(one.url) == home:
            continue
        if role not in PAGE_ROLES or not is_advert(one.url):
            yield Finding(one.url, role, one.stated)


def _is_wanted(answer: Answer, role: Role, url: str) -> bool:
    if role == Role.SITEMAP and is_beside(answer.source, answer.claim.url, url):
        return True
    return role == Role.FEED or is_ours(answer.source, url)


def _batches(findings: Iterable[Finding], size: int) -> Iterator[list[Finding]]:
    remaining = iter(findings)
    while batch := list(islice(remaining, size)):
        yield batch


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
        Assets.NONE if answer.recorded.refusal else answer.source.assets,
        answer.source.selectors,
        metadata_only=answer.recorded.refusal is not None,
    )
