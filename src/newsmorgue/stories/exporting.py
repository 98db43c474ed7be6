"""Taking captures out: of a story, a source, a span of time, with all that their records refer to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO

import sqlalchemy as sa

from newsmorgue import __version__
from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.index import capture_at, capture_from_row, payload_capture
from newsmorgue.archive.journal import Place, members
from newsmorgue.archive.spool import WARC_SUFFIX
from newsmorgue.archive.surt import surt
from newsmorgue.archive.wacz import Page, Write, Written
from newsmorgue.archive.warc import RecordWriter, parse_record
from newsmorgue.errors import MissingObject
from newsmorgue.stories.versions import family
from newsmorgue.times import iso, microseconds
from newsmorgue.urls import address_key

_GOES_WITH = frozenset({"request", "response", "metadata"})


@dataclass(frozen=True, slots=True)
class Selection:
    """What to take: of a story (its id), or of a source, or of all; from a time on, up to a time (both included)."""

    story: str | None = None
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def write_warc(archive: Archive, selection: Selection, write: Write, filename: str, now: datetime) -> Iterator[Written]:
    """Write the captures as one WARC, every record's member byte for byte as archived; each one as it is written.

    A revisit's response is written too where it lies outside the selection. Raises what reading the archive raises.
    """
    about = {"software": f"newsmorgue/{__version__}", "format": "WARC File Format 1.1", "description": "an export"}
    position = write(RecordWriter().warcinfo(filename, iso(now), about))
    taken: set[tuple[str, int]] = set()
    for capture in _with_payloads(archive, selection):
        if (capture.warc, capture.offset) in taken:
            continue
        if _is_outside(capture, selection) or selection.story is not None:
            taken.add((capture.warc, capture.offset))
        first, others = _members(archive, capture)
        yield Written(replace(capture, offset=position), _page(archive, capture))
        position += write(first + others)


def _with_payloads(archive: Archive, selection: Selection) -> Iterator[Capture]:
    """The captures chosen, and behind each revisit the response that it repeats, unless that is chosen itself."""
    for capture in _chosen(archive, selection):
        yield capture
        if capture.kind == "revisit":
            holder = _holder(archive, capture)
            if selection.story is not None or _is_outside(holder, selection):
                yield holder


def _holder(archive: Archive, capture: Capture) -> Capture:
    with archive.catalogue.read() as connection:
        holder = payload_capture(connection, capture)
    if holder is None:
        raise MissingObject(f"{capture.url} at {iso(capture.time)} repeats a capture that is not in the archive")
    return holder


def _is_outside(capture: Capture, selection: Selection) -> bool:
    """Whether a capture is not chosen by its source and time."""
    is_other = selection.source is not None and capture.source != selection.source
    is_early = selection.start is not None and capture.time < selection.start
    return is_other or is_early or (selection.end is not None and capture.time > selection.end)


def _chosen(archive: Archive, selection: Selection) -> Iterator[Capture]:
    if selection.story is not None:
        with archive.catalogue.read() as connection:
            found = _of_story(connection, selection.story)
        yield from (capture for capture in found if not _is_outside(capture, selection))
        return
    c = schema.captures.c
    query = sa.select(schema.captures).order_by(c.warc, c.offset).execution_options(yield_per=500)
    if selection.source is not None:
        query = query.where(c.source == selection.source)
    if selection.start is not None:
        query = query.where(c.timestamp >= microseconds(selection.start))
    if selection.end is not None:
        query = query.where(c.timestamp <= microseconds(selection.end))
    with archive.catalogue.read() as connection:
        for row in connection.execute(query):
            yield capture_from_row(row)


def _of_story(connection: sa.Connection, story: str) -> list[Capture]:
    """A story's sightings, and every other capture of its addresses: redirects, errors, 304s."""
    v, s, a, c = schema.versions.c, schema.sightings.c, schema.aliases.c, schema.captures.c
    members_of = family(connection, story)
    seen = sa.select(s.warc, s.offset).join(schema.versions, v.id == s.version).where(v.story.in_(members_of))
    places = {(row.warc, row.offset) for row in connection.execute(seen)}
    found = [capture for place in places if (capture := capture_at(connection, *place))]
    aliases = connection.execute(sa.select(a.url, a.key).where(a.story.in_(members_of))).all()
    keys = {alias.key for alias in aliases}
    for url in sorted({surt(alias.url) for alias in aliases}):
        rows = connection.execute(sa.select(schema.captures).where(c.surt == url))
        others = (capture_from_row(row) for row in rows if (row.warc, row.offset) not in places)
        found += [capture for capture in others if address_key(capture.url) in keys]
    return sorted(found, key=lambda capture: (capture.warc, capture.offset))


def _members(archive: Archive, capture: Capture) -> tuple[bytes, bytes]:
    """A capture's own gzip member, and those behind it that belong to it."""
    end = _end(archive, capture)
    data = archive.read_bytes(capture.warc, WARC_SUFFIX, capture.offset, end - capture.offset)
    others = b""
    rest = data[capture.length :]
    for offset, length, content in members(BytesIO(rest), capture.warc):
        if parse_record(content, f"{capture.warc}@{capture.offset}").kind not in _GOES_WITH:
            break
        others += rest[offset : offset + length]
    return data[: capture.length], others


def _end(archive: Archive, capture: Capture) -> int:
    """Where the next capture of that WARC begins, or the WARC ends."""
    c, f = schema.captures.c, schema.files.c
    following = sa.select(sa.func.min(c.offset)).where(c.warc == capture.warc, c.offset > capture.offset)
    length = sa.select(f.warc_length).where(f.name == capture.warc)
    with archive.catalogue.read() as connection:
        return int(connection.execute(following).scalar() or connection.execute(length).scalar_one())


def _page(archive: Archive, capture: Capture) -> Page | None:
    """What the capture showed of a story, under the newest reading of its text."""
    s, t = schema.sightings.c, schema.texts.c
    joined = schema.sightings.join(schema.texts, t.version == s.version)
    query = sa.select(t.journal, t.offset, t.length).select_from(joined)
    here = query.where(s.warc == capture.warc, s.offset == capture.offset).order_by(t.seq.desc()).limit(1)
    with archive.catalogue.read() as connection:
        row = connection.execute(here).first()
    if row is None:
        return None
    article = archive.read_text(Place(row.journal, row.offset, row.length)).article
    return Page(capture.url, capture.time, article.get("headline"), article.get("text") or "")
