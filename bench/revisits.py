"""What the revisit policy catches of the edits of synthetic stories, and what it costs, beside fixed intervals.

``python -m bench.revisits`` prints the figures of docs/revisits.md, which says where the distribution of edits comes
from; ``--plot FILE`` draws them.
"""

import argparse
import math
import random
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from newsmorgue.stories.revisit import History, next_visit

STORIES = 2_000
SEED = 20260131
WINDOW = timedelta(days=30)
# How often the source itself is crawled: no visit is made between two runs.
RUN_EVERY = timedelta(minutes=15)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_DAY = 24 * 60.0  # minutes

# -- the stories -----------------------------------------------------------------------------------------------------

# Timmerman, Bronselaer and Van Leuven (2023): 291,666 articles of six Flemish outlets, looked at each 15 minutes for 24
# hours: 35 % were updated, 1.94 times on average, over 80 % of these once or twice, some 5 % more than nine times.
EDITED_ON_FIRST_DAY = 0.35
TIMES_EDITED = {1: 0.70, 2: 0.165, 3: 0.035, 4: 0.02, 5: 0.015, 6: 0.01, 8: 0.005, 10: 0.03, 12: 0.02}
# GDELT's Global Difference Graph (Leetaru, 2020): 82 % of the changes of title or body within a week come within 24
# hours. The rest is here one edit each, on days 2 to 7.
EDITED_IN_FIRST_WEEK = EDITED_ON_FIRST_DAY * 18 / 82
# Assumed: corrections after the first week. No study looked that long.
EDITED_LATER = 0.03
# Of stories edited ten times and more, those that call themselves live blogs. Assumed.
LIVE_BLOGS = 0.5


def front_loaded(chance: random.Random) -> float:
    """Minutes from publication to an edit on the first day: even on a scale of logarithms, from 5 minutes on."""
    return math.exp(chance.uniform(math.log(5), math.log(_DAY)))


def of_a_shift(chance: random.Random) -> float:
    """The same, if edits come while the desk works on the story: exponential, 4 hours on average, within the day."""
    return min(chance.expovariate(1 / 240), _DAY - 1)


def even(chance: random.Random) -> float:
    """The same, at any time of the day alike."""
    return chance.uniform(5, _DAY)


@dataclass(frozen=True, slots=True)
class Story:
    """Minutes from publication to each edit; ``is_live`` where its page says that it is a live blog."""

    edits: tuple[float, ...]
    is_live: bool = False


def stories(count: int, seed: int, when: Callable[[random.Random], float] = front_loaded) -> list[Story]:
    """So many stories by the distribution above."""
    chance = random.Random(seed)
    return [_story(chance, when) for _ in range(count)]


def _story(chance: random.Random, when: Callable[[random.Random], float]) -> Story:
    edits: list[float] = []
    if chance.random() < EDITED_ON_FIRST_DAY:
        times = chance.choices(list(TIMES_EDITED), list(TIMES_EDITED.values()))[0]
        edits += _many(chance, times) if times >= 10 else [when(chance) for _ in range(times)]
    is_live = len(edits) >= 10 and chance.random() < LIVE_BLOGS
    if chance.random() < EDITED_IN_FIRST_WEEK:
        edits.append(chance.uniform(_DAY, 7 * _DAY))
    if chance.random() < EDITED_LATER:
        edits.append(chance.uniform(7 * _DAY, WINDOW / timedelta(minutes=1)))
    return Story(tuple(sorted(edits)), is_live)


def _many(chance: random.Random, times: int) -> list[float]:
    """A running story: its edits come in one stretch of two to ten hours."""
    length = chance.uniform(120, 600)
    begin = chance.uniform(5, 120)
    return [begin + chance.uniform(0, length) for _ in range(times)]


# -- the policies ----------------------------------------------------------------------------------------------------

Policy = Callable[[History, datetime], datetime | None]


def fixed(interval: timedelta) -> timedelta:
    """Every story again and again, whatever its age: at the first run after so long."""
    return math.ceil(interval / RUN_EVERY - 1e-9) * RUN_EVERY


def newsdiffs(history: History, now: datetime) -> datetime | None:
    """The rule of NewsDiffs (``get_update_delay`` in its scraper.py): by the time since the last update seen."""
    quiet = history.looked - (history.edited or history.found)
    steps = ((3, 15), (24, 30), (7 * 24, 120), (30 * 24, 24 * 60))
    minutes = next((delay for hours, delay in steps if quiet < timedelta(hours=hours)), 7 * 24 * 60)
    return history.looked + timedelta(minutes=minutes)


# -- replaying ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What a policy came to: requests a story, and of the edits the share seen and the typical delay in minutes."""

    requests: float
    caught: float
    median_delay: float


def replay(policy: Policy | timedelta, told: Sequence[Story], seed: int = SEED) -> Result:
    """Visit each story by the policy for the length of the window.

    An edit is caught if a visit falls between it and the next one: only then does the archive have that version.
    """
    chance = random.Random(seed)
    requests, edits = 0, 0
    delays: list[float] = []
    for story in told:
        # Publication falls at any moment between two runs; the first run after it finds the story.
        first = chance.uniform(0, RUN_EVERY / timedelta(minutes=1))
        visits = list(_visits(policy, story, first) if callable(policy) else _at(policy, first))
        requests += len(visits)
        edits += len(story.edits)
        delays += _delays(story.edits, visits)
    delays.sort()
    return Result(requests / len(told), len(delays) / edits, delays[len(delays) // 2] if delays else math.inf)


def _at(interval: timedelta, first: float) -> Iterator[float]:
    step = interval / timedelta(minutes=1)
    return (first + number * step for number in range(int((WINDOW / timedelta(minutes=1) - first) / step) + 1))


def _visits(policy: Policy, story: Story, first: float) -> Iterator[float]:
    end = WINDOW / timedelta(minutes=1)
    step = RUN_EVERY / timedelta(minutes=1)
    minute, version = first, bisect_right(story.edits, first)
    found = _EPOCH + timedelta(minutes=first)
    kind = "live_blog" if story.is_live else "article"
    history = History(found, found, found, stated=_EPOCH, kind=kind)
    while minute <= end:
        yield minute
        now = _EPOCH + timedelta(minutes=minute)
        shown = bisect_right(story.edits, minute)
        history = replace(history, looked=now, seen=now)
        if shown != version:
            version, history = shown, replace(history, edits=history.edits + 1, edited=now)
        due = policy(history, now)
        if due is None:
            return
        runs = math.ceil((due - now) / RUN_EVERY - 1e-9)
        minute += max(1, runs) * step


def _delays(edits: Sequence[float], visits: Sequence[float]) -> Iterator[float]:
    for position, edit in enumerate(edits):
        following = edits[position + 1] if position + 1 < len(edits) else math.inf
        seen = bisect_right(visits, edit)
        if seen < len(visits) and visits[seen] < following:
            yield visits[seen] - edit


# -- figures and plot --------------------------------------------------------------------------------------------------

ASSUMPTIONS = {"front-loaded": front_loaded, "of a shift": of_a_shift, "even": even}


def compared(told: Sequence[Story]) -> dict[str, Result]:
    """newsmorgue's policy, the fixed interval of equal cost, and others."""
    ours = replay(next_visit, told)
    equal = WINDOW / ours.requests
    hours = equal / timedelta(hours=1)
    return {
        "newsmorgue": ours,
        f"fixed, equal cost ({hours:.1f} h)": replay(fixed(equal), told),
        **{f"fixed, {hours} h": replay(fixed(timedelta(hours=hours)), told) for hours in (1, 6, 24)},
        "NewsDiffs' rule": replay(newsdiffs, told),
    }


def table(results: dict[str, Result]) -> str:
    """Markdown, as in docs/revisits.md."""
    lines = ["| policy | requests a story in 30 days | edits caught | half of them within |", "|---|---|---|---|"]
    for name, result in results.items():
        row = f"{result.requests:.1f} | {result.caught:.1%} | {result.median_delay:.0f} min"
        lines.append(f"| {name} | {row} |")
    return "\n".join(lines)


_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 420, 60, 20, 700, 370
_TICKS = (20, 50, 100, 200, 500, 1000, 2000)


def plot(told: Sequence[Story]) -> str:
    """An SVG: share of edits caught over requests a story, the fixed intervals as a line."""
    minutes = (20, 30, 45, 60, 120, 180, 360, 720, 1440, 2160)
    line = [replay(fixed(timedelta(minutes=each)), told) for each in minutes]
    points = {name: result for name, result in compared(told).items() if "equal" not in name}
    path = " ".join(f"{_x(one.requests):.1f},{_y(one.caught):.1f}" for one in line)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        *_axes(),
        f'<polyline points="{path}" fill="none" stroke="#888" stroke-width="2"/>',
        *(_point(name, result) for name, result in points.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(requests: float) -> float:
    low, high = math.log(_TICKS[0]), math.log(_TICKS[-1] * 1.2)
    return _LEFT + (_RIGHT - _LEFT) * (math.log(requests) - low) / (high - low)


def _y(share: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * (share - 0.5) / 0.5


def _axes() -> Iterator[str]:
    for ticks in _TICKS:
        yield f'<line x1="{_x(ticks):.1f}" y1="{_TOP}" x2="{_x(ticks):.1f}" y2="{_BOTTOM}" stroke="#eee"/>'
        yield f'<text x="{_x(ticks):.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{ticks}</text>'
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        yield f'<line x1="{_LEFT}" y1="{_y(share):.1f}" x2="{_RIGHT}" y2="{_y(share):.1f}" stroke="#eee"/>'
        yield f'<text x="{_LEFT - 8}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
    middle = (_LEFT + _RIGHT) // 2
    yield f'<text x="{middle}" y="{_HEIGHT - 12}" text-anchor="middle">requests a story in 30 days</text>'
    yield f'<text x="{_LEFT + 6}" y="{_TOP + 14}">edits caught</text>'


def _point(name: str, result: Result) -> str:
    x, y = _x(result.requests), _y(result.caught)
    colour = "#c00" if name == "newsmorgue" else "#444"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
        f'<text x="{x + 9:.1f}" y="{y + 14:.1f}" fill="{colour}">{name}</text>'
    )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    for name, when in ASSUMPTIONS.items():
        told = stories(STORIES, SEED, when)
        edits = sum(len(story.edits) for story in told)
        edited = sum(bool(story.edits) for story in told)
        sys.stdout.write(f"\nedits on the first day {name}: {len(told)} stories, {edited} edited, {edits} edits\n\n")
        sys.stdout.write(table(compared(told)) + "\n")
    if options.plot:
        options.plot.write_text(plot(stories(STORIES, SEED)), "utf-8")


if __name__ == "__main__":
    main()
