"""Who wrote the story: names out of the page's data, and out of what is printed around its headline."""

import re
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.dates import read_date
from newsmorgue.cleaning.metadata.facts import Facts
from newsmorgue.cleaning.metadata.jsonld import LinkedData, Node, texts_of, types_of
from newsmorgue.cleaning.metadata.names import is_by, looks_like_person, read_names, speaks_of_author
from newsmorgue.cleaning.metadata.nearby import Around, Nearby, author_marks, stands_in_comments
from newsmorgue.cleaning.tree import short_text, text_within

_METAS = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator", "byl",
    "dc.contributor", "citation_author", "article:author_name", "cxenseparse:author", "rnews:author", "authors",
    "og:article:author", "og:author", "articleauthor", "article_author", "article.author", "author_name", "byline",
    "twitter:creator:name", "creator",
)  # fmt: skip
_BARS = re.compile(r"\s+[|•·]\s+")
_LONGEST, _LONGEST_BOX, _MOST_MARKED, _MOST_ELSEWHERE, _MOST_LINKS = 150, 600, 8, 40, 6
_MARKS = ("microdata", "rel", "link", "byline")

# "Di" begins names elsewhere, and sentences with other words than names.
_ITALIAN = re.compile(r"[Dd]i ((?:[A-ZÀ-Ý][\w’'.-]+(?: e |, | )?){2,9})")

# How, the raw values, and whether only what is written as persons' names are counts.
Candidate = tuple[str, list[str], bool]


def read_authors(facts: Facts, around: Around, site_name: str | None) -> tuple[tuple[str, ...], Found | None]:
    """The authors and where they were found: persons first, wherever they are named; else who the page says it is by,
    an agency, a desk or the publisher."""
    data = list(_in_data(facts))
    if found := _first(data, site_name):
        return found
    nearby = around.everything()
    if found := _first(_marked(nearby), site_name) or _first(_spoken(nearby, facts.language), site_name):
        return found
    named = (*data, *_marked(nearby, strong=True))
    return (
        _first(named, site_name, persons=False)
        or _first(_elsewhere(facts), site_name)
        or _first(named, None, persons=False)
        or ((), None)
    )


def _first(
    candidates: Iterator[Candidate] | list[Candidate] | tuple[Candidate, ...],
    publisher: str | None,
    persons: bool = True,
) -> tuple[tuple[str, ...], Found] | None:
    for how, raws, written in candidates:
        names = [name for raw in raws for name in read_names(raw, publisher, persons=persons)]
        if names and written and persons:
            names = [name for name in names if looks_like_person(name)] if looks_like_person(names[0]) else []
        if names:
            if how == "json-ld" and len(raws) > 1 and persons:
                names = [name for raw in raws for name in _of_node(raw, publisher)]
            return tuple(dict.fromkeys(names)), Found(how, "; ".join(raws)[:300])
    return None


def _of_node(raw: str, publisher: str | None) -> list[str]:
    """Who one node among several names: agencies and desks with a node of their own are authors too."""
    return read_names(raw, publisher) or read_names(raw, publisher, persons=False)


def _in_data(facts: Facts) -> Iterator[Candidate]:
    yield "json-ld", _linked_authors(facts.linked), False
    for name in _METAS:
        if name in facts.metas and (values := facts.values(name)):
            yield "meta", values, False
    for number in ("1", "2"):
        label, value = facts.meta(f"twitter:label{number}"), facts.meta(f"twitter:data{number}")
        if label and value and speaks_of_author(label[1]):
            yield "meta", [value[1]], False


def _linked_authors(linked: LinkedData) -> list[str]:
    value = linked.story.get("author") or linked.story.get("creator") or linked.page.get("author")
    names: list[str] = []
    for node in value if isinstance(value, list) else [value]:
        if isinstance(node, dict) and isinstance(node.get("@id"), str) and not node.get("name"):
            node = linked.by_id.get(node["@id"], {})
        names += texts_of(_name_of(node) if isinstance(node, dict) else node)
    if not names and value:
        persons = [node for node in linked.by_id.values() if "Person" in types_of(node)]
        names = texts_of(persons[0].get("name")) if len(persons) == 1 else []
    return names


def _name_of(person: Node) -> object:
    if person.get("name"):
        return person["name"]
    parts = [text for part in ("givenName", "familyName") for text in texts_of(person.get(part))[:1]]
    return " ".join(parts)


def _marked(nearby: Nearby, strong: bool = False) -> Iterator[Candidate]:
    """What elements near the headline say that are marked as naming the author, best marks first."""
    for mark in _MARKS:
        elements = [element for how, element in nearby.authors if how == mark]
        outer = [element for element in elements if not any(above in elements for above in element.iterancestors())]
        raws = [raw for element in _of_one_line(outer) for raw in _raws(element, mark, strong)]
        if raws and mark == "byline":
            yield from ((mark, [raw], True) for raw in raws)
        elif raws:
            yield mark, raws, mark == "link"


def _of_one_line(elements: list[etree._Element]) -> list[etree._Element]:
    """The elements that stand in the same line or box as the first; farther ones name someone else."""
    usable = [element for element in elements[:_MOST_MARKED] if not _is_of_picture(element)]
    box = usable[0].getparent() if usable else None
    above = box.getparent() if box is not None else None
    return [
        element
        for element in usable
        if element.getparent() is box or any(outer is above for outer in islice(element.iterancestors(), 4))
    ]


def _is_of_picture(element: etree._Element) -> bool:
    return any(above.tag in ("figure", "figcaption") for above in islice(element.iterancestors(), 6))


def _raws(element: etree._Element, mark: str, strong: bool) -> list[str]:
    if stands_in_comments(element):
        return []
    if mark == "microdata":
        text = element.get("content") or _named(element) or text_within(element)
        return [text] if 0 < len(text) <= _LONGEST else []
    text = short_text(element, _LONGEST_BOX)
    if not text:
        return []
    if mark in ("rel", "link") and (line := _line_around(element)):
        return [line]
    if mark == "rel":
        return [text] if len(text) <= _LONGEST else []
    if mark == "link":
        return [text] if len(text) <= _LONGEST and _is_person(text) else []
    return _in_byline(element, text, strong)


def _line_around(link: etree._Element) -> str | None:
    """The whole line "By …" that a link to an author's page stands in, which may name others too."""
    box = link.getparent()
    line = short_text(box, _LONGEST) if box is not None else ""
    return line if len(line) <= _LONGEST and is_by(line) and _is_person(line) else None


def _named(element: etree._Element) -> str | None:
    for inner in islice(element.iterdescendants(), 12):
        if inner.get("itemprop") == "name":
            return inner.get("content") or text_within(inner)
    return None


def _in_byline(element: etree._Element, text: str, strong: bool) -> list[str]:
    """A byline's text as one; of a box that holds more, its links or its lines that are names."""
    if len(text) <= _LONGEST and (is_by(text) or _is_person(text)):
        return [text]
    links = [text_within(link) for link in islice(element.iter("a"), _MOST_LINKS)]
    if persons := [link for link in links if _is_person(link)]:
        return ["; ".join(persons)]
    if strong and len(text) <= _LONGEST // 3 and "\n" not in text:
        return [text]
    lines = (str(line).strip() for line in islice(element.itertext(), 2 * _MOST_LINKS))
    return [line for line in lines if len(line) <= _LONGEST and _is_person(line)][:1]


def _is_person(text: str) -> bool:
    names = read_names(text) if len(text) <= _LONGEST else []
    return bool(names) and looks_like_person(names[0])


def _spoken(nearby: Nearby, language: str | None) -> Iterator[Candidate]:
    """Lines that begin with "By" in some language, or follow one that is nothing else, or have a name and a date."""
    is_italian = (language or "").startswith("it")
    for number, line in enumerate(nearby.lines):
        if is_italian and (named := _ITALIAN.fullmatch(line)) and _is_person(named[1]):
            yield "byline", [named[1]], True
        rest = " ".join(nearby.lines[number : number + 2]) if speaks_of_author(line) else line
        if is_by(rest) and _is_person(rest):
            yield "byline", [rest], True
        elif _BARS.search(line) and (first := _BARS.split(line)[0]) and _is_person(first) and read_date(line):
            yield "byline", [first], True


def _elsewhere(facts: Facts) -> Iterator[Candidate]:
    """Elements marked as naming an author anywhere on the page, but not in comments or with other stories."""
    for mark, element in islice(author_marks(facts.root), _MOST_ELSEWHERE):
        raws = _raws(element, mark, False)
        if raws and mark in ("microdata", "rel"):
            yield mark, raws, False
        elif raws and all(map(_is_person, raws)):
            yield mark, raws, True
