"""The chosen part of the page as a BeautifulSoup tree of its own, and how much text each of its elements has."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from newsmorgue.cleaning.blocks import LONGEST_CELL
from newsmorgue.cleaning.lines import Box, Line, common_box
from newsmorgue.cleaning.wording import visible, word_count

# Boxes that say something by their tag.
_KEPT_TAGS = frozenset({
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "table", "tbody",
    "thead", "tfoot", "tr", "td", "th", "caption", "figure", "figcaption", "pre", "aside", "nav", "footer", "header",
    "form", "article", "section", "address", "details", "summary", "menu", "fieldset",
})  # fmt: skip
_MEANINGLESS = frozenset({"div", "section", "span", "center", "tbody", "article", "main", "body"})
_MARKS = {"*": "em", "**": "strong"}
# BeautifulSoup's lxml builder parses without ``huge_tree``: it loses what is nested deeper than 256.
_DEEPEST = 100
# What tells which line an element of the fragment is, or which box.
_LINE, _BOX = "data-line", "data-box"
ROLE = "data-role"


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


def as_soup(lines: Sequence[Line]) -> Tag:
    """Lines as a BeautifulSoup tag: in their boxes, but no others; each with its class and id, and its role as
    :data:`ROLE`.
    """
    top = common_box(lines)
    markup: list[str] = []
    open_: list[Box] = []
    for number, line in enumerate(lines):
        chain = _chain(line.box, top)
        kept = 0
        while kept < len(open_) and kept < len(chain) and open_[kept] is chain[kept]:
            kept += 1
        markup += [f"</{_name(box)}>" for box in reversed(open_[kept:])]
        markup += [f"<{_name(box)}{_attributes(box)}>" for box in chain[kept:]]
        open_ = chain
        markup.append(_marked_up(line, number, top))
    markup += [f"</{_name(box)}>" for box in reversed(open_)]
    root = BeautifulSoup(f"<div>{''.join(markup)}</div>", "lxml", multi_valued_attributes=None).find("div")
    assert isinstance(root, Tag)
    return root


def left_in(root: Tag, lines: Sequence[Line]) -> list[Line]:
    """The lines that are still there in what :func:`as_soup` made of them."""
    top = common_box(lines)
    marks = [
        (_LINE, str(number)) if _has_own(line, top) else (_BOX, str(line.box.number))
        for number, line in enumerate(lines)
    ]
    asked = set(marks)
    there = {
        mark
        for node in root.descendants
        if isinstance(node, Tag)
        and (mark := _mark(node)) in asked
        and (node.name == "iframe" or node.get_text().strip())
    }
    return [line for line, mark in zip(lines, marks, strict=True) if mark in there]


def _mark(tag: Tag) -> tuple[str, str] | None:
    for name in (_LINE, _BOX):
        if name in tag.attrs:
            return name, str(tag.attrs[name])
    return None


def _chain(box: Box, top: Box) -> list[Box]:
    """The boxes from below ``top`` down to ``box`` that mean something."""
    chain = []
    for above in box.above():
        if above is top:
            break
        if above.names or above.role or above.tag not in _MEANINGLESS or above is box:
            chain.append(above)
    chain.reverse()
    return chain if len(chain) <= _DEEPEST else [*chain[: _DEEPEST - 1], box]


def _name(box: Box) -> str:
    return box.tag if box.tag in _KEPT_TAGS else "div"


def _attributes(box: Box) -> str:
    role = f' {ROLE}="{box.role}"' if box.role else ""
    return f' {_BOX}="{box.number}"{role}' + (f' class="{escape(box.names)}"' if box.names else "")


def _has_own(line: Line, top: Box) -> bool:
    """Whether a line has an element of its own; one that is all that its box holds, or is in a short cell, has not."""
    if line.embed is not None:
        return True
    return (line.box.lines > 1 and not _is_short_cell(line.box)) or line.box is top


def _is_short_cell(box: Box) -> bool:
    return box.tag in ("td", "th") and box.words <= LONGEST_CELL


def _marked_up(line: Line, number: int, top: Box) -> str:
    if line.embed is not None:
        return f'<iframe {_LINE}="{number}"></iframe>'
    text = "".join(_piece(*piece) for piece in line.pieces)
    if _has_own(line, top):
        return f'<p {_LINE}="{number}">{text}</p>'
    return f"{text}<br>" if _is_short_cell(line.box) else text


def _piece(text: str, href: str | None, mark: str) -> str:
    text = escape(text, quote=False)
    if mark:
        text = f"<{_MARKS[mark]}>{text}</{_MARKS[mark]}>"
    return text if href is None else f'<a href="{escape(href)}">{text}</a>'
