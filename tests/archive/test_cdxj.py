"""CDXJ lines: what they look like, that they come back whole, and that other tools' indexes can be read."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.processes import SECONDS
from tests.servers import program

from newsmorgue.archive.cdxj import CdxLine, format_line, parse_line, read_cdxj, write_cdxj
from newsmorgue.errors import MalformedRecord

FIELDS = {
    "url": 'https://example.org/Zürich?q="a"',
    "mime": "text/html",
    "status": "200",
    "digest": "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
    "length": "1043",
    "offset": "333",
    "filename": "example-20260131120000-host-00001.warc.gz",
}
LINE = CdxLine('org,example)/z%c3%bcrich?q="a"', "20260131120000", FIELDS)


def test_a_line_is_key_time_and_json() -> None:
    key, timestamp, text = format_line(LINE).split(" ", 2)
    assert (key, timestamp) == ('org,example)/z%c3%bcrich?q="a"', "20260131120000")
    assert json.loads(text) == FIELDS
    assert text.isascii()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_values_come_back_as_they_were(fields: dict[str, object]) -> None:
    stream = io.BytesIO()
    write_cdxj([CdxLine("org,example)/", "20260131120000", fields)], stream)
    stream.seek(0)
    assert [line.fields for line in read_cdxj(stream, "x.cdxj")] == [fields]


def test_an_index_is_sorted_by_bytes() -> None:
    keys = ["org,example)/b", "org,example)/", "org,example,news)/", "org,example)/b?a", "com,example)/"]
    stream = io.BytesIO()
    write_cdxj([CdxLine(key, "20260131120000", {}) for key in keys], stream)
    lines = stream.getvalue().splitlines()
    assert lines == sorted(lines) and lines[0].startswith(b"com,example)/ ")


def test_captures_of_one_page_stand_in_the_order_of_time() -> None:
    stream = io.BytesIO()
    write_cdxj([CdxLine("org,example)/", time, {}) for time in ("20260201000000", "20260131120000")], stream)
    stream.seek(0)
    assert [line.timestamp for line in read_cdxj(stream, "x")] == ["20260131120000", "20260201000000"]


def test_headers_and_empty_lines_are_passed_over() -> None:
    text = b'!meta {"version": "1.0"}\n@id {}\n\norg,example)/ 20260131120000 {}\r\n'
    assert list(read_cdxj(io.BytesIO(text), "x")) == [CdxLine("org,example)/", "20260131120000", {})]


def test_milliseconds_and_numbers_of_other_tools_are_kept() -> None:
    line = parse_line('org,example)/ 20260131120000123 {"status": 200, "extra": {"a": [1]}}', "x:1")
    assert (line.timestamp, line.fields) == ("20260131120000123", {"status": 200, "extra": {"a": [1]}})


@pytest.mark.parametrize(
    "bad",
    [
        b'org,example)/ 20260131120000 {"url": ',
        b"org,example)/ 20260131120000 [1]",
        b"org,example)/ 20260131120000",
        b"org,example)/ 2026 {}",
        b"org,example)/",
        b" CDX N b a m s k r M S V g",
        b"org,example)/ 20260131120000 " + b"[" * 100_000,
        b'org,example)/ 20260131120000 {"a": ' + b"9" * 5000 + b"}",
        b"org,example)/\xff 20260131120000 {}",
        b"org,\x00example)/ 20260131120000 {}",
        b"a" * (17 * 2**20),
    ],
    ids=lambda bad: repr(bad[:40]),
)
def test_a_bad_line_is_named(bad: bytes) -> None:
    stream = io.BytesIO(b"org,example)/ 20260131120000 {}\n" + bad + b"\n")
    with pytest.raises(MalformedRecord, match=r"^crawl\.cdxj:2: "):
        list(read_cdxj(stream, "crawl.cdxj"))


@pytest.mark.parametrize(
    ("key", "timestamp"),
    [("org, example)/", "20260131120000"), ("", "20260131120000"), ("a\n", "20260131120000"), ("a", "2026")],
)
def test_a_line_that_could_not_be_read_is_not_written(key: str, timestamp: str) -> None:
    with pytest.raises(ValueError, match="not a CDXJ key"):
        format_line(CdxLine(key, timestamp, {}))


def test_the_index_of_cdxj_indexer_is_read_and_written_alike(tmp_path: Path) -> None:
    warc = tmp_path / "a.warc"
    warc.write_bytes(_response("https://www.example.org/b?y=2&x=1") + _response("https://example.org/Zürich"))
    command = [program("cdxj-indexer"), "--sort", str(warc)]
    index = subprocess.run(command, check=True, capture_output=True, timeout=SECONDS).stdout
    lines = list(read_cdxj(io.BytesIO(index), "a.cdxj"))
    assert [line.surt for line in lines] == ["org,example)/b?x=1&y=2", "org,example)/z%c3%bcrich"]
    assert [line.fields["status"] for line in lines] == ["200", "200"]
    again = io.BytesIO()
    write_cdxj(lines, again)
    assert again.getvalue() == index


def _response(url: str) -> bytes:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"
    head = (
        "WARC/1.1\r\nWARC-Type: response\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n"
        f"WARC-Date: 2026-01-31T12:00:00Z\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"
