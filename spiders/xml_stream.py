"""Reads XML that other people wrote, element by element: bounded, without network, and through common
mistakes.

libxml2's recovery does the most. What it would drop in silence is mended before: a bare ``&`` (``?a=1&b=2``
lost its ``&b``), HTML's named characters, and what stands before the root.
"""

import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from xml.sax.saxutils import escape

from lxml import etree

from newsmorgue.cleaning.decode import Decoded, decode

_CDATA_OR_AMPERSAND = re.compile(
    rb"<!\[CDATA\[(?:.*?\]\]>|.*\Z)|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)(?:(\w{2,31});)?",
    re.S,
)
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?(?:rss|feed|rdf|urlset|sitemapindex)\b", re.I)
_ROOT_WITHIN = 16_384
_PIECE = 1 << 16
_MOST_HELD = 1 << 20  # no tag and no honest CDATA section is as long
_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,500}\?>")
# XML 1.0 §2.2: what no document may hold.
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})


class _Source:
    """A file for the parser, made of pieces; knows when it has asked for more than there is."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.exhausted = False
        self._pieces = pieces
        self._ready = b""

    def read(self, size: int = -1, /) -> bytes:
        while not self._ready and (piece := next(self._pieces, None)) is not None:
            self._ready = piece
        size = size if size >= 0 else len(self._ready)
        chunk, self._ready = self._ready[:size], self._ready[size:]
        self.exhausted = not chunk
        return chunk


class XmlStream:
    """Elements of some names in the order they end; ``problem`` is known when all were taken.

    ``body`` is the document, whole or in pieces; no more than a piece of it is held at a time. An element without its
    end tag, as in a document that was cut, is left out.
    """

    def __init__(self, body: bytes | Iterable[bytes], names: frozenset[str]) -> None:
        self.root: str | None = None
        self.problem: str | None = None
        self._names = names
        self._source = _Source(_mended(in_pieces(body) if isinstance(body, bytes) else iter(body)))

    def __iter__(self) -> Iterator[etree._Element]:
        """Each element is emptied when the next one is asked for."""
        events = etree.iterparse(
            self._source,
            events=("start", "end"),
            recover=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
            encoding="utf-8",
        )
        try:
            yield from self._wanted(events)
        except etree.XMLSyntaxError as error:
            self.problem = f"not XML: {error.msg}"
        self.problem = self.problem or _first_fault(events.error_log)

    def _wanted(self, events: Iterator[tuple[str, etree._Element]]) -> Iterator[etree._Element]:
        for event, element in events:
            if self.root is None:
                self.root = local_name(element)
            if event == "end" and local_name(element) in self._names:
                # What only the end of the document closed may hold half an address.
                if not self._source.exhausted:
                    yield element
                _drop(element)


def _drop(element: etree._Element) -> None:
    """Free an element and all before it, so that a long document is never in memory as a tree."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _first_fault(log: etree._ListErrorLog) -> str | None:
    fault = next((entry for entry in log if entry.level_name == "FATAL"), None)
    return f"line {fault.line}: {fault.message.strip()}" if fault else None


def local_name(element: etree._Element) -> str:
    """The name without namespace or (undeclared) prefix, in lower case."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def namespace(element: etree._Element) -> str:
    """What stands before the local name; equal for elements of one vocabulary."""
    return str(element.tag)[: -len(local_name(element))]


def text_of(element: etree._Element) -> str:
    """All text in an element."""
    return "".join(str(part) for part in element.itertext())


def in_pieces(body: bytes) -> Iterator[bytes]:
    """A document a piece at a time."""
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))


def _mended(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-8 that begins at the root: with the document type its entities are gone, harmful ones included."""
    whole = _whole_tags(pieces)
    first = next(whole, b"")
    decoded = decode(first)
    if decoded.charset != "utf-8":
        # Rare, and how a document is encoded may show late: so it is read as one.
        decoded, whole = decode(b"".join((first, *whole))), iter(())
    yield _mended_piece(_from_root(_utf8(first, decoded)))
    for piece in whole:
        yield _mended_piece(_utf8(piece, decode(piece)))


def _utf8(raw: bytes, decoded: Decoded) -> bytes:
    return raw.removeprefix(b"\xef\xbb\xbf") if decoded.charset == "utf-8" else decoded.text.encode()


def _from_root(utf8: bytes) -> bytes:
    root = _ROOT.search(utf8, 0, _ROOT_WITHIN)
    return utf8[root.start() :] if root else _DECLARATION.sub(b"", utf8, count=1)


def _mended_piece(utf8: bytes) -> bytes:
    return _CDATA_OR_AMPERSAND.sub(_mended_reference, utf8.translate(None, _CONTROLS))


def _whole_tags(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end behind a tag and within no CDATA section, as far as such ends can be found."""
    held = b""
    for piece in pieces:
        held += piece
        end = held.rfind(b">") + 1
        opened = held.rfind(b"<![CDATA[", 0, end)
        if opened > held.rfind(b"]]>", 0, end):
            end = opened
        if end < _PIECE // 2 and len(held) < _MOST_HELD:
            continue
        end = end or len(held)
        yield held[:end]
        held = held[end:]
    if held:
        yield held


def _mended_reference(match: re.Match[bytes]) -> bytes:
    if match[0].startswith(b"<"):
        return match[0]
    if match[1] is None:
        return b"&amp;"
    named = html5.get(match[1].decode() + ";")
    return escape(named).encode() if named else b"&amp;" + match[1] + b";"
