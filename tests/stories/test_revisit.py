"""When a story is looked at again: the policy by itself. Times are those of docs/revisits.md."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsmorgue.stories.revisit import History, next_visit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DOCUMENT = Path(__file__).parents[2] / "docs" / "revisits.md"


def aged(age: timedelta, **known: object) -> History:
    """A story found at noon and looked at, at that age."""
    values = {"found": NOON, "looked": NOON + age, "seen": NOON + age}
    return History(**values | known)  # type: ignore[arg-type]


def wait(history: History) -> timedelta | None:
    """How long after its last look it is due, asked for right then."""
    due = next_visit(history, history.looked)
    return due - history.looked if due else None


def _span(text: str) -> timedelta:
    number, unit = re.fullmatch(r"(\d+) (min|h|d)", text.strip()).groups()  # type: ignore[union-attr]
    return int(number) * {"min": MINUTE, "h": HOUR, "d": DAY}[unit]


def documented() -> list[tuple[timedelta, timedelta]]:
    """The table of docs/revisits.md: up to that age, that interval."""
    rows = re.findall(r"^\| under ([^|]+)\| ([^|]+)\|$", DOCUMENT.read_text("utf-8"), re.M)
    return [(_span(age), _span(interval)) for age, interval in rows]


@pytest.mark.parametrize(("under", "interval"), documented())
def test_the_table_is_the_documented_one(under: timedelta, interval: timedelta) -> None:
    assert wait(aged(under - MINUTE)) == interval


def test_there_is_no_row_more_than_documented() -> None:
    oldest = documented()[-1][0]
    assert wait(aged(oldest)) is not None
    assert wait(aged(oldest + MINUTE)) is None


def test_age_counts_from_the_date_given_and_else_from_the_first_sighting() -> None:
    seen = aged(timedelta())
    assert wait(seen) == 15 * MINUTE
    assert wait(replace(seen, stated=NOON - 2 * DAY)) == wait(aged(2 * DAY))
    assert wait(replace(seen, stated=NOON + 5 * DAY)) == 15 * MINUTE
    assert wait(replace(seen, stated=NOON - 3650 * DAY)) is None


def test_an_edit_makes_the_next_look_sooner_and_less_so_as_it_ages() -> None:
    old = aged(10 * DAY)
    waits = [wait(replace(old, edits=1, edited=old.looked - ago)) for ago in (timedelta(), HOUR, 10 * HOUR, 2 * DAY)]
    assert waits == [15 * MINUTE, 30 * MINUTE, 5 * HOUR, DAY]
    assert wait(replace(old, edits=1, edited=NOON)) == 5 * DAY
    assert wait(old) == 7 * DAY


def test_an_edit_of_an_old_story_brings_it_back() -> None:
    old = aged(400 * DAY)
    assert wait(old) is None
    assert wait(replace(old, edits=1, edited=old.looked)) == 15 * MINUTE


def test_a_live_blog_is_followed_until_it_falls_silent() -> None:
    blog = aged(5 * HOUR, kind="live_blog")
    assert wait(blog) == 15 * MINUTE
    assert wait(aged(5 * HOUR)) == 90 * MINUTE
    assert wait(aged(20 * HOUR, kind="live_blog")) == 4 * HOUR
    assert wait(aged(20 * HOUR, kind="live_blog", edits=9, edited=NOON + 18 * HOUR)) == 15 * MINUTE


def test_a_look_that_costs_a_whole_page_is_made_less_often() -> None:
    assert wait(aged(2 * HOUR, has_validators=False)) == 45 * MINUTE


def test_a_newer_date_makes_it_due_at_that_date_and_once() -> None:
    old = aged(10 * DAY)
    named = replace(old, lastmod=old.looked + HOUR)
    assert next_visit(named, old.looked + 2 * HOUR) == old.looked + HOUR
    looked = replace(named, looked=old.looked + 2 * HOUR, seen=old.looked + 2 * HOUR)
    assert wait(looked) == wait(old)
    ancient = aged(400 * DAY)
    assert wait(replace(ancient, lastmod=ancient.looked + HOUR)) == HOUR
    # A list that was made a moment after the look, or by a clock that is fast, says nothing of an edit.
    assert wait(replace(old, lastmod=old.looked + MINUTE)) == wait(old)


def test_what_is_away_is_looked_for_ever_more_seldom_and_then_no_more() -> None:
    waits = []
    gone = replace(aged(2 * DAY), looked=NOON + 2 * DAY + 10 * MINUTE)
    while (due := next_visit(gone, gone.looked)) is not None:
        waits.append(due - gone.looked)
        gone = replace(gone, looked=due)
    assert waits[:3] == [HOUR, HOUR + 10 * MINUTE, 2 * (HOUR + 10 * MINUTE)]
    assert max(waits) <= 30 * DAY
    assert sum(waits, timedelta()) < 130 * DAY
    back = replace(gone, seen=gone.looked)
    assert next_visit(back, back.looked) is not None


def test_what_fell_due_while_no_crawl_ran_is_due_now() -> None:
    story = aged(2 * HOUR)
    assert next_visit(story, NOON + 20 * DAY) == NOON + 2 * HOUR + 30 * MINUTE
