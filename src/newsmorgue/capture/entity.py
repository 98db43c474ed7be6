"""The entity behind the content-codings: bounded, so that no body can unpack to more than was allowed.

Codings are those of RFC 9110 §8.4.1 that the crawler asks for: gzip (RFC 1952) and deflate (RFC 1950, and the
bare RFC 1951 stream that some servers send under that name).
"""

from collections.abc import Generator, Iterator
from typing import Protocol

from isal import isal_zlib

from newsmorgue.errors import NewsmorgueError

_GZIP, _ZLIB, _BARE = 31, 15, -15
_GZIPS = ("gzip", "x-gzip")
_PIECE = 1 << 16
# curl's limit; no honest server stacks codings at all.
_MOST_CODINGS = 5
# A member takes 20 bytes, and each costs a copy of what follows it: a body of nothing else takes minutes.
_MOST_MEMBERS = 100
_ISAL_ERROR: type[Exception] = isal_zlib.IsalError


class EntityTooLarge(NewsmorgueError):
    """A body is, or unpacks to, more bytes than allowed."""


class MalformedEntity(NewsmorgueError):
    """A body is not what its Content-Encoding says, ends too early, or has a coding that was not asked
    for.
    """


class _Decompressor(Protocol):
    unused_data: bytes
    unconsumed_tail: bytes
    eof: bool

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decode_entity(body: bytes, content_encoding: str | None, limit: int) -> bytes:
    """The entity without its content-codings.

    ``content_encoding`` is the header's value (several codings stand in the order applied), None where there
    is none. ``limit`` is in bytes and holds after every step. An empty body has no coding, whatever the
    header says. Raises :class:`EntityTooLarge` and :class:`MalformedEntity`.

    >>> decode_entity(b"plain", "identity", 100)
    b'plain'
    """
    for coding in reversed(_codings(content_encoding) if body else []):
        body = _decode(body, coding, limit)
    if len(body) > limit:
        raise EntityTooLarge(f"the body has {len(body)} bytes; at most {limit} are read")
    return body


def entity_pieces(body: bytes, content_encoding: str | None, limit: int) -> Iterator[bytes]:
    """What :func:`decode_entity` gives, a piece at a time, so that who needs the beginning alone unpacks no more.

    Raises what that raises, perhaps in mid way.
    """
    codings = _codings(content_encoding) if body else []
    for coding in reversed(codings[1:]):
        body = _decode(body, coding, limit)
    yield from _bounded(_pieces(body, codings[0] if codings else None), limit)


def _pieces(body: bytes, coding: str | None) -> Iterator[bytes]:
    if coding is None:
        yield from (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
    elif coding in _GZIPS:
        yield from _members(body)
    elif coding == "deflate":
        yield from _stream_pieces(body, _ZLIB if is_zlib(body) else _BARE)
    else:
        raise _not_read(coding)


def _codings(content_encoding: str | None) -> list[str]:
    codings = [coding.strip().lower() for coding in (content_encoding or "").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if len(codings) > _MOST_CODINGS:
        raise MalformedEntity(f"{len(codings)} content-codings on one body; at most {_MOST_CODINGS} are read")
    return codings


def is_gzip(body: bytes) -> bool:
    """Whether bytes begin as a gzip member of deflated data does (RFC 1952 §2.3.1)."""
    return body[:3] == b"\x1f\x8b\x08"


def _decode(body: bytes, coding: str, limit: int) -> bytes:
    if coding in _GZIPS:
        return _gunzip(body, limit)
    if coding == "deflate":
        return _inflate(body, limit)
    raise _not_read(coding)


def _not_read(coding: str) -> MalformedEntity:
    return MalformedEntity(f"content-coding '{coding}' is not read; ask for gzip and deflate only")


def _gunzip(body: bytes, limit: int) -> bytes:
    """All members; what follows the last and is none is dropped, as browsers do."""
    members: list[bytes] = []
    while is_gzip(body):
        if len(members) == _MOST_MEMBERS:
            raise MalformedEntity(f"more than {_MOST_MEMBERS} gzip members in one body")
        content, body = _stream(body, _GZIP, limit - sum(map(len, members)), limit)
        members.append(content)
    if not members:
        raise MalformedEntity("the body is not gzip, though its Content-Encoding says so")
    return b"".join(members)


def _inflate(body: bytes, limit: int) -> bytes:
    if not is_zlib(body):
        return _stream(body, _BARE, limit, limit)[0]
    try:
        return _stream(body, _ZLIB, limit, limit)[0]
    except MalformedEntity as as_zlib:
        # One bare stream in 500 looks like a zlib header.
        try:
            return _stream(body, _BARE, limit, limit)[0]
        except MalformedEntity:
            raise as_zlib from None


def is_zlib(body: bytes) -> bool:
    """Whether bytes begin as a zlib stream does (RFC 1950 §2.2): method 8, and a header that 31 divides."""
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _stream(body: bytes, window_bits: int, room: int, limit: int) -> tuple[bytes, bytes]:
    """One compressed stream's content, and what follows it."""
    decompressor: _Decompressor = isal_zlib.decompressobj(window_bits)
    try:
        content = decompressor.decompress(body, room + 1)
    except _ISAL_ERROR as error:
        raise MalformedEntity(f"the body is not what its Content-Encoding says: {error}") from error
    if len(content) > room:
        raise EntityTooLarge(f"the body unpacks to more than {limit} bytes")
    if not decompressor.eof:
        raise MalformedEntity("the compressed body ends too early")
    return content, decompressor.unused_data


def unpacked_pieces(body: bytes, limit: int) -> Iterator[bytes]:
    """A gzip body's content, a piece at a time.

    Raises :class:`EntityTooLarge` and :class:`MalformedEntity`, perhaps in mid way.
    """
    return _bounded(_members(body), limit)


def _bounded(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > limit:
            raise EntityTooLarge(f"the body unpacks to more than {limit} bytes")
        yield piece


def _members(body: bytes) -> Iterator[bytes]:
    if not is_gzip(body):
        raise MalformedEntity("the body is not gzip, though its Content-Encoding says so")
    members = 0
    while is_gzip(body):
        if (members := members + 1) > _MOST_MEMBERS:
            raise MalformedEntity(f"more than {_MOST_MEMBERS} gzip members in one body")
        body = yield from _stream_pieces(body, _GZIP)


def _stream_pieces(body: bytes, window_bits: int) -> Generator[bytes, None, bytes]:
    """One compressed stream's content; what follows it is returned at the end."""
    decompressor: _Decompressor = isal_zlib.decompressobj(window_bits)
    while not decompressor.eof:
        try:
            piece = decompressor.decompress(body, _PIECE)
        except _ISAL_ERROR as error:
            raise MalformedEntity(f"the body is not what its Content-Encoding says: {error}") from error
        body = decompressor.unconsumed_tail
        if not piece and not decompressor.eof:
            raise MalformedEntity("the compressed body ends too early")
        yield piece
    return decompressor.unused_data
