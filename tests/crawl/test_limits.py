"""A page that no worker can read in its time fails alone: it has its outcome, and all others are stored."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.cli.command import Morgue
from tests.crawl.conftest import opened

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
    assert "ferry-of-district-2: cleaning: it took more than 10 s" in ended.err
    with opened(morgue) as archive:
        stored = sorted(row.url.rpartition("-")[2] for row in list_stories(archive))
    assert stored == ["0", "1", "3", "4", "5"]
