"""The frontier: which URLs are due, which run has them in hand. What is known of them comes from the journal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.archive.replay import MAX_FAILURES
from newsmorgue.times import microseconds

_U = schema.urls.c
# Lists first, since they say what else is due; among stories those a list named before those only linked to; what
# stories show comes last, since it waits and they change.
# One role at a time, so that the index gives a few of many due URLs without sorting them all.
_ORDER = (Role.HOME, Role.SITEMAP, Role.FEED, Role.SECTION, Role.OLDER, Role.STORY, Role.LINK, Role.ASSET)
SEED_ROLES = (Role.HOME, Role.FEED, Role.SITEMAP, Role.SECTION)


@dataclass(frozen=True, slots=True)
class Claim:
    """A URL in hand, to be fetched for ``reason``: ``new``, ``date``, ``revisit``, ``recheck``, ``retry``, ``seed``."""

    source: str
    key: str
    url: str
    role: Role
    reason: str
    found_in: str
    hops: int
    etag: str | None
    last_modified: str | None
    stated: str | None = None


def claim(
    connection: sa.Connection, source: str, run: str, now: datetime, limit: int, *, assets: bool = True
) -> list[Claim]:
    """Take up to ``limit`` due URLs of a source into hand for a run; with or without ``assets``."""
    taken: list[Claim] = []
    for role in _ORDER:
        if len(taken) < limit and (assets or role != Role.ASSET):
            due = (_U.role == role, _U.due_at <= microseconds(now), _U.claimed_by.is_(None))
            taken += _take(connection, source, run, limit - len(taken), *due)
    return taken


def claim_these(connection: sa.Connection, source: str, run: str, keys: Iterable[str]) -> list[Claim]:
    """Take just these URLs into hand, due or not."""
    wanted = list(keys)
    return _take(connection, source, run, len(wanted), _U.key.in_(wanted))


def claim_assets(
    connection: sa.Connection, source: str, run: str, since: datetime, now: datetime, limit: int
) -> list[Claim]:
    """Take up to ``limit`` of the assets that became due since then into hand."""
    due = (_U.due_at >= microseconds(since), _U.due_at <= microseconds(now), _U.claimed_by.is_(None))
    return _take(connection, source, run, limit, _U.role == Role.ASSET, *due)


def _take(connection: sa.Connection, source: str, run: str, limit: int, *which: sa.ColumnElement[bool]) -> list[Claim]:
    columns = (_U.key, _U.url, _U.role, _U.reason, _U.found_in, _U.hops, _U.etag, _U.last_modified, _stated())
    query = sa.select(*columns).where(_U.source == source, *which).order_by(_U.due_at, _U.key).limit(limit)
    rows = connection.execute(query).all()
    if rows:
        mine = (_U.source == source, _U.key.in_([row.key for row in rows]))
        connection.execute(sa.update(schema.urls).where(*mine).values(claimed_by=run))
    return [_claim(source, row) for row in rows]


def _stated() -> sa.Label[str | None]:
    """The date that the place where a URL was found gives for it now."""
    m = schema.mentions.c
    same = (m.source == _U.source, m.key == _U.key, m.found_in == _U.found_in)
    return sa.select(m.stated).where(*same).scalar_subquery().label("stated")


def _claim(source: str, row: Any) -> Claim:
    return Claim(
        source,
        row.key,
        row.url,
        Role(row.role),
        row.reason,
        row.found_in,
        row.hops,
        row.etag,
        row.last_modified,
        row.stated,
    )


def release(connection: sa.Connection, run: str) -> int:
    """Put back what a run had in hand and did not end; how many. They stay due."""
    return connection.execute(sa.update(schema.urls).where(_U.claimed_by == run).values(claimed_by=None)).rowcount


def claimed(connection: sa.Connection, run: str) -> int:
    """How many URLs a run has in hand."""
    return connection.execute(sa.select(sa.func.count()).where(_U.claimed_by == run)).scalar_one()


def make_seeds_due(connection: sa.Connection, source: str, now: datetime) -> None:
    """Look at a source's home, feeds, sitemaps and sections again."""
    _make_due(connection, now, "seed", _U.source == source, _U.role.in_(SEED_ROLES))


def make_stories_due(connection: sa.Connection, source: str, now: datetime) -> None:
    """Look at every known story of a source again, also those that were gone."""
    seen = _U.outcome.in_(("stored", "unchanged", "gone"))
    _make_due(connection, now, "recheck", _U.source == source, _U.role.in_((Role.STORY, Role.LINK)), seen)


def make_failed_due(connection: sa.Connection, source: str, now: datetime) -> None:
    """Try again what failed at its last visit, whenever it was to be tried; but not for ever."""
    again = (_U.outcome == "failed", _U.due_at.is_not(None), _U.failures < MAX_FAILURES)
    _make_due(connection, now, "retry", _U.source == source, *again)


def make_due(connection: sa.Connection, source: str, keys: Iterable[str], now: datetime, reason: str) -> None:
    """Look at these URLs now."""
    _make_due(connection, now, reason, _U.source == source, _U.key.in_(list(keys)))


def _make_due(connection: sa.Connection, now: datetime, reason: str, *where: sa.ColumnElement[bool]) -> None:
    connection.execute(sa.update(schema.urls).where(*where).values(due_at=microseconds(now), reason=reason))


def has_retry(connection: sa.Connection, source: str, after: datetime, until: datetime) -> bool:
    """Whether a URL of a source, no asset, is to be tried again within that time."""
    when = (_U.due_at > microseconds(after), _U.due_at <= microseconds(until), _U.claimed_by.is_(None))
    which = (_U.source == source, _U.reason == "retry", _U.role != Role.ASSET)
    return connection.execute(sa.select(_U.key).where(*which, *when).limit(1)).first() is not None


def troubles(connection: sa.Connection, source: str, since: datetime) -> list[tuple[str, str, str]]:
    """What failed or is to be tried later, as it stands after the visits since then: URL, outcome, reason.

    An asset is none of it: the story is there without.
    """
    when = (
        _U.outcome.in_(("failed", "retry", "deferred")),
        _U.outcome_at >= microseconds(since),
        _U.role != Role.ASSET,
    )
    rows = connection.execute(
        sa.select(_U.url, _U.outcome, _U.detail).where(_U.source == source, *when).order_by(_U.url)
    )
    return [(row.url, row.outcome, row.detail or "") for row in rows]


def role_of(connection: sa.Connection, source: str, key: str) -> str | None:
    """What a URL is to its source; None where it is unknown."""
    return connection.execute(sa.select(_U.role).where(_U.source == source, _U.key == key)).scalar()
