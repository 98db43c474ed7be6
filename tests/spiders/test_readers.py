"""Lists of odd sites, from bytes to what they name."""

import json
import pickle

import pytest

from newsmorgue.archive.capture import Role
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.readers import FeedReader, JsonReader, Reader, SectionReader, SitemapReader

URL = "https://odd.example/news/?kind=all"


def read(reader: Reader, body: str | bytes | object, url: str = URL) -> list[Found]:
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    again: Reader = pickle.loads(pickle.dumps(reader))  # as it comes to the worker
    return list(again.read(body.encode() if isinstance(body, str) else body, url, None))


def told(found: list[Found]) -> list[tuple[str | None, str, str | None]]:
    return [(one.role, one.url, one.stated) for one in found if not one.problem]


def problem(found: list[Found]) -> str | None:
    return next((one.problem for one in found if one.problem), None)


# -- pages -----------------------------------------------------------------------------------------------------------

PAGE = """<html><head><base href="/news/"></head><body><nav><a href="/about">About</a></nav>
<ul><li class="s"><a href="a-story">A</a></li><li class="s"><span>no link</span></li>
<li class="s"><h2><a name="x">x</a><a href="/b">B</a></h2><time datetime="2026-05-03">3 May</time></li>
<li class="s"><a href="a-story">A again</a></li></ul><p class="more"><a href="?page=2">More</a></p></body></html>"""


def test_a_section_page() -> None:
    found = read(SectionReader(".s", ".more"), PAGE)
    stories = [("story", "https://odd.example/news/a-story", None), ("story", "https://odd.example/b", None)]
    assert told(found)[:2] == stories
    assert [(role, url) for role, url, _ in told(found)[2:]] == [("older", "https://odd.example/news/?page=2")]
    assert told(read(SectionReader("li.s a[href]"), PAGE)) == stories
    assert problem(read(SectionReader(".none"), PAGE)) == "nothing on the page is .none"
    assert problem(read(SectionReader("a"), b"\0")) is not None


# -- JSON ------------------------------------------------------------------------------------------------------------

ITEMS = [
    {"link": "/a", "meta": {"at": "2026-05-02T10:00:00+02:00"}, "id": 7, "slug": "o/u"},
    {"link": "https://odd.example/b", "meta": {"at": "2026-05-01"}, "id": "8", "slug": "x"},
    {"link": "javascript:x()", "id": [], "slug": None},
    "no item",
]


def test_a_json_list() -> None:
    reader = JsonReader("data.items", "link", date="meta.at", next_page="next.href")
    document = {"data": {"items": ITEMS}, "next": {"href": "/api?after=b"}}
    assert told(read(reader, document)) == [
        ("story", "https://odd.example/a", "2026-05-02T08:00:00Z"),
        ("story", "https://odd.example/b", "2026-05-01"),
        ("older", "https://odd.example/api?after=b", "2026-05-02T08:00:00Z"),
    ]


def test_addresses_made_of_names_hold_nothing_else() -> None:
    reader = JsonReader(address="/story/{id}/{slug}")
    assert [url for _, url, _ in told(read(reader, ITEMS))][:2] == [
        "https://odd.example/story/7/o%2Fu",
        "https://odd.example/story/8/x",
    ]


@pytest.mark.parametrize(
    ("url", "following"),
    [
        (URL, "https://odd.example/news/?kind=all&p=2"),
        ("https://odd.example/api?p=9", "https://odd.example/api?p=10"),
        ("https://odd.example/api?p=x", "https://odd.example/api?p=2"),
    ],
)
def test_pages_by_number(url: str, following: str) -> None:
    reader = JsonReader(url="link", page="p")
    assert [one.url for one in read(reader, ITEMS, url) if one.role == Role.OLDER] == [following]
    assert read(reader, [], url) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("<html>", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ({"data": {}}, "no list at 'data.items'"),
        ([1], "no list at 'data.items'"),
        ({"data": {"items": [{"x": 1}]}}, "no item has an address at 'url'"),
    ],
)
def test_json_that_is_another(document: object, said: str) -> None:
    found = problem(read(JsonReader("data.items"), document))
    assert found is not None
    assert said in found


# -- feeds and sitemaps ----------------------------------------------------------------------------------------------


def test_a_feed_of_several_kinds() -> None:
    items = "".join(f"<item><link>https://odd.example/{kind}/1</link></item>" for kind in ("news", "shop"))
    found = read(FeedReader(r"/news/\d"), f"<rss><channel>{items}</channel></rss>")
    assert told(found) == [("story", "https://odd.example/news/1", None)]
    assert problem(read(FeedReader(), "<html>")) is not None


def test_a_sitemap_of_several_kinds() -> None:
    urls = "".join(f"<url><loc>https://odd.example/{kind}/1</loc></url>" for kind in ("news", "shop"))
    assert told(read(SitemapReader("/news/"), f"<urlset>{urls}</urlset>")) == [
        ("story", "https://odd.example/news/1", None)
    ]
    maps = "".join(f"<sitemap><loc>https://odd.example/{name}.xml</loc></sitemap>" for name in ("news-1", "shop-1"))
    found = read(SitemapReader(sitemap="news"), f"<sitemapindex>{maps}</sitemapindex>")
    assert told(found) == [("sitemap", "https://odd.example/news-1.xml", None)]
