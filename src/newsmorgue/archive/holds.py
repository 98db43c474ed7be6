"""Who writes for a source: one crawl, import or compaction at a time, whichever machine it is on.

A run holds its source through the catalogue and says every now and then that it lives. On one machine the kernel's
lock in the spool (which a killed process leaves at once) says the same sooner; across machines a hold that was not
renewed runs out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.spool import called
from newsmorgue.archive.statements import find, upsert
from newsmorgue.errors import Busy
from newsmorgue.times import from_microseconds, microseconds

LASTS = timedelta(minutes=2)
RENEW_AFTER = timedelta(seconds=20)
_H = schema.holds.c


@dataclass(frozen=True, slots=True)
class Hold:
    """A source, the kind of run, the run; ``place`` is the machine and the spool whose lock the run has too."""

    source: str
    kind: str
    run: str
    place: str

    def take(self, connection: sa.Connection, now: datetime) -> None:
        """Hold the source. The caller has the lock in its spool: a hold of the same place is a killed run's.

        Raises :class:`Busy` where a run of another place lives.
        """
        held = find(connection, schema.holds, ("place", "until"), source=self.source, kind=self.kind)
        if held is not None and held.place != self.place and held.until > microseconds(now):
            raise Busy(
                f"{held.place} is at {called(self.kind)} of source '{self.source}'; wait for it to end, or, if that "
                f"machine is lost, until {from_microseconds(held.until):%Y-%m-%d %H:%M:%S} UTC"
            )
        values = {"run": self.run, "place": self.place, "until": microseconds(now + LASTS)}
        upsert(connection, schema.holds, {"source": self.source, "kind": self.kind} | values, *values)

    def renew(self, connection: sa.Connection, now: datetime) -> None:
        """Say that the run lives. Raises :class:`Busy` where it did not for so long that another took the source."""
        renewed = sa.update(schema.holds).where(*self._mine()).values(until=microseconds(now + LASTS))
        if connection.execute(renewed).rowcount == 0:
            raise Busy(
                f"source '{self.source}' was taken over by another run, since this one did not say for "
                f"{LASTS.total_seconds():.0f} s that it lives; nothing that it committed is lost"
            )

    def release(self, connection: sa.Connection) -> None:
        """The run has ended."""
        connection.execute(sa.delete(schema.holds).where(*self._mine()))

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return (_H.source == self.source, _H.kind == self.kind, _H.run == self.run)


def require_no_run_elsewhere(connection: sa.Connection, place: str, now: datetime) -> None:
    """Raise :class:`Busy` where a run lives, but for those of ``place``, of which the locks in its spool tell."""
    lives = sa.select(schema.holds).where(_H.place != place, _H.until > microseconds(now))
    held = connection.execute(lives.limit(1)).first()
    if held is not None:
        raise Busy(
            f"{held.place} is at {called(held.kind)} of source '{held.source}'; stop it first, or, if it was killed, "
            f"wait until {from_microseconds(held.until):%Y-%m-%d %H:%M:%S} UTC"
        )
