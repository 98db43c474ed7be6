"""Where the story stands: which of the page's lines are its text, and what is kept with them.

:func:`find_story` has the model judge each line; captions and embedded players that stand among the chosen lines are
kept beside them, and a table is taken whole or not at all.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from newsmorgue.cleaning.blocks import LONGEST_CELL
from newsmorgue.cleaning.features import OTHER_PARTS, Hints, Reader, worthwhile
from newsmorgue.cleaning.labels import role_of_label
from newsmorgue.cleaning.lines import CONCEALED, HEADINGS, TAG_MARK, Box, Line, Survey
from newsmorgue.cleaning.model import Model
from newsmorgue.cleaning.tree import POST

_FIGURES = TAG_MARK["figure"] | TAG_MARK["figcaption"]
# What a caption or player may lie in and still be the story's.
_COMPANION_PARTS = OTHER_PARTS & ~TAG_MARK["figcaption"] & ~TAG_MARK["aside"]
_HOLDERS = 3
_FEWEST_CELLS = 4
# Of the words in the part of the page that has most text. With less, the model has taken the page for something else.
_LEAST_SHARE = 0.2
# No news story has more; reading features of each would take longer than a page may.
_MOST_LINES = 20_000
_MOST_HIDDEN = 0.3
_CORRECTION = re.compile(
    r"\W{0,3}(?:(?:correct(?:ion|ed)|clarification|editor(?:[’']s|s[’'])? note|rectificatif|erratum|errata|précision"
    r"|korrektur|berichtigung|richtigstellung|anmerkung der redaktion|corrección|rectificación|fe de erratas|aclaración"
    r"|correção|retificação|rettifica|correctie|rättelse|rettelse|oikaisu|sprostowanie|исправление|уточнение|düzeltme"
    r")(?!\w)|訂正|更正|정정)",
    re.I,
)
_LONGEST_GAP = 3  # lines
_SURELY_NOT = -1.5  # log-odds


@dataclass(frozen=True, slots=True)
class Story:
    """The story's lines in the page's order, captions and players among them.

    ``teasers`` is how many headings in the part of the page that has most text are links, if most of them are.
    """

    lines: tuple[Line, ...]
    teasers: int = 0


def find_story(survey: Survey, hints: Hints, model: Model) -> Story | None:
    """Find the story in a page; where there is none, what stands in its place (a notice, a list). None where the page
    has no line of text.
    """
    if not survey.lines:
        return None
    best, inside, lines = worthwhile(survey)
    chosen = _chosen(survey, best, lines, hints, model) if len(lines) <= _MOST_LINES else set()
    if sum(line.words for line in lines if id(line) in chosen) < _LEAST_SHARE * best.words:
        chosen = {id(line) for line in lines if line.box.number in inside}
    if not chosen:
        return None
    return Story(tuple(_with_companions(survey.lines, chosen)), _teasers(survey.lines, inside))


def _chosen(survey: Survey, best: Box, lines: Sequence[Line], hints: Hints, model: Model) -> set[int]:
    for line, row in zip(lines, Reader(survey, lines, best, hints, model.lexicon).rows(), strict=True):
        line.score = model.score(row)
    chosen = {id(line) for line in lines if line.score > model.threshold}
    _keep_corrections(lines, chosen)
    _make_whole(lines, chosen)
    if _fill_gaps(lines, chosen):
        _make_whole(lines, chosen)
    _leave_comments(lines, chosen)
    _leave_hidden(lines, chosen)
    return chosen


def _teasers(lines: Sequence[Line], inside: set[int]) -> int:
    headings = [line for line in lines if line.box.tag in HEADINGS and line.words and line.box.number in inside]
    linked = sum(line.linked * 2 > line.words for line in headings)
    return linked if linked * 2 > len(headings) else 0


def _fill_gaps(lines: Sequence[Line], chosen: set[int]) -> bool:
    """A line between two of the story's is the story's too, and so are some lines between two in one box, unless the
    model is sure of the contrary: a sentence more or less elsewhere changes nothing of them. Whether there were any.
    """
    before = len(chosen)
    plain = [line for line in lines if not line.box.other]
    last: int | None = None
    for at, line in enumerate(plain):
        if id(line) not in chosen:
            continue
        if last is not None and 1 < at - last <= _LONGEST_GAP + 1:
            between, box = plain[last + 1 : at], line.box.parent
            is_one_box = (
                box is not None and plain[last].box.parent is box and all(box in one.box.above() for one in between)
            )
            if (is_one_box or len(between) == 1) and all(map(_may_fill, between)):
                chosen.update(map(id, between))
        last = at
    return len(chosen) > before


def _keep_corrections(lines: Sequence[Line], chosen: set[int]) -> None:
    """What a story says of its own correction is part of it, where it stands right behind."""
    before: Line | None = None
    for line in lines:
        if line.box.other:
            continue
        is_behind = before is not None and id(before) in chosen and line.box.parent in (before.box.parent, before.box)
        if is_behind and line.linked * 2 <= line.words and _CORRECTION.match(line.text):
            chosen.add(id(line))
        before = line


def _may_fill(line: Line) -> bool:
    return line.score > _SURELY_NOT and line.linked * 2 <= line.words


def _make_whole(lines: Sequence[Line], chosen: set[int]) -> None:
    """A table of data is the story's if most of its words are or it stands between the story's lines; a list that is
    not of links also if a quarter of its words are; a post from elsewhere if any of its lines is.
    """
    for box, post in _grouped(lines, "blockquote"):
        if POST.search(box.names) and any(id(lines[number]) in chosen for number in post):
            chosen.update(id(lines[number]) for number in post)
    for tag in ("ul", "ol"):
        for box, items in _grouped(lines, tag):
            if box.linked * 4 > box.words:
                continue
            mine = _words_of(lines, items, chosen)
            if mine * 4 >= box.words or _stands_between(lines, box, items, chosen):
                chosen.update(id(lines[number]) for number in items)
    for box, cells in _grouped(lines, "table"):
        if len(cells) >= _FEWEST_CELLS and max(lines[number].words for number in cells) <= LONGEST_CELL:
            is_whole = _words_of(lines, cells, chosen) * 2 > box.words or _stands_between(lines, box, cells, chosen)
            (chosen.update if is_whole else chosen.difference_update)(id(lines[number]) for number in cells)


def _words_of(lines: Sequence[Line], part: list[int], chosen: set[int]) -> int:
    return sum(lines[number].words for number in part if id(lines[number]) in chosen)


def _grouped(lines: Sequence[Line], tag: str) -> Iterable[tuple[Box, list[int]]]:
    """Each innermost box of a tag, and the numbers of the lines in it."""
    groups: dict[int, tuple[Box, list[int]]] = {}
    for number, line in enumerate(lines):
        if line.box.marks & TAG_MARK[tag]:
            box = next(above for above in line.box.above() if above.tag == tag)
            groups.setdefault(box.number, (box, []))[1].append(number)
    return groups.values()


def _stands_between(lines: Sequence[Line], box: Box, part: list[int], chosen: set[int]) -> bool:
    """Whether chosen lines stand right before and right after, in the box around or in ones beside; what lies in a part
    that is something else does not count, nor does one line of links ("Read also: …").
    """
    if box.other or box.parent is None:
        return False
    before = _neighbour((lines[at] for at in range(part[0] - 1, -1, -1)), chosen)
    after = _neighbour((lines[at] for at in range(part[-1] + 1, len(lines))), chosen)
    if before is None or after is None or not chosen.issuperset((id(before), id(after))):
        return False
    return box.parent in before.box.above() and box.parent in after.box.above()


def _neighbour(lines: Iterable[Line], chosen: set[int]) -> Line | None:
    beside = list(islice((line for line in lines if not line.box.other), 2))
    if len(beside) == 2 and id(beside[0]) not in chosen and beside[0].linked * 2 > beside[0].words:
        return beside[1]
    return beside[0] if beside else None


def _leave_comments(lines: Sequence[Line], chosen: set[int]) -> None:
    """What stands in one box with a heading over readers' comments, and behind it, is theirs: the rules do not see a
    heading that was not chosen.
    """
    words, seen = sum(line.words for line in lines if id(line) in chosen), 0
    for at, line in enumerate(lines):
        if id(line) in chosen:
            seen += line.words
        elif line.box.tag in HEADINGS and seen * 2 > words and role_of_label(line.text) == "comments":
            around = line.box.parent
            if around is not None:
                chosen.difference_update(id(later) for later in lines[at:] if around in later.box.above())
            return


def _leave_hidden(lines: Sequence[Line], chosen: set[int]) -> None:
    """What no reader sees is none of the story's; unless it is much of it, for walls hide the story."""
    hidden = {id(line): line.words for line in lines if line.box.marks & CONCEALED and id(line) in chosen}
    words = sum(line.words for line in lines if id(line) in chosen)
    if sum(hidden.values()) <= _MOST_HIDDEN * words:
        chosen.difference_update(hidden)


def _with_companions(lines: Sequence[Line], chosen: set[int]) -> Iterable[Line]:
    """The chosen lines; and captions and players before the last of them, in boxes that hold chosen lines."""
    holding = {above.number for line in lines if id(line) in chosen for above in _around(line.box)}
    numbers = [number for number, line in enumerate(lines) if id(line) in chosen]
    first, last = numbers[0], numbers[-1]
    for number, line in enumerate(lines):
        if id(line) in chosen or (first - 4 <= number <= last + 1 and _is_companion(line) and _held(line.box, holding)):
            yield line


def _around(box: Box) -> Iterable[Box]:
    return islice(box.above(), _HOLDERS)


def _is_companion(line: Line) -> bool:
    if line.embed is None and not line.box.marks & _FIGURES:
        return False
    return not line.box.marks & _COMPANION_PARTS


def _held(box: Box, holding: set[int]) -> bool:
    figure = box
    while figure.parent is not None and figure.marks & _FIGURES:
        figure = figure.parent
    return any(above.number in holding for above in _around(figure))


def all_lines(survey: Survey) -> Story | None:
    """A page of which all that is shown is the story's: what an operator's selectors chose."""
    chosen = {id(line) for line in survey.lines}
    _leave_hidden(survey.lines, chosen)
    return Story(tuple(line for line in survey.lines if id(line) in chosen)) if chosen else None
