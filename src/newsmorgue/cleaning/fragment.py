"""The chosen part of the page as a BeautifulSoup tree of its own, and how much text each of its elements has."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag
from lxml import etree

from newsmorgue.cleaning.tree import INLINE
from newsmorgue.cleaning.wording import visible, word_count

_KEPT_ATTRIBUTES = frozenset({"class", "id", "role", "href", "src", "data-src", "style", "hidden"})
_KEPT_WITH_TITLE = _KEPT_ATTRIBUTES | {"title"}
_WITH_TITLE = frozenset({"iframe", "video"})
_WITHOUT_TEXT = ("img", "picture", "source", "track", "wbr", "col", "colgroup", "path")
_MEANT_EMPTY = frozenset({"br", "hr", "iframe", "video", "td", "th"})
# BeautifulSoup's lxml builder parses without ``huge_tree``: it loses what is nested deeper than 256.
_DEEPEST_FOR_LXML = 200


@dataclass(slots=True)
class Part:
    """An element of the fragment and its text: words in all, words inside links, and the number of links."""

    tag: Tag
    words: int = 0
    linked: int = 0
    links: int = 0
    present: bool = True

    @property
    def prose(self) -> int:
        """Words outside links."""
        return self.words - self.linked

    @property
    def link_share(self) -> float:
        """The share of the words that are inside links."""
        return self.linked / self.words if self.words else 0.0


class Fragment:
    """A tree to strip: its elements in document order, their amounts of text kept right while parts are dropped."""

    def __init__(self, root: Tag) -> None:
        self.root = root
        self._parts = [Part(root), *(Part(node) for node in root.descendants if isinstance(node, Tag))]
        self._by_id = {id(part.tag): part for part in self._parts}
        self._lines: dict[int, str] = {}
        for part in self._parts:
            part.words = sum(word_count(child) for child in part.tag.contents if type(child) is NavigableString)
            part.links = int(part.tag.name == "a")
        for part in reversed(self._parts[1:]):
            self._pass_up(part)

    def _pass_up(self, part: Part) -> None:
        above = self._by_id[id(part.tag.parent)]
        if part.tag.name == "a":
            part.linked = part.words
        above.words += part.words
        above.linked += part.linked
        above.links += part.links

    def parts(self, names: Container[str] | None = None) -> Iterator[Part]:
        """The elements below the root that are still there, also while the caller drops some of them."""
        for part in self._parts[1:]:
            if part.present and (names is None or part.tag.name in names):
                yield part

    def short_parts(self, most: int) -> Iterator[Part]:
        """The elements that hold one to ``most`` words."""
        for part in self._parts[1:]:
            if part.present and 0 < part.words <= most:
                yield part

    def last_parts(self, names: Container[str]) -> Iterator[Part]:
        """As :meth:`parts`, from the end."""
        for part in reversed(self._parts[1:]):
            if part.present and part.tag.name in names:
                yield part

    def part(self, tag: Tag) -> Part:
        """The part that ``tag`` is."""
        return self._by_id[id(tag)]

    def share(self, part: Part) -> float:
        """The share of the fragment's words outside links that ``part`` has."""
        return part.prose / max(1, self._parts[0].prose)

    def drop(self, part: Part) -> None:
        """Take a part and all in it out of the tree."""
        for above in self.above(part):
            self._lines.pop(id(above.tag), None)
            above.words -= part.words
            above.linked -= part.linked
            above.links -= part.links
        part.present = False
        for inner in part.tag.descendants:
            if isinstance(inner, Tag):
                self._by_id[id(inner)].present = False
        part.tag.extract()

    def above(self, part: Part) -> Iterator[Part]:
        """The elements around ``part``, up to and including the root."""
        tag = part.tag
        while tag is not self.root and tag.parent is not None:
            tag = tag.parent
            yield self._by_id[id(tag)]

    def line(self, part: Part) -> str:
        """The text of ``part`` as one line."""
        line = self._lines.get(id(part.tag))
        if line is None:
            line = visible(" ".join(node for node in part.tag.descendants if type(node) is NavigableString))
            self._lines[id(part.tag)] = line
        return line


def as_soup(element: etree._Element) -> Tag:
    """``element`` as a BeautifulSoup tag, without what says nothing of text or role (taken out of ``element`` too)."""
    etree.strip_elements(element, *_WITHOUT_TEXT, with_tail=False)
    deepest = _thin(element)
    builder = "lxml" if deepest < _DEEPEST_FOR_LXML else "html.parser"
    markup = etree.tostring(element, encoding="unicode", method="html", with_tail=False)
    root = BeautifulSoup(f"<div>{markup}</div>", builder, multi_valued_attributes=None).find("div")
    assert isinstance(root, Tag)
    _set_off_lines(root)
    return root


def _set_off_lines(root: Tag) -> None:
    """Make paragraphs of the lines that old pages part with two line breaks, so that rules see them one by one."""
    breaks = [line_break for line_break in root.find_all("br") if _is_break(_beside(line_break))]
    parting = {id(line_break) for line_break in breaks}
    parents = {id(parent): parent for line_break in breaks if (parent := line_break.parent) is not None}
    for tag in parents.values():
        if tag.name not in INLINE:
            for run in _runs(tag, parting):
                _wrap(run)


def _runs(tag: Tag, parting: set[int]) -> list[list[PageElement]]:
    """The children of ``tag`` between blocks and the line breaks that part."""
    runs: list[list[PageElement]] = [[]]
    for node in tag.contents:
        if id(node) in parting or (isinstance(node, Tag) and node.name not in INLINE and node.name != "br"):
            runs.append([])
        else:
            runs[-1].append(node)
    return runs


def _wrap(run: list[PageElement]) -> None:
    if not any(node.get_text().strip() for node in run):
        return
    paragraph = Tag(name="p")
    run[0].insert_before(paragraph)
    for node in run:
        paragraph.append(node.extract())


def _is_break(node: PageElement | None) -> bool:
    return isinstance(node, Tag) and node.name == "br"


def _beside(line_break: Tag) -> PageElement | None:
    """What follows a line break, white space passed over."""
    node = line_break.next_sibling
    while isinstance(node, NavigableString) and not node.strip():
        node = node.next_sibling
    return node


def _thin(root: etree._Element) -> int:
    """Drop needless attributes and empty elements; the depth of the deepest element."""
    deepest = 0
    for element in list(root.iter(etree.Element)):
        for name in _needless(element):
            del element.attrib[name]
        if len(element) == 0:
            deepest = max(deepest, sum(1 for _ in element.iterancestors()))
            if not element.text and element.tag not in _MEANT_EMPTY and element is not root:
                _drop(element)
    return deepest


def _needless(element: etree._Element) -> list[str]:
    kept = _KEPT_WITH_TITLE if element.tag in _WITH_TITLE else _KEPT_ATTRIBUTES
    return [name for name in map(str, element.attrib) if name not in kept]


def _drop(element: etree._Element) -> None:
    """Take an empty element out and leave the text behind it."""
    parent, tail = element.getparent(), element.tail
    if parent is None:
        return
    if tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(element)
