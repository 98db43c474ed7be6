"""The tap: whatever a server sends and is sent stands in the WARC byte for byte, and nothing stands there twice."""

import gzip
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.capture.odd_crawl import Crawled, Record, crawl
from tests.capture.odd_server import Answer, End, OddServer, serve
from tests.cli.command import Morgue
from tests.servers import program

_TEXT = b"Content-Type: text/plain\r\n"
_STORY = gzip.compress(b"<p>The ferry runs again.</p>", mtime=0)
_LONG = b"x" * 40_000


def _answer(*parts: bytes, end: End = End.KEEP) -> tuple[Answer, ...]:
    return (Answer(parts, end),)


def _plain(status: bytes = b"200 OK", body: bytes = b"hello", headers: bytes = _TEXT) -> bytes:
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\n" + _TEXT + b"Transfer-Encoding: chunked\r\n"
# What comes whole: the answers, whose last byte the client has read when the exchange ends.
WHOLE: dict[str, tuple[Answer, ...]] = {
    "/mixed-case": _answer(_plain(headers=b"cOnTeNt-TyPe: text/plain\r\nSERVER: x\r\nx-lower: 1\r\nX-MiXeD: 2\r\n")),
    "/duplicates": _answer(_plain(headers=_TEXT + b"Set-Cookie: a=1\r\nX-A: 1\r\nset-cookie: b=2\r\nX-A: 1\r\n")),
    "/folded": _answer(_plain(headers=_TEXT + b"X-Folded: one\r\n two\r\n\tthree\r\n \r\n")),
    "/latin-1": _answer(_plain(b"200 D\xe9j\xe0 vu", headers=_TEXT + b"X-Cafe: caf\xe9 \xff\xfe\x80\r\n")),
    "/empty-values": _answer(_plain(headers=_TEXT + b"X-Empty:\r\nX-Spaces:   \t \r\n")),
    "/no-colon": _answer(_plain(headers=b"this line has no colon\r\n" + _TEXT + b"neither has this\r\n")),
    "/bare-lf": _answer(b"HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 5\n\nhello"),
    "/no-reason": _answer(b"HTTP/1.1 200\r\n" + _TEXT + b"Content-Length: 2\r\n\r\nhi"),
    "/in-pieces": _answer(b"HTTP/1.1 20", b"0 OK\r\nContent-Le", b"ngth: 5\r", b"\n\r\nhe", b"llo"),
    "/chunks": _answer(
        _CHUNKED_HEAD + b"Content-Encoding: gzip\r\nTrailer: X-Checksum\r\n\r\n",
        b'a;name=value;other="a b"\r\n' + _STORY[:10] + b"\r\n",
        b"%X\r\n" % len(_STORY[10:]) + _STORY[10:] + b"\r\n",
        b"000;last\r\nX-Checksum: 1\r\nX-Other: caf\xe9\r\n\r\n",
    ),
    "/early-hints": _answer(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n", _plain(b"200 OK", b"after hints")
    ),
    "/continue": _answer(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
        + _plain(b"200 OK", b"after three")
    ),
    "/unmodified": _answer(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'),
    "/no-content": _answer(b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n"),
    "/http-1.0": _answer(b"HTTP/1.0 200 OK\r\n" + _TEXT + b"\r\nuntil the", b" end", end=End.CLOSE),
    "/moved": _answer(_plain(b"302 Found", b"it is over there", _TEXT + b"Location: /moved-to\r\n")),
    "/moved-to": _answer(_plain(b"200 OK", b"here it is")),
    "/hiccup": (Answer((_plain(b"503 Service Unavailable", b"later"),)), Answer((_plain(body=b"now"),))),
    "/kept-1": _answer(_plain(body=b"one")),
    "/kept-2": _answer(_plain(body=b"two")),
    "/deaf": _answer(_plain(body=b"three"), end=End.DEAF),
    "/after-deaf": _answer(_plain(body=b"four")),
    "/form": _answer(_plain(body=b"thank you")),
    "/bytes": _answer(_plain(body=b"thanks for the bytes")),
    "/missing": _answer(_plain(b"404 Not Found", b"no such page")),
    "/nothing": _answer(_plain(body=b"")),
}
# Long enough for what was sent to come also on a busy machine, and then not tried again.
_NOT_LONG: dict[str, Any] = {"meta": {"download_timeout": 2.0, "dont_retry": True}}
# What is cut: the answer, what WARC calls the reason, and what else the request says.
CUT: dict[str, tuple[Answer, str, dict[str, Any]]] = {
    "/short": (Answer((_plain(body=_LONG)[:-9000],), End.CLOSE), "disconnect", {}),
    "/cut-chunk": (Answer((_CHUNKED_HEAD + b"\r\n5\r\nhello\r\nFF\r\ncut",), End.CLOSE), "disconnect", {}),
    "/cut-between-chunks": (Answer((_CHUNKED_HEAD + b"\r\n5\r\nhello\r\n",), End.CLOSE), "disconnect", {}),
    "/bad-chunk": (Answer((_CHUNKED_HEAD + b"\r\n5\r\nhello\r\nzz\r\nno size\r\n",), End.HANG), "unspecified", {}),
    # Twisted does not take such a name for one, and gives up: all the same it came.
    "/no-name": (Answer((_plain(headers=_TEXT + b": no name\r\n"),)), "unspecified", {}),
    "/latin-1-name": (Answer((_plain(headers=_TEXT + b"X-Caf\xe9: 1\r\n"),)), "unspecified", {}),
    "/reset": (Answer((_plain(body=_LONG)[:-9000],), End.RESET), "disconnect", {}),
    "/reset-chunks": (Answer((_CHUNKED_HEAD + b"\r\n5\r\nhello\r\n",), End.RESET), "disconnect", {}),
    "/reset-no-length": (Answer((b"HTTP/1.0 200 OK\r\n\r\nhalf",), End.RESET), "disconnect", {}),
    "/cut-head": (Answer((b"HTTP/1.1 200 OK\r\nContent-Ty",), End.CLOSE), "disconnect", {}),
    "/lossy": (
        Answer((_plain(body=_LONG)[:-9000],), End.CLOSE),
        "disconnect",
        {"meta": {"download_fail_on_dataloss": False}},
    ),
    "/slow": (Answer((_plain(body=b"hello")[:-2],), End.HANG), "time", _NOT_LONG),
    "/slow-head": (Answer((b"HTTP/1.1 200 OK\r\nA: ",), End.HANG), "time", _NOT_LONG),
    "/declared-too-large": (
        Answer((_plain(body=_LONG)[:-30_000],), End.HANG),
        "length",
        {"meta": {"download_maxsize": 10_000}},
    ),
    "/grows-too-large": (
        Answer((b"HTTP/1.0 200 OK\r\n\r\n" + _LONG[:9000], _LONG[:9000]), End.HANG),
        "length",
        {"meta": {"download_maxsize": 10_000}},
    ),
    "/stopped": (Answer((_plain(body=_LONG)[:-30_000],), End.HANG), "unspecified", {"meta": {"stop": True}}),
}
# What is no answer: nothing of it can be kept as one.
NONE: dict[str, tuple[Answer, ...]] = {
    "/no-http": _answer(b"220 mail.example ESMTP\r\n", end=End.CLOSE),
    "/hints-alone": _answer(b"HTTP/1.1 103 Early Hints\r\n\r\n", end=End.CLOSE),
}
_FORM = {"method": "POST", "body": "q=caf%C3%A9&n=1", "headers": {"X-Odd-Case": "a", "Cookie": "k=v"}}
_REQUESTS: dict[str, dict[str, Any]] = {
    "/form": _FORM,
    "/bytes": {"method": "PUT", "body": "é\r\n\r\n\0" + "z" * 70_000},
    "/unmodified": {"headers": {"If-None-Match": '"x"'}},
    **{path: more for path, (_, _, more) in CUT.items()},
}


@dataclass(frozen=True, slots=True)
class Odd:
    """One crawl of all of it."""

    server: OddServer
    crawled: Crawled
    records: tuple[Record, ...]

    def of(self, path: str) -> list[Record]:
        """The records of a path's URL."""
        return [record for record in self.records if record.get("warc-target-uri") == self.server.url + path]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    """The add-on in a project with Scrapy's own settings, over every case one after the other."""
    answers = WHOLE | {path: (answer,) for path, (answer, _, _) in CUT.items()} | NONE
    with serve(answers) as server:
        asked = [path for path in answers if path != "/moved-to"]
        requests = [{"url": server.url + path, **_REQUESTS.get(path, {})} for path in asked]
        crawled = crawl(tmp_path_factory.mktemp("odd"), requests)
        yield Odd(server, crawled, tuple(crawled.records()))


def _exchanges(records: list[Record]) -> list[tuple[Record, Record, list[Record]]]:
    """Response (or revisit), request and 1xx answers, by what WARC-Concurrent-To says."""
    finals = [r for r in records if r.kind in ("response", "revisit") and r.get("warc-concurrent-to") is None]
    return [_exchange(final, records) for final in finals]


def _exchange(final: Record, records: list[Record]) -> tuple[Record, Record, list[Record]]:
    others = [r for r in records if r.get("warc-concurrent-to") == final.get("warc-record-id")]
    (request,) = (r for r in others if r.kind == "request")
    return final, request, [r for r in others if r.kind == "response"]


@pytest.mark.parametrize("path", WHOLE)
def test_the_bytes_of_the_wire_are_kept(odd: Odd, path: str) -> None:
    wires, exchanges = odd.server.wires(path), _exchanges(odd.of(path))
    assert wires
    for wire, (response, request, interim) in zip(wires, exchanges, strict=True):
        assert request.block == wire.request
        assert b"".join(each.block for each in interim) + response.block == wire.sent
        assert response.get("warc-truncated") is None


@pytest.mark.parametrize("path", CUT)
def test_a_cut_answer_is_kept_as_far_as_it_came_and_says_so(odd: Odd, path: str) -> None:
    answer, reason, _ = CUT[path]
    exchanges, wires = _exchanges(odd.of(path)), odd.server.wires(path)
    assert wires
    for wire, (response, request, _) in zip(wires, exchanges, strict=True):
        assert request.block == wire.request
        assert response.get("warc-truncated") == reason
        whole = reason in ("disconnect", "time")
        assert response.block == wire.sent if whole else wire.sent.startswith(response.block)
        assert response.block.startswith(answer.parts[0].partition(b"\r\n\r\n")[0])


def test_what_is_no_answer_is_not_kept_as_one(odd: Odd) -> None:
    for path in NONE:
        assert odd.server.wires(path)
        assert odd.of(path) == []


def test_chunk_extensions_and_trailers_are_kept(odd: Odd) -> None:
    response, _, _ = _exchanges(odd.of("/chunks"))[0]
    assert b';name=value;other="a b"\r\n' in response.block
    assert response.block.endswith(b"000;last\r\nX-Checksum: 1\r\nX-Other: caf\xe9\r\n\r\n")


def test_interim_answers_are_records_of_their_own_in_no_index(odd: Odd) -> None:
    _, _, (early,) = _exchanges(odd.of("/early-hints"))[0]
    assert early.block.startswith(b"HTTP/1.1 103 ")
    _, _, three = _exchanges(odd.of("/continue"))[0]
    assert [each.block.split()[1] for each in three] == [b"100", b"102", b"103"]
    statuses = [line["status"] for line in odd.crawled.index() if line["url"].endswith(("/early-hints", "/continue"))]
    assert statuses == ["200", "200"]


def test_both_attempts_of_a_retry_are_kept_once_each(odd: Odd) -> None:
    blocks = [response.block for response, _, _ in _exchanges(odd.of("/hiccup"))]
    assert [block.split()[1] for block in blocks] == [b"503", b"200"]


def test_a_redirect_and_its_target_are_kept_once_each(odd: Odd) -> None:
    statuses = [_exchanges(odd.of(path))[0][0].block.split()[1] for path in ("/moved", "/moved-to")]
    assert statuses == [b"302", b"200"]


def test_exchanges_over_one_kept_connection_are_told_apart(odd: Odd) -> None:
    one, two = (odd.server.wires(path)[0] for path in ("/kept-1", "/kept-2"))
    assert one.connection == two.connection


def test_a_request_into_a_dead_connection_is_no_exchange(odd: Odd) -> None:
    sent = [wire for wire in odd.server.log if wire.target == "/after-deaf"]
    assert [bool(wire.sent) for wire in sent] == [False, True]
    assert len(_exchanges(odd.of("/after-deaf"))) == 1


def test_a_body_that_was_sent_is_kept(odd: Odd) -> None:
    _, request, _ = _exchanges(odd.of("/form"))[0]
    assert request.block.startswith(b"POST /form HTTP/1.1\r\n")
    assert request.block.endswith(b"\r\n\r\nq=caf%C3%A9&n=1")


def test_nothing_of_ours_is_sent_to_a_site(odd: Odd) -> None:
    assert not [wire for wire in odd.server.log if b"newsmorgue-tape" in wire.request.lower()]


@pytest.mark.parametrize(
    ("path", "spoken"), [("/chunks", "http/1.1"), ("/continue", "http/1.1"), ("/http-1.0", "http/1.0")]
)
def test_every_record_says_over_what_it_came(odd: Odd, path: str, spoken: str) -> None:
    for record in odd.of(path):
        assert record.get("warc-ip-address") == "127.0.0.1"
        assert record.all("warc-protocol") == [spoken]
        assert record.get("warc-cipher-suite") is None


def test_a_foreign_spider_has_no_discovery_to_tell_of(odd: Odd) -> None:
    assert not [record for record in odd.records if record.kind == "metadata"]


@pytest.mark.parametrize("command", [["warcio", "check", "-v"], ["fastwarc", "check", "-p"], ["gzip", "-t"]])
def test_other_tools_accept_it(odd: Odd, command: list[str]) -> None:
    (warc,) = odd.crawled.warcs
    done = subprocess.run([program(command[0]), *command[1:], warc], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_cdxj_indexer_finds_the_same_captures(odd: Odd) -> None:
    (warc,) = odd.crawled.warcs
    done = subprocess.run([program("cdxj-indexer"), warc], capture_output=True, text=True, check=True)
    theirs = {json.loads(line.split(" ", 2)[2])["offset"] for line in done.stdout.splitlines()}
    ours = {line["offset"] for line in odd.crawled.index()}
    interim = 4
    assert len(theirs) == len(ours) + interim
    assert ours < theirs


def test_zcat_reads_every_member(odd: Odd) -> None:
    (warc,) = odd.crawled.warcs
    done = subprocess.run(["zcat", warc], capture_output=True, check=True)
    assert done.stdout.count(b"WARC/1.1\r\n") == len(odd.records)
    for path in WHOLE:
        assert all(wire.request in done.stdout for wire in odd.server.wires(path))


def test_half_a_page_that_a_spider_takes_all_the_same_is_no_version(tmp_path: Path) -> None:
    whole = _plain(body=_article(b"The ferry"), headers=b"Content-Type: text/html\r\n")
    other = _plain(body=_article(b"The bridge"), headers=b"Content-Type: text/html\r\n")
    answers = {"/whole": _answer(whole), "/cut": _answer(other[:-400], end=End.CLOSE)}
    with serve(answers) as server:
        asked = [{"url": server.url + path, "meta": {"download_fail_on_dataloss": False}} for path in answers]
        crawled = crawl(tmp_path, asked)
    assert crawled.out.count(" 200\n") == 2
    assert [story["url"] for story in Morgue(tmp_path).documents("stories")] == [server.url + "/whole"]


def _article(headline: bytes) -> bytes:
    text = headline + b" across the river is open again since Monday, as the engineers found all of it to be safe. "
    head = b"<title>%b</title><meta property=og:type content=article>" % headline
    return b"<!DOCTYPE html><html lang=en><head>%b</head><body><article><h1>%b</h1><p>%b</p><p>%b</p><p>%b</p>" % (
        head,
        headline,
        text * 4,
        text * 3,
        text * 6,
    )


def test_an_answer_out_of_a_cache_is_no_capture(tmp_path: Path) -> None:
    with serve({"/page": _answer(_plain())}) as server:
        requests = [{"url": server.url + "/page"}]
        cache = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path / "cache")}
        first = crawl(tmp_path, requests, cache)
        assert len(_exchanges(first.records())) == 1
        again = crawl(tmp_path, requests, cache)
        assert again.out == first.out == f"{server.url}/page 200\n"
        assert len(server.log) == 1
        assert len(_exchanges(again.records())) == 1
