"""Bytes to characters: which encoding a page is really in, and how that was decided.

The order follows the HTML standard (byte order mark, transport, ``meta``; WHATWG Encoding's labels), with one
departure: where the bytes are valid UTF-8 beyond ASCII, they are UTF-8, whatever was declared. Text in another
encoding is practically never valid UTF-8 by accident, and servers that declare the wrong one are common.
"""

import codecs
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})", re.I)
# WHATWG Encoding §4.2: labels that mean a larger set than the one they name.
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_DECLARATIONS_WITHIN = 8192
# So many characters must be valid UTF-8 for one that is not, or the page is in another encoding.
_DAMAGED_UTF8 = 20


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's characters, and how their encoding was known.

    ``how`` is ``bom``, ``utf-8``, ``nul-bytes``, ``header``, ``meta``, ``damaged-utf-8`` or ``default``.
    """

    text: str
    charset: str
    how: str
    warnings: tuple[str, ...] = ()


def decode(html: bytes, charset: str | None = None) -> Decoded:
    """Read ``html``; ``charset`` is what the Content-Type header named. Never fails: what is unreadable becomes U+FFFD.

    >>> decode("déjà".encode(), "iso-8859-1").charset
    'utf-8'
    >>> decode(b"d\\xe9j\\xe0", None).text
    'déjà'
    """
    return _by_mark(html) or _by_nul_bytes(html) or _by_content(html, _declared(html, charset))


def _by_mark(html: bytes) -> Decoded | None:
    for mark, name in _MARKS:
        if html.startswith(mark):
            return _lenient(html[len(mark) :], name, "bom")
    return None


def _by_nul_bytes(html: bytes) -> Decoded | None:
    """UTF-16 without its mark: markup is ASCII, so every second byte is NUL."""
    head = html[:512]
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[start::2]
        if len(half) > 8 and half.count(0) > 0.8 * len(half) and head[1 - start :: 2].count(0) < 0.2 * len(half):
            return _lenient(html, name, "nul-bytes")
    return None


def _declared(html: bytes, charset: str | None) -> list[tuple[str, str]]:
    """The usable declarations, as (Python's codec, where it stood), the header first."""
    head = html[:_DECLARATIONS_WITHIN]
    found = [(charset, "header")]
    found += [
        (match[1].decode("ascii", "replace"), "meta") for match in (_META.search(head), _XML.search(head)) if match
    ]
    return [(codec, how) for label, how in found if (codec := _codec(label))]


def _codec(label: str | None) -> str | None:
    try:
        name = codecs.lookup((label or "").strip(" \t\r\n\"';")).name
        "".encode(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if name.startswith(("utf-16", "utf-32", "utf-7", "idna", "punycode")) else _WIDER.get(name, name)


def _by_content(html: bytes, declared: list[tuple[str, str]]) -> Decoded:
    escapes = b"\x1b" in html and next((pair for pair in declared if pair[0].startswith("iso2022")), None)
    if escapes:
        return _lenient(html, *escapes)
    try:
        return Decoded(html.decode("utf-8"), "utf-8", "utf-8", _contradiction(html, declared))
    except UnicodeDecodeError:
        return _not_utf8(html, declared)


def _contradiction(html: bytes, declared: list[tuple[str, str]]) -> tuple[str, ...]:
    if not declared or declared[0][0] == "utf-8" or html.isascii():
        return ()
    codec, how = declared[0]
    return (f"charset: {how} says {codec}, the bytes are utf-8",)


def _not_utf8(html: bytes, declared: list[tuple[str, str]]) -> Decoded:
    damaged = html.decode("utf-8", "replace")
    lost = damaged.count("\ufffd")
    if lost * _DAMAGED_UTF8 <= sum(1 for character in damaged if character > "\x7f") - lost:
        return Decoded(damaged, "utf-8", "damaged-utf-8", ("charset: damaged utf-8",))
    others = [pair for pair in declared if pair[0] != "utf-8"]
    for codec, how in others:
        if (text := _strict(html, codec)) is not None:
            return Decoded(text, codec, how)
    return _lenient(html, *(others[0] if others else ("cp1252", "default")))


def _strict(html: bytes, codec: str) -> str | None:
    try:
        return html.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _lenient(html: bytes, codec: str, how: str) -> Decoded:
    text = html.decode(codec, "replace")
    lost = text.count("\ufffd")
    return Decoded(text, codec, how, (f"charset: {lost} sequences are not {codec}",) if lost else ())
