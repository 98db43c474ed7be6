"""The beginning and the end of a run, as intents."""

from dataclasses import dataclass

import sqlalchemy as sa

from newsmorgue.archive import frontier, schema
from newsmorgue.archive.events import Paused, RunEnded, RunStarted, SourceAdded
from newsmorgue.archive.ledger import Ledger
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.stories.identity import ReadArticle


@dataclass(frozen=True, slots=True)
class BeginRun:
    """A run begins: its source is known from now on, and what a killed run had in hand is free again.

    Made while the source is held, so that a run without an end is one that was killed.
    """

    run: str
    source: SourceConfiguration
    kind: str
    host: str

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        connection, slug = ledger.connection, self.source.slug
        home = connection.execute(sa.select(schema.sources.c.home).where(schema.sources.c.slug == slug)).scalar()
        if home is None or (self.kind == "crawl" and home != self.source.home):
            ledger.emit(SourceAdded(slug, self.source.home))
        self._end_lost_runs(ledger)
        ledger.emit(RunStarted(self.run, slug, self.kind, self.host))
        return None

    def _end_lost_runs(self, ledger: Ledger) -> None:
        c = schema.runs.c
        lost = (c.source == self.source.slug, c.kind == self.kind, c.ended_at.is_(None))
        for run in ledger.connection.execute(sa.select(c.id).where(*lost).order_by(c.started_at)).scalars().all():
            ledger.emit(RunEnded(run, "lost", {}))
            frontier.release(ledger.connection, run)


@dataclass(frozen=True, slots=True)
class EndRun:
    """A run ends; what it still had in hand goes back."""

    run: str
    outcome: str
    counts: dict[str, int]

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        released = frontier.release(ledger.connection, self.run)
        counts = self.counts | {"released": released} if released else self.counts
        ledger.emit(RunEnded(self.run, self.outcome, counts))
        return None


@dataclass(frozen=True, slots=True)
class PauseSource:
    """No scheduler is to crawl the source (``paused``), or it is to again."""

    source: SourceConfiguration
    paused: bool

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        known = sa.select(schema.sources.c.slug).where(schema.sources.c.slug == self.source.slug)
        if ledger.connection.execute(known).first() is None:
            ledger.emit(SourceAdded(self.source.slug, self.source.home))
        ledger.emit(Paused(self.source.slug, self.paused))
        return None
