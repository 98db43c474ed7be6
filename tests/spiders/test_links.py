"""What is taken from a page's links. The shapes of addresses are those of well-known kinds of news sites."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsmorgue.spiders.links import feeds_linked_from, looks_like_story, page_links, story_links
from newsmorgue.spiders.mentions import Mention

HOME = "https://www.example.org/"


def test_feeds_in_the_head() -> None:
    page = b"""<html><head><base href="https://www.example.org/news/">
<link rel="alternate" type="application/rss+xml" title="News" href="rss.xml">
<LINK REL='Alternate home' TYPE='application/atom+xml; charset=utf-8' HREF='/atom?a=1&amp;b=2'/>
<link rel=alternate type=application/feed+json href=https://feeds.example/json>
<link rel="alternate" type="application/json" title="JSON Feed" href="/feed.json">
<link rel="alternate" type="application/json" title="JSON" href="/wp-json/wp/v2/pages/2">
<link rel="alternate" type="application/rss+xml" href="/comments/feed/">
<link rel="alternate" hreflang="de" href="https://www.example.org/de/">
<link rel="stylesheet" type="application/rss+xml" href="/no">
<!-- <link rel="alternate" type="application/rss+xml" href="/old"> -->
<link rel="alternate" type="application/rss+xml" href="rss.xml"></head>"""
    assert feeds_linked_from(page, HOME) == [
        "https://www.example.org/news/rss.xml",
        "https://www.example.org/atom?a=1&b=2",
        "https://feeds.example/json",
        "https://www.example.org/feed.json",
    ]


PAGE = """<!DOCTYPE html><body><a href="/">Home</a><a class=x href="/2026/01/30/mayor-resigns#comments">Mayor</a>
<a title="5 > 4" href='http://example.org/sport/article-1234567.html?utm_source=home&amp;x=1'>Cup</a>
<a href="https://amp.example.org/2026/01/30/b">amp</a><a href="https://other.example/2026/01/30/c">other</a>
<a href="https://www.example.org:8443/2026/01/30/d">other port</a><a name=top>no link</a>
<a href="/2026/01/30/mayor-resigns">again</a><a href="/2026/01/30/b\u00fcrger-wehren-sich">umlaut</a>
<script>document.write('<a href="/2026/01/30/script">')</script><template><a href="/2026/01/30/t"></template>
<a href="javascript:alert(1)">js</a><a href="/login?next=/2026/01/30/x">Log in</a>
<a href="/tag/a-very-long-tag-name-here">
<div data-x="<a href='/2026/01/30/in-data'>">"""


def test_stories_on_a_home_page() -> None:
    found = story_links(PAGE.encode(), HOME, hosts=["amp.example.org"])
    assert [one.url for one in found if "in-data" not in one.url] == [
        "https://www.example.org/2026/01/30/mayor-resigns",
        "http://example.org/sport/article-1234567.html?utm_source=home&x=1",
        "https://amp.example.org/2026/01/30/b",
        "https://www.example.org/2026/01/30/b%C3%BCrger-wehren-sich",
    ]


def test_every_link_of_the_site() -> None:
    page = (
        b'<a href="/a">A</a><a href="https://example.org/b">B</a><a href=https://other.example/>C</a><a href=/a>A</a>'
    )
    assert page_links(page, HOME) == [Mention("https://www.example.org/a"), Mention("https://example.org/b")]


def test_a_page_in_another_encoding() -> None:
    page = '<meta charset="iso-8859-1"><a href="/2026/01/30/zurück">x</a>'.encode("latin-1")
    assert [one.url for one in story_links(page, HOME)] == ["https://www.example.org/2026/01/30/zur%C3%BCck"]


STORIES = """\
/2026/01/30/mayor-resigns
/2026/01/mayor-resigns.html
/world/2026/jan/30/mayor-resigns
/2026-01-30/mayor
/20260130/mayor
/news/world-europe-12345678
/news/articles/c4gzn48jwr2o
/sport/football/68123456
/politik/deutschland/buergermeister-tritt-nach-langem-streit-zurueck-a-1b2c3d4e
/politics/why-the-mayor-had-to-go/
/artikel/mayor-resigns-today
/news/mayor-resigns-today
/article.php?id=12345
/?p=12345
/story/12345.html
/archive/2026/01/mayor-resigns/678901/
/people/the-singer-and-the-very-long-tour
/news/%D0%BC%D1%8D%D1%80-%D1%83%D1%88%D1%91%D0%BB-%D0%B2-%D0%BE%D1%82%D1%81%D1%82%D0%B0%D0%B2%D0%BA%D1%83
/live/20260130-the-debate
""".splitlines()
OTHERS = """\
/
/sport
/sport/football/
/2026/01/30/
/2026/01/
/2026
/tag/mayor-of-the-big-old-city
/author/2026/01/30/jane-doe
/author/jane-doe-from-the-desk-of-politics
/topics/12345678
/login?id=12345
/search?q=mayor&id=12345
/newsletter/the-very-long-morning-briefing
/images/2026/01/30/mayor.jpg
/2026/01/30/mayor.pdf
/feeds/2026/01/30/all
/news/world.rss
/contact-us
/privacy-policy
/news/page/2
/wp-content/uploads/2026/01/x-y-z-file
""".splitlines()


@pytest.mark.parametrize("path", STORIES)
def test_the_shapes_of_stories(path: str) -> None:
    assert looks_like_story(f"https://example.org{path}")


@pytest.mark.parametrize("path", OTHERS)
def test_the_shapes_of_other_pages(path: str) -> None:
    assert not looks_like_story(f"https://example.org{path}")


@pytest.mark.parametrize(
    "page",
    [
        "<a href=x " + " ".join(f"a{number}='x'" for number in range(40_000)) + ">",
        ("<a " + " ".join(f"a{number}='>'" for number in range(900)) + ">") * 300,
        "<a href='" * 300_000,
        '<a "' * 500_000,
        "<a href=/x>" * 100_000,
        "<!--" * 500_000,
        "<script" * 300_000,
        "<" * 2_000_000,
        "<a " + "'\"" * 500_000,
        "<a href=/" + "x" * 2_000_000 + ">",
        "<base href='https://[::1/'><a href=/y>",
    ],
)
def test_a_hostile_page_costs_no_more_than_its_length(page: str) -> None:
    started = time.process_time()
    story_links(page.encode(), HOME)
    feeds_linked_from(page.encode(), HOME)
    assert time.process_time() - started < 20


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(), st.text().map(str.encode)),
    st.sampled_from([b"", b"<a href=", b"<a href='", b"<base href=//"]),
)
def test_nothing_raises(body: bytes, before: bytes) -> None:
    story_links(before + body, HOME)
    feeds_linked_from(before + body, HOME)
