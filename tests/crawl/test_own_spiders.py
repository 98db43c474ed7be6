"""A site that the news spider cannot read is one small file: through the same frontier and the same stages."""

import json

import pytest
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.sites.newsroom import Newsroom, Response
from tests.sites.server import Site, serve

from newsmorgue.stories.reading import list_stories

PROSE = "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate. "
SPIDER = """
from newsmorgue.spiders.bases import JsonSpider
from newsmorgue.spiders.found import Found


class FerrySpider(JsonSpider):
    name = "ferry"
    lists = ("/api/latest",)
    items = "stories"
    address = "/s/{id}"
    date = "at"
    next_page = "older"

    def change(self, found: Found) -> Found | None:
        return None if found.url.endswith("/s/advert") else found
"""


def story(number: int) -> Response:
    head = f"<meta property=og:type content=article><title>Story {number}</title>"
    return Response(200, "text/html", f"<html>{head}<h1>Story {number}</h1><p>{number} {PROSE * 4}</p></html>".encode())


def listing(numbers: list[int], older: str | None) -> Response:
    stories = [{"id": number, "at": f"2026-05-{number:02}"} for number in numbers]
    document = {"stories": [*stories, {"id": "advert"}], "older": older}
    return Response(200, "application/json", json.dumps(document).encode())


def newsroom() -> Newsroom:
    made = Newsroom()
    made.overrides |= {f"/s/{number}": story(number) for number in range(1, 10)}
    made.overrides |= {
        "/robots.txt": Response(404, "text/plain", b""),
        "/api/latest": listing([8, 7, 6], "/api/older/2"),
        "/api/older/2": listing([5, 4, 3], "/api/older/3"),
        "/api/older/3": listing([2, 1], None),
    }
    return made


def configure(morgue: Morgue, site: Site, text: str = SPIDER) -> None:
    (morgue.folder / "odd.py").write_text(text)
    (morgue.folder / "morgue.toml").write_text(
        f'[sources.ferry]\nhome = "{site.url}/"\ndelay = 0\nassets = "none"\nspider = "odd.py"\n'
    )


def crawl(morgue: Morgue, site: Site) -> list[str]:
    """What a crawl asked the site for."""
    before = len(site.log)
    ended = morgue("crawl", "ferry")
    assert ended.code == 0, ended.err
    of_site = ("/robots.txt", "/.well-known/tdmrep.json")
    return sorted(one.path for one in site.log[before:] if one.path not in of_site)


def test_one_small_file(morgue: Morgue) -> None:
    with serve(newsroom()) as site:
        configure(morgue, site)
        pages = ["/api/latest", "/api/older/2", "/api/older/3"]
        assert crawl(morgue, site) == pages + [f"/s/{number}" for number in range(1, 9)]
        with opened(morgue) as archive:
            stories = {row.url: row.headline for row in list_stories(archive)}
        assert stories == {f"{site.url}/s/{number}": f"Story {number}" for number in range(1, 9)}
        site.newsroom.overrides["/api/latest"] = listing([9, 8, 7], "/api/older/2")
        again = crawl(morgue, site)
        assert "/s/9" in again
        assert "/api/older/3" not in again, "a page with nothing new on it leads no further"


def test_a_trial_is_made_with_its_spider(morgue: Morgue) -> None:
    with serve(newsroom()) as site:
        configure(morgue, site)
        ended = morgue("sources", "test", site.url, "--sample", "2")
        asked = {one.path for one in site.log}
    assert (ended.code, ended.err) == (0, "")
    assert asked >= {"/api/latest", "/api/older/2", "/api/older/3", "/s/8", "/s/7"}
    assert "/sitemap.xml" not in asked
    head, _, first, found_in, *_ = ended.out.splitlines()
    assert head == f"{site.url}/ is source 'ferry', crawled by odd.py; robots.txt: none"
    assert first == f"  feed {site.url}/api/latest: names 3 pages, 1 list"
    assert found_in == "    found in the spider's lists"
    assert f"  a story: {site.url}/s/8\n    article, " in ended.out
    assert ended.out.index("/s/8\n") < ended.out.index("/s/7\n"), "the newest first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "has 0 spiders; it must have one class whose base is in newsmorgue.spiders.bases"),
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError"),
        ("class :", "cannot be loaded: SyntaxError"),
    ],
)
def test_a_file_that_is_no_spider(morgue: Morgue, text: str, said: str) -> None:
    with serve(newsroom()) as site:
        configure(morgue, site, text)
        ended = morgue("crawl", "ferry")
    assert (ended.code, said in ended.err) == (3, True), ended.err


def test_a_file_that_is_not_there(morgue: Morgue) -> None:
    with serve(newsroom()) as site:
        configure(morgue, site)
        (morgue.folder / "odd.py").unlink()
        ended = morgue("crawl", "ferry")
    assert ended.code == 3
    assert "odd.py: cannot be loaded: FileNotFoundError" in ended.err
