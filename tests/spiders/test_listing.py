"""What is taken from home and section pages, in markup made by hand after common kinds of news sites."""

import time
from datetime import date

import pytest

from newsmorgue.spiders.listing import MOST_SECTIONS, read_listing

HOME = "https://www.example.org/"
FRONT = """<!DOCTYPE html><html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body>
<header><a href="/">The Courier</a><nav><a href="/world/">World</a> <a href="/sport/football">Football</a>
<a href="/about-us/">About us</a><a href="/weather">Weather</a><a href="/shop/">Shop</a><a href="/login">Log in</a>
<a href="https://other.example/jobs">Jobs</a><a href="/newsletters/">Newsletters</a></nav></header>
<main>
<article><h2><a href="/world/harbour">Harbour tolls scrapped after a year of protest</a></h2>
 <time datetime="2026-01-29T10:00:00Z">yesterday</time></article>
<article><a href="/world/valley-counted-itself"><img src="x.jpg" alt="">
 <h3>The valley that counted itself</h3></a></article>
<article><a href="/culture/festival-ends/">
 <img src="y.jpg" alt="Actors on a stage bow after the last festival"></a></article>
<article><a href="/2026/01/30/mayor-resigns">Mayor resigns</a></article>
<p><a href="/help/how-to-read-this-paper">How to read this paper on all of your devices</a>
<a href="/tag/rivers-and-lakes">Everything we wrote about rivers and about lakes</a>
<a href="/photos/the-harbour-at-night.jpg">The harbour at night, seen from the old lighthouse</a>
<a href="/culture/">More culture</a> <a href="/rss/sport.rss">RSS</a></p>
</main>
<footer><a href="/imprint">Imprint</a><a href="/our-rules/on-comments">The rules by which we run our comments here</a>
</footer></body></html>"""


def paths(urls: tuple[str, ...]) -> list[str]:
    return [url.removeprefix("https://www.example.org") for url in urls]


def test_a_front_page() -> None:
    front = read_listing(FRONT.encode(), HOME)
    assert paths(front.stories) == [
        "/world/harbour",
        "/world/valley-counted-itself",
        "/culture/festival-ends/",
        "/2026/01/30/mayor-resigns",
    ]
    assert paths(front.sections) == ["/world/", "/culture/", "/sport/football"]
    assert paths(front.feeds) == ["/rss.xml"]
    assert paths(front.feed_links) == ["/rss/sport.rss"]
    assert front.next_page is None
    assert front.newest == date(2026, 1, 30)


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("市長が辞任、港の通行料廃止で", "/seiji/a-b-c"),
        ("Мэр города неожиданно подал в отставку", "/novosti/mer-ushel-123"),
        ("Der Hafen bleibt auch nachts offen", "/a/b/hafen"),
    ],
)
def test_headlines_of_other_languages(text: str, href: str) -> None:
    page = f'<meta charset="utf-8"><main><h3><a href="{href}">{text}</a></h3></main>'
    assert paths(read_listing(page.encode(), HOME).stories) == [href]


@pytest.mark.parametrize("chrome", ["<nav>{}</nav>", "<footer>{}</footer>", '<div class="site-menu">{}</div>'])
def test_a_long_name_in_the_navigation_is_no_headline(chrome: str) -> None:
    link = '<a href="/specials/a-look-back">A look back at the hundred years of our paper</a>'
    assert read_listing(chrome.format(link).encode(), HOME).stories == ()
    assert read_listing(f"<main>{link}</main>".encode(), HOME).stories != ()


@pytest.mark.parametrize(
    ("here", "markup", "following"),
    [
        ("/world/", '<a rel="next" href="/world/page/2/">Older stories</a>', "/world/page/2/"),
        ("/world/", '<link rel="next" href="/world/?page=2">', "/world/?page=2"),
        ("/world/page/2/", '<a href="/world/page/1/">1</a><a href="/world/page/3/">3</a>', "/world/page/3/"),
        ("/world?page=9", '<a href="/world?page=8">«</a><a href="/world?page=10">»</a>', "/world?page=10"),
        ("/politik/", '<a href="/politik/seite-2">Ältere Artikel</a>', "/politik/seite-2"),
        ("/world/", '<a rel="next" href="/sport/page/2/">Next</a>', None),
        ("/world/", '<a rel="next" href="https://other.example/world/page/2/">Next</a>', None),
        ("/world/page/3/", '<a rel="prev" href="/world/page/2/">2</a><a href="/world/">1</a>', None),
        ("/world/", '<a href="/world/">Next</a>', None),
    ],
)
def test_the_next_page(here: str, markup: str, following: str | None) -> None:
    found = read_listing(markup.encode(), f"https://www.example.org{here}").next_page
    assert found == (f"https://www.example.org{following}" if following else None)


def test_a_site_of_a_thousand_sections_is_read_in_part() -> None:
    names = [f"{first}{second}{third}" for first in "abcdefghij" for second in "abcdefghij" for third in "abcdefghij"]
    page = "<nav>" + "".join(f'<a href="/{name}/">{name}</a>' for name in names) + "</nav>"
    assert len(read_listing(page.encode(), HOME).sections) == MOST_SECTIONS


def test_each_address_once_and_none_of_another_site() -> None:
    story = "/2026/01/30/mayor-resigns"
    page = f"""<base href="https://www.example.org/news/"><a href="{story}">Mayor</a><a href="{story}?utm_source=top#x">
    Mayor</a><a href="http://example.org{story}/">Mayor</a><a href="https://other.example{story}">Mayor</a>
    <a href="https://m.example.org{story}">mobile</a><a href="javascript:x()">x</a>"""
    assert paths(read_listing(page.encode(), HOME).stories) == [story]
    with_mobile = read_listing(page.encode(), HOME, hosts=["m.example.org"])
    assert len(with_mobile.stories) == 2


@pytest.mark.parametrize("page", [b"", b"\0" * 1000, b"no markup at all", b"<a href=/x", b"\xff\xfe\x00"])
def test_what_is_no_page_lists_nothing(page: bytes) -> None:
    listing = read_listing(page, HOME)
    assert (listing.stories, listing.sections, listing.feeds, listing.next_page) == ((), (), (), None)


def test_ten_thousand_links_are_read_in_time() -> None:
    link = '<li><div><a href="/2026/01/30/story-{0}">A headline of the story number {0}</a></div></li>'
    page = "<ul>" + "".join(link.format(number) for number in range(10_000)) + "</ul>"
    started = time.process_time()
    assert len(read_listing(page.encode(), HOME).stories) == 10_000
    assert time.process_time() - started < 10
