"""What of an import the archive has already, and which capture a foreign revisit means."""

import sqlite3
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.index import capture_from_row, payload_capture
from newsmorgue.archive.surt import surt
from newsmorgue.times import from_microseconds, microseconds

# Many tools round the date in WARC-Refers-To-Date to the second, but not in the record that it refers to.
_ROUNDING = timedelta(seconds=1)


def known_capture(connection: sa.Connection, url: str, time: datetime, payload_digest: str) -> Capture | None:
    """The capture of that URL at that time with that payload, if the archive has it."""
    c = schema.captures.c
    same = (c.surt == surt(url), c.url == url, c.timestamp == microseconds(time), c.payload_digest == payload_digest)
    row = connection.execute(sa.select(schema.captures).where(*same).limit(1)).first()
    return capture_from_row(row) if row else None


def response_at(connection: sa.Connection, url: str, time: datetime) -> Capture | None:
    """The response of that URL at that time, or nearest to it within a second."""
    c = schema.captures.c
    moment = microseconds(time)
    near = c.timestamp.between(microseconds(time - _ROUNDING), microseconds(time + _ROUNDING))
    nearest = sa.select(schema.captures).where(c.surt == surt(url), c.url == url, near)
    row = connection.execute(nearest.order_by(sa.func.abs(c.timestamp - moment)).limit(1)).first()
    return payload_capture(connection, capture_from_row(row)) if row else None


def response_before(
    connection: sa.Connection, url: str, time: datetime, payload_digest: str | None = None
) -> Capture | None:
    """The last whole response of that URL before that time: with that payload, or (None) the last 200."""
    c = schema.captures.c
    which = c.status == 200 if payload_digest is None else c.payload_digest == payload_digest
    same = (c.surt == surt(url), c.url == url, c.timestamp < microseconds(time), c.truncated.is_(None), which)
    row = connection.execute(sa.select(schema.captures).where(*same).order_by(c.timestamp.desc()).limit(1)).first()
    return payload_capture(connection, capture_from_row(row)) if row else None


def rendered_captures(connection: sa.Connection, url: str) -> list[Capture]:
    """The captures of that URL of which a DOM is kept that a browser made."""
    c, r = schema.captures.c, schema.renderings.c
    joined = schema.captures.join(schema.renderings, (r.warc == c.warc) & (r.offset == c.offset))
    query = sa.select(schema.captures).select_from(joined).where(c.surt == surt(url), c.url == url)
    return [capture_from_row(row) for row in connection.execute(query)]


def is_sighted(connection: sa.Connection, capture: Capture) -> bool:
    """Whether a capture showed a version."""
    s = schema.sightings.c
    query = sa.select(s.version).where(s.warc == capture.warc, s.offset == capture.offset)
    return connection.execute(query).first() is not None


class RecordIds:
    """The ids of the responses in the files of one import, which revisits of WARC 1.0 refer to.

    In a temporary file of SQLite's own, since there may be millions.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, url TEXT, time INTEGER) WITHOUT ROWID")

    def add(self, identifier: str | None, url: str, time: datetime) -> None:
        """Remember a response."""
        if identifier is not None:
            row = (identifier, url, microseconds(time))
            self._database.execute("INSERT OR REPLACE INTO ids VALUES (?, ?, ?)", row)

    def find(self, identifier: str | None) -> tuple[str, datetime] | None:
        """URL and time of the response with that id."""
        row = self._database.execute("SELECT url, time FROM ids WHERE id = ?", (identifier,)).fetchone()
        return (row[0], from_microseconds(row[1])) if row else None

    def close(self) -> None:
        """Throw the file away."""
        self._database.close()
