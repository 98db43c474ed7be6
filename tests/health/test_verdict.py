"""The verdict on made-up histories of which it is known how the source was."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsmorgue.health.verdict import Condition, Health, Run, Story, assess

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GOOD = {"listed": 2, "new_story": 3, "unchanged": 4, "new_version": 1}
QUIET = {"listed": 2, "unchanged": 4}


def daily(days: int, counts: dict[str, int], *, until: datetime = NOW, outcome: str = "finished") -> list[Run]:
    """A crawl each day that ends at the hour of ``until``, the last then."""
    ends = [until - DAY * ago for ago in range(days - 1, -1, -1)]
    return [Run(end - HOUR, end, outcome, counts) for end in ends]


def codes(runs: Sequence[Run], stories: Sequence[Story] = (), now: datetime = NOW) -> list[str]:
    return [reason.code for reason in assess("demo", runs, stories, now).reasons]


def verdict(runs: Sequence[Run], stories: Sequence[Story] = ()) -> Health:
    return assess("demo", runs, stories, NOW)


def test_a_source_as_it_always_was_is_well() -> None:
    health = verdict(daily(30, GOOD))
    assert (health.condition, health.reasons) == (Condition.WELL, ())
    assert (health.last_success, health.last_news, health.silence) == (NOW, NOW, timedelta())
    assert health.days == (3,) * 14


def test_a_source_that_is_new_is_neither_well_nor_ill() -> None:
    for runs in ([], daily(1, GOOD), daily(14, GOOD), [Run(NOW - HOUR, None, None, {})]):
        assert verdict(runs).condition == Condition.UNKNOWN


# -- silence ---------------------------------------------------------------------------------------------------------


def weekdays(weeks: int) -> Iterator[Run]:
    """A crawl each day; news on five days of seven. NOW is a Monday, its crawl the last."""
    for run in daily(7 * weeks + 1, GOOD):
        assert run.ended
        yield run if run.ended.weekday() < 5 else replace(run, counts=QUIET)


def test_a_weekend_without_news_is_no_silence() -> None:
    runs = list(weekdays(6))
    for end in range(len(runs) - 7, len(runs)):
        last = runs[end - 1].ended
        assert last
        assert codes(runs[:end], now=last) == []


def test_a_silence_half_as_long_again_as_any_before_is_one() -> None:
    """From Friday's news to Sunday's look are 2 days, and news may have come until 1 day later: 3. Half more is 4.5."""
    runs = list(weekdays(6))
    assert runs[-1].ended == NOW
    silent = [*runs, *daily(5, QUIET, until=NOW + 5 * DAY)]
    assert codes(silent[:-1], now=NOW + 4 * DAY) == []
    health = assess("demo", silent, (), NOW + 5 * DAY)
    assert [reason.text for reason in health.reasons] == ["no new story for 5 d, never more than 3 d before"]
    assert (health.silence, health.longest_silence) == (5 * DAY, 3 * DAY)
    assert health.last_news == NOW


def test_news_ends_the_silence() -> None:
    silent = [*weekdays(6), *daily(5, QUIET, until=NOW + 5 * DAY)]
    assert codes([*silent, *daily(1, GOOD, until=NOW + 6 * DAY)], now=NOW + 6 * DAY) == []


def test_a_week_in_which_nobody_crawled_was_no_silence() -> None:
    early = daily(15, GOOD, until=NOW - 30 * DAY)
    late = daily(20, GOOD, until=NOW - 4 * DAY)
    quiet = daily(4, QUIET)
    assert verdict([*early, *late]).longest_silence == DAY
    assert codes([*early, *late, *quiet]) == ["silent"]


def test_a_few_stories_say_nothing_of_what_is_usual() -> None:
    runs = [*daily(10, GOOD, until=NOW - 20 * DAY), *daily(20, QUIET)]
    assert codes(runs) == []


def test_a_source_that_never_had_a_story_is_ill() -> None:
    assert codes(daily(22, QUIET)) == ["silent"]
    assert codes(daily(10, QUIET)) == []


# -- crawls ----------------------------------------------------------------------------------------------------------


def test_crawls_that_get_nothing() -> None:
    down = {"failed": 1, "retry": 1, "deferred": 1}
    hours = [Run(NOW - HOUR * ago, NOW - HOUR * ago, "finished", down) for ago in (7, 4, 1)]
    assert codes([*daily(30, GOOD, until=NOW - 8 * HOUR), *hours]) == ["unreached"]
    assert codes(hours) == ["unreached"]
    assert codes(hours[1:]) == []
    assert codes([*hours, *daily(1, GOOD)]) == []
    assert codes([replace(run, started=NOW - HOUR) for run in hours]) == [], "within six hours it may mend itself"


@pytest.mark.parametrize(("outcome", "ill"), [("lost", True), ("failed", True), ("interrupted", False)])
def test_crawls_that_do_not_end_well(outcome: str, ill: bool) -> None:
    assert (codes(daily(3, GOOD, outcome=outcome)) == ["unreached"]) is ill


def test_a_source_that_is_crawled_no_more() -> None:
    runs = daily(30, GOOD, until=NOW - 36 * HOUR)
    assert codes(runs, now=NOW) == []
    assert codes(runs, now=NOW + HOUR) == ["not_run"]
    assert codes(daily(10, GOOD, until=NOW - 30 * DAY)) == [], "who crawled ten times by hand promised no more"


def test_a_source_that_is_paused_is_not_called_ill() -> None:
    runs = daily(30, GOOD, until=NOW - 30 * DAY)
    assert verdict(runs).condition == Condition.ILL
    health = assess("demo", runs, (), NOW, is_paused=True)
    assert (health.condition, health.reasons, health.last_news) == (Condition.PAUSED, (), NOW - 30 * DAY)


# -- shares ----------------------------------------------------------------------------------------------------------


def test_errors_that_rise() -> None:
    usual, bad = {"new_story": 9, "failed": 1}, {"new_story": 7, "failed": 2, "retry": 1}
    before = daily(30, usual, until=NOW - 5 * DAY)
    assert codes([*before, *daily(5, bad)]) == ["errors"]
    assert codes([*before, *daily(5, {"new_story": 9, "failed": 1})]) == []
    assert codes([*before, *daily(3, bad)]) == ["errors"], "11 of the last 50"
    assert codes([*before, *daily(2, bad)]) == [], "9 of the last 50"
    health = verdict([*before, *daily(5, bad)])
    assert (health.errors.recent, health.errors.before) == (0.3, 0.1)


def test_what_is_put_off_counts_with_what_fails() -> None:
    assert codes(daily(5, {"new_story": 4, "failed": 2, "retry": 2, "deferred": 2})) == ["errors"]


def test_errors_that_were_always_there() -> None:
    assert codes(daily(40, {"new_story": 7, "failed": 3})) == []


def test_a_new_source_of_which_half_fails() -> None:
    assert codes(daily(5, {"new_story": 5, "failed": 5})) == ["errors"]


def test_pages_that_give_no_text_any_more() -> None:
    usual, broken = {"new_story": 6, "not_story": 4}, {"new_story": 2, "not_story": 8}
    before = daily(30, usual, until=NOW - 5 * DAY)
    assert codes([*before, *daily(5, broken)]) == ["few_texts"]
    assert codes([*before, *daily(5, {"new_story": 4, "not_story": 6})]) == []


def test_texts_that_became_short() -> None:
    before = [Story(NOW - DAY, 4000 + number, 0) for number in range(40)]
    short = [Story(NOW, 300, 0)] * 20
    assert codes(daily(30, GOOD), [*before, *short]) == ["short_texts"]
    assert codes(daily(30, GOOD), [*before, *before, *short[:9]]) == [], "of the last 20, 11 are as they were"
    assert codes(daily(30, GOOD), [*before[1:], *short]) == [], "too few before"
    assert codes(daily(30, GOOD), [*before, *([Story(NOW, None, 0)] * 20)]) == []


def test_texts_that_never_rest() -> None:
    before = daily(60, {"new_story": 1, "unchanged": 4, "new_version": 1}, until=NOW - 10 * DAY)
    assert codes([*before, *daily(10, {"new_story": 1, "unchanged": 2, "new_version": 3})]) == ["restless"]
    assert codes([*before, *daily(10, {"new_story": 1, "unchanged": 3, "returned": 2})]) == []


def test_edits_of_a_story() -> None:
    assert verdict(daily(1, GOOD), [Story(NOW, 1, 0), Story(NOW, 1, 3)]).edits_per_story == 1.5
    assert verdict(daily(1, GOOD)).edits_per_story is None


def test_days_are_those_of_utc_and_the_last_is_today() -> None:
    runs = [
        Run(NOW - DAY, NOW - timedelta(hours=13), "finished", {"new_story": 5}),
        Run(NOW, NOW, "finished", {"new_story": 2}),
        Run(NOW - 20 * DAY, NOW - 20 * DAY, "finished", {"new_story": 7}),
    ]
    assert verdict(sorted(runs, key=lambda run: run.started)).days == (0,) * 12 + (5, 2)
