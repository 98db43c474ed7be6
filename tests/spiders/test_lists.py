"""Lists on their way from a worker to the frontier: whole, in constant memory, and holding nothing up."""

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from newsmorgue.archive.capture import Role
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.pipelines.items import FetchedList
from newsmorgue.pipelines.lists import ListPipeline
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.lists import ListPage, read_list, unpack
from newsmorgue.spiders.sitemaps import SitemapStream
from newsmorgue.stories.discovery import Discover, Finding

HERE = "https://example.org/sitemap.xml"
LARGEST = 50_000


def sitemap(addresses: int, before: str = "") -> bytes:
    line = "<url><loc>https://example.org/2026/01/30/a-story-{}</loc><lastmod>2026-01-30T10:00:00Z</lastmod></url>\n"
    urls = "".join(line.format(number) for number in range(addresses))
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}<urlset>{urls}</urlset>'.encode()


def page(body: bytes, role: Role = Role.SITEMAP) -> ListPage:
    return ListPage(role, HERE, body, None, None)


def test_what_is_packed_comes_out_again() -> None:
    body = b"""<a href="/2026/01/30/mayor-resigns">Mayor</a><nav><a href="/world/">World</a></nav>
    <link rel=alternate type=application/rss+xml href=/feed.xml><a rel=next href="/sitemap.xml?page=2">Next</a>"""
    assert list(unpack(read_list(page(body, Role.HOME)))) == [
        Found(Role.FEED, "https://example.org/feed.xml"),
        Found(Role.SECTION, "https://example.org/world/"),
        Found(Role.LINK, "https://example.org/2026/01/30/mayor-resigns"),
        Found(Role.OLDER, "https://example.org/sitemap.xml?page=2", "2026-01-30"),
    ]
    assert list(unpack(read_list(page(b"no sitemap")))) == [
        Found(None, "", problem="no sitemap: neither XML nor one address a line")
    ]


def most_memory(body: bytes) -> int:
    """Bytes that reading a sitemap holds at most, beside the body itself (of what Python allocates)."""
    tracemalloc.start()
    for _ in SitemapStream(body, HERE):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_ten_times_the_addresses_take_no_more_memory(pack: Any) -> None:
    small, large = most_memory(pack(sitemap(1_000))), most_memory(pack(sitemap(10_000)))
    assert large < 1.2 * small + 100_000, (small, large)


def test_a_cut_in_any_place_of_a_document_in_pieces_loses_nothing_before_it() -> None:
    # What stands between two pieces: a character of several bytes, an entity, a CDATA section, a bare ampersand.
    urls = "".join(
        f"<url><loc>https://example.org/stra\u00dfe-{number}?a=1&b={number}</loc></url>"
        f"<url><loc><![CDATA[https://example.org/c>d-{number}?x=1&y=2]]></loc></url>"
        for number in range(2_000)
    )
    found = [mention.url for _, mention in SitemapStream(f"<urlset>{urls}</urlset>".encode(), HERE)]
    assert len(found) == 4_000
    assert found[2468] == "https://example.org/stra%C3%9Fe-1234?a=1&b=1234"
    assert found[2469].endswith("d-1234?x=1&y=2")


class Counting:
    """The recorder's part, to see how much is handed over at a time."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def add(self, intent: Discover) -> None:
        self.batches.append(len(intent.findings))

    def commit(self) -> None:
        """Of a batch."""


def in_batches(found: Iterator[Found]) -> Iterator[Any]:
    while batch := tuple(islice(found, 100)):
        yield Discover("demo", HERE, tuple(Finding(one.url, Role.STORY, one.stated) for one in batch))
    yield "the end of the visit"


def test_the_crawl_goes_on_while_the_largest_sitemap_is_read() -> None:
    counting: Any = Counting()
    visit: Any = None

    async def read() -> tuple[Any, float, int]:
        """How it ended; the most of the processor's time, and the most batches, between two turns of others."""
        await pool.read_list(page(sitemap(1)))  # a worker's start is another matter
        longest, last, most, seen = 0.0, time.thread_time(), 0, 0
        pipeline = ListPipeline(counting, pool)
        task = asyncio.ensure_future(pipeline.process_item(FetchedList(visit, page(sitemap(LARGEST)), in_batches)))
        while not task.done():
            await asyncio.sleep(0)
            now, handed_over = time.thread_time(), len(counting.batches)
            longest, last = max(longest, now - last), now
            most, seen = max(most, handed_over - seen), handed_over
        return task.result(), longest, most

    pool = CleaningPool(1)
    try:
        ending, longest, most = asyncio.run(read())
    finally:
        pool.close()
    assert ending == "the end of the visit"
    assert sum(counting.batches) == LARGEST  # whole
    assert max(counting.batches) == 100
    assert most == 1
    assert longest < 1.0  # on a slow machine; some hundredths of a second otherwise
