"""Taking captures out: of a story, a source, a span of time, with all that their records refer to."""

from collections.abc import Callable, Iterator
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
from newsmorgue.archive.warc import RecordWriter, parse_record, read_record
from newsmorgue.errors import MalformedRecord
from newsmorgue.stories.versions import family
from newsmorgue.times import iso, microseconds
from newsmorgue.urls import address_key

# Beside a capture's own record. The DOM that a browser made of it has a place of its own.
_GOES_WITH = frozenset({"request", "response", "metadata"})


@dataclass(frozen=True, slots=True)
class Selection:
    """What to take: of a story (its id), or of a source, or of all; from a time on, up to a time (both included)."""

    story: str | None = None
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def write_warc(
    archive: Archive,
    selection: Selection,
    write: Write,
    filename: str,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Written]:
    """Write the captures as one WARC, every record's member byte for byte as archived; each one as it is written.

    Behind a capture goes the DOM that a browser made of it. A revisit's response is written too where it lies outside
    the selection; ``tell`` hears of one that was lost by damage. Raises what reading the archive raises.
    """
    about = {"software": f"newsmorgue/{__version__}", "format": "WARC File Format 1.1", "description": "an export"}
    position = write(RecordWriter().warcinfo(filename, iso(now), about))
    taken: set[tuple[str, int]] = set()
    for capture in _with_payloads(archive, selection, tell):
        if (capture.warc, capture.offset) in taken:
            continue
        if _is_outside(capture, selection) or selection.story is not None:
            taken.add((capture.warc, capture.offset))
        first, others = _members(archive, capture)
        yield Written(replace(capture, offset=position), _page(archive, capture))
        position += write(first + others + _rendering(archive, capture, tell))


def _with_payloads(archive: Archive, selection: Selection, tell: Callable[[str], None]) -> Iterator[Capture]:
    """The captures chosen, and behind each revisit the response that it repeats, unless that is chosen itself."""
    for capture in _chosen(archive, selection):
        yield capture
        if capture.kind == "revisit":
            with archive.catalogue.read() as connection:
                holder = payload_capture(connection, capture)
            if holder is None:
                tell(f"{capture.url} at {iso(capture.time)}: what it repeats is not in the archive")
            elif selection.story is not None or _is_outside(holder, selection):
                yield holder


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
    name, others = f"{capture.warc}{WARC_SUFFIX}", b""
    own = read_record(data[: capture.length], f"{name}@{capture.offset}").headers["warc-record-id"]
    behind = BytesIO(data[capture.length :])
    for offset, length, content in members(behind, name, capture.offset + capture.length):
        record = parse_record(content, f"{name}@{offset}")
        if record.kind in _GOES_WITH and record.headers.get("warc-concurrent-to") == own:
            others += data[offset - capture.offset :][:length]
    return data[: capture.length], others


def _rendering(archive: Archive, capture: Capture, tell: Callable[[str], None]) -> bytes:
    """The member of the DOM that a browser made of a page; empty where there is none, or it was lost by damage."""
    member, where = archive.rendering_member(capture)
    try:
        if not member or read_record(member, where).kind == "resource":
            return member
    except MalformedRecord:
        pass
    tell(f"{capture.url} at {iso(capture.time)}: the DOM that a browser made of it is lost")
    return b""


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
