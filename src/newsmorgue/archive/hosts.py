"""What all crawls know of a host: when it may be asked next, how fast it answers, its robots.txt.

Derived state, shared through the catalogue by every source and process that asks that host.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.statements import find, upsert
from newsmorgue.times import from_microseconds, microseconds


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


def take_turn(connection: sa.Connection, host: str, now: datetime, delay: timedelta, patience: timedelta) -> datetime:
    """When the caller may send a request to a host. The turn is its own, and the next one ``delay`` later.

    Where that is more than ``patience`` away no turn is taken, and the moment says when to ask again.
    """
    known = known_host(connection, host)
    start = max(now, known.free_at or now, known.held_until or now)
    if start - now <= patience:
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


@dataclass(frozen=True, slots=True)
class KnownRobots:
    """A robots.txt as last had: ``body`` is None where there is none. ``failed_since``: it cannot be had since then."""

    body: bytes | None = None
    fetched_at: datetime | None = None
    failed_since: datetime | None = None


def known_robots(connection: sa.Connection, authority: str) -> KnownRobots | None:
    """The robots.txt of an authority (scheme, host and port), if any crawl ever asked for it."""
    row = find(connection, schema.robots, ("body", "fetched_at", "failed_since"), authority=authority)
    return KnownRobots(row.body, _moment(row.fetched_at), _moment(row.failed_since)) if row else None


def remember_robots(connection: sa.Connection, authority: str, known: KnownRobots) -> None:
    """Keep it for all crawls."""
    values = {
        "body": known.body,
        "fetched_at": microseconds(known.fetched_at) if known.fetched_at else None,
        "failed_since": microseconds(known.failed_since) if known.failed_since else None,
    }
    upsert(connection, schema.robots, {"authority": authority} | values, *values)


def _moment(value: int | None) -> datetime | None:
    return from_microseconds(value) if value is not None else None
