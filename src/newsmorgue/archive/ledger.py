"""A commit in the making: events go to the journal and into the catalogue's rows in one step."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from newsmorgue.archive.events import Entry, Event, storable
from newsmorgue.archive.journal import Place, pack
from newsmorgue.archive.replay import apply
from newsmorgue.archive.spool import SpoolFile


@dataclass
class Ledger:
    """Within one writing transaction: ``connection`` reads what is already so, :meth:`emit` makes something so.

    ``seq`` is the commit's number, ``now`` its time. The journal's bytes are made durable by whoever began the commit.
    """

    connection: sa.Connection
    file: SpoolFile
    seq: int
    now: datetime
    lines: int = field(default=0)

    def emit(self, event: Event) -> Place:
        """Write the event to the journal and change the rows as it says; where it stands."""
        entry, line = storable(Entry(self.seq, self.lines, self.now, event))
        self.lines += 1
        data = pack(line)
        place = Place(self.file.name, self.file.append_journal(data), len(data))
        apply(self.connection, entry, place)
        return place
