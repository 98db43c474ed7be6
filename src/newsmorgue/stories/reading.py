"""Reading the archive: from an address to a story, its versions, its state at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.index import capture_at, payload_capture
from newsmorgue.archive.statements import find
from newsmorgue.archive.warc import StoredRecord
from newsmorgue.cleaning import Article, article_from_json
from newsmorgue.errors import ImpossibleTime, MissingObject, UnknownStory, UnknownVersion
from newsmorgue.stories.identity import story_at
from newsmorgue.stories.versions import VersionRow, all_versions, family, root_of, versions_of
from newsmorgue.times import from_microseconds, iso, microseconds
from newsmorgue.urls import address_key


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A story as a list shows it. ``versions`` is a count, ``aliases`` are the addresses beside ``url``."""

    id: str
    url: str
    aliases: tuple[str, ...]
    source: str
    headline: str | None
    first_seen: datetime
    last_seen: datetime
    versions: int
    gone_since: datetime | None
    syndicated_from: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One state of a story: the version, the sighting it rests on, and the text.

    ``capture`` is None where damage took it from the archive: the text, which stands in a journal, is left.
    """

    version: VersionRow
    seen: datetime
    capture: Capture | None
    article: Article

    def require_capture(self) -> Capture:
        """The capture. Raises :class:`MissingObject` where it is lost."""
        if self.capture is None:
            raise MissingObject(
                f"{self.article.url} as seen at {iso(self.seen)}: the page was lost by damage; its text is left, as "
                "--format text, markdown or json"
            )
        return self.capture


def list_stories(archive: Archive, source: str | None = None) -> list[StoryRow]:
    """Every story (of a source), the last seen first."""
    with archive.catalogue.read() as connection:
        stories = {row.id: row for row in connection.execute(sa.select(schema.stories))}
        roots = {story: _root(story, stories) for story in stories}
        versions = all_versions(connection, roots)
        aliases: dict[str, list[str]] = {}
        for alias in connection.execute(
            sa.select(schema.aliases).order_by(schema.aliases.c.since, schema.aliases.c.url)
        ):
            aliases.setdefault(roots[alias.story], []).append(alias.url)
    wanted = (row for root in versions if source in (None, (row := stories[root]).source))
    rows = [_row(row, versions[row.id], aliases.get(row.id, [])) for row in wanted]
    return sorted(rows, key=lambda row: (row.last_seen, row.url), reverse=True)


def _root(story: str, stories: Mapping[str, Any]) -> str:
    while stories[story].merged_into:
        story = stories[story].merged_into
    return story


def has_stories(connection: sa.Connection, source: str) -> bool:
    """Whether a source has any story."""
    c = schema.stories.c
    return connection.execute(sa.select(c.id).where(c.source == source).limit(1)).first() is not None


def find_story(archive: Archive, url: str) -> str:
    """The id of the story at an address: any alias, with or without scheme, or an address a story claims, or an id.

    Raises :class:`UnknownStory`.
    """
    with archive.catalogue.read() as connection:
        story = _find(connection, url)
    if story is None:
        raise UnknownStory(
            f"no story is known under {url}; 'morgue stories' lists those that are, 'morgue save {url}' captures it"
        )
    return story


def merged_story(archive: Archive, url: str) -> tuple[str, str]:
    """The story that an address belonged to before a merge made it part of another, and its source.

    ``url`` is exactly one of the addresses that ``stories --json`` lists, or the id. Raises :class:`UnknownStory`.
    """
    with archive.catalogue.read() as connection:
        alias = find(connection, schema.aliases, ("story",), url=url)
        row = find(connection, schema.stories, ("id", "source", "merged_into"), id=alias.story if alias else url)
    if row is None or row.merged_into is None:
        raise UnknownStory(
            f"{url} is no address of a story that was merged into another; give one of 'aliases' in 'stories --json'"
        )
    return row.id, row.source


def story_row(archive: Archive, story: str) -> StoryRow:
    """The story of that id. Raises :class:`UnknownStory` where it has no version left."""
    with archive.catalogue.read() as connection:
        row = _story_row(connection, story)
    if row is None:
        raise UnknownStory(f"story {story} has no version")
    return row


def story_versions(archive: Archive, story: str) -> list[VersionRow]:
    """The story's versions, oldest first."""
    with archive.catalogue.read() as connection:
        return versions_of(connection, story)


def show_at(archive: Archive, story: str, at: datetime | None) -> Shown:
    """The story as it stood at a time: the version of the latest sighting at or before it. None: as last seen.

    Raises :class:`ImpossibleTime` for a time before the first sighting, naming that.
    """
    s, v = schema.sightings.c, schema.versions.c
    with archive.catalogue.read() as connection:
        query = _sightings().join(schema.versions, v.id == s.version).where(v.story.in_(family(connection, story)))
        before = query.where(s.at <= microseconds(at)) if at is not None else query
        last = before.order_by(s.at.desc(), "is_lost", s.warc.desc(), s.offset.desc()).limit(1)
        sighting = connection.execute(last).first()
        first = connection.execute(query.order_by(s.at).limit(1)).first()
        if sighting is None:
            raise ImpossibleTime(
                f"not seen before {iso(from_microseconds(first.at))}: that is the story's first sighting"
                if first
                else "never seen"
            )
        return _shown(archive, connection, story, sighting)


def show_version(archive: Archive, story: str, number: int) -> Shown:
    """The version of that number, as it was first seen. Raises :class:`UnknownVersion`."""
    with archive.catalogue.read() as connection:
        rows = versions_of(connection, story)
        chosen = next((row for row in rows if row.number == number), None)
        if chosen is None:
            raise UnknownVersion(f"no version {number}: the story has {len(rows)}, numbered from 1")
        s = schema.sightings.c
        first = _sightings().where(s.version == chosen.id).order_by(s.at, "is_lost", s.warc, s.offset).limit(1)
        return _shown(archive, connection, story, connection.execute(first).one())


def _sightings() -> sa.Select[Any]:
    """Sightings, each with whether its capture ``is_lost``: an import may have brought back what damage took."""
    s, c = schema.sightings.c, schema.captures.c
    joined = schema.sightings.outerjoin(schema.captures, (s.warc == c.warc) & (s.offset == c.offset))
    return sa.select(schema.sightings, c.warc.is_(None).label("is_lost")).select_from(joined)


def _shown(archive: Archive, connection: sa.Connection, story: str, sighting: Any) -> Shown:
    row = next(row for row in versions_of(connection, story) if row.id == sighting.version)
    capture = capture_at(connection, sighting.warc, sighting.offset)
    article = article_from_json(archive.read_text(row.place).article)
    return Shown(row, from_microseconds(sighting.at), capture, article)


def _find(connection: sa.Connection, url: str) -> str | None:
    known = connection.execute(sa.select(schema.stories.c.id).where(schema.stories.c.id == url)).scalar()
    if known:
        return root_of(connection, known)
    try:
        key = address_key(url)
    except ValueError:
        return None
    return story_at(connection, key) or _claimant(connection, key)


def _claimant(connection: sa.Connection, key: str) -> str | None:
    """The story that names an address as its canonical, if no page of another kind was found there."""
    c, u = schema.stories.c, schema.urls.c
    if connection.execute(
        sa.select(u.key).where(u.key == key, u.outcome.in_(("not_story", "listed"))).limit(1)
    ).first():
        return None
    story = connection.execute(sa.select(c.id).where(c.claimed_key == key).order_by(c.created_at).limit(1)).scalar()
    return root_of(connection, story) if story else None


def _story_row(connection: sa.Connection, story: str) -> StoryRow | None:
    versions = versions_of(connection, story)
    if not versions:
        return None
    c, a = schema.stories.c, schema.aliases.c
    row = connection.execute(sa.select(schema.stories).where(c.id == story)).one()
    aliases = sa.select(a.url).where(a.story.in_(family(connection, story))).order_by(a.since, a.url)
    return _row(row, versions, list(connection.execute(aliases).scalars()))


def _row(row: Any, versions: list[VersionRow], aliases: list[str]) -> StoryRow:
    latest = max(versions, key=lambda version: version.last_seen)
    return StoryRow(
        row.id,
        row.canonical,
        tuple(alias for alias in aliases if alias != row.canonical),
        row.source,
        latest.headline,
        min(version.first_seen for version in versions),
        latest.last_seen,
        len(versions),
        from_microseconds(row.gone_at) if row.gone_at is not None else None,
        row.syndicated_from,
    )


def payload_of(archive: Archive, capture: Capture) -> StoredRecord:
    """The record that holds a capture's payload: a revisit leads to the response it refers to.

    Raises :class:`MissingObject` where that is not in the archive.
    """
    with archive.catalogue.read() as connection:
        holder = payload_capture(connection, capture)
    if holder is None:
        raise MissingObject(
            f"{capture.url} at {iso(capture.time)} says 'as before', and the capture it refers to "
            f"({capture.refers_to_url}, {capture.refers_to_time}) is not in the archive; run 'morgue verify'"
        )
    return archive.read_capture(holder)
