"""A source's timetable: when it is crawled. Pure: the clock is passed in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")
_MOST_LOOKED_AT = 2_000  # times of a cron line in a row that quiet hours may take away


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, by the timetable's clock, in which no crawl begins; over midnight where ``end`` is earlier."""

    begin: time
    end: time

    def holds(self, at: time) -> bool:
        """Whether this time of day is within."""
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Timetable:
    """``every`` is a span, or a line of cron's five fields, by the clock of ``timezone``; never in ``quiet`` hours."""

    every: timedelta | str
    timezone: str = "UTC"
    quiet: tuple[Quiet, ...] = ()

    def following(self, scheduled: datetime, now: datetime) -> datetime | None:
        """The first time after ``now``, in UTC; None where there is none in the next 50 years.

        ``scheduled`` is the time that was last due: a span counts from there, so that a run that begins late moves none
        after it. What was missed is not made up for.
        """
        if isinstance(self.every, timedelta):
            spans = max(0, (now - scheduled) // self.every) + 1
            return self._after_quiet(scheduled + spans * self.every)
        coming = islice(self._by_cron(now), _MOST_LOOKED_AT)
        return next((moment for moment in coming if not self.is_quiet(moment)), None)

    def first(self, now: datetime) -> datetime | None:
        """When a source that was never crawled is due: at once by a span, at the line's next time by cron."""
        return self._after_quiet(now) if isinstance(self.every, timedelta) else self.following(now, now)

    @property
    def is_never(self) -> bool:
        """Whether its quiet hours leave it no time at all."""
        return self.first(datetime(2026, 1, 1, tzinfo=UTC)) is None

    def is_quiet(self, moment: datetime) -> bool:
        """Whether no crawl may begin then."""
        local = moment.astimezone(zone(self.timezone)).time()
        return any(quiet.holds(local) for quiet in self.quiet)

    def _by_cron(self, now: datetime) -> Iterator[datetime]:
        # Cron knows whole minutes; a time within the running minute is over.
        for moment in CronSim(str(self.every), now.astimezone(zone(self.timezone))):
            yield moment.astimezone(UTC)

    def _after_quiet(self, moment: datetime) -> datetime | None:
        """The moment itself, or the end of the quiet hours that it lies in (of all that follow on each other)."""
        for _ in range(len(self.quiet) + 1):
            local = moment.astimezone(zone(self.timezone))
            holding = [quiet for quiet in self.quiet if quiet.holds(local.time())]
            if not holding:
                return moment.astimezone(UTC)
            end = holding[0].end
            day = local.date() + timedelta(days=local.time() >= end)
            moment = datetime.combine(day, end, zone(self.timezone)).astimezone(UTC)
        return None


def zone(name: str) -> tzinfo:
    """A time zone by its name in the IANA database. Raises ValueError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('a time zone\'s name, as in "Europe/Paris", that this machine knows') from error


def cron_line(text: str) -> str:
    """A line of cron's five fields. Raises ValueError."""
    line = " ".join(text.split())
    try:
        if len(line.split()) != 5:
            raise ValueError(line)
        next(CronSim(line, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration, ValueError) as error:
        raise ValueError(f"no line of cron's five fields, or one that never comes: {text}") from error
    return line


def quiet_hours(text: str) -> Quiet:
    """Hours as ``23:00-05:30``. Raises ValueError.

    >>> str(quiet_hours("23:00 - 05:30"))
    '23:00-05:30'
    """
    match = _QUIET.fullmatch(text.strip())
    if not match:
        raise ValueError('hours as in "23:00-05:30"')
    begin, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if begin == end:
        raise ValueError('hours as in "23:00-05:30", that end at another time than they begin')
    return Quiet(begin, end)


def shown(every: timedelta | str) -> str:
    """A span or cron line as people write it, and as the configuration reads it.

    >>> shown(timedelta(minutes=90)), shown(timedelta(days=1)), shown("*/15 6-22 * * *")
    ('90 minutes', '1 day', '*/15 6-22 * * *')
    """
    if isinstance(every, str):
        return every
    for seconds, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        number, rest = divmod(every.total_seconds(), seconds)
        if rest == 0:
            return f"{number:g} {name}{'' if number == 1 else 's'}"
    return f"{every.total_seconds():g} seconds"
