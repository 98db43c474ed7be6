"""The parsed tree: choosing elements and reading their text."""

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
_UNSHOWN = ("script", "style", "noscript", "template", "svg")
_SHOWN_TEXT = f".//text()[not({' or '.join(f'ancestor::{tag}' for tag in _UNSHOWN)})]"


def select(element: etree._Element, path: str) -> list[etree._Element]:
    """The elements that an XPath expression chooses."""
    return cast("list[etree._Element]", element.xpath(path))


def strings(element: etree._Element, path: str) -> Iterator[str]:
    """The texts that an XPath expression chooses."""
    return (str(text) for text in cast("list[str]", element.xpath(path)))


def text_within(element: etree._Element) -> str:
    """The visible text of an element, scripts and styles left out."""
    if next(element.iter(*_UNSHOWN), None) is None:
        return visible(" ".join(map(str, element.itertext(with_tail=False))))
    return visible(" ".join(strings(element, _SHOWN_TEXT)))
