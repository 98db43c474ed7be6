"""The boilerplate rules: which of the lines that were taken for the story's say of themselves that they are not.

The rules for boxes (:mod:`newsmorgue.cleaning.box_rules`) go first, for labels head them; then each line is asked by
itself. No rule takes words out of a line.
"""

import re
from collections.abc import Sequence
from itertools import takewhile

from newsmorgue.cleaning.blocks import data_tables
from newsmorgue.cleaning.box_rules import (
    BOX_RULES,
    BOX_RULES_FOR_CHOSEN,
    LONGEST_SECTION_LABEL,
    SURE_ROLES,
    BoxRule,
    Context,
)
from newsmorgue.cleaning.bylines import is_biography, is_byline
from newsmorgue.cleaning.fragment import Fragment, as_soup, left_in
from newsmorgue.cleaning.labels import HEADS_SECTION, role_of_label
from newsmorgue.cleaning.lines import HEADINGS, TAG_MARK, Line, common_box
from newsmorgue.cleaning.wording import letters, visible

_LONGEST_LABEL, _LONGEST_BYLINE, _LONGEST_BIOGRAPHY = 60, 30, 90  # words
_MOST_NETWORKS = 8
_LEADING_ROLES = frozenset({"related", "newsletter"})
_COLON, _COLON_WITHIN = re.compile("[:：]"), 60  # characters
_LAST_LINES = 12
_CAPTIONS = TAG_MARK["figure"] | TAG_MARK["figcaption"]
# Rules that would leave less of the story's words than this have taken the story for something else.
_LEAST_LEFT = 0.1


def strip_chosen(lines: Sequence[Line], context: Context) -> list[Line]:
    """What is left of lines that the model has chosen."""
    return _stripped(lines, context, BOX_RULES_FOR_CHOSEN if _heads_or_names(lines) else ())


def strip_all(lines: Sequence[Line], context: Context) -> list[Line]:
    """What is left of all lines of an element that was taken whole."""
    left = _stripped(lines, context, BOX_RULES)
    while left and left[-1].box.tag in HEADINGS:
        left.pop()
    return left


def _stripped(lines: Sequence[Line], context: Context, rules: tuple[BoxRule, ...]) -> list[Line]:
    cells = _cells(lines)
    left = _without_boxes(lines, context, rules) if rules else lines
    left = [
        line for line in left if id(line) in cells or not (_is_boilerplate(line, context) or _is_labelled_link(line))
    ]
    left = [*left[:-_LAST_LINES], *(line for line in left[-_LAST_LINES:] if not _is_biography(line, context))]
    if _words(left) < _LEAST_LEFT * _words(lines):
        left = [line for line in lines if id(line) in cells or not _is_boilerplate(line, context)]
    return left


def _cells(lines: Sequence[Line]) -> set[int]:
    """The ids of the lines in tables of data, where a label is what a cell says."""
    tabled = [line for line in lines if line.box.marks & TAG_MARK["table"]]
    tables = data_tables(tabled, common_box(lines)) if tabled else ()
    return {id(line) for line in tabled if any(box.number in tables for box in line.box.above())}


def _words(lines: Sequence[Line]) -> int:
    return sum(line.words for line in lines)


def _heads_or_names(lines: Sequence[Line]) -> bool:
    """Whether a line may head a section that is something else, or a box is named as such: a cheap look before a tree
    is made.
    """
    top = common_box(lines)
    seen = {top.number}
    for line in lines:
        if 0 < line.words <= LONGEST_SECTION_LABEL and role_of_label(line.text) in HEADS_SECTION:
            return True
        for box in line.box.above():
            if box.number in seen:
                break
            seen.add(box.number)
            if box.role in SURE_ROLES:
                return True
    return False


def _without_boxes(lines: Sequence[Line], context: Context, rules: tuple[BoxRule, ...]) -> list[Line]:
    root = as_soup(lines)
    fragment = Fragment(root)
    for rule in rules:
        rule(fragment, context)
    return left_in(root, lines)


def _is_boilerplate(line: Line, context: Context) -> bool:
    """Whether a line is nothing but a label ("Advertisement", "3 min read", "12 comments", "Back to top", "Close"), a
    byline, or the headline, the section's or the site's name again.
    """
    text, words = line.text, line.words
    if not 0 < words <= _LONGEST_LABEL:
        return False
    return (
        letters(text) in context.titles
        or _is_label(text, is_caption=bool(line.box.marks & _CAPTIONS))
        or _is_row_of_labels(line)
        or (text.count(" ") < _LONGEST_BYLINE and is_byline(text, context.authors))
    )


def _is_label(line: str, *, is_caption: bool = False) -> bool:
    """Whether a line is a label, labels between bars, or a row of networks to share on ("Facebook WhatsApp Print").
    A caption that names its photographer is a caption.
    """
    role = role_of_label(line)
    if (role and not (is_caption and role == "credit")) or ("|" in line and all(map(role_of_label, line.split("|")))):
        return True
    words = line.split(None, _MOST_NETWORKS)
    return 1 < len(words) <= _MOST_NETWORKS and all(role_of_label(word) == "sharing" for word in words)


def _is_row_of_labels(line: Line) -> bool:
    """Whether a line is links and nothing else, each of them a label ("Share this", "Share on Facebook")."""
    if line.links < 2 or line.linked < line.words:
        return False
    return all(role_of_label(text) for text, _, _ in line.pieces if text.strip())


def _is_labelled_link(line: Line) -> bool:
    """Whether a line is "Read also: TITLE", "Lire aussi : …": a label, and a link or little else behind it."""
    if not line.links or not 0 < line.words <= _LONGEST_LABEL:
        return False
    colon = _COLON.search(line.text, 0, _COLON_WITHIN)
    has_colon = colon is not None
    if line.linked < 0.4 * line.words and not (has_colon and line.words <= _LONGEST_BYLINE):
        return False
    if colon is not None:
        label = line.text[: colon.start()]
    else:
        label = visible("".join(text for text, _, _ in takewhile(lambda piece: piece[1] is None, line.pieces)))
    return bool(label) and role_of_label(label) in _LEADING_ROLES


def _is_biography(line: Line, context: Context) -> bool:
    return line.words <= _LONGEST_BIOGRAPHY and is_biography(line.text, context.authors)
