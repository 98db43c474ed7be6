"""The revisit policy over the catalogue: before each crawl, every story the source showed gets its next visit.

Due dates are derived: nothing is lost with them, and another policy holds for all stories from the next crawl on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import PAGE_ROLES
from newsmorgue.archive.replay import dates_are_trusted
from newsmorgue.errors import ImpossibleTime
from newsmorgue.stories.revisit import HORIZON, History, next_visit
from newsmorgue.times import from_iso, from_microseconds, microseconds
from newsmorgue.urls import address_key

REVISIT = "revisit"
_U, _M, _T = schema.urls.c, schema.mentions.c, schema.texts.c
# No page is older: a date before the Web's first page is a mistake (of an empty field, mostly 1970-01-01).
_FIRST_PAGE = datetime(1991, 8, 6, tzinfo=UTC)
_PLAN = (
    sa.update(schema.urls)
    .where(_U.source == sa.bindparam("of_source"), _U.key == sa.bindparam("of_key"))
    .values(due_at=sa.bindparam("next_at"), reason=sa.bindparam("why"))
)


def plan_revisits(connection: sa.Connection, source: str, now: datetime) -> None:
    """Set when each known story of a source is looked at next. What is due for another reason stays so."""
    where = _planned_here(source, now)
    rows = connection.execute(sa.select(*_columns()).where(*where)).all()
    dates, others = _dates(connection, where), _known_elsewhere(connection, source, where)
    trusted = dates_are_trusted(connection, source)
    changes = []
    for row in rows:
        history = _history(row, dates[row.key], trusted=trusted)
        due = None if row.key in others else next_visit(history, now)
        due_at = microseconds(due) if due else None
        if due_at != row.due_at:
            changes.append({"of_source": source, "of_key": row.key, "next_at": due_at, "why": REVISIT if due else ""})
    if changes:
        connection.execute(_PLAN, changes)


def _planned_here(source: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Pages that showed a story within the horizon, whatever they showed last, and have no other reason to be due."""
    recent = _U.seen_at >= microseconds(now - HORIZON)
    free = sa.or_(_U.due_at.is_(None), _U.reason == REVISIT)
    return (_U.source == source, recent, _U.role.in_(PAGE_ROLES), free, _U.claimed_by.is_(None))


def _columns() -> tuple[sa.ColumnElement[Any], ...]:
    """Of each URL, and of the text it showed last (``detail`` names the version then)."""
    shown = sa.select(_T.kind, _T.published).where(_T.version == _U.detail).order_by(_T.seq.desc()).limit(1)
    names = ("key", "found_at", "outcome_at", "seen_at", "edits", "edited_at", "etag", "last_modified", "due_at")
    kind, published = (shown.with_only_columns(each).scalar_subquery() for each in (_T.kind, _T.published))
    return (*(_U[name] for name in names), kind.label("kind"), published.label("published"))


def _dates(connection: sa.Connection, where: Iterable[sa.ColumnElement[bool]]) -> defaultdict[str, list[str]]:
    """The dates that lists give now, by the URL's key."""
    same = (_M.source == _U.source, _M.key == _U.key, _M.stated.is_not(None))
    query = sa.select(_M.key, _M.stated).select_from(schema.urls.join(schema.mentions, sa.and_(*same))).where(*where)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.key].append(row.stated)
    return found


def _known_elsewhere(connection: sa.Connection, source: str, where: Iterable[sa.ColumnElement[bool]]) -> set[str]:
    """URLs that need no look of their own: their story is looked at under its canonical URL, or where they lead now."""
    target, a, s, root = (table.alias() for table in (schema.urls, schema.aliases, schema.stories, schema.stories))
    moved = sa.and_(target.c.source == _U.source, target.c.key == _U.detail, target.c.seen_at.is_not(None))
    redirected = (
        sa.select(_U.key).select_from(schema.urls.join(target, moved)).where(*where, _U.outcome == "redirected")
    )
    found = set(connection.execute(redirected).scalars())
    named = sa.func.coalesce(root.c.canonical, s.c.canonical)
    joined = schema.urls.join(a, a.c.key == _U.key).join(s, s.c.id == a.c.story)
    joined = joined.outerjoin(root, root.c.id == s.c.merged_into)
    query = sa.select(_U.key, named.label("canonical")).select_from(joined).where(*where, named != _U.url).distinct()
    canonical = {row.key: address_key(row.canonical) for row in connection.execute(query)}
    wanted = sorted({key for own, key in canonical.items() if key != own})
    seen = set(_seen(connection, source, wanted))
    return found | {own for own, key in canonical.items() if key != own and key in seen}


def _seen(connection: sa.Connection, source: str, keys: list[str]) -> Iterator[str]:
    for start in range(0, len(keys), 500):
        these = _U.key.in_(keys[start : start + 500])
        yield from connection.execute(
            sa.select(_U.key).where(_U.source == source, these, _U.outcome.in_(("stored", "unchanged", "gone")))
        ).scalars()


def _history(row: Any, stated: list[str], *, trusted: bool) -> History:
    dates = [moment for text in stated if (moment := _moment(text))]
    published = _moment(row.published)
    return History(
        found=from_microseconds(row.found_at),
        looked=from_microseconds(row.outcome_at),
        seen=from_microseconds(row.seen_at),
        stated=min([*dates, *([published] if published else [])], default=None),
        lastmod=max(dates, default=None) if trusted else None,
        edits=row.edits,
        edited=from_microseconds(row.edited_at) if row.edited_at is not None else None,
        kind=row.kind or "article",
        has_validators=bool(row.etag or row.last_modified),
    )


def _moment(text: str | None) -> datetime | None:
    """A date as a list or page gives it; None where it is none, or cannot be."""
    try:
        moment = from_iso(text) if text else None
    except (ValueError, OverflowError, ImpossibleTime):
        return None
    return moment if moment and moment >= _FIRST_PAGE else None
