"""The memory of a source in the archive: when its stories are looked at, and when a snapshot is adopted.

A snapshot is part of the reading: adopting one has every story read again when it is next visited. So it is rare. The
last stories are looked at when their number has doubled since the last look (and then after each further thousand),
and what they say is adopted only if it is new. A look and what it found are one journal event.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.events import MemoryLearned
from newsmorgue.archive.ledger import Ledger
from newsmorgue.cleaning import Memory, Sample, article_from_json, learn, sample_of
from newsmorgue.cleaning.memory import Line
from newsmorgue.errors import MalformedRecord, MissingObject, NotYetStored
from newsmorgue.stories.identity import ReadArticle
from newsmorgue.stories.versions import versions_of
from newsmorgue.times import microseconds

FIRST_LOOK = 8
WINDOW = 64
_MOST_BETWEEN = 1024
# A run that began so long ago and has no end was killed.
_LONGEST_RUN = timedelta(days=7)

_S, _M, _R = schema.stories.c, schema.memory.c, schema.runs.c
_COUNT = sa.select(sa.func.count()).select_from(schema.stories).where(_S.source == sa.bindparam("source"))
_LATEST = sa.select(schema.memory).where(_M.source == sa.bindparam("source")).order_by(_M.number.desc()).limit(1)
_LAST_STORIES = (
    sa.select(_S.id)
    .where(_S.source == sa.bindparam("source"), _S.merged_into.is_(None))
    .order_by(_S.created_at.desc(), _S.id)
    .limit(WINDOW)
)
_OTHER_RUN = (
    sa.select(_R.id)
    .where(
        _R.source == sa.bindparam("source"),
        _R.id != sa.bindparam("run"),
        _R.ended_at.is_(None),
        _R.started_at > sa.bindparam("since"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A source's memory as it is, how many stories the source has, and at how many they are looked at next."""

    memory: Memory
    stories: int
    next_look: int


def standing(connection: sa.Connection, source: str) -> Standing:
    """How it stands with a source's memory now."""
    count = connection.execute(_COUNT, {"source": source}).scalar_one()
    row = connection.execute(_LATEST, {"source": source}).first()
    if row is None:
        return Standing(Memory(source), count, FIRST_LOOK)
    memory = Memory(source, row.number, tuple(Line(*line) for line in json.loads(row.lines)))
    return Standing(memory, count, min(2 * row.stories, row.stories + _MOST_BETWEEN))


def look(archive: Archive, run: str, memory: Memory) -> "Remember":
    """Learn from a source's last stories; what is to be settled for it. Reads up to :data:`WINDOW` texts."""
    with archive.catalogue.read() as connection:
        count = connection.execute(_COUNT, {"source": memory.source}).scalar_one()
        stories = connection.execute(_LAST_STORIES, {"source": memory.source}).scalars().all()
        samples = [sample for story in stories if (sample := _sample(archive, connection, story))]
    return Remember(run, learn(memory, samples), count)


def _sample(archive: Archive, connection: sa.Connection, story: str) -> Sample | None:
    """A story as last seen; None where its text cannot be had: 'morgue verify' says why, and it teaches nothing."""
    rows = versions_of(connection, story)
    if not rows:
        return None
    try:
        text = archive.read_text(max(rows, key=lambda row: row.last_seen).place)
    except (MissingObject, NotYetStored, MalformedRecord):
        return None
    return sample_of(story, article_from_json(text.article))


@dataclass(frozen=True, slots=True)
class Remember:
    """A look was taken when the source had so many stories, and ``memory`` is what is known of it from then on.

    Settled only while no other run of the source is under way: that one cleans and compares under the old reading.
    """

    run: str
    memory: Memory
    stories: int

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        source, number = self.memory.source, self.memory.number
        since = microseconds(ledger.now - _LONGEST_RUN)
        if ledger.connection.execute(_OTHER_RUN, {"source": source, "run": self.run, "since": since}).first():
            return None
        ledger.emit(MemoryLearned(source, number, self.stories, [list(line) for line in self.memory.lines]))
        return None
