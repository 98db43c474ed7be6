"""How one site's lists are read, where the usual way does not do: values that pass to the worker process that reads.

Pure: no Scrapy, no network, no clock. Each names stories with the dates given for them, and the list's next page.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from lxml import etree
from lxml.cssselect import CSSSelector

from newsmorgue.archive.capture import Role
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.parse import parse
from newsmorgue.errors import CleaningFailed
from newsmorgue.spiders.feeds import parse_feed
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.listing import read_listing
from newsmorgue.spiders.mentions import absolute_address, normal_date
from newsmorgue.spiders.sitemaps import SitemapStream

_NAME = re.compile(r"\{(\w+)\}")
_MOST_ITEMS = 10_000


class Reader(Protocol):
    """Reads a list that came from ``url`` (its content-coding undone). Never raises for what a site may send."""

    def read(self, body: bytes, url: str, charset: str | None) -> Iterator[Found]:
        """What the list says, in its order."""


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A feed, and of it the addresses that ``story`` (a regular expression) is found in."""

    story: str = ""

    def read(self, body: bytes, url: str, charset: str | None) -> Iterator[Found]:
        """See :class:`Reader`."""
        feed = parse_feed(body, url)
        for mention in feed.mentions:
            if re.search(self.story, mention.url):
                yield Found(Role.STORY, mention.url, mention.stated)
        yield from _problem(feed.problem)


@dataclass(frozen=True, slots=True)
class SitemapReader:
    """A sitemap or an index of them: stories and sitemaps by the regular expressions found in their addresses."""

    story: str = ""
    sitemap: str = ""

    def read(self, body: bytes, url: str, charset: str | None) -> Iterator[Found]:
        """See :class:`Reader`."""
        stream = SitemapStream(body, url)
        for is_sitemap, mention in stream:
            if is_sitemap and re.search(self.sitemap, mention.url):
                yield Found(Role.SITEMAP, mention.url, mention.stated)
            elif not is_sitemap and re.search(self.story, mention.url):
                yield Found(Role.STORY, mention.url, mention.stated)
        yield from _problem(stream.problem)


@dataclass(frozen=True, slots=True)
class SectionReader:
    """A page that lists stories: ``story`` and ``next_page`` are CSS selectors of links, or of what holds one."""

    story: str
    next_page: str | None = None

    def read(self, body: bytes, url: str, charset: str | None) -> Iterator[Found]:
        """See :class:`Reader`."""
        try:
            root, _ = parse(decode(body, charset))
        except CleaningFailed as error:
            yield from _problem(str(error))
            return
        base = next((absolute_address(one.get("href"), url) for one in root.iter("base")), None) or url
        stories = dict.fromkeys(_links(root, self.story, base))
        yield from (Found(Role.STORY, story) for story in stories)
        following = next(_links(root, self.next_page, base), None) if self.next_page else None
        if following:
            newest = read_listing(body, url, charset=charset).newest
            yield Found(Role.OLDER, following, newest.isoformat() if newest else None)
        yield from _problem(None if stories else f"nothing on the page is {self.story}")


@dataclass(frozen=True, slots=True)
class JsonReader:
    """A list in JSON. ``items``, ``url``, ``date``, ``next_page`` are paths of names (``data.stories``).

    ``items`` leads to the list (empty: the document itself is it), ``url`` and ``date`` start at each item. ``address``
    makes the URL where none is given: ``/story/{id}``, each name being one of the item's. The next page is what
    ``next_page`` leads to, or this page's address with one more in its parameter ``page``, as long as items come.
    """

    items: str = ""
    url: str = "url"
    address: str | None = None
    date: str | None = None
    next_page: str | None = None
    page: str | None = None

    def read(self, body: bytes, url: str, charset: str | None) -> Iterator[Found]:
        """See :class:`Reader`."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            yield from _problem(f"not JSON: {error}")
            return
        items = _at(document, self.items)
        if not isinstance(items, list):
            yield from _problem(f"no list at '{self.items}'")
            return
        stories = [found for item in items[:_MOST_ITEMS] if (found := self._story(item, url))]
        yield from stories
        following = self._following(document, url) if items else None
        if following:
            yield Found(Role.OLDER, following, max((one.stated for one in stories if one.stated), default=None))
        yield from _problem(None if stories or not items else f"no item has an address at '{self.url}'")

    def _story(self, item: Any, url: str) -> Found | None:
        given = _NAME.sub(lambda name: _spelled(item, name[1]), self.address) if self.address else _at(item, self.url)
        story = absolute_address(given if isinstance(given, str) else None, url)
        stated = _at(item, self.date) if self.date else None
        return Found(Role.STORY, story, normal_date(stated) if isinstance(stated, str) else None) if story else None

    def _following(self, document: Any, url: str) -> str | None:
        if self.next_page:
            given = _at(document, self.next_page)
            return absolute_address(given, url) if isinstance(given, str) else None
        if self.page is None:
            return None
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        number = query.get(self.page, "1")
        query[self.page] = str(int(number) + 1) if re.fullmatch(r"\d{1,6}", number) else "2"
        return parts._replace(query=urlencode(query)).geturl()


def _at(value: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _spelled(item: Any, name: str) -> str:
    value = _at(item, name)
    return quote(str(value), safe="") if isinstance(value, str | int) else ""


def _links(root: etree._Element, selector: str, base: str) -> Iterator[str]:
    for element in cast("Iterable[etree._Element]", CSSSelector(selector, translator="html")(root)):
        link = element if element.get("href") else next((one for one in element.iter("a") if one.get("href")), None)
        found = absolute_address(link.get("href"), base) if link is not None else None
        if found:
            yield found


def _problem(problem: str | None) -> Iterator[Found]:
    if problem:
        yield Found(None, "", problem=problem)
