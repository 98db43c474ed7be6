"""What is read from feeds; the samples follow the examples of each format's specification."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsmorgue.spiders.feeds import MOST_MENTIONS, parse_feed
from newsmorgue.spiders.mentions import Mention, absolute_address, normal_date, normal_title

HERE = "https://example.org/news/feed"


def rss(items: str, before: str = '<?xml version="1.0"?>') -> bytes:
    return f'{before}<rss version="2.0"><channel><title>Gazette</title>{items}</channel></rss>'.encode()


def test_rss() -> None:
    feed = parse_feed(
        rss(
            """
<link>https://example.org/</link>
<item><title>Mayor &amp; council
 resign</title><link>
  https://example.org/a?id=1&amp;b=2#top </link><pubDate>Fri, 30 Jan 2026 10:00:00 +0100</pubDate></item>
<item><title><![CDATA[Fire & smoke]]></title><link>/b</link></item>
<item><guid>https://example.org/c</guid></item>
<item><guid isPermaLink="false">https://example.org/not-this</guid></item>
<item><link>mailto:desk@example.org</link></item>
"""
        ),
        HERE,
    )
    assert feed.problem is None
    assert feed.mentions == (
        Mention("https://example.org/a?id=1&b=2", "2026-01-30T09:00:00Z", "Mayor & council resign"),
        Mention("https://example.org/b", None, "Fire & smoke"),
        Mention("https://example.org/c"),
    )


def test_atom_prefers_the_alternate_link_and_the_date_of_change() -> None:
    feed = parse_feed(
        b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/">
<link rel="self" href="https://example.org/feed"/>
<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>bold</b> title</div></title>
<link rel="self" href="/self"/><link rel="enclosure" href="/a.mp3"/>
<link rel="alternate" type="application/json" href="/a.json"/><link href="a" type="text/html"/>
<published>2026-01-30T08:00:00Z</published><updated>2026-01-30T10:30:00.5+01:00</updated></entry>
<entry><id>https://example.org/by-id</id><published>2026-01-30</published></entry>
<entry><id>tag:example.org,2026:1</id></entry></feed>""",
        HERE,
    )
    assert feed.mentions == (
        Mention("https://example.org/a", "2026-01-30T09:30:00Z", "A bold title"),
        Mention("https://example.org/by-id", "2026-01-30"),
    )


def test_rdf_and_the_vocabularies_that_feeds_mix_in() -> None:
    feed = parse_feed(
        b"""<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">
<channel rdf:about="https://example.org/"><link>https://example.org/</link></channel>
<item rdf:about="https://example.org/one"><media:title>A picture</media:title><title>One</title>
<link>https://counter.example/one</link><feedburner:origLink>https://example.org/one</feedburner:origLink>
<dc:date>2026-01-30T10:00:00+01:00</dc:date></item>
<item rdf:about="https://example.org/two"/></rdf:RDF>""",
        HERE,
    )
    assert feed.mentions == (
        Mention("https://example.org/one", "2026-01-30T09:00:00Z", "One"),
        Mention("https://example.org/two"),
    )


def test_json_feed() -> None:
    body = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {
                "id": "1",
                "url": "https://example.org/1",
                "title": "One",
                "date_published": "2026-01-30T10:00:00+01:00",
                "date_modified": "2026-01-31T00:00:00Z",
            },
            {"id": "https://example.org/2", "title": 7},
            {"id": "3"},
            "no item",
        ],
    }
    assert parse_feed(b"\xef\xbb\xbf" + json.dumps(body).encode(), HERE).mentions == (
        Mention("https://example.org/1", "2026-01-31T00:00:00Z", "One"),
        Mention("https://example.org/2"),
    )


@pytest.mark.parametrize(
    "body",
    [
        rss("<item><link>https://example.org/a?x=1&y=2</link><title>Caf&eacute; &copy; R&D</title></item>"),
        rss(
            "<item><link>https://example.org/a?x=1&amp;y=2</link><title>Café © R&amp;D</title></item>",
            "\n\n ",
        ),
        rss(
            "<item><link>https://example.org/a?x=1&amp;y=2</link><title>Café © R&amp;D</title></item>",
            "<br/>\n<b>Warning</b>: in line 3\n<?xml version='1.0'?>",
        ),
        rss("<item><link>https://example.org/a?x=1&amp;y=2</link><title>Café © R&amp;D\x0c</title></item>")[:-16],
        rss("<item><link>https://example.org/a?x=1&amp;y=2</link><title>Café © R&amp;D</title></item>", "")
        .decode()
        .encode("utf-16"),
        ("<?xml version='1.0' encoding='iso-8859-1'?>" + rss("", "").decode())
        .replace(
            "</channel>",
            "<item><link>https://example.org/a?x=1&amp;y=2</link><title>Café © R&amp;D</title></item></channel>",
        )
        .encode("latin-1"),
    ],
    ids=["bare ampersand", "white space first", "warning first", "cut", "utf-16", "latin-1"],
)
def test_common_mistakes_cost_nothing(body: bytes) -> None:
    assert parse_feed(body, HERE).mentions == (Mention("https://example.org/a?x=1&y=2", None, "Café © R&D"),)


@pytest.mark.parametrize(
    "cut", ["<item><link>https://example.org/b", "<item><link>https://example.org/b</li", "<item>"]
)
def test_a_cut_feed_gives_what_is_whole_and_the_problem(cut: str) -> None:
    whole = "<item><link>https://example.org/a</link></item>"
    feed = parse_feed(rss(whole + cut).removesuffix(b"</channel></rss>"), HERE)
    assert feed.mentions == (Mention("https://example.org/a"),)
    assert feed.problem is not None
    assert feed.problem.startswith("line 1:")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<!DOCTYPE html><html><body><p>Not found<item>x</item></body></html>",
        b"{",
        b"{}",
        b'{"items": 3}',
        b"[" * 100_000,
        b'{"items": ' + b"[" * 100_000,
        b'{"items": ' + b"1" * 10_000 + b"}",
        b"\0" * 1000,
    ],
)
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    feed = parse_feed(body, HERE)
    assert feed.mentions == ()
    assert feed.problem


@pytest.mark.parametrize(
    "body",
    [
        rss("<item " + " ".join(f"a{number}='x'" for number in range(40_000)) + "/>"),
        rss("<item>" + "<a>" * 100_000),
        rss("<item>" * 100_000),
        rss("<item><title>" + "&" * 1_000_000),
        rss("<item><title>" + "&a;" * 200_000),
        rss("<item><title>" + "<![CDATA[" * 100_000),
        rss("<item><link>" + " " * 500_000),
        rss("<item><link>https://example.org/a</link><pubDate>" + "1 " * 100_000 + "</pubDate></item>"),
        b"<!DOCTYPE x [" + b"<!ENTITY " * 100_000 + b"]>" + rss(""),
        rss("<item>" + "<!--" * 200_000),
    ],
)
def test_a_hostile_feed_costs_no_more_than_its_length(body: bytes) -> None:
    started = time.process_time()
    parse_feed(body, HERE)
    assert time.process_time() - started < 8


def test_entities_of_a_document_type_are_neither_fetched_nor_expanded() -> None:
    laughs = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12))
    before = f'<!DOCTYPE rss [<!ENTITY a0 "ha">{laughs}<!ENTITY file SYSTEM "file:///etc/passwd">]>'
    items = "<item><link>https://example.org/a</link><title>&a11;&file;</title></item>"
    assert parse_feed(rss(items, before), HERE).mentions == (Mention("https://example.org/a", None, "&a11;&file;"),)


def test_no_more_entries_than_allowed() -> None:
    items = "".join(f"<item><link>/{number}</link></item>" for number in range(MOST_MENTIONS + 5))
    feed = parse_feed(rss(items), HERE)
    assert len(feed.mentions) == MOST_MENTIONS
    assert feed.problem == "more than 10000 entries"


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(), st.text().map(str.encode)),
    st.sampled_from([b"", b"<rss><item>", b"{", b"<feed><entry><link>"]),
)
def test_nothing_raises(body: bytes, before: bytes) -> None:
    parse_feed(before + body, HERE)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("../a", "https://example.org/a"),
        ("//other.example/x", "https://other.example/x"),
        ("HTTPS://Example.org/A", "https://example.org/A"),
        ("https://example.org/ü ü?q=ä", "https://example.org/%C3%BC%20%C3%BC?q=%C3%A4"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.org/%7Ea%zz", "https://example.org/%7Ea%zz"),
        ("https://example.org/a\nb", None),
        ("https://example.org/a\r\nWARC-Target-URI: x", None),
        ("https://example.org/\x00", None),
        ("https://example.org/\u2028", None),
        ("https://example.org/\ud800", None),
        ("https://user:pw@example.org/", None),
        ("https://example.org:0/", None),
        ("https://example.org:99999/", None),
        ("https://[::1/", None),
        ("http://", None),
        ("ftp://example.org/", None),
        ("data:text/html,x", None),
        ("https://example.org/" + "a" * 3000, None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_are_taken(raw: str | None, meant: str | None) -> None:
    assert absolute_address(raw, "https://example.org/x/") == meant


@given(st.text())
def test_what_is_taken_is_ascii_without_controls_and_taken_again_the_same(raw: str) -> None:
    url = absolute_address(raw, "https://example.org/x/")
    if url is not None:
        assert url.isascii()
        assert url.isprintable()
        assert " " not in url
        assert absolute_address(url, "https://other.example/") == url


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("2026-01-30T10:00:00Z", "2026-01-30T10:00:00Z"),
        ("2026-01-30T10:00+01:00", "2026-01-30T09:00:00Z"),
        ("2026-01-30 10:00:00", "2026-01-30T10:00:00"),
        ("2026-01", "2026-01"),
        ("30 Jan 26 10:00 EST", "2026-01-30T15:00:00Z"),
        ("Fri, 30 Jan 2026 10:00:00 -0000", "2026-01-30T10:00:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("yesterday\nat noon", "yesterday at noon"),
        ("  ", None),
        (None, None),
    ],
)
def test_dates(raw: str | None, meant: str | None) -> None:
    assert normal_date(raw) == meant


def test_titles_are_one_bounded_line() -> None:
    assert normal_title(" a\x00b\r\n\u2028c ") == "a b c"
    assert normal_title("x" * 1000) == "x" * 500
    assert normal_title("\n") is None
