"""Readers' comments that no name says are some: boxes of one kind side by side, in each of which one may answer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from newsmorgue.cleaning.labels import is_reply
from newsmorgue.cleaning.lines import ROLE_MARK, Box, Line, Survey

_ROLE, _CALLED = "comments", "comment"
_MOST_IN_REPLY = 12  # words: "Like · Reply · 2 hours ago"
_SHORTEST_PROSE = 12  # words
# What may be comments of the page's prose: with more it is a forum, whose first post is one of them.
_MOST_IN_ONE, _MOST_IN_ALL = 0.5, 0.9


def name_threads(survey: Survey) -> None:
    """Give such boxes the name that others give them, and its role. The boxes must have been counted."""
    answered = [line.box for line in _answerable(survey.lines)]
    places = sorted([*survey.answerable, *answered], key=lambda box: box.number)
    comments: dict[int, Box] = {}
    for one, other in pairwise(places):
        first, second = _beside(one, other)
        if first is not None and second is not None and _follow(first, second, survey):
            comments |= {first.number: first, second.number: second}
    if comments and _may_be(list(comments.values()), survey.boxes[0]):
        _name(survey, comments)


def _answerable(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines with a link for answers; only links that are there more than once are read."""
    short = [line for line in lines if line.links and line.words <= _MOST_IN_REPLY]
    links = Counter(text for line in short for text, href, _ in line.pieces if href is not None)
    replies = {text for text, times in links.items() if times > 1 and is_reply(text)}
    return (line for line in short if replies and any(text in replies for text, _, _ in line.pieces))


def _beside(one: Box, other: Box) -> tuple[Box | None, Box | None]:
    """The boxes that hold one of two each, beside each other in the innermost box that holds both; None for a box that
    holds both itself.
    """
    around = {box.number: inner for inner, box in pairwise([None, *one.above()]) if box is not None}
    inner: Box | None = None
    for box in other.above():
        if box.number in around:
            return around[box.number], inner
        inner = box
    return None, None


def _follow(first: Box, second: Box, survey: Survey) -> bool:
    """Whether two boxes are of one kind, and no prose is between them: posts from elsewhere can be answered, too."""
    if (first.tag, first.names) != (second.tag, second.names):
        return False
    between = (line for line in survey.lines if first.number < line.box.number < second.number)
    return not any(line.words >= _SHORTEST_PROSE and first not in line.box.above() for line in between)


def _may_be(comments: list[Box], page: Box) -> bool:
    amounts = [box.prose for box in comments if not any(above in comments for above in box.above() if above is not box)]
    return max(amounts) <= _MOST_IN_ONE * page.prose and sum(amounts) <= _MOST_IN_ALL * page.prose


def _name(survey: Survey, comments: dict[int, Box]) -> None:
    mark, within = ROLE_MARK[_ROLE], set[int]()
    for box in survey.boxes:
        if box.number in comments:
            box.names = f"{box.names} {_CALLED}".lstrip()
            box.role = box.role or _ROLE
        elif box.parent is None or box.parent.number not in within:
            continue
        within.add(box.number)
        box.marks |= mark
