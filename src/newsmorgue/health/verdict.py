"""The verdict on a source: a pure function of its runs, its newest stories and ``now``.

A source is compared with its own past alone: what is silence for an agency is an ordinary week for a parish paper. What
each verdict means, and why its thresholds are what they are, is in ``docs/reference.md``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import fmean, median

# Of n earlier silences of one kind, the next is longer than all with a chance of 1 in n + 1; half as long again it is,
# were they exponential, with n ** -1.5 only: 1 in 90 for 20 of them, 1 in 27,000 for 900.
LONGER = 1.5
LEAST_HISTORY = 20
LEAST_SPAN = timedelta(days=14)  # two weekends
PATIENCE = timedelta(hours=6)  # an outage or a quiet night that is shorter mends itself before anyone has looked
LEAST_TRIES = 3
# Shares of 50 looks against those of at least 200 (and about 2,000) before: of 50, one that was 5 % before is 20 % by
# chance once in 6,000 times, one that was 30 % before is half of that once in 140.
RECENT, BEFORE = 50, 200
MOST_BEFORE = 2_000  # what was longer ago says less of what is usual now
ERRORS, ALL_ERRORS = 0.2, 0.5
LEAST_TEXTS = 0.3
RESTLESS = 0.5
RECENT_STORIES, STORIES_BEFORE = 20, 40
DAYS = 14

_TEXTS = ("new_story", "new_version", "returned", "unchanged")
_CHANGED = ("new_version", "returned")
_ERRORS = ("failed", "retry", "deferred")
_REACHED = (*_TEXTS, "listed", "not_story", "gone", "redirected", "refused")
_VISITS = (*_REACHED, *_ERRORS, "disallowed")


class Condition(StrEnum):
    """How a source is. UNKNOWN: there is nothing wrong, and too little history to call that well.

    PAUSED: an operator said that it is not to be crawled, so nothing is said of it.
    """

    WELL = "well"
    ILL = "ill"
    UNKNOWN = "unknown"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Run:
    """A crawl: when it began and ended (None: going on), ``finished`` or how else, and what it counted."""

    started: datetime
    ended: datetime | None
    outcome: str | None
    counts: Mapping[str, int]

    def total(self, names: Iterable[str]) -> int:
        """How many visits ended in one of these ways."""
        return sum([self.counts.get(name, 0) for name in names])

    @property
    def is_success(self) -> bool:
        """Whether it came to its end, and fetched something."""
        return self.outcome == "finished" and any(self.counts.get(name) for name in _REACHED)


@dataclass(frozen=True, slots=True)
class Story:
    """A story: when it was found, the characters of its first text (None: not known), how often that was edited."""

    found: datetime
    characters: int | None
    edits: int


@dataclass(frozen=True, slots=True)
class Trend:
    """A quantity lately and before; None where there is too little to tell."""

    recent: float | None
    before: float | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a source is ill: ``code`` is one of those in ``docs/reference.md``, ``text`` says it in words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict on a source at a time, and what it rests on.

    ``silence`` reaches from the last run that found a new story to the last that found the site; ``longest_silence`` is
    the longest such span before. ``errors`` is the share of visits that failed or must be tried later, ``texts`` that
    of pages that gave a text, ``changed`` that of known stories looked at again whose text was another, ``characters``
    the median length of a new story's text. ``days`` has the new stories of the last 14 days (UTC), today's last.
    """

    source: str
    at: datetime
    condition: Condition
    reasons: tuple[Reason, ...]
    last_run: datetime | None
    last_success: datetime | None
    last_news: datetime | None
    silence: timedelta | None
    longest_silence: timedelta | None
    errors: Trend
    texts: Trend
    characters: Trend
    changed: Trend
    edits_per_story: float | None
    days: tuple[int, ...]


def assess(
    source: str, runs: Sequence[Run], stories: Sequence[Story], now: datetime, *, is_paused: bool = False
) -> Health:
    """Judge a source by its crawls and its newest stories, both oldest first."""
    ended = [run for run in runs if run.ended is not None]
    looks = [run for run in ended if run.is_success]
    found = [run for run in looks if run.total(("new_story",))]
    silence, longest = _silences(looks)
    errors = _trend(ended, _ERRORS, _VISITS)
    texts = _trend(ended, _TEXTS, (*_TEXTS, "not_story"))
    changed = _trend(ended, _CHANGED, (*_CHANGED, "unchanged"))
    characters = _characters(stories)
    reasons = (
        _not_run(ended, now),
        _unreached(ended, now),
        _silent(silence, longest, found) or _fruitless(looks, found),
        _failing(errors),
        _textless(texts),
        _short(characters),
        _restless(changed),
    )
    ill = () if is_paused else tuple(reason for reason in reasons if reason is not None)
    known = Condition.PAUSED if is_paused else Condition.WELL if _is_enough(found) else Condition.UNKNOWN
    return Health(
        source,
        now,
        Condition.ILL if ill else known,
        ill,
        _last(ended),
        _last(looks),
        _last(found),
        silence,
        longest,
        errors,
        texts,
        characters,
        changed,
        fmean(story.edits for story in stories) if stories else None,
        _days(found, now),
    )


def span_text(span: timedelta) -> str:
    """A span of time for people, to two units.

    >>> span_text(timedelta(hours=76)), span_text(timedelta(minutes=90)), span_text(timedelta(seconds=50))
    ('3 d 4 h', '1 h 30 min', '0 min')
    """
    minutes = int(span.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60
    if days:
        return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"


# -- what is measured ------------------------------------------------------------------------------------------------


def _end(run: Run) -> datetime:
    return run.ended or run.started


def _last(runs: Sequence[Run]) -> datetime | None:
    return _end(runs[-1]) if runs else None


def _silences(looks: Sequence[Run]) -> tuple[timedelta | None, timedelta | None]:
    """The silence that lasts, and the longest before it.

    Only what was looked at counts: a week in which nobody crawled was no silence of the source. But as news may have
    come right after the last look that found none, an earlier silence is taken for as much longer as looks lie apart.
    """
    apart = [(_end(after) - _end(before)).total_seconds() for before, after in pairwise(looks)]
    interval = timedelta(seconds=median(apart) if apart else 0.0)
    silence: timedelta | None = None
    longest: timedelta | None = None
    since: datetime | None = None
    for run in looks:
        if run.total(("new_story",)):
            if silence is not None:
                longest = max(longest or timedelta(), silence + interval)
            since, silence = _end(run), timedelta()
        elif since is not None:
            silence = _end(run) - since
    return silence, longest


def _trend(runs: Sequence[Run], hits: tuple[str, ...], of: tuple[str, ...]) -> Trend:
    """A share of visits in the newest runs that have 50 of them together, and in those before that have 2,000."""
    recent, before = [0, 0], [0, 0]
    for run in reversed(runs):
        if before[1] >= MOST_BEFORE:
            break
        part = recent if recent[1] < RECENT else before
        part[0] += run.total(hits)
        part[1] += run.total(of)
    return Trend(_share(recent[0], recent[1], RECENT), _share(before[0], before[1], BEFORE))


def _share(hits: int, of: int, least: int) -> float | None:
    return hits / of if of >= least else None


def _characters(stories: Sequence[Story]) -> Trend:
    known = [story.characters for story in stories if story.characters is not None]
    recent, before = known[-RECENT_STORIES:], known[:-RECENT_STORIES]
    return Trend(
        median(recent) if len(recent) == RECENT_STORIES else None,
        median(before) if len(before) >= STORIES_BEFORE else None,
    )


def _days(found: Sequence[Run], now: datetime) -> tuple[int, ...]:
    counts = [0] * DAYS
    for run in found:
        ago = (now.date() - _end(run).date()).days
        if 0 <= ago < DAYS:
            counts[DAYS - 1 - ago] += run.total(("new_story",))
    return tuple(counts)


def _is_enough(runs: Sequence[Run]) -> bool:
    """Whether that much history says what is usual."""
    return len(runs) > LEAST_HISTORY and _end(runs[-1]) - _end(runs[0]) >= LEAST_SPAN


# -- what is wrong ---------------------------------------------------------------------------------------------------


def _not_run(ended: Sequence[Run], now: datetime) -> Reason | None:
    if not _is_enough(ended):
        return None
    pause = now - _end(ended[-1])
    longest = max(_end(after) - _end(before) for before, after in pairwise(ended))
    if pause <= max(PATIENCE, LONGER * longest):
        return None
    return Reason("not_run", f"not crawled for {span_text(pause)}, never more than {span_text(longest)} before")


def _unreached(ended: Sequence[Run], now: datetime) -> Reason | None:
    """Runs that had nothing to visit say nothing either way; those that were broken off are somebody's decision."""
    vain: list[Run] = []
    for run in reversed(ended):
        if run.is_success:
            break
        if run.outcome != "interrupted" and (run.outcome != "finished" or run.total(_VISITS)):
            vain.append(run)
    if len(vain) < LEAST_TRIES or now - vain[-1].started < PATIENCE:
        return None
    since = span_text(now - vain[-1].started)
    return Reason("unreached", f"the last {len(vain)} runs, over {since}, ended with nothing fetched or not at all")


def _silent(silence: timedelta | None, longest: timedelta | None, found: Sequence[Run]) -> Reason | None:
    if silence is None or longest is None or not _is_enough(found) or silence <= max(PATIENCE, LONGER * longest):
        return None
    return Reason("silent", f"no new story for {span_text(silence)}, never more than {span_text(longest)} before")


def _fruitless(looks: Sequence[Run], found: Sequence[Run]) -> Reason | None:
    if found or not _is_enough(looks):
        return None
    return Reason("silent", f"no new story in {len(looks)} crawls, over {span_text(_end(looks[-1]) - _end(looks[0]))}")


def _failing(errors: Trend) -> Reason | None:
    if errors.recent is None:
        return None
    if errors.before is None:
        known, limit = "", ALL_ERRORS
    else:
        known, limit = f", {errors.before:.0%} before", max(ERRORS, 2 * errors.before)
    if errors.recent < limit:
        return None
    return Reason("errors", f"{errors.recent:.0%} of visits fail or are put off{known}")


def _textless(texts: Trend) -> Reason | None:
    if texts.recent is None or texts.before is None or texts.before < LEAST_TEXTS or texts.recent > texts.before / 2:
        return None
    return Reason("few_texts", f"{texts.recent:.0%} of pages give a story's text, {texts.before:.0%} before")


def _short(characters: Trend) -> Reason | None:
    if characters.recent is None or not characters.before or characters.recent > characters.before / 2:
        return None
    return Reason(
        "short_texts",
        f"new stories have {characters.recent:,.0f} characters (the median), {characters.before:,.0f} before",
    )


def _restless(changed: Trend) -> Reason | None:
    if changed.recent is None or changed.before is None or changed.recent < max(RESTLESS, 2 * changed.before):
        return None
    return Reason(
        "restless", f"{changed.recent:.0%} of looks at known stories find another text, {changed.before:.0%} before"
    )
