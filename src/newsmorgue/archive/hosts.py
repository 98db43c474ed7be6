"""What all crawls know of a host: when it may be asked next, how fast it answers, its robots.txt.

Derived state, shared through the catalogue by every source and process that asks that host.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.statements import find, find_all, upsert
from newsmorgue.times import from_microseconds, microseconds
from newsmorgue.urls import host_and_port

_A = schema.askers.c


@dataclass(frozen=True, slots=True)
class Host:
    """``free_at``: before then the next turn is not. ``held_until``: until then the host wants to be left alone.

    ``latency`` is how long it took lately to answer, in seconds. None where nothing is known.
    """

    free_at: datetime | None = None
    held_until: datetime | None = None
    latency: float | None = None


def known_host(connection: sa.Connection, host: str) -> Host:
    """What is known of a host (``name:port``)."""
    row = find(connection, schema.hosts, ("free_at", "held_until", "latency"), host=host)
    if row is None:
        return Host()
    return Host(_moment(row.free_at), _moment(row.held_until), row.latency)


def take_turn(
    connection: sa.Connection, host: str, now: datetime, delay: timedelta, patience: timedelta
) -> datetime | None:
    """When the caller may send a request to a host. The turn is its own, and the next one ``delay`` later.

    Where the host wants to be left alone for longer than ``patience`` no turn is taken, and there is none.
    """
    known = known_host(connection, host)
    if known.held_until is not None and known.held_until - now > patience:
        return None
    start = max(now, known.free_at or now, known.held_until or now)
    upsert(connection, schema.hosts, {"host": host, "free_at": microseconds(start + delay)}, "free_at")
    return start


def hold(connection: sa.Connection, host: str, until: datetime) -> None:
    """Leave a host alone until then, if it does not want to be left alone for longer."""
    known = known_host(connection, host)
    moment = max(until, known.held_until or until)
    upsert(connection, schema.hosts, {"host": host, "held_until": microseconds(moment)}, "held_until")


def note_latency(connection: sa.Connection, host: str, seconds: float) -> None:
    """How long a host took lately to answer."""
    upsert(connection, schema.hosts, {"host": host, "latency": seconds}, "latency")


def announce(connection: sa.Connection, host: str, asker: str, now: datetime, until: datetime) -> None:
    """Until then a run counts among those that ask a host, however it ends."""
    _forget(connection, _A.host == host, _A.until < microseconds(now))
    upsert(connection, schema.askers, {"host": host, "asker": asker, "until": microseconds(until)}, "until")


def askers(connection: sa.Connection, host: str, now: datetime) -> list[str]:
    """The runs that ask a host now, always in the same order."""
    known = find_all(connection, schema.askers, ("asker", "until"), host=host)
    return [row.asker for row in known if row.until >= microseconds(now)]


def withdraw(connection: sa.Connection, asker: str) -> None:
    """A run asks no host any more."""
    _forget(connection, _A.asker == asker)


def _forget(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    connection.execute(sa.delete(schema.askers).where(*which))


def share(most: int, place: int, of: int, turn: int) -> int:
    """How many of ``most`` requests at once are the part of one of so many askers, by its place among them.

    What cannot be divided goes round with ``turn``, a number that is the same for all and grows: where there are more
    askers than requests, each has its times at the host.

    >>> [share(4, place, 3, turn=0) for place in range(3)], [share(1, place, 2, turn=7) for place in range(2)]
    ([2, 1, 1], [0, 1])
    """
    each, rest = divmod(most, of)
    return each + ((place + turn) % of < rest)


@dataclass(frozen=True, slots=True)
class KnownRobots:
    """A robots.txt as last had: ``body`` is None where there is none. ``failed_since``: it cannot be had since then.

    ``located`` is the address that it came from in the end, ``etag`` and ``last_modified`` its validators there; None
    where it is not to be asked for with conditions. ``changed_at``: since then its rules are these.
    """

    body: bytes | None = None
    fetched_at: datetime | None = None
    failed_since: datetime | None = None
    located: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    changed_at: datetime | None = None


_MOMENTS = ("fetched_at", "failed_since", "changed_at")
_VALIDATORS = ("located", "etag", "last_modified")


def authority_of(url: str) -> str:
    """What a robots.txt is for.

    >>> authority_of("HTTPS://News.example/a")
    'https://news.example:443'
    """
    host, port = host_and_port(url)
    return f"{urlsplit(url).scheme}://{host}:{port}"


def known_robots(connection: sa.Connection, authority: str) -> KnownRobots | None:
    """The robots.txt of an authority (scheme, host and port), if any crawl ever asked for it."""
    row = find(connection, schema.robots, ("body", *_MOMENTS, *_VALIDATORS), authority=authority)
    if row is None:
        return None
    fetched, failed, changed = (_moment(getattr(row, name)) for name in _MOMENTS)
    return KnownRobots(row.body, fetched, failed, row.located, row.etag, row.last_modified, changed)


def remember_robots(connection: sa.Connection, authority: str, known: KnownRobots) -> None:
    """Keep it for all crawls."""
    moments = {name: getattr(known, name) for name in _MOMENTS}
    values = {
        "body": known.body,
        **{name: microseconds(moment) if moment else None for name, moment in moments.items()},
        **{name: getattr(known, name) for name in _VALIDATORS},
    }
    upsert(connection, schema.robots, {"authority": authority} | values, *values)


def _moment(value: int | None) -> datetime | None:
    return from_microseconds(value) if value is not None else None
