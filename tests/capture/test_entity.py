"""What a body unpacks to, and what is refused; zlib of the standard library makes the bodies."""

import gzip
import resource
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsmorgue.capture.entity import EntityTooLarge, MalformedEntity, decode_entity, is_gzip

TEXT = "Der Bürgermeister tritt zurück. ".encode() * 50


def bare_deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (TEXT, None),
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), " X-GZip "),
        (gzip.compress(TEXT[:40]) + gzip.compress(TEXT[40:]), "gzip"),
        (gzip.compress(TEXT) + b"\0\0\0", "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (bare_deflate(TEXT), "deflate"),
        (gzip.compress(zlib.compress(TEXT)), "deflate, gzip"),
        (gzip.compress(TEXT), "identity,gzip,"),
    ],
)
def test_codings_are_undone(body: bytes, coding: str | None) -> None:
    assert decode_entity(body, coding, 10_000) == TEXT


@given(st.binary(max_size=3000))
def test_a_bare_deflate_stream_that_looks_like_zlib_is_still_read(content: bytes) -> None:
    assert decode_entity(bare_deflate(content), "deflate", 3000) == content
    assert decode_entity(gzip.compress(content), "gzip", 3000) == content


def test_an_empty_body_has_no_coding() -> None:
    assert decode_entity(b"", "gzip", 10) == b""


@pytest.mark.parametrize(
    ("body", "coding", "said"),
    [
        (TEXT, "gzip", "not gzip"),
        (gzip.compress(TEXT)[:-9], "gzip", "ends too early"),
        (gzip.compress(TEXT)[:15], "gzip", "ends too early"),
        (gzip.compress(TEXT)[:-8] + b"\0" * 8, "gzip", "not what its Content-Encoding says"),
        (zlib.compress(TEXT)[:-10], "deflate", "ends too early|is not what"),
        (b"<html>", "deflate", "ends too early|is not what"),
        (TEXT, "br", "'br' is not read"),
        (TEXT, "utf-8", "'utf-8' is not read"),
        (TEXT, "gzip, gzip, gzip, gzip, gzip, gzip", "6 content-codings"),
        (gzip.compress(b"") * 200_000, "gzip", "more than 100 gzip members"),
    ],
)
def test_what_is_not_as_it_says_is_refused(body: bytes, coding: str, said: str) -> None:
    with pytest.raises(MalformedEntity, match=said):
        decode_entity(body, coding, 10_000)


def test_the_limit_is_exact() -> None:
    for body, coding in ((TEXT, None), (gzip.compress(TEXT), "gzip"), (zlib.compress(TEXT), "deflate")):
        assert decode_entity(body, coding, len(TEXT)) == TEXT
        with pytest.raises(EntityTooLarge):
            decode_entity(body, coding, len(TEXT) - 1)
    halves = gzip.compress(TEXT) * 2
    assert len(decode_entity(halves, "gzip", 2 * len(TEXT))) == 2 * len(TEXT)
    with pytest.raises(EntityTooLarge):
        decode_entity(halves, "gzip", 2 * len(TEXT) - 1)


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    """256 MiB of zeros in 256 KB, also in two layers."""
    compressor = zlib.compressobj(9, wbits=31)
    bomb = b"".join(compressor.compress(bytes(2**20)) for _ in range(256)) + compressor.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    for body, coding in ((bomb, "gzip"), (gzip.compress(bomb), "gzip, gzip")):
        with pytest.raises(EntityTooLarge, match="more than 1000000 bytes"):
            decode_entity(body, coding, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000


def test_gzip_is_known_by_its_first_bytes() -> None:
    assert is_gzip(gzip.compress(b"x"))
    assert not is_gzip(b"<?xml")
