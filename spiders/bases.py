"""Base spiders for sites that need one of their own: one for each way of publishing.

A site's spider is one small file: a class with a ``name`` (that of its source), the addresses of its lists, and what
in them is a story. Everything else is the news spider's: frontier, manners, record, stages. ``morgue.toml`` names the
file::

    [sources.example]
    home = "https://example.org/"
    spider = "example.py"

Where attributes do not do, :meth:`ListSpider.change` sees each thing that a list says.
"""

from typing import Any, ClassVar, Self
from urllib.parse import urljoin

from scrapy.crawler import Crawler

from newsmorgue.archive.capture import Role
from newsmorgue.archive.frontier import Claim
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.news import NewsSpider
from newsmorgue.spiders.readers import FeedReader, JsonReader, Reader, SectionReader, SitemapReader
from newsmorgue.urls import address_key


class ListSpider(NewsSpider):
    """What the bases have in common: its lists are read by its reader, in each crawl, and nothing else is."""

    lists: ClassVar[tuple[str, ...]] = ("/",)
    """Where the lists are, seen from the source's home."""
    list_role: ClassVar[Role] = Role.FEED

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Scrapy's way to make a spider; without ``source`` it is the one of the spider's name."""
        kwargs.setdefault("source", cls.name)
        return super().from_crawler(crawler, *args, **kwargs)

    @classmethod
    def reader(cls) -> Reader:
        """How a list is read."""
        raise NotImplementedError(f"{cls.__name__}: use one of the bases in {__name__}")

    @classmethod
    def read(cls, body: bytes, url: str, charset: str | None = None) -> list[Found]:
        """What a list says, for a test with a file: ``body`` came from ``url``."""
        return list(cls.reader().read(body, url, charset))

    def change(self, found: Found) -> Found | None:
        """A thing that a list says, made right; None to pass it over."""
        return found

    def reader_for(self, claim: Claim) -> Reader | None:
        """Its own reader for its own lists, their next pages, and what lists they name."""
        mine = {address_key(urljoin(self.source.home, address)) for address in self.lists}
        return self.reader() if claim.key in mine or claim.role in (Role.OLDER, Role.SITEMAP) else None

    async def seeds(self) -> tuple[list[tuple[str, Role]], list[tuple[str, Role]]]:
        """Its lists alone."""
        return [(urljoin(self.source.home, address), self.list_role) for address in self.lists], []


class FeedSpider(ListSpider):
    """``lists`` are feeds; ``story``: a regular expression that is found in the address of each story."""

    story: ClassVar[str] = ""

    @classmethod
    def reader(cls) -> Reader:
        """See :class:`ListSpider`."""
        return FeedReader(cls.story)


class SitemapSpider(ListSpider):
    """``lists`` are sitemaps or indexes; ``story`` and ``sitemap``: what is found in the addresses of those wanted."""

    lists = ("/sitemap.xml",)
    list_role = Role.SITEMAP
    story: ClassVar[str] = ""
    sitemap: ClassVar[str] = ""

    @classmethod
    def reader(cls) -> Reader:
        """See :class:`ListSpider`."""
        return SitemapReader(cls.story, cls.sitemap)


class SectionSpider(ListSpider):
    """``lists`` are pages; ``story`` and ``next_page``: CSS selectors of the links, or of what holds one."""

    story: ClassVar[str] = "a"
    next_page: ClassVar[str | None] = None

    @classmethod
    def reader(cls) -> Reader:
        """See :class:`ListSpider`."""
        return SectionReader(cls.story, cls.next_page)


class JsonSpider(ListSpider):
    """``lists`` are JSON; the other attributes are those of :class:`~newsmorgue.spiders.readers.JsonReader`."""

    items: ClassVar[str] = ""
    url: ClassVar[str] = "url"
    address: ClassVar[str | None] = None
    date: ClassVar[str | None] = None
    next_page: ClassVar[str | None] = None
    page: ClassVar[str | None] = None

    @classmethod
    def reader(cls) -> Reader:
        """See :class:`ListSpider`."""
        return JsonReader(cls.items, cls.url, cls.address, cls.date, cls.next_page, cls.page)
