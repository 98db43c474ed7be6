"""One HTTP exchange as it crossed the wire, and what its bytes say."""

import hashlib
import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
# A line of spaces within a head: continues the field before it (RFC 9112 §5.2), yet many readers take it for the end.
_BLANK_WITHIN = re.compile(rb"\n[ \t\r\f\v]+\n(?!\Z)")
# How a chunked body begins, even one whose first size is no number (negative, say) or was cut.
_LIKE_A_SIZE = re.compile(rb"[-+0-9A-Fa-fxX \t]*(?:[;\r\n]|\Z)")
_LENGTH = re.compile(r"[0-9]{1,15}")
_FOLDED = re.compile(rb"\r?\n[ \t]+")


@dataclass(frozen=True)
class HttpHead:
    """A response's status line and header lines, exactly as received, up to and with the empty line."""

    raw: bytes

    @cached_property
    def status(self) -> int:
        """The status code; 0 where the first line is no status line."""
        parts = self.raw.split(b"\n", 1)[0].split(None, 2)
        return int(parts[1]) if len(parts) > 1 and re.fullmatch(rb"[0-9]{3}", parts[1]) else 0

    @cached_property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Field names in lower case with their values, in order, unfolded (RFC 9112 §5.2), read as Latin-1."""
        lines = _FOLDED.sub(b" ", self.raw).split(b"\n")[1:]
        pairs = (line.rstrip(b"\r").partition(b":") for line in lines)
        return tuple(
            (name.strip().lower().decode("latin-1"), value.strip().decode("latin-1"))
            for name, colon, value in pairs
            if colon
        )

    def get(self, name: str) -> str | None:
        """The field's first value, or None."""
        return next((value for field, value in self.fields if field == name), None)

    def all(self, name: str) -> list[str]:
        """Every value of the field, in order."""
        return [value for field, value in self.fields if field == name]

    @property
    def media_type(self) -> str | None:
        """Content-Type without parameters, in lower case."""
        value = self.get("content-type")
        return value.split(";")[0].strip().lower() or None if value else None

    @property
    def charset(self) -> str | None:
        """The charset parameter of Content-Type, as given."""
        found = re.search(r"charset\s*=\s*[\"']?([^\s\"';]+)", self.get("content-type") or "", re.I)
        return found.group(1) if found else None

    @property
    def ends_plainly(self) -> bool:
        """Whether every reader finds the same end of this head."""
        return self.raw.endswith(b"\r\n\r\n") and not _BLANK_WITHIN.search(self.raw)

    @property
    def is_chunked(self) -> bool:
        """Whether the body on the wire carries the chunked transfer-coding."""
        return any("chunked" in value.lower() for value in self.all("transfer-encoding"))


def split_head(received: bytes) -> tuple[bytes, bytes]:
    """A response's head, with its empty line, and what follows. The head is everything where no empty line came."""
    found = _END_OF_HEAD.search(received)
    return (received[: found.end()], received[found.end() :]) if found else (received, b"")


def without_chunks(body: bytes) -> bytes:
    """The entity of a chunked body (RFC 9112 §7.1); of a cut one, what came.

    A body that does not begin with a chunk's size is the entity itself: some recorders undo the coding, and leave the
    header field that names it.

    >>> without_chunks(b"3\\r\\nabc\\r\\n0\\r\\n\\r\\n"), without_chunks(b"<html>")
    (b'abc', b'<html>')
    """
    return _read_chunks(body)[0]


def _read_chunks(body: bytes) -> tuple[bytes, bool]:
    """The entity of a chunked body, and whether its last chunk came."""
    entity, position = bytearray(), 0
    while True:
        line_end = body.find(b"\n", position)
        size_text = body[position:line_end].split(b";")[0].strip() if line_end > 0 else b""
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size_text):
            return (bytes(entity), False) if position or _LIKE_A_SIZE.match(body) else (body, True)
        size = int(size_text, 16)
        if size == 0:
            return bytes(entity), True
        entity += body[line_end + 1 : line_end + 1 + size]
        position = body.find(b"\n", line_end + 1 + size) + 1
        if position == 0:
            return bytes(entity), False


def is_cut(head: HttpHead, body: bytes) -> bool:
    """Whether a response to a GET ends before its own framing says so (RFC 9112 §6.3, §8).

    Where a recorder undid a coding and left the fields that speak of it, nothing can be said: it is not cut then.
    """
    if head.status < 200 or head.status in (204, 304):
        return False
    if head.is_chunked:
        return not _read_chunks(body)[1]
    lengths = head.all("content-length")
    coding = (head.get("content-encoding") or "identity").lower()
    is_as_sent = coding == "identity" or body.startswith(b"\x1f\x8b")
    return is_as_sent and len(lengths) == 1 and bool(_LENGTH.fullmatch(lengths[0])) and len(body) < int(lengths[0])


def sha1(data: bytes) -> str:
    """A digest as WARC and CDXJ write it: ``sha1:`` and base32."""
    return "sha1:" + b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


@dataclass(frozen=True)
class Exchange:
    """One request and the response to it.

    ``url`` is the address asked for, ``started`` the moment the request was sent, ``milliseconds`` how long it took
    until the last byte. ``request``, ``head`` and ``body`` are the bytes of the wire. ``interim`` holds 1xx responses
    that came first. ``truncated`` is WARC's reason where the body is not whole (``length``, ``time``, ``disconnect``,
    ``unspecified``), else None. ``tls`` is the version as WARC-Protocol has it, ``cipher`` the suite by its IANA name,
    ``certificate`` is ``valid`` or why the server's certificate is not.
    """

    url: str
    started: datetime
    request: bytes
    head: HttpHead
    body: bytes
    ip: str | None = None
    truncated: str | None = None
    tls: str | None = None
    interim: tuple[bytes, ...] = ()
    cipher: str | None = None
    certificate: str | None = None
    milliseconds: int | None = None

    @cached_property
    def entity(self) -> bytes:
        """The body without its transfer-coding."""
        return without_chunks(self.body) if self.head.is_chunked else self.body

    @cached_property
    def payload_digest(self) -> str:
        """The digest of the entity (WARC 1.1 §5.9)."""
        return sha1(self.entity)
