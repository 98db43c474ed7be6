"""The parsed tree: choosing elements and reading their text."""

import re
from collections.abc import Iterator
from typing import cast

from lxml import etree

from newsmorgue.cleaning.wording import visible

# HTML's phrasing elements: they end no line (HTML standard §4.5 and the obsolete ones).
INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "ins",
    "kbd", "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup",
    "time", "tt", "u", "var", "wbr",
})  # fmt: skip
# Names of blockquotes that are posts from elsewhere.
POST = re.compile(
    r"(?<![a-z])(?:twitter-(?:tweet|video)|instagram-media|tiktok-embed|bluesky-embed|fb-post|reddit-embed"
    r"|mastodon-embed)",
    re.I,
)
_UNSHOWN = frozenset({"script", "style", "noscript", "template", "svg"})
# Deeper than this inside one line of text nothing is a matter of layout any more.
_DEEPEST = 60


def select(element: etree._Element, path: str) -> list[etree._Element]:
    """The elements that an XPath expression chooses."""
    return cast("list[etree._Element]", element.xpath(path))


def strings(element: etree._Element, path: str) -> Iterator[str]:
    """The texts that an XPath expression chooses."""
    return (str(text) for text in cast("list[str]", element.xpath(path)))


def drop(element: etree._Element) -> None:
    """Take an element out, and leave the text behind it where it stands."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    element.tail = None
    parent.remove(element)


def text_within(element: etree._Element) -> str:
    """The visible text of an element as one line, scripts and styles left out, blocks parted by a space.

    >>> text_within(etree.fromstring("<h1><em>A</em><em>kicker</em><b>T</b>he <i>night</i> ferry</h1>"))
    'A kicker The night ferry'
    """
    pieces: list[str] = []
    _collect(element, pieces, 0)
    return visible("".join(pieces))


def short_text(element: etree._Element, longest: int) -> str:
    """As :func:`text_within`, but empty for an element with more characters than twice ``longest``: not worth reading.

    >>> short_text(etree.fromstring("<p>one <b>two</b></p>"), 20), short_text(etree.fromstring("<p>one two</p>"), 3)
    ('one two', '')
    """
    room = 2 * longest
    for piece in element.itertext():
        room -= len(piece)
        if room < 0:
            return ""
    return text_within(element)


def _collect(element: etree._Element, pieces: list[str], depth: int) -> None:
    if element.text:
        pieces.append(element.text)
    ended_bare = False
    for child in element:
        tag, tail = child.tag, child.tail
        if tag not in _UNSHOWN:
            # Two elements with nothing between them are set apart by their style, whatever they are.
            parted = ended_bare or tag not in INLINE
            if parted:
                pieces.append(" ")
            if depth < _DEEPEST:
                _collect(child, pieces, depth + 1)
            else:
                pieces.extend(map(str, child.itertext()))
            if tag not in INLINE:
                pieces.append(" ")
            ended_bare = not tail
        if tail:
            pieces.append(tail)
