"""Timetables: what comes next. Expectations are by the wall clock and by cron's manual."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from newsmorgue.schedule.timetable import Timetable, quiet_hours
from newsmorgue.settings.values import every

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def times(timetable: Timetable, count: int, start: datetime = NOON) -> list[str]:
    """So many times in a row, as the UTC clock shows them; each run begins in time."""
    found: list[str] = []
    at = timetable.first(start)
    while at is not None and len(found) < count:
        found.append(f"{at:%d %H:%M}")
        at = timetable.following(at, at)
    return found


def test_a_span_counts_from_the_first_run() -> None:
    assert times(Timetable(15 * MINUTE), 4) == ["01 12:00", "01 12:15", "01 12:30", "01 12:45"]


def test_a_run_that_begins_late_moves_none_after_it_and_what_was_missed_is_not_made_up_for() -> None:
    quarter = Timetable(15 * MINUTE)
    assert quarter.following(NOON, NOON + 4 * MINUTE) == NOON + 15 * MINUTE
    assert quarter.following(NOON, NOON + 3 * DAY + 4 * MINUTE) == NOON + 3 * DAY + 15 * MINUTE


def test_a_cron_line_is_by_the_clock_of_its_time_zone() -> None:
    berlin = Timetable("30 6 * * mon-fri", "Europe/Berlin")
    # Summer time begins on Sunday, 29 March 2026.
    start = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert times(berlin, 2, start) == ["30 04:30", "31 04:30"]
    assert times(Timetable("30 6 * * *"), 2) == ["02 06:30", "03 06:30"]
    assert times(berlin, 1, datetime(2026, 3, 26, 12, tzinfo=UTC)) == ["27 05:30"]


def test_a_span_that_ends_in_quiet_hours_waits_for_their_end() -> None:
    night = Timetable(2 * HOUR, "Europe/Berlin", (quiet_hours("23:00-05:30"),))
    start = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)  # 19:30 in Berlin
    assert times(night, 4, start) == ["01 18:30", "01 20:30", "02 04:30", "02 06:30"]
    assert times(night, 1, datetime(2026, 3, 1, 23, tzinfo=UTC)) == ["02 04:30"]


def test_quiet_hours_that_follow_on_each_other_are_one_rest() -> None:
    spans = (quiet_hours("22:00-23:30"), quiet_hours("23:30-01:00"), quiet_hours("12:00-12:10"))
    assert times(Timetable(HOUR, quiet=spans), 1, NOON.replace(hour=22)) == ["02 01:00"]
    assert times(Timetable(HOUR, quiet=spans), 2) == ["01 12:10", "01 13:10"]


def test_a_cron_time_in_quiet_hours_does_not_happen() -> None:
    hourly = Timetable("0 * * * *", quiet=(quiet_hours("13:00-15:00"),))
    assert times(hourly, 3) == ["01 15:00", "01 16:00", "01 17:00"]
    never = Timetable("0 13 * * *", quiet=(quiet_hours("12:30-13:30"),))
    assert never.following(NOON, NOON) is None


def test_quiet_the_whole_day_is_never() -> None:
    spans = (quiet_hours("00:00-12:00"), quiet_hours("12:00-00:00"))
    assert Timetable(HOUR, quiet=spans).first(NOON) is None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("15 minutes", 15 * MINUTE),
        ("1 h", HOUR),
        ("2 days", 2 * DAY),
        ("*/15  6-22 * * *", "*/15 6-22 * * *"),
        ("0 6 * * MON-FRI", "0 6 * * MON-FRI"),
        ("0 6 1 1,7 *", "0 6 1 1,7 *"),
    ],
)
def test_what_every_may_say(given: str, read: object) -> None:
    assert every(given) == read


@pytest.mark.parametrize(
    "given", ["30 s", "soon", "", "* * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@daily", "400 days", 5.5, True]
)
def test_what_it_may_not_say(given: object) -> None:
    with pytest.raises(ValueError, match=r'as in "15 minutes", or a cron line'):
        every(given)


@pytest.mark.parametrize("given", ["25:00-05:00", "23:00", "5:00-6:00", "10:00-10:00", ""])
def test_hours_that_are_none(given: str) -> None:
    with pytest.raises(ValueError, match="23:00-05:30"):
        quiet_hours(given)


def test_summer_time_takes_no_run_of_a_span_and_adds_none() -> None:
    """29 March 2026: 01:59 is followed by 03:00 in Berlin. The hours go on by the world's clock."""
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    hourly, moments = Timetable(HOUR, "Europe/Berlin"), []
    at = hourly.first(start)
    for _ in range(6):
        assert at is not None
        moments.append(at)
        at = hourly.following(at, at)
    assert all(later - earlier == HOUR for earlier, later in zip(moments, islice(moments, 1, None), strict=False))
