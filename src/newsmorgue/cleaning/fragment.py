"""The chosen part of the page as a BeautifulSoup tree of its own, and how much text each of its elements has."""

import re
from copy import deepcopy
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from lxml import etree

from newsmorgue.cleaning.wording import word_count

_KEPT_ATTRIBUTES = frozenset(
    "class id role href src data-src itemprop itemtype style hidden aria-hidden aria-label cite datetime start colspan rel title".split()
)
# BeautifulSoup's lxml builder parses without ``huge_tree``: it loses what is nested deeper than 256.
_DEEPEST_FOR_LXML = 200
_WORD_BOUND = re.compile(r"\s")


@dataclass(slots=True)
class Amount:
    """Words of text in an element: all, inside links, and the number of links."""

    words: int = 0
    linked: int = 0
    links: int = 0

    @property
    def link_share(self) -> float:
        """The share of the words that are inside links."""
        return self.linked / self.words if self.words else 0.0


Amounts = dict[int, Amount]


def as_soup(element: etree._Element) -> Tag:
    """A copy of ``element`` as a BeautifulSoup tag, without attributes that say nothing about text or role."""
    copy = deepcopy(element)
    copy.tail = None
    deepest = 0
    for inner in copy.iter(etree.Element):
        for name in [name for name in inner.attrib if name not in _KEPT_ATTRIBUTES]:
            del inner.attrib[name]
        if len(inner) == 0:
            deepest = max(deepest, sum(1 for _ in inner.iterancestors()))
    builder = "lxml" if deepest < _DEEPEST_FOR_LXML else "html.parser"
    markup = etree.tostring(copy, encoding="unicode", method="html")
    soup = BeautifulSoup(f"<div>{markup}</div>", builder)
    root = soup.find("div")
    assert isinstance(root, Tag)
    return root


def amounts(root: Tag) -> Amounts:
    """The amount of text in each element below and including ``root``, by ``id()`` of the tag."""
    found: Amounts = {id(tag): Amount() for tag in (root, *root.find_all(True))}
    for link in root.find_all("a"):
        for tag in (link, *_ancestors(link, root)):
            found[id(tag)].links += 1
    for string in root.find_all(string=True):
        words = word_count(string) if type(string) is NavigableString else 0
        if words:
            _add(found, string, root, words)
    return found


def _add(found: Amounts, string: NavigableString, root: Tag, words: int) -> None:
    in_link = False
    for tag in _ancestors(string, root):
        in_link = in_link or tag.name == "a"
        found[id(tag)].words += words
    if in_link:
        for tag in _ancestors(string, root):
            found[id(tag)].linked += words


def _ancestors(node: Tag | NavigableString, root: Tag) -> list[Tag]:
    above: list[Tag] = []
    parent = node.parent
    while parent is not None:
        above.append(parent)
        if parent is root:
            break
        parent = parent.parent
    return above
