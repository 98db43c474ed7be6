"""Captures as rows, as CDXJ lines, and as what a spooled WARC shows."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Capture, Role, first_state
from newsmorgue.archive.cdxj import CdxLine
from newsmorgue.archive.exchange import sha1
from newsmorgue.archive.spool import WARC_SUFFIX, source_of
from newsmorgue.archive.surt import surt
from newsmorgue.archive.warc import RESERVED_FIELD, ROLE_FIELD, StoredRecord
from newsmorgue.errors import MalformedRecord
from newsmorgue.times import from_iso, from_microseconds, iso, microseconds, timestamp14

REVISIT_TYPE = "warc/revisit"


def capture_from_row(row: Any) -> Capture:
    """A row of the captures table as a :class:`Capture`."""
    return Capture(
        surt=row.surt,
        time=from_microseconds(row.timestamp),
        warc=row.warc,
        offset=row.offset,
        length=row.length,
        source=row.source,
        url=row.url,
        kind=row.kind,
        role=row.role,
        status=row.status,
        mime=row.mime,
        payload_digest=row.payload_digest,
        refers_to_url=row.refers_to_url,
        refers_to_time=from_microseconds(row.refers_to_time) if row.refers_to_time is not None else None,
        truncated=row.truncated,
        state=row.state,
        reserved=row.reserved,
    )


def captures_of(connection: sa.Connection, warc: str) -> Iterator[Capture]:
    """The captures in a WARC, in the order of their offsets."""
    c = schema.captures.c
    rows = connection.execute(sa.select(schema.captures).where(c.warc == warc).order_by(c.offset))
    return (capture_from_row(row) for row in rows)


_C = schema.captures.c
_AT = sa.select(schema.captures).where(_C.warc == sa.bindparam("in_warc"), _C.offset == sa.bindparam("at_offset"))
_RESPONSE_WITH = (
    sa.select(schema.captures)
    .where(
        _C.surt == sa.bindparam("of_surt"),
        _C.url == sa.bindparam("of_url"),
        _C.payload_digest == sa.bindparam("digest"),
        _C.kind == "response",
        _C.truncated.is_(None),
    )
    .order_by(_C.timestamp.desc())
    .limit(1)
)


def capture_at(connection: sa.Connection, warc: str, offset: int) -> Capture | None:
    """The capture at a place, or None."""
    row = connection.execute(_AT, {"in_warc": warc, "at_offset": offset}).first()
    return capture_from_row(row) if row else None


def payload_capture(connection: sa.Connection, capture: Capture) -> Capture | None:
    """The capture that holds a capture's payload: itself, or the response a revisit refers to; else None."""
    if capture.kind != "revisit":
        return capture
    if capture.refers_to_url is None or capture.refers_to_time is None:
        return None
    c = schema.captures.c
    moment = microseconds(capture.refers_to_time)
    same = (
        c.surt == surt(capture.refers_to_url),
        c.url == capture.refers_to_url,
        c.timestamp == moment,
        c.kind == "response",
    )
    row = connection.execute(sa.select(schema.captures).where(*same).limit(1)).first()
    return capture_from_row(row) if row else None


def response_with(connection: sa.Connection, url: str, payload_digest: str) -> Capture | None:
    """The latest response of that URL with that payload, for a revisit to refer to."""
    values = {"of_surt": surt(url), "of_url": url, "digest": payload_digest}
    row = connection.execute(_RESPONSE_WITH, values).first()
    return capture_from_row(row) if row else None


def response_anywhere(connection: sa.Connection, source: str, payload_digest: str) -> Capture | None:
    """The first response of a source with that payload, under whatever URL, for a revisit to refer to."""
    c = schema.captures.c
    same = (
        c.source == source,
        c.payload_digest == payload_digest,
        c.kind == schema.RESPONSE,
        c.status == 200,
        c.truncated.is_(None),
    )
    row = connection.execute(sa.select(schema.captures).where(*same).order_by(c.timestamp).limit(1)).first()
    return capture_from_row(row) if row else None


def is_whole_response(capture: Capture) -> bool:
    """Whether a capture has a payload of its own, and all of it."""
    return (capture.kind, capture.status, capture.truncated) == ("response", 200, None)


def last_whole_response(connection: sa.Connection, url: str) -> Capture | None:
    """The response with what the last whole 200 of that URL showed, for a 304 to refer to.

    That 200 may itself be a revisit: of a page that went back to an older text, the older response is meant.
    """
    c = schema.captures.c
    same = (c.surt == surt(url), c.url == url, c.status == 200, c.truncated.is_(None))
    row = connection.execute(sa.select(schema.captures).where(*same).order_by(c.timestamp.desc()).limit(1)).first()
    return payload_capture(connection, capture_from_row(row)) if row else None


def cdx_line(capture: Capture) -> CdxLine:
    """A capture as its line in CDXJ: pywb's fields, then ours, so that the line alone gives the row back."""
    fields: dict[str, Any] = {
        "url": capture.url,
        "mime": REVISIT_TYPE if capture.kind == "revisit" else capture.mime or "unk",
        "status": str(capture.status),
        "digest": capture.payload_digest,
        "length": str(capture.length),
        "offset": str(capture.offset),
        "filename": f"{capture.warc}{WARC_SUFFIX}",
        "time": iso(capture.time),
        "source": capture.source,
        "role": capture.role,
        "entity-mime": capture.mime,
        "refers-to-url": capture.refers_to_url,
        "refers-to-time": iso(capture.refers_to_time) if capture.refers_to_time else None,
        "truncated": capture.truncated,
        "reserved": capture.reserved,
    }
    return CdxLine(
        capture.surt, timestamp14(capture.time), {name: value for name, value in fields.items() if value is not None}
    )


def capture_from_cdx(line: CdxLine) -> Capture:
    """The inverse of :func:`cdx_line`; the state is what it is before any outcome. Raises :class:`MalformedRecord`."""
    try:
        return _capture_from_fields(line.surt, line.fields)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        where = f"{line.surt} {line.timestamp}"
        raise MalformedRecord(f"{where}: not a CDXJ line of this archive ({error!r}); run 'morgue verify'") from error


def _capture_from_fields(key: str, fields: Mapping[str, Any]) -> Capture:
    mime, status, role = fields.get("entity-mime"), int(fields["status"]), fields["role"]
    refers = fields.get("refers-to-time")
    return Capture(
        surt=key,
        time=from_iso(fields["time"]),
        warc=fields["filename"].removesuffix(WARC_SUFFIX),
        offset=int(fields["offset"]),
        length=int(fields["length"]),
        source=fields["source"],
        url=fields["url"],
        kind="revisit" if fields["mime"] == REVISIT_TYPE else "response",
        role=role,
        status=status,
        mime=mime,
        payload_digest=fields.get("digest"),
        refers_to_url=fields.get("refers-to-url"),
        refers_to_time=from_iso(refers) if refers else None,
        truncated=fields.get("truncated"),
        state=first_state(role, status, mime, fields.get("truncated")),
        reserved=fields.get("reserved"),
    )


def capture_from_record(record: StoredRecord, warc: str, offset: int, length: int) -> Capture:
    """A response or revisit record of our own WARC as the row it should have."""
    headers, head = record.headers, record.http
    role = headers.get(ROLE_FIELD.lower(), Role.LINK)
    url = headers["warc-target-uri"]
    refers = headers.get("warc-refers-to-date")
    digest = headers.get("warc-payload-digest") or sha1(record.entity)
    return Capture(
        surt=surt(url),
        time=from_iso(headers["warc-date"]),
        warc=warc,
        offset=offset,
        length=length,
        source=source_of(warc),
        url=url,
        kind=record.kind,
        role=role,
        status=head.status,
        mime=head.media_type,
        payload_digest=digest,
        refers_to_url=headers.get("warc-refers-to-target-uri"),
        refers_to_time=from_iso(refers) if refers else None,
        truncated=headers.get("warc-truncated"),
        state=first_state(role, head.status, head.media_type, headers.get("warc-truncated")),
        reserved=headers.get(RESERVED_FIELD.lower()),
    )
