"""What an operator's selectors choose in a page.

A page that has none of what a selector names is read as if it were not there, and the article's warnings say so.
"""

from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.selectors import Selectors
from newsmorgue.cleaning.tree import drop, text_within


@dataclass(frozen=True, slots=True)
class Chosen:
    """What selectors choose in a page. ``body`` is an element with copies of all parts of the body and nothing else."""

    headline: Found | None = None
    summary: Found | None = None
    body: etree._Element | None = None
    warnings: tuple[str, ...] = ()


def check(selector: str) -> None:
    """Raises ValueError, saying what is wrong, for what is no CSS selector that can be used here."""
    try:
        _compiled(selector)(etree.Element("html"))
    except (SelectorError, etree.XPathError) as error:
        raise ValueError(str(error)) from error


@lru_cache(maxsize=256)
def _compiled(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def choose(root: etree._Element, selectors: Selectors) -> Chosen:
    """Take out of a page what is to be removed, and read what is chosen."""
    for selector in selectors.remove:
        for element in _matches(root, selector):
            drop(element)
    headline, summary = (_text(root, selector) for selector in (selectors.headline, selectors.summary))
    body = _body(root, selectors.body)
    asked = (("headline", selectors.headline, headline), ("summary", selectors.summary, summary))
    missing = [name for name, selector, found in (*asked, ("body", selectors.body, body)) if selector and found is None]
    return Chosen(headline, summary, body, tuple(f"selectors: nothing on this page is its {name}" for name in missing))


def _matches(root: etree._Element, selector: str) -> list[etree._Element]:
    return cast("list[etree._Element]", _compiled(selector)(root))


def _text(root: etree._Element, selector: str | None) -> Found | None:
    texts = (text_within(element) for element in _matches(root, selector)) if selector else ()
    text = next((text for text in texts if text), None)
    return Found("selector", text) if text else None


def _body(root: etree._Element, selector: str | None) -> etree._Element | None:
    parts: list[etree._Element] = []
    for element in _matches(root, selector) if selector else ():
        if not any(above in parts for above in element.iterancestors()):
            parts.append(element)
    if not any(map(text_within, parts)):
        return None
    body = etree.Element("article")
    for part in parts:
        copy = deepcopy(part)
        copy.tail = None
        body.append(copy)
    return body
