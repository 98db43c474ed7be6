"""WARC records: other tools accept them, and the bytes in them are those of the wire."""

import gzip
import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.archive.harness import START, Visitor, captures, exchange, open_archive
from tests.servers import program
from warcio.archiveiterator import ArchiveIterator

from newsmorgue.archive.capture import Role
from newsmorgue.archive.exchange import Exchange, HttpHead, sha1
from newsmorgue.archive.index import payload_capture
from newsmorgue.archive.spool import WARC_SUFFIX, object_keys
from newsmorgue.archive.warc import RecordWriter, read_record
from newsmorgue.stories.reading import payload_of

PAGE = "https://news.example/a?b=c&d"
CHUNKED = "https://news.example/chunked"
# printf hello | openssl sha1 -binary | base32
HELLO = "sha1:VL2MMHO4YXUKFWV63YHTWSBM3GXKSQ2N"


def _odd_exchanges() -> list[Exchange]:
    chunked = exchange(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n", headers=[b"Transfer-Encoding: chunked"])
    zipped = exchange(
        "https://news.example/zipped",
        gzip.compress(b"hello"),
        headers=[b"Content-Encoding: gzip", b"Content-Type: text/html"],
    )
    return [
        exchange(PAGE, b"hello"),
        chunked,
        zipped,
        exchange("https://news.example/nothing", b"", status=204),
        exchange("https://news.example/old", b"", status=301, headers=[b"Location: /new"]),
        exchange("https://news.example/gone", b"no such page", status=404),
        exchange("https://news.example/cut", b"<html>half", truncated="disconnect"),
        exchange("https://news.example/hints", b"x", interim=(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",)),
        exchange("https://news.example/tls", b"x", ip="192.0.2.7", tls="tls/1.3"),
        replace(exchange("https://news.example/form", b"x"), request=b"POST / HTTP/1.1\r\nHost: a\r\n\r\nq=1"),
        exchange("https://news.example/Zürich ü?q=<a>", b"x"),
        exchange("https://news.example/" + "long" * 4000, b"x"),
    ]


def _sealed(folder: Path, exchanges: list[Exchange]) -> Visitor:
    visitor = Visitor(open_archive(folder))
    for number, odd in enumerate(exchanges):
        visitor.recorder.record(replace(odd, started=START.replace(minute=number)), Role.STORY)
        visitor.recorder.commit()
    visitor.end()
    return visitor


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    """A run with one WARC of odd exchanges, two revisits among them, sealed."""
    return _sealed(tmp_path, [*_odd_exchanges(), exchange(PAGE, b"hello"), exchange(PAGE, b"", status=304)])


def _warc(visitor: Visitor) -> Path:
    name = captures(visitor.archive)[0].warc
    return Path(visitor.archive.store.address) / object_keys(name).warc


@pytest.mark.parametrize("command", [["warcio", "check", "-v"], ["fastwarc", "check"], ["gzip", "-t"]])
def test_other_tools_accept_what_is_sealed(visitor: Visitor, command: list[str]) -> None:
    _assert_passes(command, _warc(visitor))


def test_other_tools_find_the_payload_digests_right(tmp_path: Path) -> None:
    # Without revisits: FastWARC hashes their empty payload, where the specification means the original's.
    _assert_passes(["fastwarc", "check", "-p"], _warc(_sealed(tmp_path, _odd_exchanges())))


def _assert_passes(command: list[str], warc: Path) -> None:
    done = subprocess.run([program(command[0]), *command[1:], warc], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_cdxj_indexer_says_the_same(visitor: Visitor) -> None:
    warc = _warc(visitor)
    done = subprocess.run([program("cdxj-indexer"), "-s", warc], capture_output=True, text=True, check=True)
    ours = Path(str(warc).removesuffix(WARC_SUFFIX) + ".cdxj").read_text()
    theirs, expected = map(_lines, (done.stdout, ours))
    assert len(theirs) == len(expected) == 14
    assert theirs == expected


def _lines(text: str) -> list[tuple[str, ...]]:
    """What every index says of final answers; the digest only where the record states it, and no tool has to guess."""
    found = []
    for line in text.splitlines():
        key, timestamp, rest = line.split(" ", 2)
        fields = json.loads(rest)
        names = ("url", "status", "mime", "offset", "length", "filename")
        digest = "" if fields["url"] == CHUNKED else fields["digest"].removeprefix("sha1:")
        found.append((key, timestamp, digest, *(fields.get(name, "unk") for name in names)))
    return sorted(line for line in found if "103" not in line)


def test_the_entity_s_digest_stands_in_the_index_and_not_in_a_chunked_record(visitor: Visitor) -> None:
    plain, chunked = captures(visitor.archive)[:2]
    assert plain.payload_digest == HELLO
    assert chunked.payload_digest == HELLO
    assert visitor.archive.read_capture(plain).headers["warc-payload-digest"] == HELLO


def test_the_header_block_is_what_came(tmp_path: Path) -> None:
    raw = (
        b"HTTP/1.1  200  Very  OK \r\nX-A: 1\r\nx-a: 2\r\nSeT-CoOkIe: a\xe9\xff\r\nX-Folded: one\r\n two\r\n\tthree\r\n"
        b"no colon at all\r\nX-Empty:\r\nX-Spaced :   wide   \r\n: nameless\r\nX-Bare-LF: 1\nX-Z: z\r\n\r\n"
    )
    visitor = Visitor(open_archive(tmp_path))
    odd = replace(exchange(PAGE, b"hello"), head=HttpHead(raw))
    recorded = visitor.recorder.record(odd, Role.STORY)
    visitor.end()
    assert recorded.capture is not None
    assert visitor.archive.read_capture(recorded.capture).block == raw + b"hello"
    assert raw + b"hello" in gzip.decompress(_warc(visitor).read_bytes())


@pytest.mark.parametrize("evil", ["\r\nWARC-Type: warcinfo", "\n", "\0", "\ud800", "\x85", "\u2028", " x", "<a>"])
def test_no_url_forges_a_header(evil: str) -> None:
    odd = exchange(f"https://news.example/{evil}\r\nWARC-Date: 1999-01-01T00:00:00Z", b"x")
    first, _ = RecordWriter().exchange(odd, Role.STORY)
    lines = gzip.decompress(first).partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0] for line in lines[1:]]
    assert len(names) == len(set(names))
    assert lines[0] == b"WARC/1.1"
    assert b"WARC-Type: response" in lines
    assert b"WARC-Date: 2026-03-01T12:00:00.000000Z" in lines
    target = next(line for line in lines if line.startswith(b"WARC-Target-URI: "))
    assert target.isascii()
    assert b" " not in target.removeprefix(b"WARC-Target-URI: ")


@pytest.mark.parametrize("evil", ["\r\nWARC-Type: warcinfo", "\n", "\r", "\ud800", "\x85", "\u2028", "\0"])
def test_no_value_forges_a_field_of_metadata(evil: str) -> None:
    about = {"via": f"https://news.example/{evil}via: https://evil.example/", "reason": "new"}
    _, others = RecordWriter().exchange(exchange(PAGE, b"x"), Role.STORY, None, about)
    record = read_record(others[-1], "x")
    assert record.kind == "metadata"
    first, second, rest = record.block.split(b"\r\n")
    assert first.startswith(b"via: https://news.example/")
    assert (second, rest) == (b"reason: new", b"")


def test_a_revisit_names_what_it_repeats(visitor: Visitor) -> None:
    first, identical, unmodified = (each for each in captures(visitor.archive) if each.url == PAGE)
    for revisit, profile in ((identical, "identical-payload-digest"), (unmodified, "server-not-modified")):
        record = visitor.archive.read_capture(revisit)
        assert record.kind == "revisit"
        assert record.headers["warc-profile"] == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
        assert record.headers["warc-refers-to-target-uri"] == PAGE
        assert record.headers["warc-payload-digest"] == HELLO
        assert record.headers["warc-refers-to-date"] == visitor.archive.read_capture(first).headers["warc-date"]
        assert payload_of(visitor.archive, revisit).entity == b"hello"
    with visitor.archive.catalogue.read() as connection:
        assert payload_capture(connection, first) == first


def test_after_a_return_to_an_older_page_304_means_that_one(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    for body in (b"first", b"second", b"first"):
        visitor.record(PAGE, body)
        visitor.recorder.commit()
    unmodified = visitor.record(PAGE, b"", status=304)
    visitor.end()
    assert payload_of(visitor.archive, unmodified).entity == b"first"


def test_a_cut_answer_says_so_and_is_no_ground_for_a_revisit(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    cut = visitor.record(PAGE, b"half", truncated="length")
    visitor.recorder.commit()
    again = visitor.record(PAGE, b"half")
    visitor.end()
    assert visitor.archive.read_capture(cut).headers["warc-truncated"] == "length"
    assert again.kind == "response"


def test_an_interim_answer_is_a_record_of_its_own_in_no_index(visitor: Visitor) -> None:
    with _warc(visitor).open("rb") as stream:
        found = [
            (record.rec_headers.get_header("WARC-Record-ID"), record.rec_headers.get_header("WARC-Concurrent-To"))
            for record in ArchiveIterator(stream)
            if record.rec_headers.get_header("WARC-Target-URI") == "https://news.example/hints"
        ]
    response, interim, request = found
    assert response[1] is None
    assert interim[1] == request[1] == response[0]
    assert [each.status for each in captures(visitor.archive) if each.url.endswith("hints")] == [200]


def test_a_warc_begins_with_what_made_it(visitor: Visitor) -> None:
    with _warc(visitor).open("rb") as stream:
        first = next(iter(ArchiveIterator(stream)))
        assert first.rec_type == "warcinfo"
        assert first.rec_headers.get_header("WARC-Filename") == _warc(visitor).name
        assert b"software: newsmorgue/" in first.content_stream().read()


@pytest.mark.parametrize(
    "line", [b"", b"HTTP/1.1", b"HTTP/1.1 abc", b"HTTP/1.1 200abc", b"HTTP/1.1 20", b"\xff\xfe 999999 x"]
)
def test_a_status_line_that_is_none_has_status_0(line: bytes) -> None:
    assert HttpHead(line + b"\r\n\r\n").status == 0


@pytest.mark.parametrize(
    ("body", "entity"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;name=value\r\nhello\r\n00\r\nTrailer: x\r\n\r\n", b"hello"),
        (b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
        (b"5\nhello\n0\n\n", b"hello"),
        (b"A\r\nhello", b"hello"),
        (b"2\r\nhe\r\nzz\r\nllo", b"he"),
        (b"-5\r\nhello\r\n", b""),
        (b"", b""),
    ],
)
def test_the_entity_is_what_the_chunks_carry(body: bytes, entity: bytes) -> None:
    odd = exchange(PAGE, body, headers=[b"Transfer-Encoding: Chunked"])
    assert odd.entity == entity
    assert odd.payload_digest == sha1(entity)
    first, _ = RecordWriter().exchange(odd, Role.STORY)
    assert read_record(first, "x").entity == entity


def test_a_record_may_be_read_alone(visitor: Visitor) -> None:
    data = _warc(visitor).read_bytes()
    for each in captures(visitor.archive):
        member = data[each.offset : each.offset + each.length]
        record = next(iter(ArchiveIterator(io.BytesIO(member))))
        assert record.rec_headers.get_header("WARC-Target-URI") == each.url
