"""The page's lines: every text that stands on a line of its own, with the boxes around it, in one pass over the tree.

A *line* is what a reader sees as one: a paragraph, a heading, a list's entry, a cell, a caption, a label. A *box* is an
element that ends lines (HTML's flow elements). Nothing is judged here; the tree is not changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from lxml import etree

from newsmorgue.cleaning.labels import is_reply
from newsmorgue.cleaning.roles import ROLES, STORY, role_of_attribute, role_of_name
from newsmorgue.cleaning.tree import INLINE, drop
from newsmorgue.cleaning.wording import typeset, word_count

# Never shown.
_UNSHOWN = frozenset({
    "script", "style", "noscript", "template", "head", "title", "link", "meta", "base", "input", "datalist", "map",
    "area", "param", "source", "track", "col", "colgroup", "img", "picture", "progress", "meter", "frameset",
})  # fmt: skip
# Never text, unless markup left open made them swallow the page.
_CONTROLS = frozenset({
    "svg", "canvas", "button", "select", "option", "textarea", "object", "applet", "math", "dialog", "label", "audio",
})  # fmt: skip
_MOST_IN_CONTROL = 100
# What stands in the place of a button under a reader's comment.
_REPLY, _LONGEST_REPLY = "newsmorgue-reply", 60
_EMBEDS = frozenset({"iframe", "video", "embed", "amp-iframe", "amp-video"})
_MARKS = {"em": "*", "i": "*", "strong": "**", "b": "**"}

_BOX_ROLES = (*ROLES, "hidden", STORY)
_TAG_MARKS = (
    "article", "main", "aside", "nav", "footer", "header", "form", "figure", "figcaption", "table", "ul", "ol", "dl",
    "blockquote", "details", "a", "menu", "address", "fieldset",
)  # fmt: skip
ROLE_MARK = {role: 1 << number for number, role in enumerate(_BOX_ROLES)}
TAG_MARK = {tag: 1 << (number + len(_BOX_ROLES)) for number, tag in enumerate(_TAG_MARKS)}
ITEM_BODY = 1 << (len(_BOX_ROLES) + len(_TAG_MARKS))
CONCEALED = ITEM_BODY << 1
_SET_ASIDE = frozenset({"hidden", "credit"})
# Stands for the link's address within what is not shown.
_MUTED = "\0"
HEADINGS = {f"h{level}": level for level in range(1, 7)}
# An article may be of the kind "newsletter", but a box of it is none; a heading that a table of contents names is none.
_NOT_OF = {
    "article": frozenset(ROLES) - {"comments", "related", "advert"},
    **dict.fromkeys(HEADINGS, frozenset({"contents"})),
}
_NAVIGATION = ("nav", "footer")
_STORYS_PARTS = ("h1", "article", "main")
_LENGTH = etree.XPath("string-length()")
# The share of the body's characters.
_MOST_NAVIGATION = 0.3


@dataclass(slots=True, eq=False)
class Box:
    """An element that ends lines, and what stands in it. ``marks`` are its own and all outer boxes' roles and tags."""

    tag: str
    names: str
    role: str | None
    parent: "Box | None"
    depth: int
    marks: int
    number: int = 0
    words: int = 0
    linked: int = 0
    lines: int = 0
    prose: int = 0
    worth: float = 0.0
    gain: float = 0.0
    other: bool = False

    def above(self) -> Iterator["Box"]:
        """This box and those around it, the body last."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent


# Text within a line that is linked and set alike: the text, the link's address or None, Markdown's mark (``**``) or "".
Piece = tuple[str, str | None, str]


@dataclass(slots=True, eq=False)
class Line:
    """One line: its pieces, its text, and the box it stands in.

    ``embed`` is the element of one that has no text. ``score`` is the model's log-odds that it is the story's, once it
    was asked.
    """

    box: Box
    pieces: list[Piece]
    text: str = ""
    words: int = 0
    linked: int = 0
    links: int = 0
    marked: int = 0
    embed: etree._Element | None = None
    score: float = 0.0


@dataclass(slots=True)
class Survey:
    """The lines of a page in document order, all its boxes, outer before inner, and those that hold a button for an
    answer to a reader's comment.
    """

    lines: list[Line] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    answerable: list[Box] = field(default_factory=list)


def common_box(lines: Sequence[Line]) -> Box:
    """The innermost box that holds all of some lines, which stand in the page's order."""
    numbers = {box.number for box in lines[0].box.above()}
    return next(box for box in lines[-1].box.above() if box.number in numbers)


def survey(root: etree._Element) -> Survey:
    """Read the lines of a parsed page. Takes what can be no text (scripts, forms' fields) and the site's navigation out
    of ``root``.
    """
    body = next(root.iter("body"), root)
    _drop_controls(body)
    _drop_navigation(body)
    return _Surveyor(body).survey


def _drop_controls(body: etree._Element) -> None:
    etree.strip_elements(body, *_UNSHOWN, with_tail=False)
    for control in list(body.iter(*_CONTROLS)):
        length = cast("float", _LENGTH(control))
        if length > _MOST_IN_CONTROL:  # characters, as many of which a word has at least
            if sum(word_count(str(text)) for text in control.itertext()) > _MOST_IN_CONTROL:
                control.tag = "div"
        elif control.tag == "button" and length <= _LONGEST_REPLY and is_reply("".join(map(str, control.itertext()))):
            control.tag, control.text = _REPLY, None
            del control[:]
    etree.strip_elements(body, *_CONTROLS, with_tail=False)


def _drop_navigation(body: etree._Element) -> None:
    """What HTML itself calls the site's navigation or the page's footer; unless it holds what a story does, for end
    tags are forgotten.
    """
    parts = [part for part in body.iter(*_NAVIGATION) if next(part.iter(*_STORYS_PARTS), None) is None]
    if not parts:
        return
    most = _MOST_NAVIGATION * cast("float", _LENGTH(body))
    for part in parts:
        is_the_pages = part.tag == "nav" or next(part.iterancestors(*_STORYS_PARTS), None) is None
        if is_the_pages and cast("float", _LENGTH(part)) <= most:
            drop(part)


class _Surveyor:
    """One walk in document order; ``_open`` are the elements that the walk is in, with what holds within them."""

    def __init__(self, body: etree._Element) -> None:
        self.survey = Survey()
        self._pieces: list[Piece] = []
        self._breaks = 0
        self._links = 0
        self._walk(body)

    def _walk(self, body: etree._Element) -> None:
        box = self._box(body, "body", None)
        # Of each open element: it, whether it ends lines, and the box, link and mark that hold within it.
        open_: list[tuple[etree._Element, bool, Box, str | None, str]] = [(body, True, box, None, "")]
        href: str | None = None
        mark = ""
        elements = body.iter()
        next(elements)
        if body.text:
            self._add(body.text, None, "")
        add, flush = self._add, self._flush
        for element in elements:
            parent = element.getparent()
            while open_[-1][0] is not parent:
                closed, ends, _, _, _ = open_.pop()
                if ends and self._pieces:
                    flush(box)
                _, _, box, href, mark = open_[-1]
                if closed.tail:
                    add(closed.tail, href, mark)
            tag = element.tag
            if tag in INLINE:
                if href is _MUTED:
                    pass
                elif tag == "a":
                    href = element.get("href") or href or "#"
                    self._links += 1
                elif tag in _MARKS:
                    mark = mark or _MARKS[tag]
                elif _is_hidden(element):
                    href = _MUTED
                open_.append((element, False, box, href, mark))
            elif tag == _REPLY:
                self.survey.answerable.append(box)
                open_.append((element, False, box, href, mark))
            elif tag == "br":
                self._break(box, href, mark)
                open_.append((element, False, box, href, mark))
            else:
                if self._pieces:
                    flush(box)
                self._breaks = 0
                if tag in _EMBEDS:
                    self.survey.lines.append(Line(box, [], embed=element))
                box = self._box(element, tag, box)
                open_.append((element, True, box, href, mark))
            text = element.text
            if text:
                add(text, href, mark)
        while open_:
            closed, ends, box, _, _ = open_.pop()
            if ends and self._pieces:
                flush(box)
            if open_ and closed.tail:
                _, _, box, href, mark = open_[-1]
                add(closed.tail, href, mark)

    def _box(self, element: etree._Element, tag: str, parent: Box | None) -> Box:
        marks, role, names = TAG_MARK.get(tag, 0), None, ""
        if parent is not None:
            marks |= parent.marks
            for name, value in cast("list[tuple[str, str]]", element.items()):
                if name == "class" or (name == "id" and tag not in HEADINGS):
                    names = f"{names} {value}" if names else value
                elif name == "style":
                    if _hides(value):
                        marks |= CONCEALED
                elif name == "hidden":
                    marks |= CONCEALED
                elif name == "role":
                    role = role_of_attribute(value)
                elif name == "itemprop" and value == "articleBody":
                    marks |= ITEM_BODY
            if names:
                role = role_of_name(names) or role
            if role in _NOT_OF.get(tag, ()):
                role = None
            if role:
                marks |= ROLE_MARK[role]
        boxes = self.survey.boxes
        box = Box(tag, names, role, parent, 0 if parent is None else parent.depth + 1, marks, len(boxes))
        boxes.append(box)
        return box

    def _break(self, box: Box, href: str | None, mark: str) -> None:
        self._breaks += 1
        if self._pieces:
            if self._breaks > 1:
                self._flush(box)
            else:
                self._pieces.append((" ", href, mark))

    def _add(self, text: str, href: str | None, mark: str) -> None:
        if text.isspace() or href is _MUTED:
            if self._pieces:
                self._pieces.append((" ", None if href is _MUTED else href, ""))
        else:
            self._breaks = 0
            self._pieces.append((text, href, mark))

    def _flush(self, box: Box) -> None:
        pieces, links = self._pieces, self._links
        self._pieces, self._links, self._breaks = [], 0, 0
        if len(pieces) == 1:
            raw, href, mark = pieces[0]
            if raw.isascii():
                parts = raw.split()
                text, words = " ".join(parts), len(parts)
            elif text := typeset(raw):
                words = word_count(text)
            if text:
                linked = words if href is not None else 0
                self.survey.lines.append(
                    Line(box, pieces, text, words, linked, links or int(linked > 0), words if mark else 0)
                )
        elif text := typeset("".join([piece[0] for piece in pieces])):
            linked = marked = 0
            for raw, href, mark in pieces:
                if href is not None:
                    linked += word_count(raw)
                if mark:
                    marked += word_count(raw)
            self.survey.lines.append(
                Line(box, pieces, text, word_count(text), linked, links or int(linked > 0), marked)
            )


def _is_hidden(element: etree._Element) -> bool:
    """Whether words within a line are for screen readers, a picture's credit, or not shown at all."""
    names = element.get("class")
    if names and role_of_name(names) in _SET_ASIDE:
        return True
    style = element.get("style")
    return style is not None and _hides(style)


def _hides(style: str) -> bool:
    if "none" not in style and "hidden" not in style:
        return False
    style = style.replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style
