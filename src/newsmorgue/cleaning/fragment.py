"""The chosen part of the page as a BeautifulSoup tree of its own, and how much text each of its elements has."""

from collections.abc import Container, Iterator
from copy import deepcopy
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from lxml import etree

from newsmorgue.cleaning.wording import visible, word_count

_KEPT_ATTRIBUTES = frozenset(
    "class id role href src data-src itemprop style hidden aria-hidden cite title".split()
)
# BeautifulSoup's lxml builder parses without ``huge_tree``: it loses what is nested deeper than 256.
_DEEPEST_FOR_LXML = 200


@dataclass(slots=True)
class Amount:
    """Words of text in an element: all, inside links, and the number of links."""

    words: int = 0
    linked: int = 0
    links: int = 0

    @property
    def prose(self) -> int:
        """Words outside links."""
        return self.words - self.linked

    @property
    def link_share(self) -> float:
        """The share of the words that are inside links."""
        return self.linked / self.words if self.words else 0.0


class Fragment:
    """A tree to strip: its elements in document order, each with its amount of text, kept right while parts are dropped."""

    def __init__(self, root: Tag) -> None:
        self.root = root
        self._tags = [root, *(node for node in root.descendants if isinstance(node, Tag))]
        self._amounts = {id(tag): Amount() for tag in self._tags}
        self._dropped: set[int] = set()
        for tag in self._tags:
            self._measure(tag)
        for tag in reversed(self._tags[1:]):
            self._pass_up(tag)

    def _measure(self, tag: Tag) -> None:
        amount = self._amounts[id(tag)]
        amount.words = sum(word_count(child) for child in tag.contents if type(child) is NavigableString)
        amount.links = int(tag.name == "a")

    def _pass_up(self, tag: Tag) -> None:
        amount, above = self._amounts[id(tag)], self._amounts[id(tag.parent)]
        if tag.name == "a":
            amount.linked = amount.words
        above.words += amount.words
        above.linked += amount.linked
        above.links += amount.links

    def tags(self, names: Container[str] | None = None) -> Iterator[Tag]:
        """The elements below the root that are still there, also while the caller drops some of them."""
        for tag in self._tags[1:]:
            if (names is None or tag.name in names) and id(tag) not in self._dropped:
                yield tag

    def reversed_tags(self, names: Container[str]) -> Iterator[Tag]:
        """As :meth:`tags`, from the end."""
        for tag in reversed(self._tags[1:]):
            if tag.name in names and id(tag) not in self._dropped:
                yield tag

    def holds(self, tag: Tag) -> bool:
        """Whether ``tag`` is still there."""
        return id(tag) not in self._dropped

    def amount(self, tag: Tag) -> Amount:
        """The amount of text in ``tag``."""
        return self._amounts[id(tag)]

    def share(self, tag: Tag) -> float:
        """The share of the fragment's words outside links that ``tag`` has."""
        return self.amount(tag).prose / max(1, self.amount(self.root).prose)

    def drop(self, tag: Tag) -> None:
        """Take ``tag`` and all in it out of the tree."""
        lost = self.amount(tag)
        for above in self.above(tag):
            amount = self.amount(above)
            amount.words -= lost.words
            amount.linked -= lost.linked
            amount.links -= lost.links
        self._dropped.update(id(inner) for inner in (tag, *tag.descendants) if isinstance(inner, Tag))
        tag.extract()

    def above(self, tag: Tag) -> Iterator[Tag]:
        """The elements around ``tag``, up to and including the root."""
        while tag is not self.root and tag.parent is not None:
            tag = tag.parent
            yield tag

    @staticmethod
    def line(tag: Tag) -> str:
        """The text of ``tag`` as one line."""
        return visible(" ".join(node for node in tag.descendants if type(node) is NavigableString))


def as_soup(element: etree._Element) -> Tag:
    """A copy of ``element`` as a BeautifulSoup tag, without attributes that say nothing about text or role."""
    copy = deepcopy(element)
    copy.tail = None
    deepest = 0
    for inner in copy.iter(etree.Element):
        for name in inner.keys():
            if name not in _KEPT_ATTRIBUTES:
                del inner.attrib[name]
        if len(inner) == 0:
            deepest = max(deepest, sum(1 for _ in inner.iterancestors()))
    builder = "lxml" if deepest < _DEEPEST_FOR_LXML else "html.parser"
    markup = etree.tostring(copy, encoding="unicode", method="html")
    root = BeautifulSoup(f"<div>{markup}</div>", builder).find("div")
    assert isinstance(root, Tag)
    return root
