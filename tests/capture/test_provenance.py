"""What the WARCs of newsmorgue's own crawl say of that crawl, and that each exchange of it stands there once."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.capture.odd_crawl import Crawled, Record, read_records
from tests.capture.odd_server import Answer, End, OddServer, serve
from tests.cli.command import Morgue
from tests.servers import free_ports, program

from newsmorgue.errors import ExitCode

STORY = "/2026/ferry-runs-again"
_DATE = datetime(2026, 3, 1, 12, tzinfo=UTC)
_SENTENCE = "The ferry across the river runs again since Monday, as the engineers found the bridge to be safe. "
_PAGE = f"""<!DOCTYPE html>
<html lang=en><head><title>The ferry runs again</title><meta property=og:type content=article></head>
<body><article><h1>The ferry runs again</h1><p>{_SENTENCE * 4}</p><p>{_SENTENCE * 3}</p></article></body></html>"""
_HOME = """<!DOCTYPE html>
<html><head><title>News</title><link rel=alternate type="application/rss+xml" href="/feed.xml"></head>
<body><h1>News</h1></body></html>"""
_FEED = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item><title>The ferry</title>
<link>STORY</link><pubDate>{format_datetime(_DATE)}</pubDate></item></channel></rss>"""


def _answer(body: str, mime: str = "text/html; charset=utf-8", more: str = "") -> Answer:
    data = body.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\n{more}Content-Length: {len(data)}\r\n\r\n"
    return Answer((head.encode() + data,))


def _site() -> dict[str, tuple[Answer, ...]]:
    unmodified = Answer((b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',))
    return {
        "/robots.txt": (_answer("User-agent: *\nDisallow: /private\n", "text/plain"),),
        "/": (_answer(_HOME),),
        "/feed.xml": (_answer(_FEED.replace("STORY", STORY), "application/rss+xml"),),
        STORY: (_answer(_PAGE, more='ETag: "1"\r\n'), unmodified),
    }


@dataclass(frozen=True, slots=True)
class Twice:
    """A small site crawled twice: at the second time the story is as it was, and everything else the same."""

    server: OddServer
    morgue: Morgue
    crawled: Crawled

    def of(self, path: str, kind: str) -> list[Record]:
        """The records of one kind for a path."""
        url = self.server.url + path
        return [r for r in self.crawled.records() if r.kind == kind and r.get("warc-target-uri") == url]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    """See :class:`Twice`."""
    folder = tmp_path_factory.mktemp("twice")
    (folder / "morgue.toml").write_text('contact = "desk@news.example"\n')
    with serve(_site()) as server:
        morgue = Morgue(folder)
        for options in ((), ("--recheck",)):
            ended = morgue("crawl", f"{server.url}/", *options)
            assert ended.code == 0, ended.err
        yield Twice(server, morgue, Crawled("", folder / "archive"))


def test_every_exchange_is_kept_once(twice: Twice) -> None:
    asked = Counter(wire.target for wire in twice.server.log)
    assert asked["/robots.txt"] == 1  # once a day, however many pages and runs ask for it
    kept = Counter(r.get("warc-target-uri") for r in twice.crawled.records() if r.kind == "request")
    assert kept == Counter({twice.server.url + path: number for path, number in asked.items()})


def test_a_story_s_metadata_say_who_named_it(twice: Twice) -> None:
    response, revisit = twice.of(STORY, "response")[0], twice.of(STORY, "revisit")[0]
    first, second = twice.of(STORY, "metadata")
    assert first.get("warc-concurrent-to") == response.get("warc-record-id")
    assert second.get("warc-concurrent-to") == revisit.get("warc-record-id")
    assert first.get("content-type") == "application/warc-fields"
    assert first.values["via"] == f"{twice.server.url}/feed.xml"
    assert first.values["lastmod"].startswith("2026-03-01T12:00:00")
    assert (first.values["reason"], second.values["reason"]) == ("new", "recheck")
    assert 0 <= int(first.values["fetchTimeMs"]) < 10_000


def test_what_the_operator_named_needs_no_metadata(twice: Twice) -> None:
    assert twice.of("/", "metadata") == twice.of("/robots.txt", "metadata") == []


def test_a_warc_begins_with_who_made_it_and_how(twice: Twice) -> None:
    for path in twice.crawled.warcs:
        first = read_records(path)[0]
        assert first.kind == "warcinfo"
        said = first.values
        assert said["software"].startswith("newsmorgue/")
        assert said["format"] == "WARC File Format 1.1"
        assert said["conformsTo"].endswith("/warc-1.1/")
        assert said["hostname"] == os.uname().nodename
        assert said["operator"] == "desk@news.example"
        assert said["robots"] == "obey"
        assert said["isPartOf"] == f"127.0.0.1_{twice.server.port}"
        assert said["http-header-user-agent"].encode() in twice.server.wires("/")[0].request
        assert (said["download-delay-seconds"], said["concurrent-requests-per-host"]) == ("0.0", "4")


@pytest.mark.parametrize("command", [["warcio", "check", "-v"], ["fastwarc", "check"], ["gzip", "-t"]])
def test_other_tools_accept_it(twice: Twice, command: list[str]) -> None:
    for path in twice.crawled.warcs:
        done = subprocess.run([program(command[0]), *command[1:], path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_verifies(twice: Twice) -> None:
    ended = twice.morgue("verify")
    assert ended.code == 0, ended.out + ended.err


@contextmanager
def _pywb(programs: Path, folder: Path, crawled: Crawled) -> Iterator[str]:
    """The address of a pywb that serves these WARCs by newsmorgue's own index."""
    collection = folder / "collections" / "news"
    for name in ("archive", "indexes"):
        (collection / name).mkdir(parents=True)
    for path in crawled.warcs:
        shutil.copy(path, collection / "archive")
    lines = [line for path in crawled.store.glob("warc/*/*/*/*.cdxj") for line in path.read_text().splitlines()]
    (collection / "indexes" / "index.cdxj").write_text("".join(f"{line}\n" for line in sorted(lines)))
    (port,) = free_ports(1)
    command: list[str | Path] = [programs / "wayback", "-b", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}/news"
        finally:
            child.terminate()


def _wait_for(port: int) -> None:
    for _ in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise AssertionError("pywb does not start")


@pytest.mark.skipif("PYWB" not in os.environ, reason="PYWB does not name the folder that holds pywb's wayback program")
def test_pywb_replays_a_response_and_a_revisit(twice: Twice, tmp_path: Path) -> None:
    with _pywb(Path(os.environ["PYWB"]), tmp_path, twice.crawled) as archive:
        for path in ("/", "/feed.xml"):  # robots.txt is asked for once a day
            body = twice.server.wires(path)[0].sent.partition(b"\r\n\r\n")[2]
            shown = [*twice.of(path, "response"), *twice.of(path, "revisit")]
            assert [record.kind for record in shown] == ["response", "revisit"]
            for record in shown:
                moment = re.sub(r"\D", "", record.get("warc-date") or "")[:14]
                with urlopen(f"{archive}/{moment}id_/{twice.server.url}{path}") as replayed:
                    assert replayed.read() == body


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET], ids=["short of its length", "no length, and reset"])
def test_half_a_page_is_kept_but_is_no_version(tmp_path: Path, end: End) -> None:
    """Neither at once nor by the next run, which looks after what an earlier one left uncleaned."""
    site = _site()
    half = site[STORY][0].parts[0][:-300]
    if end is End.RESET:
        half = re.sub(rb"Content-Length: \d+\r\n", b"", half.replace(b"HTTP/1.1", b"HTTP/1.0"))
    site[STORY] = (Answer((half,), end),)
    with serve(site) as server:
        morgue = Morgue(tmp_path)
        for _ in range(2):
            assert morgue("crawl", f"{server.url}/").code == ExitCode.PAGES_FAILED
        cut = [r for r in Crawled("", tmp_path / "archive").records() if r.get("warc-truncated")]
        assert {r.get("warc-target-uri") for r in cut} == {server.url + STORY}
        assert morgue("stories", "--json").documents == []
