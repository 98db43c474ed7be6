"""The frontier: which URLs are due, which run has them in hand. What is known of them comes from the journal."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import PAGE_ROLES, Role
from newsmorgue.archive.replay import MAX_FAILURES, dates_are_trusted
from newsmorgue.archive.statements import update
from newsmorgue.times import from_microseconds, microseconds

_U = schema.urls.c
# Lists first, since they say what else is due; then what became due just now, which a backlog of years must not hold
# up; among stories those a list named before those only linked to. What stories show comes last, since it waits and
# they change.
_LISTS = (Role.HOME, Role.SITEMAP, Role.FEED, Role.SECTION, Role.OLDER)
_PAGES = (Role.STORY, Role.LINK)
FRESH = timedelta(minutes=30)
_UNCHANGED_FOR, _READ_EVERY = timedelta(days=2), timedelta(days=1)
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


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list of a source, and the key of the address that it redirected to at its last visit, if it did."""

    key: str
    url: str
    leads_to: str | None


def claim(
    connection: sa.Connection, source: str, run: str, now: datetime, limit: int, *, assets: bool = True
) -> list[Claim]:
    """Take up to ``limit`` due URLs of a source into hand for a run; with or without ``assets``."""
    taken: list[Claim] = []
    for due in _in_order(now, assets=assets):
        if len(taken) < limit:
            taken += _take(connection, source, run, limit - len(taken), *due, _U.claimed_by.is_(None))
    return taken


def _in_order(now: datetime, *, assets: bool) -> Iterator[tuple[sa.ColumnElement[bool], ...]]:
    """Which of the due URLs are taken first. One role at a time, so that the index gives a few of many without sorting
    them all."""
    is_due, is_fresh = _U.due_at <= microseconds(now), _U.due_at > microseconds(now - FRESH)
    yield from ((_U.role == role, is_due) for role in _LISTS)
    yield from ((_U.role == role, is_due, is_fresh) for role in _PAGES)
    yield from ((_U.role == role, is_due, ~is_fresh) for role in _PAGES)
    if assets:
        yield _U.role == Role.ASSET, is_due


def claim_these(connection: sa.Connection, source: str, run: str, keys: Iterable[str]) -> list[Claim]:
    """Take just these URLs into hand, due or not."""
    wanted = list(keys)
    return _take(connection, source, run, len(wanted), _U.key.in_(wanted))


def claim_retries(
    connection: sa.Connection, source: str, run: str, keys: Collection[str], since: datetime, now: datetime
) -> list[Claim]:
    """Take those of these URLs into hand that asked since then to be asked again, and are due."""
    asked = (_U.outcome == "retry", _U.outcome_at >= microseconds(since), _U.due_at <= microseconds(now))
    return _take(connection, source, run, len(keys), _U.key.in_(keys), _U.claimed_by.is_(None), *asked)


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


def make_seeds_due(connection: sa.Connection, source: str, now: datetime, *, all_of_them: bool = False) -> None:
    """Look at a source's home, feeds, sitemaps and sections again; at sitemaps that rest once a day, unless told."""
    which = [_U.source == source, _U.role.in_(SEED_ROLES)]
    if not all_of_them and dates_are_trusted(connection, source):
        which.append(~_rests(now))
    _make_due(connection, now, "seed", *which)


def sitemaps(connection: sa.Connection, source: str) -> list[KnownList]:
    """Every sitemap that is known of a source."""
    query = sa.select(_U.key, _U.url, _U.outcome, _U.detail).where(_U.source == source, _U.role == Role.SITEMAP)
    rows = connection.execute(query.order_by(_U.key))
    return [KnownList(row.key, row.url, row.detail if row.outcome == "redirected" else None) for row in rows]


def disallowed(connection: sa.Connection, source: str) -> dict[str, tuple[str, datetime]]:
    """The pages that a robots.txt forbade at their last visit, and when, by their keys."""
    which = (_U.source == source, _U.outcome == "disallowed", _U.role.in_(PAGE_ROLES), _U.due_at.is_(None))
    rows = connection.execute(sa.select(_U.key, _U.url, _U.outcome_at).where(*which).order_by(_U.key))
    return {row.key: (row.url, from_microseconds(row.outcome_at)) for row in rows}


def let_go(connection: sa.Connection, source: str, keys: Iterable[str]) -> None:
    """Do not look at these URLs, though they were due."""
    for key in keys:
        update(connection, schema.urls, {"source": source, "key": key}, {"due_at": None, "reason": ""})


def look_at(connection: sa.Connection, source: str, keys: Iterable[str], now: datetime) -> None:
    """Look at these URLs, however many, that were not looked at lately."""
    for key in keys:
        due = {"due_at": microseconds(now), "reason": "recheck"}
        update(connection, schema.urls, {"source": source, "key": key}, due)


def _rests(now: datetime) -> sa.ColumnElement[bool]:
    """A sitemap that was read within a day, and by the index that names it did not change for two days before: an
    archive has hundreds of them. Where the index names a newer date it is due by that. Dates may be days alone."""
    m = schema.mentions.c
    here, day = (m.source == _U.source, m.key == _U.key), (now - _UNCHANGED_FOR).date().isoformat()
    is_told = sa.exists(sa.select(m.key).where(*here))
    is_fresh = sa.exists(sa.select(m.key).where(*here, sa.or_(m.stated.is_(None), m.stated >= day)))
    was_read = sa.func.coalesce(_U.outcome, "") == "listed", _U.outcome_at > microseconds(now - _READ_EVERY)
    return sa.and_(_U.role == Role.SITEMAP, *was_read, is_told, ~is_fresh)


def make_stories_due(connection: sa.Connection, source: str, now: datetime) -> None:
    """Look at every known story of a source again, also those that are gone or behind something else.

    What asked to be left alone, and what leads to an address that showed the story, need no look of their own.
    """
    target = schema.urls.alias().c
    shown = (target.source == _U.source, target.key == _U.detail, target.seen_at.is_not(None))
    is_known_there = sa.and_(_U.outcome == "redirected", sa.exists(sa.select(target.key).where(*shown)))
    hidden = sa.and_(_U.seen_at.is_not(None), _U.outcome.not_in(("retry", "deferred")), ~is_known_there)
    seen = sa.or_(_U.outcome.in_(("stored", "unchanged", "gone")), hidden)
    _make_due(connection, now, "recheck", _U.source == source, _U.role.in_((Role.STORY, Role.LINK)), seen)


def make_failed_due(connection: sa.Connection, source: str, now: datetime) -> None:
    """Try again what failed at its last visit, whenever it was to be tried; but not for ever."""
    again = (_U.outcome == "failed", _U.due_at.is_not(None), _U.failures < MAX_FAILURES)
    _make_due(connection, now, "retry", _U.source == source, *again)


def make_reserved_due(connection: sa.Connection, source: str, now: datetime) -> None:
    """Look at the pages again that were not kept since the site reserves them: the source's policy keeps such now."""
    reserved = sa.or_(*(_U.detail.startswith(f"{reason} (") for reason in ("noarchive", "tdm-reservation")))
    which = (_U.role.in_(PAGE_ROLES), _U.outcome == "refused", reserved)
    _make_due(connection, now, "recheck", _U.source == source, *which)


def make_due(connection: sa.Connection, source: str, keys: Iterable[str], now: datetime, reason: str) -> None:
    """Look at these URLs now."""
    _make_due(connection, now, reason, _U.source == source, _U.key.in_(list(keys)))


def _make_due(connection: sa.Connection, now: datetime, reason: str, *where: sa.ColumnElement[bool]) -> None:
    connection.execute(sa.update(schema.urls).where(*where).values(due_at=microseconds(now), reason=reason))


def has_backlog(connection: sa.Connection, source: str, since: datetime) -> bool:
    """Whether pages of a source that were due then are still waiting."""
    waiting = (_U.due_at <= microseconds(since), _U.claimed_by.is_(None))
    which = (_U.source == source, _U.role.in_(_PAGES))
    return connection.execute(sa.select(_U.key).where(*which, *waiting).limit(1)).first() is not None


def has_retry(
    connection: sa.Connection, source: str, after: datetime, until: datetime, keys: Collection[str] | None = None
) -> bool:
    """Whether a URL of a source (one of these, if told), no asset, is to be tried again within that time."""
    when = (_U.due_at > microseconds(after), _U.due_at <= microseconds(until), _U.claimed_by.is_(None))
    which = [_U.source == source, _U.reason == "retry", _U.role != Role.ASSET]
    if keys is not None:
        which.append(_U.key.in_(keys))
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
