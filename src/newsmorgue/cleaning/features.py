"""What the model knows of a line: numbers from the line itself, its boxes and its neighbours.

Nothing here is measured by what the page holds outside of the part that has most of its text: that changes every day,
and the text must not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from newsmorgue.cleaning.lexicon import Lexicon
from newsmorgue.cleaning.lines import HEADINGS, ITEM_BODY, ROLE_MARK, TAG_MARK, Box, Line, Survey
from newsmorgue.cleaning.metadata import Metadata
from newsmorgue.cleaning.roles import STORY
from newsmorgue.cleaning.threads import name_threads
from newsmorgue.cleaning.wording import letters

_SHORTEST_PROSE, _SENTENCE = 6, 12  # words
_OTHER_TAGS = frozenset({"nav", "footer", "form", "aside", "menu", "figcaption", "address", "fieldset"})
OTHER_PARTS = sum(mark for role, mark in ROLE_MARK.items() if role != STORY) + sum(
    map(TAG_MARK.__getitem__, _OTHER_TAGS)
)
# The share of the page's prose up to which a part is what its name says.
_BELIEVED = {
    "comments": 0.9,
    "consent": 0.95,
    "overlay": 0.9,
    "related": 0.6,
    "navigation": 0.6,
    "paywall": 0.1,
}
_BELIEVED_ELSE = 0.35
_CONTAINERS = frozenset(
    {"body", "div", "article", "section", "main", "td", "table", "center", "form", "span", "blockquote"}
)
_TAG_CODES = {
    "div": 0, "section": 0, "article": 0, "body": 0, "center": 0, "p": 1, "li": 2, "td": 3, "th": 3, "blockquote": 4,
    "figcaption": 6, "caption": 6, "dt": 7, "dd": 7, "pre": 8, "summary": 9,
}  # fmt: skip
_OTHER_TAG = 5
# Worths of lines, in words of prose, that tell the story's box.
_LINK_LINE, _LABEL, _OTHER_ROLE, _WORST = -6.0, -1.0, -3.0, -60.0
_STORY_NAMED, _STORY_TAGGED, _DESPITE = 1.6, 1.4, 0.5

_BOX_ROLES = ("comments", "related", "navigation", "newsletter", STORY)
_BOX_TAGS = ("article", "main", "aside", "footer", "header", "figure", "form", "ul", "blockquote")
_FAR = 50.0
_MOST_DEEP = 12


@dataclass(frozen=True, slots=True)
class Hints:
    """What the page's metadata say of the story, as :func:`letters` spells it: ``titles``, ``described``, ``body``."""

    titles: frozenset[str] = frozenset()
    described: str = ""
    body: str = ""
    authors: tuple[str, ...] = ()


NAMES: tuple[str, ...] = (
    "words", "linked", "links", "word length", "ends sentence", "sentences", "commas", "digits", "lower start",
    "marked", "heading", "tag", "at sign", "author", "title", "described", "json-ld", "same text",
    "lexicon min", "lexicon mean", "lexicon cover", "lexicon first", "lexicon start",
    "from title", "from prose", "from heading", "heading lexicon",
    "of best before", "since prose", "until prose",
    *(f"{side} {what}" for side in ("before 2", "before 1", "after 1", "after 2")
      for what in ("words", "linked", "heading", "other", "lexicon")),
    *(f"{side} {what}" for side in ("before 1", "after 1") for what in ("same box", "same signature")),
    "depth", "other at", "best at", "inside", *(f"role {role}" for role in _BOX_ROLES),
    *(f"tag {tag}" for tag in _BOX_TAGS), "item body",
    "box words", "box linked", "box lines", "box share", "box prose",
    "above words", "above linked", "above lines", "above share", "above2 linked", "above2 lines", "above2 share",
    "alike", "alike words", "alike linked", "name own", "name min", "name max", "name above",
    "best words", "best lines", "best linked", "best prose",
)  # fmt: skip


_FLAGS = (*(ROLE_MARK[role] for role in _BOX_ROLES), *(TAG_MARK[tag] for tag in _BOX_TAGS), ITEM_BODY)
_FLAGGED = sum(_FLAGS)


def worthwhile(survey: Survey) -> tuple[Box, set[int], list[Line]]:
    """The box that by rule of thumb holds the story, the numbers of all boxes in it, and the lines that may be the
    story's.

    The rule: every line gets a worth, its words where it reads like prose, less than nothing where it is a link, a
    label, or lies in a part whose name says it is something else; the box is the one whose lines are worth most (the
    maximum-sum idea of Pasternack and Roth, "Extracting Article Text from the Web with Maximum Subsequence
    Segmentation", WWW 2009, on the tree instead of the token sequence). Outside of it, lines that are mostly links are
    none of the story's.
    """
    best = survey.boxes[_weigh(survey)]
    inside = _inside(survey, best)
    return (
        best,
        inside,
        [line for line in survey.lines if line.words and (line.linked * 2 <= line.words or line.box.number in inside)],
    )


def _weigh(survey: Survey) -> int:
    """Sum up what the boxes hold; the number of the one that is worth most."""
    _count(survey)
    name_threads(survey)
    _believe(survey)
    for line in survey.lines:
        box, words, linked = line.box, line.words, line.linked
        if linked * 2 > words:
            box.worth += _LINK_LINE
        elif words < _SHORTEST_PROSE:
            box.worth += _LABEL
        elif box.other:
            box.worth += _OTHER_ROLE
        elif box.tag not in HEADINGS:
            box.worth += words - linked
            box.gain += words - linked
    best, most = 0, 0.0
    for box in reversed(survey.boxes):
        if not box.lines:
            continue
        if (above := box.parent) is not None:
            above.worth += box.worth if box.worth > _WORST else _WORST
            above.gain += box.gain
        if box.worth > 0 and box.tag in _CONTAINERS and (claim := _claim(box)) > most:
            best, most = box.number, claim
    return best


def _count(survey: Survey) -> None:
    for line in survey.lines:
        box, words, linked = line.box, line.words, line.linked
        box.words += words
        box.linked += linked
        box.lines += 1
        if linked * 2 <= words and words >= _SHORTEST_PROSE:
            box.prose += words
    for box in reversed(survey.boxes):
        above = box.parent
        if above is not None and box.lines:
            above.words += box.words
            above.linked += box.linked
            above.lines += box.lines
            above.prose += box.prose


def _believe(survey: Survey) -> None:
    """Tell the boxes that lie in a part that is something else. A name over much of the page's prose (all boxes of one
    name taken together), or over the headline, is not believed.
    """
    titled = {box.number for headed in survey.boxes if headed.tag == "h1" for box in headed.above()}
    under: dict[tuple[str, str], int] = {}
    for box in survey.boxes:
        if _is_named_other(box):
            under[box.tag, box.names] = under.get((box.tag, box.names), 0) + box.prose
    whole = survey.boxes[0].prose
    for box in survey.boxes:
        if box.parent is not None and box.parent.other:
            box.other = True
        elif _is_named_other(box) and box.number not in titled:
            box.other = under[box.tag, box.names] <= _BELIEVED.get(box.role or "", _BELIEVED_ELSE) * whole


def _is_named_other(box: Box) -> bool:
    return box.role != STORY if box.role else box.tag in _OTHER_TAGS


def _claim(box: Box) -> float:
    if box.role == STORY or (box.marks & ITEM_BODY and box.parent and not box.parent.marks & ITEM_BODY):
        return max(box.worth, _DESPITE * box.gain) * _STORY_NAMED
    return box.worth * (_STORY_TAGGED if box.tag in ("article", "main") else 1.0)


def _inside(survey: Survey, best: Box) -> set[int]:
    inside = {best.number}
    for box in survey.boxes[best.number + 1 :]:
        if box.depth <= best.depth:
            break
        inside.add(box.number)
    return inside


class Reader:
    """Reads the features of a page's lines."""

    def __init__(self, survey: Survey, lines: Sequence[Line], best: Box, hints: Hints, lexicon: Lexicon) -> None:
        self._lines, self._best, self._hints, self._lexicon = lines, best, hints, lexicon
        self._inside = _inside(survey, best)
        self._over = {box.number for box in best.above()} - {best.number}
        self._branches = self._read_branches(survey)
        self._others = _others(survey)
        self._prose = best.prose or 1
        words = best.words or 1
        self._whole = (float(best.words), float(best.lines), best.linked / words, best.prose / words)
        self._groups: dict[tuple[str, str, bool], list[int]] = {}
        self._texts: dict[str, int] = {}
        self._boxes: dict[object, tuple[float, ...]] = {}

    def rows(self) -> list[list[float]]:
        """A row a line, each as long as :data:`NAMES`."""
        lines = self._lines
        self._count_alike()
        spelled = [letters(line.text) if line.words <= 80 or self._hints.body else "" for line in lines]
        lexical = [self._lexicon.of_text(line.text, line.words) for line in lines]
        title, prose = self._title(spelled), self._first_prose()
        # Two more at either end that are in no part.
        branches = [-1, -1, *(self._branches[line.box.number] for line in lines), -1, -1]
        beside = [
            (float(line.words), line.linked / line.words, float(HEADINGS.get(line.box.tag, 0)),
             1.0 if line.box.other else 0.0, known[1])
            for line, known in zip(lines, lexical, strict=True)
        ]  # fmt: skip
        around = [_NOBODY, _NOBODY, *beside, _NOBODY, _NOBODY]
        where = self._where(branches[2:-2], lexical)
        rows = []
        for n, line in enumerate(lines):
            box, branch = line.box, branches[n + 2]
            before2 = around[n] if branches[n] == branch else _NOBODY
            before1, before_box = (around[n + 1], lines[n - 1].box) if branches[n + 1] == branch else (_NOBODY, None)
            after1, after_box = (around[n + 3], lines[n + 1].box) if branches[n + 3] == branch else (_NOBODY, None)
            after2 = around[n + 4] if branches[n + 4] == branch else _NOBODY
            rows.append([
                *self._own(line, spelled[n], beside[n][2]), *lexical[n],
                float(n - title) if title >= 0 else -1000.0, float(n - prose), *where[n],
                *before2, *before1, *after1, *after2,
                _same_box(box, before_box), _alike(box, before_box), _same_box(box, after_box), _alike(box, after_box),
                *self._of_box(box), *self._whole,
            ])  # fmt: skip
        return rows

    def _count_alike(self) -> None:
        for line in self._lines:
            self._texts[line.text] = self._texts.get(line.text, 0) + 1
            box = line.box
            group = self._groups.setdefault((box.tag, box.names, box.number in self._inside), [0, 0, 0])
            group[0] += 1
            group[1] += line.words
            group[2] += line.linked

    def _where(
        self, branches: Sequence[int], lexical: Sequence[tuple[float, ...]]
    ) -> list[tuple[float, float, float, float, float]]:
        """For each line: how far the last heading of its part of the page is and what the lexicon says of it, the share
        of the best part's prose before it, and how far the last and the next prose is.
        """
        is_prose = [_reads_as_prose(line) and not line.box.other for line in self._lines]
        before = _distances(is_prose, branches)
        behind = _distances(is_prose[::-1], branches[::-1])[::-1]
        where = []
        since, heading, of_best, last = _FAR, -1.0, 0, -1
        for n, line in enumerate(self._lines):
            if branches[n] != last:
                since, heading, last = _FAR, -1.0, branches[n]
            if line.box.tag in HEADINGS:
                since, heading = 0.0, lexical[n][1]
            elif since < _FAR:
                since += 1.0
            where.append((since, heading, of_best / self._prose, before[n], behind[n]))
            if line.words >= _SHORTEST_PROSE and line.box.number in self._inside and line.linked * 2 <= line.words:
                of_best += line.words
        return where

    def _first_prose(self) -> int:
        lines = enumerate(self._lines)
        return next((n for n, line in lines if _reads_as_prose(line) and line.box.number in self._inside), 0)

    def _title(self, spelled: list[str]) -> int:
        found = -1
        for n, line in enumerate(self._lines):
            if line.box.tag == "h1":
                return n
            if found < 0 and line.words > 2 and spelled[n] in self._hints.titles:
                found = n
        return found

    def _own(self, line: Line, spelled: str, level: float) -> tuple[float, ...]:
        text, words, hints = line.text, line.words, self._hints
        is_ascii = text.isascii()
        return (
            float(words), line.linked / words, float(line.links), len(text) / words,
            1.0 if text[-1] in ".!?…。»”\"'’" else 0.0,
            float(text.count(". ") + text.count("? ") + text.count("! ") + (0 if is_ascii else text.count("。"))),
            text.count(",") / words,
            len(_DIGITS.findall(text)) / words, 1.0 if text[0].islower() else 0.0, line.marked / words, level,
            float(_TAG_CODES.get(line.box.tag, _OTHER_TAG)),
            1.0 if "@" in text else 0.0,
            (1.0 if any(map(text.__contains__, hints.authors)) else 0.0) if hints.authors else -1.0,
            1.0 if spelled in hints.titles else 0.0,
            (1.0 if spelled and spelled in hints.described else 0.0) if hints.described else -1.0,
            (1.0 if spelled and spelled in hints.body else 0.0) if hints.body else -1.0,
            float(self._texts[text]),
        )  # fmt: skip

    def _of_box(self, box: Box) -> tuple[float, ...]:
        holder = box if box.lines > 1 or box.parent is None else box.parent
        key = (holder.number, box.tag, box.names)
        row = self._boxes.get(key)
        if row is None:
            row = self._boxes[key] = self._read_box(box, holder)
        return row

    def _read_box(self, box: Box, holder: Box) -> tuple[float, ...]:
        above = self._above(holder)
        above2 = self._above(above)
        count, words, linked = self._groups[box.tag, box.names, box.number in self._inside]
        prose = self._prose
        return (
            float(box.depth), self._others[box.number], self._best_at(box), 1.0 if box.number in self._inside else 0.0,
            *_flags(box.marks & _FLAGGED),
            *(self._amounts(holder, prose) if holder.number not in self._over else _UNTOLD),
            *self._amounts(above, prose)[:4], *self._amounts(above2, prose)[1:4],
            float(count), words / count, linked / (words or 1), *self._lexicon.of_boxes(box),
        )  # fmt: skip

    def _read_branches(self, survey: Survey) -> list[int]:
        """For each box, which part of the page it is in: the best one, or one beside it or beside what is around it.

        What stands in another part is no neighbour.
        """
        branches: list[int] = []
        for box in survey.boxes:
            is_root = box is self._best or box.parent is None or box.parent.number in self._over
            branches.append(box.number if is_root else branches[box.parent.number])  # type: ignore[union-attr]
        return branches

    def _above(self, box: Box) -> Box:
        """The box around, but never one that has the best one and more in it: what that holds changes every day."""
        above = box.parent
        return box if box is self._best or above is None or above.number in self._over else above

    def _amounts(self, box: Box, prose: int) -> tuple[float, ...]:
        words = box.words or 1
        return (float(box.words), box.linked / words, float(box.lines), box.prose / prose, box.prose / words)

    def _best_at(self, box: Box) -> float:
        return float(box.depth - self._best.depth + 1) if box.number in self._inside else 0.0


_DIGITS = re.compile(r"\d")
_NOBODY = (-1.0,) * 5
_UNTOLD = (-1.0,) * 5


def _reads_as_prose(line: Line) -> bool:
    return line.words >= _SENTENCE and line.linked * 2 < line.words


def _distances(marked: Sequence[bool], branches: Sequence[int]) -> list[float]:
    """For each line, how many lines before it in its part of the page the last marked one is."""
    distances = []
    distance, branch = _FAR, -1
    for is_marked, own in zip(marked, branches, strict=True):
        distance = _FAR if own != branch else min(distance + 1.0, _FAR)
        branch = own
        distances.append(distance)
        if is_marked:
            distance = 0.0
    return distances


def _same_box(box: Box, other: Box | None) -> float:
    return -1.0 if other is None else 1.0 if other is box or other.parent is box.parent else 0.0


def _alike(box: Box, other: Box | None) -> float:
    return -1.0 if other is None else 1.0 if other.tag == box.tag and other.names == box.names else 0.0


def _others(survey: Survey) -> list[float]:
    """For each box, how many boxes up the next one is whose name says that it is something else; 0 for none."""
    others: list[float] = []
    for box in survey.boxes:
        above = others[box.parent.number] if box.parent is not None else 0.0
        is_other = box.role is not None and box.role != STORY
        others.append(1.0 if is_other else above + 1.0 if 0.0 < above < _MOST_DEEP else 0.0)
    return others


@cache
def _flags(marks: int) -> tuple[float, ...]:
    return tuple(1.0 if marks & mark else 0.0 for mark in _FLAGS)


def hints_of(metadata: Metadata) -> Hints:
    """The hints that a page's metadata give."""
    body = metadata.linked.story.get("articleBody")
    titles = {letters(title) for title in (metadata.headline or "", *metadata.headings[:2])} - {""}
    return Hints(
        frozenset(titles),
        letters(metadata.description or ""),
        letters(body) if isinstance(body, str) else "",
        metadata.authors,
    )
