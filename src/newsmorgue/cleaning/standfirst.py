"""The summary a reader sees between headline and body (standfirst, dek, chapô, Vorspann, entradilla)."""

import re
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.bylines import is_byline
from newsmorgue.cleaning.metadata import Metadata
from newsmorgue.cleaning.metadata.jsonld import text_of
from newsmorgue.cleaning.roles import STORY, role_of_name
from newsmorgue.cleaning.tree import select, text_within
from newsmorgue.cleaning.wording import letters, word_count

_NAMED = re.compile(
    r"(?<![a-z])(?:standfirst|dek|deck|lead|lede|leadtext|lead-text|chapo|chapeau|intro|introduction"
    r"|summary|sub-?title|sub-?headline"
    r"|sub-?heading|sub-?head|excerpt|vorspann|abstract|bajada|entradilla|copete|volanta|sottotitolo"
    r"|sommario|catenaccio|ingress|manchet"
    r"|tagline|strapline|preamble|lid|perex|anons|spot|description|underrubrik|subtitulo|resumo|linha-fina"
    r"|gravata)(?![a-z])",
    re.I,
)
_CANDIDATES = frozenset({"p", "h2", "h3", "h4", "div", "span", "strong", "b", "em", "section"})
_PASSED_OVER = frozenset({"nav", "figure", "figcaption", "footer", "form", "ul", "ol", "blockquote", "li", "a"})
_FEWEST_WORDS, _MOST_WORDS = 5, 110
_OF_PICTURES = re.compile(r"caption|image|photo|picture|media|gallery|video|bild|credit", re.I)
# How far behind the headline to look, in elements.
_REACH = 150
_ENOUGH_LETTERS = 40


def read_standfirst(root: etree._Element, story: etree._Element | None, metadata: Metadata) -> tuple[str, Found] | None:
    """The standfirst and its origin: named as one and before the first paragraph, or what the page's head describes
    itself with and the reader sees outside of the story's element."""
    described = [
        letters(text) for text in (metadata.description, text_of(metadata.linked.story.get("description"))) if text
    ]
    titles = {letters(title) for title in (metadata.headline or "", *metadata.headings)}
    for element, inside in islice(_after_headline(root, story), _REACH):
        text = text_within(element) if _may_be(element) else ""
        if not _FEWEST_WORDS <= word_count(text) <= _MOST_WORDS or letters(text) in titles or _is_linked(element):
            continue
        if is_byline(text, metadata.authors):
            continue
        if _is_named(element):
            return text, Found("standfirst", text)
        if not inside and any(_alike(letters(text), key) for key in described):
            return text, Found("description", text)
        if inside and element.tag == "p":
            return None
    return None


def _after_headline(root: etree._Element, story: etree._Element | None) -> Iterator[tuple[etree._Element, bool]]:
    """The elements from the headline on (without one, the story's own), and whether they are inside the story's."""
    heading = next(root.iter("h1"), None)
    if heading is None:
        yield from ((element, True) for element in (story.iter(etree.Element) if story is not None else ()))
        return
    inside = story is not None and any(above is story for above in heading.iterancestors())
    for element in select(heading, f"(following::*)[position() <= {_REACH}]"):
        inside = inside or element is story
        yield element, inside


def _may_be(element: etree._Element) -> bool:
    """Whether an element can hold a standfirst: one line of text, not in a list, figure, link or the like."""
    if element.tag not in _CANDIDATES or any(above.tag in _PASSED_OVER for above in element.iterancestors()):
        return False
    return sum(1 for _ in islice(element.iter("p", "h1", "h2", "h3", "figure", "ul", "img", "form"), 2)) <= 1


def _is_named(element: etree._Element) -> bool:
    """Whether the element's own names say standfirst, and neither they nor those around it something else."""
    if not _NAMED.search(_names(element)):
        return False
    around = [_names(element), *(_names(above) for above in islice(element.iterancestors(), 3))]
    return not any(_OF_PICTURES.search(names) or role_of_name(names) not in (None, STORY) for names in around)


def _names(element: etree._Element) -> str:
    return f"{element.get('class', '')} {element.get('id', '')} {element.get('itemprop', '')}"


def _is_linked(element: etree._Element) -> bool:
    linked = sum(word_count(text_within(link)) for link in element.iter("a"))
    return linked * 2 > word_count(text_within(element))


def _alike(text: str, description: str) -> bool:
    shorter = min(len(text), len(description))
    return text == description or (shorter >= _ENOUGH_LETTERS and text[:shorter] == description[:shorter])
