"""The large site: heavy as asked, unlike from page to page, and served by another process."""

import gzip
import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from tests.sites.large import LargePage, build
from tests.sites.static import serve_folder

PAGES = 24
AVERAGE = 170_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[LargePage]]:
    folder = tmp_path_factory.mktemp("large")
    return folder, build(folder, PAGES, AVERAGE)


def bodies(large: tuple[Path, list[LargePage]]) -> list[bytes]:
    folder, pages = large
    return [(folder / "site" / page.path.strip("/") / "index.html").read_bytes() for page in pages]


def test_pages_weigh_what_was_asked_and_compress_like_news(large: tuple[Path, list[LargePage]]) -> None:
    written = bodies(large)
    average = sum(map(len, written)) / PAGES
    assert average == pytest.approx(AVERAGE, rel=0.03)
    # Real pages of 174 KB gzip to 34 KB: a fifth.
    assert sum(len(gzip.compress(body)) for body in written) / PAGES == pytest.approx(average / 5, rel=0.15)
    assert max(map(len, written)) > 1.5 * min(map(len, written))


def test_each_page_has_a_story_of_its_own(large: tuple[Path, list[LargePage]]) -> None:
    folder, pages = large
    assert len({page.headline for page in pages}) == len({page.paragraphs for page in pages}) == PAGES
    for page, body in zip(pages, bodies(large), strict=True):
        soup = BeautifulSoup(body, "lxml")
        assert [h1.get_text() for h1 in soup.select("h1")] == [page.headline]
        content = " ".join(soup.select(".entry-content")[0].get_text().split())
        assert [one for one in page.paragraphs if one not in content] == []
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["path"] for line in lines] == [page.path for page in pages]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        build(tmp_path / name, 3, 30_000, seed)
    one, two, three = (
        sorted(path.read_bytes() for path in (tmp_path / name).rglob("index.html")) for name in ("one", "two", "three")
    )
    assert one == two
    assert one != three


def test_it_is_served_with_its_own_address(large: tuple[Path, list[LargePage]]) -> None:
    folder, pages = large
    with serve_folder(folder) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        for page in pages:
            connection.request("GET", page.path + "?utm_source=x", headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            body = gzip.decompress(answer.read())
            assert f'<link rel="canonical" href="{url}{page.path}">'.encode() in body
            assert b"large.invalid" not in body
        connection.request("GET", page.path, headers={"If-None-Match": answer.headers["ETag"]})
        assert connection.getresponse().status == 304
        connection.close()
        assert sitemap_paths(url) == {page.path for page in pages}


def sitemap_paths(url: str) -> set[str]:
    with urlopen(Request(f"{url}/post-sitemap.xml"), timeout=10) as answer:
        tree = ElementTree.fromstring(answer.read())
    return {urlsplit(loc.text or "").path for loc in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
