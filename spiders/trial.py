"""A crawl on trial: the lists of a site and a few of its stories, by the very spider that would crawl it.

It is made in an archive of its own, which whoever asked for it throws away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import PAGE_ROLES, Role
from newsmorgue.archive.frontier import Claim
from newsmorgue.archive.hosts import authority_of, known_robots
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.spiders.news import NewsSpider
from newsmorgue.times import microseconds, now_utc

MOST_LISTS = 30
_U, _M, _T = schema.urls.c, schema.mentions.c, schema.texts.c
_LISTS = (Role.HOME, Role.SITEMAP, Role.FEED, Role.SECTION, Role.OLDER)


def on_trial(spider: type[NewsSpider], sample: int) -> type[NewsSpider]:
    """The spider, but for what it fetches: at most 30 lists, then ``sample`` of the pages that they name."""

    class Trial(spider):  # type: ignore[misc,valid-type]
        """See :func:`on_trial`."""

        _chosen = False

        def _claim(self, capture: CaptureExtension) -> list[Claim] | None:
            if not self._chosen:
                _hold_pages(capture)
            claims: list[Claim] | None = super()._claim(capture)
            if claims == [] and not self._outstanding and not self._chosen and not capture.in_hand():
                self._chosen = True
                _choose(capture, sample)
                return None
            return claims

    return Trial


def _hold_pages(capture: CaptureExtension) -> None:
    """Nothing but lists is due, and of these no more than may be read."""
    with capture.archive.catalogue.write() as connection:
        free = (_U.outcome.is_(None), _U.claimed_by.is_(None))
        held = sa.update(schema.urls).where(*free, _U.role.in_(PAGE_ROLES)).values(due_at=None)
        connection.execute(held)
        begun = sa.or_(_U.outcome.is_not(None), _U.claimed_by.is_not(None))
        lists = sa.select(sa.func.count()).select_from(schema.urls).where(_U.role.in_(_LISTS), begun)
        if connection.execute(lists).scalar_one() >= MOST_LISTS:
            connection.execute(sa.update(schema.urls).where(*free, _U.role.in_(_LISTS)).values(due_at=None))


def _choose(capture: CaptureExtension, sample: int) -> None:
    """The newest pages by the dates that lists give, those that lists name before those that are only linked to."""
    stated = sa.select(sa.func.max(_M.stated)).where(_M.source == _U.source, _M.key == _U.key).scalar_subquery()
    pages = sa.select(_U.key).where(_U.role.in_(PAGE_ROLES), _U.outcome.is_(None))
    order = (_U.role == Role.LINK, stated.is_(None), stated.desc(), _U.key)
    with capture.archive.catalogue.write() as connection:
        keys = list(connection.execute(pages.order_by(*order).limit(sample)).scalars())
        chosen = sa.update(schema.urls).where(_U.key.in_(keys)).values(due_at=microseconds(now_utc()))
        connection.execute(chosen)


@dataclass(frozen=True, slots=True)
class ListFound:
    """A list: what it is, where it was found, what became of it, and how many pages it names on the site."""

    role: str
    url: str
    found_in: str
    outcome: str | None
    detail: str | None
    pages: int


@dataclass(frozen=True, slots=True)
class PageTried:
    """A page that was fetched: where it was found, with which date; what became of it, and what was read there."""

    url: str
    found_in: str
    stated: str | None
    outcome: str | None
    detail: str | None
    kind: str | None
    headline: str | None
    published: str | None
    characters: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a trial found. ``robots``: ``none``, ``unavailable``, or how many bytes. ``pages``: how many in all."""

    robots: str
    lists: tuple[ListFound, ...]
    pages: int
    tried: tuple[PageTried, ...]


def found(archive: Archive, home: str) -> Found:
    """What a trial of the source at that home left in its archive."""
    with archive.catalogue.read() as connection:
        pages = sa.select(sa.func.count()).select_from(schema.urls).where(_U.role.in_(PAGE_ROLES))
        return Found(
            _robots(connection, home),
            tuple(_lists(connection)),
            connection.execute(pages).scalar_one(),
            tuple(_tried(connection)),
        )


def _robots(connection: sa.Connection, home: str) -> str:
    known = known_robots(connection, authority_of(home))
    if known is None or known.fetched_at is None:
        return "unavailable"
    return "none" if known.body is None else f"{len(known.body)} bytes"


def _lists(connection: sa.Connection) -> Iterable[ListFound]:
    named = schema.urls.alias()
    same = sa.and_(named.c.source == _M.source, named.c.key == _M.key, named.c.role.in_(PAGE_ROLES))
    counted = sa.select(_M.found_in, sa.func.count().label("pages")).join(named, same).group_by(_M.found_in)
    pages = {row.found_in: row.pages for row in connection.execute(counted)}
    columns = (_U.role, _U.url, _U.found_in, _U.outcome, _U.detail)
    query = sa.select(*columns).where(_U.role.in_(_LISTS)).order_by(_U.outcome.is_(None), _U.found_at, _U.url)
    for row in connection.execute(query):
        yield ListFound(row.role, row.url, row.found_in, row.outcome, row.detail, pages.get(row.url, 0))


def _tried(connection: sa.Connection) -> Iterable[PageTried]:
    stated = sa.select(sa.func.max(_M.stated)).where(_M.source == _U.source, _M.key == _U.key).scalar_subquery()
    names = (_T.kind, _T.headline, _T.published, _T.characters)
    columns: list[Any] = [_U.url, _U.found_in, stated.label("stated"), _U.outcome, _U.detail, *names]
    query = sa.select(*columns).outerjoin_from(schema.urls, schema.texts, _T.version == _U.detail)
    tried = (_U.role.in_(PAGE_ROLES), _U.outcome.is_not(None))
    for row in connection.execute(query.where(*tried).order_by(stated.is_(None), stated.desc(), _U.url)):
        detail = row.detail if row.kind is None else None
        read = (row.kind, row.headline, row.published, row.characters)
        yield PageTried(row.url, row.found_in, row.stated, row.outcome, detail, *read)
