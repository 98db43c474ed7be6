"""What the operator was told of each source's health, so that a change is told once.

Kept in the catalogue, and by a reindex too: no journal has it. A source of which nothing was told counts as told to be
well. Whoever tells takes a change into hand first, for a minute: two processes that end together do not both tell it. A
process that is killed in between leaves it to the next one, under the same id.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.statements import find, insert, update
from newsmorgue.errors import WebhookFailed
from newsmorgue.health.verdict import Condition, Health
from newsmorgue.times import from_microseconds, microseconds

ILL, WELL = "ill", "well"
_IN_HAND = timedelta(minutes=1)  # far longer than a webhook may take
_COLUMNS = ("condition", "since", "change", "told", "telling_at")


@dataclass(frozen=True, slots=True)
class Change:
    """A source fell ill, or recovered. ``id`` is the change's own, also where it is told a second time."""

    id: str
    since: datetime
    health: Health


def tell_changes(
    catalogue: Catalogue, verdicts: Iterable[Health], tell: Callable[[Change], None], now: datetime
) -> list[WebhookFailed]:
    """Tell what has changed and was not told yet; what could not be told is returned, and told the next time."""
    failures = []
    for health in verdicts:
        if health.condition == Condition.PAUSED:
            continue  # who pauses a source that is ill has not mended it
        with catalogue.write() as connection:
            change = _take(connection, health, now)
        if change is None:
            continue
        try:
            tell(change)
            told: str | None = _state(health)
        except WebhookFailed as error:
            failures.append(error)
            told = None
        with catalogue.write() as connection:
            _let_go(connection, change, told)
    return failures


def _state(health: Health) -> str:
    return ILL if health.condition == Condition.ILL else WELL


def _take(connection: sa.Connection, health: Health, now: datetime) -> Change | None:
    row = find(connection, schema.health, _COLUMNS, source=health.source)
    if row is None or row.condition != _state(health):
        _note(connection, health, now, row is None)
        row = find(connection, schema.health, _COLUMNS, source=health.source)
    in_hand = row.telling_at is not None and from_microseconds(row.telling_at) > now - _IN_HAND
    if row.condition == (row.told or WELL) or in_hand:
        return None
    update(connection, schema.health, {"source": health.source}, {"telling_at": microseconds(now)})
    return Change(row.change, from_microseconds(row.since), health)


def _note(connection: sa.Connection, health: Health, now: datetime, is_new: bool) -> None:
    noted = {"condition": _state(health), "since": microseconds(now), "change": secrets.token_hex(8)}
    if is_new:
        insert(connection, schema.health, {"source": health.source, "told": None, "telling_at": None} | noted)
    else:
        update(connection, schema.health, {"source": health.source}, noted)


def _let_go(connection: sa.Connection, change: Change, told: str | None) -> None:
    values = {"telling_at": None} | ({"told": told} if told else {})
    update(connection, schema.health, {"source": change.health.source}, values)
