"""A page that no worker can read in its time fails alone: it has its outcome, and all others are stored."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.crawl.hurried import BRIEF, IDLE, HurriedMorgue
from tests.crawl.idle import HEAVY
from tests.sites.newsroom import Newsroom
from tests.sites.scripted import Answer, feed_of, scripted, story
from tests.sites.server import serve

from newsmorgue.stories.reading import list_stories

_TOO_MUCH = " ".join(f"data-a{number}={number}" for number in range(120_000))  # a minute of libxml2's time


class _Site(BaseHTTPRequestHandler):
    """A feed of six stories, the third of which has more attributes than any parser likes."""

    def do_GET(self) -> None:
        host = f"http://{self.headers['host']}"
        items = "".join(
            f"<item><link>{host}/2026/03/the-ferry-of-district-{number}</link></item>" for number in range(6)
        )
        number = self.path.rpartition("-")[2]
        kind, body = "text/plain", ""
        if self.path == "/":
            kind, body = "text/html", f'<link rel="alternate" type="application/rss+xml" href="{host}/feed">'
        elif self.path == "/feed":
            kind, body = "application/rss+xml", f'<rss version="2.0"><channel>{items}</channel></rss>'
        elif number.isdigit():
            kind = "text/html"
            much = _TOO_MUCH if number == "2" else ""
            body = (
                f"<meta property=og:type content=article><article {much}><h1>The ferry of district {number}</h1>"
                f"<p>The council of district {number} voted on Tuesday to keep the night ferry for six more years.</p>"
                f"<p>Nobody in district {number} had thought that all members would agree, least of all the mayor.</p>"
                f"<p>The boat of district {number} is from 1971, and it will be painted in the spring, he said.</p>"
            )
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


def test_pages_that_a_busy_machine_could_not_read_in_time_are_had_by_the_next_crawl(tmp_path: Path) -> None:
    with serve(Newsroom(restless=False)) as site:
        first = HurriedMorgue(tmp_path, {IDLE: "1"})("crawl", site.url, "--delay", "0")
        second = Morgue(tmp_path)("crawl", site.url, "--delay", "0")
    assert first.code == 4
    assert "cleaning: it took more than" in first.err
    assert (second.code, second.err) == (0, "")
    assert len(Morgue(tmp_path).documents("stories")) == 8


def test_a_page_that_no_machine_could_read_in_time_is_left_alone_until_it_changes(tmp_path: Path) -> None:
    bridge, ferry = "/world/2026/03/01/bridge", "/world/2026/03/01/ferry"
    heavy = HEAVY + story("The ferry").body
    brief = HurriedMorgue(tmp_path, {BRIEF: "1"})
    with scripted({"/f.xml": feed_of(bridge, ferry), bridge: story("The bridge"), ferry: Answer(200, heavy)}) as site:
        site.answers["/"] = Answer(200, b'<link rel=alternate type="application/rss+xml" href="/f.xml">')
        first, second = brief("crawl", site.url), brief("crawl", site.url)
        assert (first.code, second.code, second.err) == (4, 0, "")
        assert f"{ferry}: cleaning: it took more than 200 s\n" in first.err
        assert site.visits.count(ferry) == 1
        assert [row["headline"] for row in Morgue(tmp_path).documents("stories")] == ["The bridge"]
        changed = f"<url><loc>{ferry}</loc><lastmod>{datetime.now(UTC).date() + timedelta(days=1)}</lastmod></url>"
        site.answers |= {ferry: story("The ferry"), "/sitemap.xml": Answer(200, f"<urlset>{changed}</urlset>".encode())}
        assert brief("crawl", site.url).code == 0
        assert {row["headline"] for row in Morgue(tmp_path).documents("stories")} == {"The bridge", "The ferry"}


@pytest.mark.nightly
def test_a_page_that_takes_too_long_is_a_recorded_failure(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        morgue = Morgue(tmp_path)
        ended = morgue("crawl", f"http://127.0.0.1:{server.server_port}", "--delay", "0")
    finally:
        server.shutdown()
        server.server_close()
    assert ended.code == 4
    assert "ferry-of-district-2: cleaning: it took more than" in ended.err
    with opened(morgue) as archive:
        stored = sorted(row.url.rpartition("-")[2] for row in list_stories(archive))
    assert stored == ["0", "1", "3", "4", "5"]


_WITHOUT_WORKERS = """
import asyncio
from newsmorgue.errors import CleaningStopped
from newsmorgue.pipelines.clean import CleaningPool

async def clean():
    pool = CleaningPool(1)
    pool._context.set_executable("/bin/false")
    try:
        await pool.clean(b"<p>text", None, None, "https://e.example/")
    except CleaningStopped as error:
        print(error)

if __name__ == "__main__":
    asyncio.run(clean())
"""


def test_cleaning_processes_that_cannot_start_are_a_recorded_failure() -> None:
    ended = subprocess.run([sys.executable, "-c", _WITHOUT_WORKERS], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("the cleaning processes cannot be started")
