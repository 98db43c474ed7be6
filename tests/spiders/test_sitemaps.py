"""What is read from sitemaps; the samples follow sitemaps.org and Google's news sitemaps."""

import gzip
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsmorgue.spiders.mentions import Mention
from newsmorgue.spiders.sitemaps import MOST_MENTIONS, parse_sitemap, sitemaps_in_robots

HERE = "https://example.org/sitemap.xml"
SCHEMA = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(urls: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {SCHEMA}>{urls}</urlset>'.encode()


NEWS = urlset(
    """
<url><loc> https://example.org/a?x=1&amp;y=2 </loc><lastmod>2026-01-30T10:00:00+01:00</lastmod></url>
<url><loc>https://example.org/b</loc>
 <news:news xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><news:publication><news:name>Gazette</news:name>
 </news:publication><news:publication_date>2026-01-29</news:publication_date>
 <news:title>Mayor resigns</news:title></news:news>
 <image:image xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><image:loc>https://example.org/b.jpg</image:loc>
 </image:image></url>
<url><loc>https://foreign.example/c</loc></url>
<url><loc>ftp://example.org/d</loc></url>
<url><lastmod>2026-01-30</lastmod></url>
"""
)
READ = (
    Mention("https://example.org/a?x=1&y=2", "2026-01-30T09:00:00Z"),
    Mention("https://example.org/b", "2026-01-29", "Mayor resigns"),
    Mention("https://foreign.example/c"),
)


@pytest.mark.parametrize("body", [NEWS, gzip.compress(NEWS), NEWS.replace(b"&amp;", b"&")])
def test_urls_with_what_is_said_of_them(body: bytes) -> None:
    sitemap = parse_sitemap(body, HERE)
    assert sitemap.mentions == READ
    assert sitemap.children == ()
    assert sitemap.problem is None


def test_an_index() -> None:
    body = f"""<sitemapindex {SCHEMA}>
<sitemap><loc>https://example.org/2026-01.xml.gz</loc><lastmod>2026-01-30</lastmod></sitemap>
<sitemap><loc>/2025-12.xml</loc></sitemap></sitemapindex>""".encode()
    sitemap = parse_sitemap(body, HERE)
    assert sitemap.mentions == ()
    assert sitemap.children == (
        Mention("https://example.org/2026-01.xml.gz", "2026-01-30"),
        Mention("https://example.org/2025-12.xml"),
    )


def test_one_address_a_line() -> None:
    body = (
        "\ufeffhttps://example.org/a\r\nhttps://example.org/ü\r\n\r\nno address\r\nhttps://example.org/a\r\n".encode()
    )
    assert parse_sitemap(body, HERE).mentions == (
        Mention("https://example.org/a"),
        Mention("https://example.org/%C3%BC"),
    )


def test_a_feed_may_stand_for_a_sitemap() -> None:
    body = b"<rss><channel><item><link>https://example.org/a</link></item></channel></rss>"
    assert parse_sitemap(body, HERE).mentions == (Mention("https://example.org/a"),)


def test_without_namespace_or_in_another_version_of_it() -> None:
    for start in ("<urlset>", '<urlset xmlns="http://www.google.com/schemas/sitemap/0.84">'):
        body = f"{start}<url><loc>https://example.org/a</loc></url></urlset>".encode()
        assert parse_sitemap(body, HERE).mentions == (Mention("https://example.org/a"),)


def test_a_cut_sitemap_gives_what_it_has_and_the_problem() -> None:
    inside_the_second_address = NEWS.index(b"example.org/b<") + 9
    sitemap = parse_sitemap(NEWS[:inside_the_second_address], HERE)
    assert sitemap.mentions == READ[:1]
    assert sitemap.problem is not None
    cut = parse_sitemap(gzip.compress(NEWS)[:-20], HERE)
    assert set(cut.mentions) <= set(READ)
    assert cut.problem == "the compressed body ends too early"


@pytest.mark.parametrize(
    "body",
    [b"", b"Not found", b"<!DOCTYPE html><html><body>Not found</body></html>", b"\x1f\x8b\x08broken", b"\0\0"],
)
def test_what_is_no_sitemap_is_said_to_be_none(body: bytes) -> None:
    sitemap = parse_sitemap(body, HERE)
    assert (sitemap.mentions, sitemap.children) == ((), ())
    assert sitemap.problem


def test_a_bomb_is_refused() -> None:
    bomb = gzip.compress(b"<urlset>" + bytes(60_000_000))
    assert parse_sitemap(bomb, HERE).problem == "the body unpacks to more than 52428800 bytes"


def test_the_largest_sitemap_is_read_in_seconds_and_no_more_than_it() -> None:
    line = "<url><loc>https://example.org/2026/01/30/a-story-{}</loc><lastmod>2026-01-30T10:00:00Z</lastmod></url>"
    body = urlset("".join(line.format(number) for number in range(MOST_MENTIONS + 1)))
    started = time.process_time()
    sitemap = parse_sitemap(body, HERE)
    assert time.process_time() - started < 20
    assert len(sitemap.mentions) == MOST_MENTIONS
    assert sitemap.problem == "more than 50000 addresses; the rest is not read"


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(), st.text().map(str.encode)),
    st.sampled_from([b"", b"<urlset><url><loc>", b"https://", b"\x1f\x8b\x08"]),
)
def test_nothing_raises(body: bytes, before: bytes) -> None:
    parse_sitemap(before + body, HERE)


def test_lines_of_robots_txt() -> None:
    body = (
        b"\xef\xbb\xbfSitemap: https://example.org/a.xml\r\nUser-agent: *\r\n sitemap:/b.xml # ours\r"
        b"Disallow: /\n#Sitemap: https://example.org/no.xml\nSITEMAP : https://example.org/c.xml\nSitemap:\n"
        b"Sitemap: https://example.org/a.xml\nSitemap: file:///etc/passwd\n"
    )
    assert sitemaps_in_robots(body, "https://example.org/robots.txt") == [
        "https://example.org/a.xml",
        "https://example.org/b.xml",
        "https://example.org/c.xml",
    ]
