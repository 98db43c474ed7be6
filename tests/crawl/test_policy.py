"""What a site forbids to keep is in no file, and what it names elsewhere is not asked for."""

import gzip
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.command import Morgue
from tests.crawl.conftest import Editions
from tests.sites.newsroom import Newsroom, Response
from tests.sites.server import serve
from tests.sites.truth import StoryTruth
from warcio.archiveiterator import ArchiveIterator

_PLAIN = re.compile(r"[\w ,]{25,}")


def contents(folder: Path) -> Iterator[bytes]:
    """Every file below a folder as it is, unpacked, and (of WARCs) each record's body without its coding."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        yield data
        if path.suffix == ".gz":
            yield gzip.decompress(data)
        if path.name.endswith(".warc.gz"):
            with path.open("rb") as stream:
                yield from (record.content_stream().read() for record in ArchiveIterator(stream))


def sentences(truth: StoryTruth) -> list[bytes]:
    """Words of a story's body that no other place of the site has, as pages and as JSON spell them."""
    found = [run for part in truth.body for run in _PLAIN.findall(part.source)]
    return [spelled for run in found for spelled in (run.encode(), json.dumps(run)[1:-1].encode())]


def holds(folder: Path, truth: StoryTruth) -> bool:
    wanted = sentences(truth)
    return any(sentence in content for content in contents(folder) for sentence in wanted)


def test_of_a_reserved_story_no_byte_is_kept(editions: Editions) -> None:
    reserved = [truth for truth in editions.site.newsroom.truth() if not truth.kept]
    assert sorted(truth.why for truth in reserved) == [
        "noarchive header",
        "noarchive meta",
        "robots.txt",
        "tdm-reservation header",
    ]
    assert [truth.name for truth in reserved if holds(editions.morgue.folder, truth)] == []


def test_the_search_for_bytes_finds_those_that_are_kept(editions: Editions) -> None:
    public = next(truth for truth in editions.site.newsroom.truth() if truth.name == "musee")
    assert holds(editions.morgue.folder, public)


def test_what_was_not_kept_is_counted(editions: Editions) -> None:
    assert "3 not kept, 1 not allowed" in editions.crawls[0].out


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A port of this machine that the operator did not name; it tells whether anyone came."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def test_a_site_cannot_send_the_crawler_to_another_port(morgue: Morgue, elsewhere: socket.socket) -> None:
    there = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
    sitemap = f"<urlset><url><loc>{there}/world/a-story-of-another-port/</loc></url></urlset>"
    page = f'<a href="{there}/world/the-harbour-of-another-port/">on</a><link rel=canonical href="{there}/x">'
    newsroom = Newsroom()
    newsroom.overrides |= {
        "/robots.txt": Response(200, "text/plain", f"Sitemap: {there}/sitemap.xml\nSitemap: /sitemap.xml".encode()),
        "/post-sitemap.xml": Response(200, "application/xml", sitemap.encode()),
        "/feed/": Response(302, "text/plain", b"", (("Location", f"{there}/feed/"),)),
        "/world/harbour-tolls-scrapped/": Response(301, "text/html", b"", (("Location", f"{there}/tolls/"),)),
        "/world/valley-that-counted-itself/": Response(200, "text/html", page.encode()),
    }
    with serve(newsroom) as site:
        ended = morgue("crawl", site.url, "--delay", "0")
        assert site.requests("/world/harbour-tolls-scrapped/")
        assert site.requests("/feed/")
    assert ended.code == 4, ended.err  # the feed is the source's own, and could not be had
    with pytest.raises(BlockingIOError):
        elsewhere.accept()
