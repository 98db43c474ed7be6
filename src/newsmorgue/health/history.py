"""The rows that a verdict rests on."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.health.verdict import RECENT_STORIES, Health, Run, Story, assess
from newsmorgue.times import from_microseconds

# The newest runs of a source: 7 months of hourly ones. "Ever" goes back no further: a verdict costs 15 µs a run.
MOST_RUNS = 5_000
MOST_STORIES = 11 * RECENT_STORIES


def known_sources(connection: sa.Connection) -> list[str]:
    """The sources that the archive knows, in the order of their names."""
    return list(connection.execute(sa.select(schema.sources.c.slug).order_by(schema.sources.c.slug)).scalars())


def assess_sources(connection: sa.Connection, sources: Collection[str], now: datetime) -> Iterator[Health]:
    """The verdict on each of these sources, one after another."""
    c = schema.sources.c
    paused = set(connection.execute(sa.select(c.slug).where(c.paused_at.is_not(None))).scalars())
    for source in sources:
        runs, stories = _runs(connection, source), newest_stories(connection, source)
        yield assess(source, runs, stories, now, is_paused=source in paused)


def _runs(connection: sa.Connection, source: str) -> list[Run]:
    """Crawls alone: that a page was saved by hand says nothing of how the source is."""
    c = schema.runs.c
    newest = (
        sa.select(c.started_at, c.ended_at, c.outcome, c.counts)
        .where(c.source == source, c.kind == "crawl")
        .order_by(c.started_at.desc(), c.id)
        .limit(MOST_RUNS)
    )
    rows = connection.execute(newest).all()
    return [
        Run(
            from_microseconds(row.started_at),
            from_microseconds(row.ended_at) if row.ended_at is not None else None,
            row.outcome,
            json.loads(row.counts) if row.counts else {},
        )
        for row in reversed(rows)
    ]


def newest_stories(connection: sa.Connection, source: str) -> list[Story]:
    """The newest stories, each with its oldest version's newest text."""
    s, v, t = schema.stories.c, schema.versions.c, schema.texts.c
    newest = (
        sa.select(s.id, s.created_at)
        .where(s.source == source, s.merged_into.is_(None))
        .order_by(s.created_at.desc(), s.id)
        .limit(MOST_STORIES)
        .subquery()
    )
    rows = connection.execute(
        sa.select(newest.c.id, newest.c.created_at, v.id.label("version"), t.characters)
        .join(schema.versions, v.story == newest.c.id)
        .join(schema.texts, t.version == v.id)
        .order_by(newest.c.created_at, newest.c.id, v.created_at, v.id, t.seq.desc())
    )
    first: dict[str, Story] = {}
    versions: dict[str, set[str]] = {}
    for row in rows:
        versions.setdefault(row.id, set()).add(row.version)
        first.setdefault(row.id, Story(from_microseconds(row.created_at), row.characters, 0))
    return [Story(story.found, story.characters, len(versions[key]) - 1) for key, story in first.items()]
