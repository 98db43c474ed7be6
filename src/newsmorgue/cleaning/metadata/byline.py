"""Byline and date as the reader sees them, where the page's data say nothing."""

import re
from collections.abc import Iterator

from lxml import etree

from newsmorgue.cleaning.metadata.facts import Facts
from newsmorgue.cleaning.tree import select, strings, text_within

_AUTHOR_CLASS = re.compile(
    r"(?<![a-z])(?:by-?line|author|auteur|autor|autore|writer|contributor)s?(?![a-z])(?![-_](?:bio|box"
    r"|image|avatar|desc))",
    re.I,
)
_DATE_CLASS = re.compile(
    r"(?<![a-z])(?:date|time|datetime|timestamp|published|publish|pubdate|posted|datum|fecha|dateline|meta)(?![a-z])",
    re.I,
)
_BY_TEXT = re.compile(r"^(?:by|par|von|por|di|door|af|av|text|texte)\s*:?\s+(?=[A-ZÀ-ÖØ-Þ])", re.I)
_NAME_LIKE = re.compile(
    r"(?:[^\W\d_a-z][\w.'’-]*(?:\s+|$)|(?:de|del|la|van|von|der|den|di|da|bin|al|el|le|y|and|und|et|&)\s+|,\s*){2,10}"
)
_ASIDE = frozenset({"aside", "footer", "nav", "form", "li", "script", "style"})
_NEXT_LINES = "following::text()[normalize-space()][not(parent::script or parent::style)][position() <= 40]"
_DATED_LINES = (
    "text()[string-length() < 60 and contains(., '20')]"
    "[not(ancestor::script or ancestor::style or ancestor::header or ancestor::nav or ancestor::footer or ancestor::a)]"
    "[position() <= 30]"
)
# The date of the day of reading, in the head of the page.
_TODAY = re.compile(r"today|du-?jour|heute|\bhoy\b|current|clock|top-?bar|ticker|weather|copyright|calendar", re.I)
_LONGEST_BYLINE, _LONGEST_DATE, _MOST = 150, 120, 12


def visible_bylines(facts: Facts) -> Iterator[tuple[str, list[str]]]:
    """Candidates for the authors as (how, raw values): microdata, rel=author, byline classes, "By …" near the title."""
    microdata = [
        _short(element) for element in select(facts.root, "//body//*[@itemprop='author' or @itemprop='creator']")
    ]
    if microdata:
        yield "microdata", [text for text in microdata[:3] if text]
    linked = [_short(element) for element in select(facts.root, "//body//a[@rel='author' or contains(@rel, 'author')]")]
    if linked:
        yield "rel", [text for text in linked[:3] if text]
    for element in _classed(facts.root, _AUTHOR_CLASS):
        if (text := _short(element)) and (_BY_TEXT.match(text) or _NAME_LIKE.fullmatch(text)):
            yield "byline", [text]
    yield from _spoken(facts)


def visible_dates(facts: Facts) -> Iterator[tuple[str, str]]:
    """Candidates for the day of publication as (how, raw): time elements, classes that say date, lines by the title."""
    times = [element for element in facts.root.iter("time") if not _is_aside(element)]
    for element in sorted(times, key=lambda element: "pubdate" not in element.attrib)[:_MOST]:
        yield "time", element.get("datetime") or text_within(element)[:_LONGEST_DATE]
    for element in _classed(facts.root, _DATE_CLASS):
        text = "" if _TODAY.search(f"{element.get('class', '')} {element.get('id', '')}") else text_within(element)
        if re.search(r"\d", text) and len(text) <= _LONGEST_DATE:
            yield "visible", text
    for text in (*_near_title(facts.root), *_dated_lines(facts.root)):
        if re.search(r"(?:19|20)\d\d", text) and len(text) <= _LONGEST_DATE:
            yield "visible", text


def _spoken(facts: Facts) -> Iterator[tuple[str, list[str]]]:
    for text in _near_title(facts.root):
        if _BY_TEXT.match(text) and len(text) <= 80:
            yield "byline", [text]


def _short(element: etree._Element) -> str | None:
    name = element.get("content") or next(
        (inner.get("content") or text_within(inner) for inner in select(element, ".//*[@itemprop='name']")), None
    )
    text = name or text_within(element)
    return text if 0 < len(text) <= _LONGEST_BYLINE else None


def _classed(root: etree._Element, pattern: re.Pattern[str]) -> Iterator[etree._Element]:
    """Elements whose class or id matches, outside of asides, from the headline on (or from the start without one)."""
    found = 0
    for element in select(root, "//body//*[@class or @id]"):
        if pattern.search(f"{element.get('class', '')} {element.get('id', '')}") and not _is_aside(element):
            yield element
            found += 1
            if found >= 3 * _MOST:
                return


def _is_aside(element: etree._Element) -> bool:
    return element.tag in _ASIDE or any(ancestor.tag in _ASIDE for ancestor in element.iterancestors())


def _dated_lines(root: etree._Element) -> Iterator[str]:
    """Short lines with a year in them, after the headline where there is one: before it stands the day of reading."""
    heading = next(root.iter("h1"), None)
    return (
        strings(root, f"//body//{_DATED_LINES}") if heading is None else strings(heading, f"following::{_DATED_LINES}")
    )


def _near_title(root: etree._Element) -> Iterator[str]:
    """The first lines of text after the h1."""
    heading = next(root.iter("h1"), None)
    if heading is None:
        return
    for text in strings(heading, _NEXT_LINES):
        yield " ".join(text.split())
