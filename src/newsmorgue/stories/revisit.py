"""When to look at a story again: one pure function of its history.

The intervals follow how news is edited, as far as that is known (docs/revisits.md cites the studies): a third of all
stories change on their first day, most of those once or twice, a few many times within hours; what was not edited on
its first days seldom is later. So a story is looked at often while it is young, and more often for as long after an
edit was seen as that edit is fresh.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Up to this age of the story, so long between two looks. docs/revisits.md has this table too (a test compares them).
INTERVALS: tuple[tuple[timedelta, timedelta], ...] = (
    (timedelta(hours=1), timedelta(minutes=15)),
    (timedelta(hours=3), timedelta(minutes=30)),
    (timedelta(hours=12), timedelta(hours=1, minutes=30)),
    (timedelta(days=1), timedelta(hours=4)),
    (timedelta(days=3), timedelta(hours=12)),
    (timedelta(days=7), timedelta(days=2)),
    (timedelta(days=30), timedelta(days=7)),
    (timedelta(days=180), timedelta(days=30)),
)
# No look again once both the story and the last edit seen of it are older than the last row of the table.
HORIZON = INTERVALS[-1][0]
SHORTEST = INTERVALS[0][1]
# After an edit: half as long as it is ago, but not sooner than the shortest interval.
_EDITED_SHARE = 0.5
# A live blog is edited for as long as what it tells of lasts, and then no more.
_LIVE_FOR = timedelta(hours=6)
# Without validators each look costs the site a whole page.
_WITHOUT_VALIDATORS = 1.5
# What stopped showing the story: as long again as it has been so, between these bounds.
_ABSENT = (timedelta(hours=1), timedelta(days=30))
_GIVEN_UP = timedelta(days=90)
# A list's date that is this little after a visit may be of before it: clocks differ, and lists are made ahead.
_CLOCKS_DIFFER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a story at one address.

    ``found`` is when it was first sighted anywhere, ``stated`` the earliest date that a feed, sitemap or the page gives
    it, ``lastmod`` the latest that a list gives, where the source's dates are believed. ``looked`` is the last visit,
    however it ended, ``seen`` the last that showed the story. ``edits`` counts the visits that showed another text than
    the visit before, ``edited`` is the last of them. ``kind`` is the page's, as cleaning calls it.
    """

    found: datetime
    looked: datetime
    seen: datetime
    stated: datetime | None = None
    lastmod: datetime | None = None
    edits: int = 0
    edited: datetime | None = None
    kind: str = "article"
    has_validators: bool = True

    @property
    def born(self) -> datetime:
        """Where its age is counted from: the date given for it, else (and at the latest) its first sighting."""
        return min(self.found, self.stated) if self.stated else self.found


def next_visit(history: History, now: datetime) -> datetime | None:
    """When to look again: in the past where it is due already, None where it is not looked at again by itself."""
    absent = history.looked - history.seen
    if absent > timedelta():
        shortest, longest = _ABSENT
        return history.looked + min(max(absent, shortest), longest) if absent < _GIVEN_UP else None
    planned = _planned(history, now)
    if history.lastmod is not None and history.lastmod > history.looked + _CLOCKS_DIFFER:
        return history.lastmod if planned is None else min(planned, history.lastmod)
    return planned


def _planned(history: History, now: datetime) -> datetime | None:
    if now - max(history.born, history.edited or history.born) > HORIZON:
        return None
    interval = _by_age(history.looked - history.born)
    if history.edited is not None:
        interval = min(interval, max(SHORTEST, (history.looked - history.edited) * _EDITED_SHARE))
    if history.kind == "live_blog" and history.looked - (history.edited or history.born) < _LIVE_FOR:
        interval = SHORTEST
    if not history.has_validators:
        interval *= _WITHOUT_VALIDATORS
    return history.looked + interval


def _by_age(age: timedelta) -> timedelta:
    return next((interval for oldest, interval in INTERVALS if age < oldest), INTERVALS[-1][1])
