"""What a site asks of archives, miners and AI crawlers: on record on each capture, and obeyed as the policy says."""

import asyncio
import gzip
import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from scrapy import Request
from scrapy.http import Response
from tests.archive.harness import open_archive
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.crawl.test_policy import contents
from tests.sites.scripted import Answer, ScriptedSite, feed_of, page_of, scripted, story

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.capture.extension import ASKED, ROLE
from newsmorgue.spiders.reservations import ReservationsMiddleware, parse_tdmrep
from newsmorgue.spiders.robots import parse_robots

ROBOTS = b"""User-agent: *
Disallow: /private/

User-agent: GPTBot
User-agent: CCBot
Disallow: /

User-agent: Google-Extended
Disallow: /archive/
"""
AI = "ai (robots.txt: CCBot, GPTBot)"
META = '<meta name="robots" content="noarchive">'
TDM = '<meta name="tdm-reservation" content="1">'
# What each page is marked with, in the words of a capture, before what robots.txt says of all of them.
MARKS = {
    "open": None,
    "meta": "noarchive (meta)",
    "header": "noarchive (X-Robots-Tag)",
    "both": "noarchive (meta); tdm-reservation (header)",
    "tdm-meta": "tdm-reservation (meta)",
    "reserved/by-file": "tdm-reservation (tdmrep.json)",
}


def newsroom() -> dict[str, Answer | list[Answer]]:
    """A story under each way to reserve one."""

    def page(name: str, head: str = "", **headers: str) -> Answer:
        body = story(f"The story {name}", head=head, more=f"<p>These words are those of {name} alone.</p>").body
        return Answer(200, body, {field.replace("_", "-"): value for field, value in headers.items()})

    rules = [{"location": "/reserved/*", "tdm-reservation": 1}, {"location": "/reserved/free", "tdm-reservation": 0}]
    return {
        "/robots.txt": Answer(200, ROBOTS),
        "/.well-known/tdmrep.json": Answer(200, json.dumps(rules).encode(), {"Content-Type": "application/json"}),
        "/": Answer(200, b'<link rel="alternate" type="application/rss+xml" href="/f.xml">'),
        "/f.xml": feed_of(*(f"/{name}" for name in MARKS)),
        "/open": page("open"),
        "/meta": page("meta", META),
        "/header": page("header", X_Robots_Tag="noarchive"),
        "/both": page("both", META, tdm_reservation="1"),
        "/tdm-meta": page("tdm-meta", TDM),
        "/reserved/by-file": page("reserved/by-file"),
    }


def crawled(morgue: Morgue, site: ScriptedSite, policy: str | None) -> None:
    line = f'policy = "{policy}"\n' if policy else ""
    (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{site.url}/"\n{line}')
    ended = morgue("crawl", "demo")
    assert ended.code == 0, ended.err
    assert morgue.ask("seal").code == 0


def with_words(folder: Path) -> set[str]:
    """The pages whose words are anywhere in the folder, as text or as JSON."""
    everything = b"\n".join(contents(folder))
    return {name for name in MARKS if f"words are those of {name} alone".encode() in everything}


def reserved(morgue: Morgue, site: ScriptedSite) -> dict[str, str | None]:
    """What the captures of pages have on record, by the pages' names."""
    c = schema.captures.c
    with opened(morgue) as archive, archive.catalogue.read() as connection:
        rows = connection.execute(sa.select(c.url, c.reserved).where(c.role == "story")).all()
    return {row.url.removeprefix(f"{site.url}/"): row.reserved for row in rows}


def marked(name: str) -> str:
    return f"{MARKS[name]}; {AI}" if MARKS[name] else AI


def headlines(morgue: Morgue) -> set[str]:
    return {row["headline"] for row in morgue.documents("stories")}


@pytest.mark.parametrize("policy", [None, "nothing"])
def test_by_default_nothing_of_what_is_reserved_is_kept(policy: str | None, morgue: Morgue) -> None:
    with scripted(newsroom()) as site:
        crawled(morgue, site, policy)
        assert with_words(morgue.folder) == {"open"}
        assert reserved(morgue, site) == {"open": AI}
        assert headlines(morgue) == {"The story open"}


def test_with_all_everything_is_kept_and_on_record(morgue: Morgue) -> None:
    """Also what an earlier crawl was told not to keep."""
    with scripted(newsroom()) as site:
        crawled(morgue, site, "nothing")
        crawled(morgue, site, "all")
        assert with_words(morgue.folder) == set(MARKS)
        assert reserved(morgue, site) == {name: marked(name) for name in MARKS}
        assert morgue.ask("reindex", "--replace").code == 0
        assert reserved(morgue, site) == {name: marked(name) for name in MARKS}
    warcs = b"".join(gzip.decompress(path.read_bytes()) for path in morgue.folder.rglob("*.warc.gz"))
    assert warcs.count(f"Newsmorgue-Reserved: noarchive (meta); {AI}\r\n".encode()) == 1


def test_with_metadata_it_is_known_that_a_story_is_there_and_not_what_it_says(morgue: Morgue) -> None:
    with scripted(newsroom()) as site:
        crawled(morgue, site, "metadata")
        assert with_words(morgue.folder) == {"open"}
        assert reserved(morgue, site) == {name: marked(name) for name in MARKS}
        assert headlines(morgue) == {f"The story {name}" for name in MARKS}
        article = morgue.documents("show", f"{site.url}/meta")[0]["article"]
        assert (article["headline"], article["text"], article["body"]) == ("The story meta", "", [])
        # A later look makes no version of what cannot be compared, and the archive is whole.
        assert morgue("crawl", "demo", "--recheck").code == 0
        assert {row["versions"] for row in morgue.documents("stories")} == {1}
        assert with_words(morgue.folder) == {"open"}
    verified = morgue.ask("verify")
    assert verified.code == 0, verified.out


def test_a_304_for_what_was_not_kept_says_nothing_of_what_was_kept_before(morgue: Morgue) -> None:
    """Else the archive would say that a text stood there which nobody saw."""
    path = "/world/2026/01/30/bridge"
    with ExitStack() as stack:
        sites = {policy: stack.enter_context(scripted({})) for policy in ("nothing", "metadata")}
        for policy, site in sites.items():
            open_page = Answer(200, story("The bridge").body, {"ETag": "one"})
            site.answers |= {"/": page_of(), "/f.xml": feed_of(path), path: open_page}
            with (morgue.folder / "morgue.toml").open("a") as file:
                file.write(
                    f'[sources.{policy}]\nhome = "{site.url}/"\nfeeds = ["{site.url}/f.xml"]\npolicy = "{policy}"\n'
                )
        assert morgue("crawl", *sites).code == 0
        seen = {policy: morgue.documents("versions", site.url + path) for policy, site in sites.items()}
        for site in sites.values():
            site.answers[path] = Answer(200, story("Another bridge", head=META).body, {"ETag": "two"})
        for _ in range(2):
            assert morgue("crawl", *sites, "--recheck").code == 0
        # The second asks for what the archive has, and so gets the page again.
        assert {policy: site.visits.count(path) for policy, site in sites.items()} == {"nothing": 3, "metadata": 3}
        assert {policy: morgue.documents("versions", site.url + path) for policy, site in sites.items()} == seen
        for site in sites.values():
            site.answers[path] = Answer(200, story("The bridge").body, {"ETag": "one"})
        assert morgue("crawl", *sites, "--recheck").code == 0
        again = {policy: morgue.documents("versions", site.url + path)[0] for policy, site in sites.items()}
        assert {policy: each["sightings"] for policy, each in again.items()} == {"nothing": 2, "metadata": 2}


@pytest.mark.parametrize(
    ("mark", "found"),
    [({"X-Robots-Tag": "noarchive"}, True), ({"tdm-reservation": "1"}, False), ({"X-Robots-Tag": "noindex"}, True)],
)
def test_a_list_that_may_not_be_kept_is_followed_unless_it_may_not_be_read(
    mark: dict[str, str], found: bool, morgue: Morgue
) -> None:
    """Also in the second crawl, when there are stories already."""
    names = ("bridge", "ferry")
    paths = [f"/world/2026/01/30/{name}-is-open-again" for name in names]
    link = '<link rel="alternate" type="application/rss+xml" href="/f.xml"><p>These are the home page\'s own words.'
    home = page_of(f"The bridge is open again|{paths[0]}", more=link)
    with scripted({path: story(path) for path in paths}) as site:
        site.answers |= {"/": Answer(200, home.body, mark), "/f.xml": Answer(200, feed_of(paths[0]).body, mark)}
        first = morgue("crawl", site.url)
        site.answers["/f.xml"] = Answer(200, feed_of(*paths).body, mark)
        second = morgue("crawl", site.url)
        assert (first.code, second.code) == ((0, 0) if found else (5, 5))
        assert headlines(morgue) == (set(paths) if found else set())
    assert morgue.ask("seal").code == 0
    is_kept = any(b"home page's own words" in content for content in contents(morgue.folder))
    assert is_kept is (mark == {"X-Robots-Tag": "noindex"})


@pytest.mark.parametrize(
    ("rules", "path", "is_reserved"),
    [
        ([{"location": "/", "tdm-reservation": 1}], "/a", True),
        ([{"location": "/", "tdm-reservation": 0}], "/a", False),
        ([{"location": "/news/*", "tdm-reservation": 1}], "/sport/a", False),
        ([{"location": "/*.pdf$", "tdm-reservation": 1}], "/a.pdf", True),
        ([{"location": "/*.pdf$", "tdm-reservation": 1}], "/a.pdf.html", False),
        ([{"location": "/", "tdm-reservation": 1}, {"location": "/free/", "tdm-reservation": 0}], "/free/a", False),
        ([{"location": "/a\nDisallow: /b", "tdm-reservation": 1}], "/b", False),
    ],
)
def test_locations_of_tdmrep_json(rules: object, path: str, is_reserved: bool) -> None:
    parsed = parse_tdmrep(json.dumps(rules).encode())
    assert (parsed is not None and not parsed.can_fetch(f"https://example.org{path}", "*")) is is_reserved


@dataclass
class Host:
    """A host whose tdmrep.json a test changes, and crawls of it; with ``moved`` it is at another address."""

    folder: Path
    answer: Response
    moved: bool = False
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    asked: int = 0

    async def download_async(self, request: Request) -> Response:
        """What Scrapy's engine does."""
        self.asked += 1
        if self.moved and "/.well-known/" in request.url:
            return Response(request.url, status=301, headers={"Location": "https://cdn.example.org/tdmrep.json"})
        return self.answer

    def reserves(self) -> bool:
        """Whether a new crawl takes a page for reserved."""
        capture = SimpleNamespace(archive=open_archive(self.folder))
        crawler: Any = SimpleNamespace(engine=self, get_extension=lambda _: capture)
        request = Request("https://e.example/a", meta={ROLE: Role.STORY})
        asyncio.run(ReservationsMiddleware(crawler, lambda: self.now).process_request(request))
        return bool(request.meta.get(ASKED))


def test_what_a_host_reserves_may_be_said_at_another_address(tmp_path: Path) -> None:
    reserved = Response("https://cdn.example.org/", body=b'[{"location": "/", "tdm-reservation": 1}]')
    host = Host(tmp_path, reserved, moved=True)
    assert (host.reserves(), host.asked) == (True, 2)
    host.answer = Response("https://e.example/", status=302, headers={"Location": "/.well-known/tdmrep.json"})
    host.now += timedelta(hours=24)
    assert (host.reserves(), host.asked) == (False, 2 + 6)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_cannot_tell_what_it_reserves_is_asked_again_in_an_hour(status: int, tmp_path: Path) -> None:
    reserved = Response("https://e.example/", body=b'[{"location": "/", "tdm-reservation": 1}]')
    host = Host(tmp_path, Response("https://e.example/", status=status))
    assert (host.reserves(), host.reserves(), host.asked) == (False, False, 1)
    host.answer = reserved
    host.now += timedelta(hours=1)
    assert (host.reserves(), host.reserves(), host.asked) == (True, True, 2)
    # What it said holds while it cannot say so again, and a file that is taken away reserves nothing any more.
    host.answer = Response("https://e.example/", status=status)
    host.now += timedelta(hours=25)
    assert (host.reserves(), host.asked) == (True, 3)
    host.answer = Response("https://e.example/", status=404)
    host.now += timedelta(hours=1)
    assert (host.reserves(), host.asked) == (False, 4)


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b"[1, null, {}]", b"[" * 100_000, b'[{"location": 3}]'])
def test_what_is_no_tdmrep_json_reserves_nothing(body: bytes) -> None:
    assert parse_tdmrep(body) is None


def test_which_ai_crawlers_a_robots_txt_shuts_out() -> None:
    assert parse_robots(ROBOTS).shut_out == "CCBot, GPTBot"
    assert parse_robots(b"User-agent: *\nDisallow: /").shut_out is None
    assert parse_robots(b"User-agent: ClaudeBot\nDisallow: /\nAllow: /$").shut_out is None
