"""Next run times in the catalogue: derived from timetables and runs, shared by all schedulers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.statements import find, upsert
from newsmorgue.schedule.timetable import Timetable
from newsmorgue.times import from_microseconds, microseconds

_S, _R = schema.schedule.c, schema.runs.c
CRAWL = "crawl"
# How runs end that were not let come to their end: such a source is due again at once.
_CUT_SHORT = (None, "interrupted", "lost")


def plan_runs(connection: sa.Connection, timetables: Mapping[str, Timetable], now: datetime) -> None:
    """Give each source with a new or another timetable its next time."""
    rows = connection.execute(sa.select(_S.source, _S.timetable, _S.next_at))
    known = {row.source: row for row in rows}
    for source, timetable in timetables.items():
        row, text = known.get(source), _text(timetable)
        if row is None or row.timetable != text:
            last = last_crawl(connection, source)
            begun = from_microseconds(last.started_at) if last else None
            _set(connection, source, text, timetable.following(begun, begun) if begun else timetable.first(now))


def resume_runs(archive: Archive, connection: sa.Connection, sources: Iterable[str], now: datetime) -> None:
    """Make those sources due whose last run was cut short: stopped or killed, and not running still."""
    for source in sources:
        last = last_crawl(connection, source)
        if last is not None and last.outcome in _CUT_SHORT and not is_held(archive, connection, source, now):
            bring_forward(connection, source, now)


def is_held(archive: Archive, connection: sa.Connection, source: str, now: datetime) -> bool:
    """Whether a crawl of the source is under way: of this machine by the kernel's word, of another by its hold."""
    held = find(connection, schema.holds, ("place", "until"), source=source, kind=CRAWL)
    if held is None:
        return False
    return archive.spool.is_locked(source, CRAWL) if held.place == archive.place else held.until > microseconds(now)


def _text(timetable: Timetable) -> str:
    return repr((str(timetable.every), timetable.timezone, [str(quiet) for quiet in timetable.quiet]))


def last_crawl(connection: sa.Connection, source: str) -> Any:
    """The row of a source's last crawl: when it began and ended, and how; None where there is none."""
    runs = sa.select(_R.started_at, _R.ended_at, _R.outcome).where(_R.source == source, _R.kind == CRAWL)
    return connection.execute(runs.order_by(_R.started_at.desc(), _R.id).limit(1)).first()


def _set(connection: sa.Connection, source: str, text: str, at: datetime | None) -> None:
    values = {"source": source, "timetable": text, "next_at": microseconds(at) if at else None}
    upsert(connection, schema.schedule, values, "timetable", "next_at")


def due_sources(connection: sa.Connection, timetables: Mapping[str, Timetable], now: datetime) -> list[str]:
    """The sources that are due, not paused and not in their quiet hours, the longest due first."""
    paused = sa.select(schema.sources.c.slug).where(schema.sources.c.paused_at.is_not(None))
    query = sa.select(_S.source).where(_S.next_at <= microseconds(now), _S.source.not_in(paused))
    due = connection.execute(query.order_by(_S.next_at, _S.source)).scalars()
    return [source for source in due if source in timetables and not timetables[source].is_quiet(now)]


def take_run(connection: sa.Connection, source: str, timetable: Timetable, now: datetime) -> bool:
    """Whether the source is still due; its next time is the following one then, so that no other scheduler takes it."""
    row = find(connection, schema.schedule, ("next_at",), source=source)
    if row is None or row.next_at is None or row.next_at > microseconds(now):
        return False
    following = timetable.following(from_microseconds(row.next_at), now)
    _set(connection, source, _text(timetable), following)
    return True


def bring_forward(connection: sa.Connection, source: str, at: datetime) -> None:
    """Run a source at this time, if it is not due before."""
    later = sa.or_(_S.next_at.is_(None), _S.next_at > microseconds(at))
    connection.execute(sa.update(schema.schedule).where(_S.source == source, later).values(next_at=microseconds(at)))


def next_run(connection: sa.Connection, source: str) -> datetime | None:
    """When a source is due next, as far as a scheduler has planned it."""
    row = find(connection, schema.schedule, ("next_at",), source=source)
    return from_microseconds(row.next_at) if row and row.next_at is not None else None
