"""Bytes to characters: which encoding a page is really in, and how that was decided.

The order follows the HTML standard (byte order mark, transport, ``meta``; WHATWG Encoding's labels), with one
departure: where the bytes are valid UTF-8 beyond ASCII, they are UTF-8, whatever was declared. Text in another
encoding is practically never valid UTF-8 by accident, and servers that declare the wrong one are common.
"""

import codecs
import re
from dataclasses import dataclass, replace

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
# Labels of the same standard that Python does not know.
_ALIASES = {
    alias: codec
    for codec, aliases in {
        "cp874": "windows-874 dos-874 iso885911",
        "iso8859-8": "iso-8859-8-i csiso88598i logical iso-8859-8-e csiso88598e visual",
        "iso8859-6": "iso-8859-6-i csiso88596i iso-8859-6-e csiso88596e",
        "iso8859-7": "sun_eu_greek",
        "iso8859-15": "csisolatin9",
        "koi8-r": "koi koi8",
        "koi8-u": "koi8-ru",
        "cp866": "dos-866",
        "cp1254": "turkish",
        "mac-roman": "mac x-mac-roman csmacintosh",
        "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
        "gb18030": "csgb2312 gb_2312 gb_2312-80 x-gbk",
        "big5hkscs": "cn-big5 x-x-big5",
        "cp932": "x-sjis windows-31j",
        "euc_jp": "x-euc-jp cseucpkdfmtjapanese",
        "cp949": "cseuckr csksc56011987 iso-ir-149 ks_c_5601-1989 ksc_5601 windows-949",
        "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
        "cp1252": "iso88591",
    }.items()
    for alias in aliases.split()
}
_LANGUAGE = re.compile(rb"<html\b[^>]{0,1000}?\blang\s*=\s*[\"']?\s*([a-z]{2,3})(?:[-_](hant|tw|hk|mo))?\b", re.I)
# HTML standard §13.2.3.2: what a page that declares nothing is in, by its language; and what else its pages are in.
_OF_LANGUAGE = {
    language: tuple(codecs.split())
    for codecs, languages in {
        "cp1256": "ar fa ur",
        "cp1251 koi8-r": "ru",
        "cp1251 koi8-u": "uk",
        "cp1251": "be bg kk ky mk sr tg tt",
        "cp1254": "tr az ku",
        "iso8859-2 cp1250": "cs hr hu pl ro sk sl",
        "iso8859-7 cp1253": "el",
        "cp1255": "he iw",
        "cp1257": "et lt lv",
        "cp874": "th",
        "cp1258": "vi",
        "euc_jp cp932": "ja",
        "cp949": "ko",
        "gb18030": "zh",
        "big5hkscs gb18030": "zh-hant",
    }.items()
    for language in languages.split()
}
_DECLARATIONS_WITHIN = 8192
_CONTROL = re.compile("[\x80-\x9f]")
# So many characters must be valid UTF-8 for one that is not, or the page is in another encoding.
_DAMAGED_UTF8 = 20


@dataclass(frozen=True, slots=True)
class Decoded:
    """A page's characters, and how their encoding was known.

    ``how`` is ``bom``, ``utf-8``, ``nul-bytes``, ``header``, ``meta``, ``damaged-utf-8``, ``language`` (nothing usable
    is declared; what pages of the language that ``html lang`` names are in) or ``default``. ``received`` are the bytes,
    where they are these characters in UTF-8.
    """

    text: str
    charset: str
    how: str
    warnings: tuple[str, ...] = ()
    received: bytes | None = None

    @property
    def utf8(self) -> bytes:
        """The characters in UTF-8."""
        return self.text.encode("utf-8", "replace") if self.received is None else self.received


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
    """UTF-16 without its mark: markup is ASCII, so every second byte is NUL, at least at the page's beginning."""
    for opening, name in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if html.startswith(opening):
            return _lenient(html, name, "nul-bytes")
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
    label = (label or "").strip(" \t\r\n\"';").lower()
    label = label.removeprefix("x-") if label.startswith("x-cp") else label
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
        "".encode(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if name.startswith(("utf-16", "utf-32", "utf-7", "idna", "punycode")) else _WIDER.get(name, name)


def _by_content(html: bytes, declared: list[tuple[str, str]]) -> Decoded:
    escapes = b"\x1b" in html and next((pair for pair in declared if pair[0].startswith("iso2022")), None)
    if escapes:
        return _lenient(html, *escapes)
    try:
        return Decoded(html.decode("utf-8"), "utf-8", "utf-8", _contradiction(html, declared), html)
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
    return _lenient(html, *others[0]) if others else _undeclared(html)


def _undeclared(html: bytes) -> Decoded:
    """By the page's language: of the encodings its pages are in, the one that gives most small letters, and no control
    characters; else as browsers do in the West, and that is noted."""
    match = _LANGUAGE.search(html[:_DECLARATIONS_WITHIN])
    language = match[1].decode().lower() if match else ""
    codecs_of = _OF_LANGUAGE.get(f"{language}-hant" if match and match[2] else language, _OF_LANGUAGE.get(language, ()))
    read = [(text, codec) for codec in codecs_of if (text := _strict(html, codec)) is not None]
    usable = [(sum(map(str.islower, text)), text, codec) for text, codec in read if not _CONTROL.search(text)]
    if not usable:
        page = _lenient(html, "cp1252", "default")
        return replace(page, warnings=("charset: none that fits is declared, read as cp1252", *page.warnings))
    _, text, codec = max(usable, key=lambda one: one[0])
    return Decoded(text, codec, "language", (f"charset: none that fits is declared, read as {codec} for its language",))


def _strict(html: bytes, codec: str) -> str | None:
    try:
        return html.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _lenient(html: bytes, codec: str, how: str) -> Decoded:
    text = html.decode(codec, "replace")
    lost = text.count("\ufffd")
    return Decoded(text, codec, how, (f"charset: {lost} sequences are not {codec}",) if lost else ())
