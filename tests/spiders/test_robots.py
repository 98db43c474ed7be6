"""Robots.txt as RFC 9309 has it: its rules on bytes, and what becomes of requests in a real crawl of real servers."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from tests.processes import SECONDS

from newsmorgue.spiders.robots import parse_robots

PAGE = "https://example.org/"


@pytest.mark.parametrize(
    ("body", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /", "a", False),
        ("User-agent: *\nDisallow:", "a", True),
        ("", "a", True),
        ("<!DOCTYPE html><p>Welcome", "a", True),
        ("\ufeffUser-agent: *\nDisallow: /a", "a", False),
        ("User-agent: *\r\nDisallow: /a\r\n", "a", False),
        ("User-agent: *\rDisallow: /a\r", "a", False),
        # §2.2.1: the product token, case-insensitively, and not a part of it.
        ("User-agent: NewsMorgue\nDisallow: /", "a", False),
        ("User-agent: newsmorgue/9.9 # the archive\nDisallow: /", "a", False),
        ("User-agent: news\nDisallow: /", "a", True),
        ("User-agent: morgue\nDisallow: /", "a", True),
        ("User-agent: newsmorgue-images\nDisallow: /", "a", True),
        ("User-agent: Googlebot\nDisallow: /", "a", True),
        # §2.2.1: our group instead of everyone's, several groups of ours as one.
        ("User-agent: *\nDisallow: /\n\nUser-agent: newsmorgue\nDisallow: /b", "a", True),
        ("User-agent: newsmorgue\nDisallow: /a\n\nUser-agent: newsmorgue\nDisallow: /b", "a", False),
        ("User-agent: newsmorgue\nDisallow: /a\n\nUser-agent: newsmorgue\nDisallow: /b", "b", False),
        ("User-agent: other\nUser-agent: newsmorgue\nDisallow: /a", "a", False),
        ("User-agent: other\nDisallow: /a\nUser-agent: newsmorgue\nDisallow: /b", "a", True),
        # §2.2.2: the longest match, and allow where two are as long.
        ("User-agent: *\nAllow: /news/\nDisallow: /", "news/a", True),
        ("User-agent: *\nDisallow: /\nAllow: /news/", "news/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "a", True),
        # §2.2.3
        ("User-agent: *\nDisallow: /*.pdf$", "x/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "x/a.pdf?b", True),
        ("User-agent: *\nDisallow: /", "robots.txt", True),
        # A rule before any group is nobody's; bytes that are not UTF-8 cost one line at most.
        ("Disallow: /", "a", True),
        ("\udce9\nUser-agent: *\nDisallow: /a", "a", False),
    ],
)
def test_rules(body: str, path: str, allowed: bool) -> None:
    assert parse_robots(body.encode("utf-8", "surrogateescape")).allows(PAGE + path) is allowed


def test_crawl_delay() -> None:
    assert parse_robots(b"User-agent: *\nCrawl-delay: 2.5").crawl_delay == 2.5
    assert parse_robots(b"User-agent: *\nCrawl-delay: 2\n\nUser-agent: newsmorgue\nCrawl-delay: 7").crawl_delay == 7
    assert parse_robots(b"User-agent: *\nCrawl-delay: soon\nDisallow: /").crawl_delay is None
    assert parse_robots(b"User-agent: *\nCrawl-delay: -1").crawl_delay is None


def test_only_the_first_500_kib_count_and_no_line_by_halves() -> None:
    start = b"User-agent: *\nAllow: /zzz\n"
    filling = b"#" * (512_000 - len(start) - len(b"Disallow: /") - 1) + b"\n"
    robots = parse_robots(start + filling + b"Disallow: /private\nDisallow: /a\n")
    assert robots.allows(PAGE + "a")
    assert robots.allows(PAGE + "private")
    within = parse_robots(start + filling[:-100] + b"\nDisallow: /private\nDisallow: /a\n" + b"#" * 1000)
    assert not within.allows(PAGE + "private")


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"User-agent: a{number}\n" for number in range(17_000)) + "Disallow: /\n" * 20_000,
        "".join(f"User-agent: a{number}\nDisallow: /\n" for number in range(17_000)),
        "User-agent: *\n" + "".join(f"Disallow: /*p{number}*x\n" for number in range(30_000)),
        "User-agent: *\nDisallow: /" + "*a" * 200_000 + "b",
        "\n" * 500_000,
        "user agent " + " " * 400_000 + "#",
    ],
)
def test_a_hostile_file_is_read_in_time(body: str) -> None:
    started = time.process_time()
    parse_robots(body.encode()).allows(PAGE + "a" * 2000)
    assert time.process_time() - started < 3


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    kill: bool = False


class _Site(BaseHTTPRequestHandler):
    answers: dict[str, Answer]
    visits: list[str]

    def do_GET(self) -> None:
        self.visits.append(self.path)
        answer = self.answers.get(self.path, Answer(404 if self.path.startswith("/robots") else 200))
        if answer.kill:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def site(answers: dict[str, Answer]) -> Iterator[tuple[str, list[str]]]:
    """A server that lives as long as the block; gives its address and what it was asked for."""
    visits: list[str] = []
    handler = type("Site", (_Site,), {"answers": answers, "visits": visits})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", visits
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


CRAWL = """
import json, sys
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from newsmorgue.spiders.robots import RobotsTxtMiddleware

urls = json.loads(sys.argv[1])
ends, bodies, delays = {}, {}, {}

class Visitor(Spider):
    name = "visitor"

    async def start(self):
        robots = RobotsTxtMiddleware.of(self.crawler)
        for url in urls:
            yield Request(url, errback=self.failed, dont_filter=True)
            body = await robots.robots_txt(url)
            bodies[url] = body and body.decode()
            delays[url] = robots.crawl_delay(url)
        meta, key = {"newsmorgue_no_robots": True}, {"key": "no robots"}
        yield Request(urls[0], self.parse, meta=meta, cb_kwargs=key, dont_filter=True)

    def parse(self, response, key=None):
        ends[key or response.request.url] = str(response.status)

    def failed(self, failure):
        ends[failure.request.url] = f"{failure.type.__name__}: {failure.value}"

process = AsyncCrawlerProcess({
    "DOWNLOADER_MIDDLEWARES": {"newsmorgue.spiders.robots.RobotsTxtMiddleware": 100}, "ROBOTSTXT_OBEY": False,
    "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False, "LOG_LEVEL": "CRITICAL", "DOWNLOAD_DELAY": 0,
    "RETRY_ENABLED": False, "COMPRESSION_ENABLED": False, "HTTPERROR_ALLOW_ALL": True, "REDIRECT_ENABLED": False,
})
process.crawl(Visitor)
process.start()
print(json.dumps([ends, bodies, delays]))
"""

RULES = b"User-agent: newsmorgue\nDisallow: /a\nCrawl-delay: 3\n\nSitemap: /map.xml\n"


def hops(count: int) -> dict[str, Answer]:
    """robots.txt behind so many redirects."""
    chain = ["/robots.txt", *(f"/robots-{number}" for number in range(1, count + 1))]
    found = {here: Answer(301, headers={"Location": there}) for here, there in pairwise(chain)}
    return found | {chain[-1]: Answer(body=RULES)}


SITES: dict[str, tuple[dict[str, Answer], str]] = {
    "rules": ({"/robots.txt": Answer(body=RULES)}, "RobotsDisallowed"),
    "gzip": ({"/robots.txt": Answer(200, gzip.compress(RULES), {"Content-Encoding": "gzip"})}, "RobotsDisallowed"),
    "not gzip": ({"/robots.txt": Answer(200, RULES, {"Content-Encoding": "gzip"})}, "RobotsUnavailable"),
    "none": ({}, "200"),
    "forbidden": ({"/robots.txt": Answer(403, RULES)}, "200"),
    "gone": ({"/robots.txt": Answer(410, RULES)}, "200"),
    "too many": ({"/robots.txt": Answer(429)}, "RobotsUnavailable"),
    "error": ({"/robots.txt": Answer(500, b"User-agent: *\nAllow: /")}, "RobotsUnavailable"),
    "busy": ({"/robots.txt": Answer(503)}, "RobotsUnavailable"),
    "cut off": ({"/robots.txt": Answer(kill=True)}, "RobotsUnavailable"),
    "five hops": (hops(5), "RobotsDisallowed"),
    "six hops": (hops(6), "200"),
    "loop": ({"/robots.txt": Answer(302, headers={"Location": "/robots.txt"})}, "200"),
    "nowhere": ({"/robots.txt": Answer(302, headers={"Location": "file:///etc/passwd"})}, "200"),
    "no location": ({"/robots.txt": Answer(302)}, "200"),
}


def test_what_becomes_of_requests(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sites = {name: stack.enter_context(site(answers)) for name, (answers, _) in SITES.items()}
        urls = [f"{address}/a" for address, _ in sites.values() for _ in range(2)]
        (tmp_path / "crawl.py").write_text(CRAWL)
        command = [sys.executable, "crawl.py", json.dumps(urls)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=True)
    ends, bodies, delays = json.loads(done.stdout)
    became = {name: ends[f"{address}/a"].partition(":")[0] for name, (address, _) in sites.items()}
    assert became == {name: expected for name, (_, expected) in SITES.items()}
    assert "status 503" in ends[f"{sites['busy'][0]}/a"]
    fetched = {name: visits.count("/robots.txt") for name, (_, visits) in sites.items()}
    assert fetched == dict.fromkeys(SITES, 1) | {"loop": 6}
    with_rules = {name for name, (address, _) in sites.items() if bodies[f"{address}/a"] == RULES.decode()}
    assert with_rules == {"rules", "gzip", "five hops"}
    assert {name for name, (address, _) in sites.items() if delays[f"{address}/a"] == 3} == with_rules
    assert bodies[f"{sites['error'][0]}/a"] is None
    assert ends["no robots"] == "200"
    assert sites["rules"][1].count("/a") == 1
