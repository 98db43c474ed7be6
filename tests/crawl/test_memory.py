"""A site that ends each story with one line: a crawl learns it on the way, and no version comes of that."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.archive.harness import rebuilt, rows
from tests.cli.command import Morgue
from tests.crawl.conftest import opened

from newsmorgue.archive.archive import Archive
from newsmorgue.stories.reading import find_story, list_stories, show_at, story_versions

LINE = "Reported from the newsroom of the Gazette on the island"
STORIES = 120
_ITEM = "<item><title>{0}</title><link>{1}/2026/03/the-ferry-of-district-{0}</link></item>"


@dataclass
class Gazette:
    """What the site serves. ``edited`` are the numbers of stories that have another last sentence."""

    url: str = ""
    edited: set[int] = field(default_factory=set)

    def page(self, path: str) -> tuple[str, str] | None:
        """Media type and text of what stands at a path."""
        if path == "/":
            return "text/html", f'<html><head><link rel="alternate" type="application/rss+xml" href="{self.url}/feed">'
        if path == "/feed":
            items = "".join(_ITEM.format(number, self.url) for number in range(STORIES))
            return "application/rss+xml", f'<rss version="2.0"><channel><title>Gazette</title>{items}</channel></rss>'
        number = path.rpartition("-")[2]
        return ("text/html", self._story(int(number))) if number.isdigit() else None

    def _story(self, number: int) -> str:
        last = "The mayor has left." if number in self.edited else "The mayor stays on."
        day = f"2026-03-{number % 28 + 1:02}T08:00:00+00:00"
        return (
            f"<html><head><title>The ferry of district {number}</title><meta property='og:type' content='article'>"
            f"<meta property='article:published_time' content='{day}'></head><body><article>"
            f"<h1>The ferry of district {number}</h1>"
            f"<p>The council of district {number} voted on day {number + 3} to keep the night ferry for six years.</p>"
            f"<p>Nobody in district {number} had expected that {number + 41} of {number + 50} members would agree.</p>"
            f"<p>{last} Whoever of the {number} lost the vote said so in a letter to all of us that evening.</p>"
            f"<p>{LINE}</p></article></body></html>"
        )


@contextmanager
def serve(gazette: Gazette) -> Iterator[None]:
    """Serve it on 127.0.0.1 to the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = gazette.page(self.path)
            data = found[1].encode() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", f"{found[0] if found else 'text/plain'}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gazette.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def test_a_crawl_learns_what_a_site_repeats_and_makes_no_version_of_it(tmp_path: Path) -> None:
    morgue, gazette = Morgue(tmp_path), Gazette()
    with serve(gazette):
        first = morgue("crawl", gazette.url, "--delay", "0")
        assert (first.code, first.err) == (0, "")
        with opened(morgue) as archive:
            ends = {row.url: _text(archive, row.url).endswith(LINE) for row in list_stories(archive)}
            assert len(ends) == STORIES
            # The first stories were stored before anything was known, the last after.
            assert set(ends.values()) == {True, False}
        gazette.edited = {5}
        second = morgue("crawl", gazette.url, "--delay", "0", "--recheck")
        assert (second.code, second.err) == (0, "")
        assert "0 new stories, 1 new version" in second.out
    with opened(morgue) as archive:
        for row in list_stories(archive):
            assert LINE not in _text(archive, row.url)
            edited = row.url.endswith("-5")
            assert len(story_versions(archive, find_story(archive, row.url))) == (2 if edited else 1)
            assert ("The mayor has left." in _text(archive, row.url)) == edited
        assert show_at(
            archive, find_story(archive, f"{gazette.url}/2026/03/the-ferry-of-district-9"), None
        ).article.repeated == (LINE,)
        assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")) == rows(archive)


def _text(archive: Archive, url: str) -> str:
    return show_at(archive, find_story(archive, url), None).article.text
