"""What a site asks of archives, miners and AI crawlers: on record on each capture, and obeyed as the policy says."""

import gzip
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.crawl.test_policy import contents
from tests.sites.scripted import Answer, ScriptedSite, feed_of, scripted, story

from newsmorgue.archive import schema
from newsmorgue.spiders.reservations import parse_tdmrep
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
    assert morgue("seal").code == 0


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
    with scripted(newsroom()) as site:
        crawled(morgue, site, "all")
        assert with_words(morgue.folder) == set(MARKS)
        assert reserved(morgue, site) == {name: marked(name) for name in MARKS}
        assert morgue("reindex", "--replace").code == 0
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
    verified = morgue("verify")
    assert verified.code == 0, verified.out


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


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b"[1, null, {}]", b"[" * 100_000, b'[{"location": 3}]'])
def test_what_is_no_tdmrep_json_reserves_nothing(body: bytes) -> None:
    assert parse_tdmrep(body) is None


def test_which_ai_crawlers_a_robots_txt_shuts_out() -> None:
    assert parse_robots(ROBOTS).shut_out == "CCBot, GPTBot"
    assert parse_robots(b"User-agent: *\nDisallow: /").shut_out is None
    assert parse_robots(b"User-agent: ClaudeBot\nDisallow: /\nAllow: /$").shut_out is None
