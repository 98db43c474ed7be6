"""What a page asks of archives is seen in every form in which its bytes may come; zlib makes them."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from newsmorgue.archive.exchange import HttpHead
from newsmorgue.capture.policy import Mark, marks_of

HEAD = b"<!DOCTYPE html><html><head><title>The bridge</title>"
MARKED = HEAD + b'<meta name="robots" content="noindex, NOARCHIVE"></head><body><p>The bridge is open.</p>'
OPEN = MARKED.replace(b"NOARCHIVE", b"nofollow")


def marks(body: bytes, coding: str | None = None, kind: str = "text/html") -> tuple[Mark, ...]:
    fields = f"Content-Type: {kind}\r\n" + (f"Content-Encoding: {coding}\r\n" if coding else "")
    return marks_of(HttpHead(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode()), body)


def in_two_members(page: bytes) -> bytes:
    return gzip.compress(page[: len(HEAD)]) + gzip.compress(page[len(HEAD) :])


def bare_deflate(page: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(page) + compressor.flush()


# What makes the body out of a page, and the Content-Encoding that is said of it.
FORMS: dict[str, tuple[Callable[[bytes], bytes], str | None]] = {
    "plain": (lambda page: page, None),
    "identity": (lambda page: page, "identity"),
    "gzip": (gzip.compress, "gzip"),
    "gzip under its old name": (gzip.compress, "X-GZip"),
    "gzip and nothing more": (gzip.compress, "gzip, identity"),
    "gzip in two members": (in_two_members, "gzip"),
    "gzip twice": (lambda page: gzip.compress(gzip.compress(page)), "gzip, gzip"),
    "two codings": (lambda page: gzip.compress(zlib.compress(page)), "deflate, gzip"),
    "deflate": (zlib.compress, "deflate"),
    "deflate without its header": (bare_deflate, "deflate"),
    "gzip that is cut": (lambda page: gzip.compress(page + b"x" * 1000)[:-9], "gzip"),
    "no gzip, whatever it is called": (lambda page: page, "gzip"),
    "no coding that anybody knows": (lambda page: page, "utf-8"),
    "UTF-16": (lambda page: page.decode().encode("utf-16"), None),
}


@pytest.mark.parametrize("form", FORMS)
def test_noarchive_is_seen(form: str) -> None:
    made, coding = FORMS[form]
    assert marks(made(MARKED), coding) == (Mark("noarchive", "meta"),)
    assert marks(made(OPEN), coding) == ()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("robots", "noarchive", True),
        ("ROBOTS", "none, NoArchive", True),
        ("newsmorgue", "noarchive", True),
        ("googlebot", "noarchive", False),
        ("description", "noarchive", False),
        ("robots", "index, follow", False),
    ],
)
def test_whom_a_meta_element_binds(name: str, content: str, expected: bool) -> None:
    page = f"<html><head><meta content='{content}' name={name}></head><body>".encode()
    assert bool(marks(page)) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("noarchive", True),
        ("noindex, noarchive", True),
        ("newsmorgue: noarchive", True),
        ("unavailable_after: 25 Jun 2030 15:00:00 GMT, noarchive", True),
        ("otherbot: noarchive", False),
        ("otherbot: noindex, noarchive", False),
        ("noindex", False),
    ],
)
def test_whom_a_header_binds(value: str, expected: bool) -> None:
    head = HttpHead(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Robots-Tag: {value}\r\n\r\n".encode())
    assert bool(marks_of(head, b"")) is expected


def test_the_head_of_a_bomb_is_read_and_no_more() -> None:
    """300 MiB of zeros in 300 KB, behind the head of the page."""
    compressor = zlib.compressobj(1, wbits=31)
    bomb = compressor.compress(MARKED) + b"".join(compressor.compress(bytes(2**20)) for _ in range(300))
    assert marks(bomb + compressor.flush(), "gzip") == (Mark("noarchive", "meta"),)
