"""Times: aware UTC everywhere, and the spellings the archive writes and reads."""

import re
from datetime import UTC, datetime, timedelta

from newsmorgue.errors import ImpossibleTime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTH = re.compile(r"(\d{4})-(\d\d)")
_DIGITS = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")


def now_utc() -> datetime:
    """The clock, for callers at the edge (command line, recorder); everything inside takes ``now`` as a value."""
    return datetime.now(UTC)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC: how the catalogue stores a time.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(count: int) -> datetime:
    """The inverse of :func:`microseconds`."""
    return _EPOCH + timedelta(microseconds=count)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``, as WARC 1.1 writes ``WARC-Date``.

    >>> iso(datetime(2026, 1, 31, 12, tzinfo=UTC))
    '2026-01-31T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """Read what :func:`iso` writes (and any ISO 8601 time with an offset)."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def timestamp14(moment: datetime) -> str:
    """The 14 digits of CDX and of the Wayback URL."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def parse_asked_time(text: str) -> datetime:
    """The time a person asks for, as the *latest* moment it can mean.

    ISO 8601 (UTC when it has no offset), or 4 to 14 digits.
    Raises :class:`ImpossibleTime` when it is neither.

    >>> iso(parse_asked_time("2026-01-31"))
    '2026-01-31T23:59:59.999999Z'
    >>> iso(parse_asked_time("2026-01-31 10:00"))
    '2026-01-31T10:00:59.999999Z'
    """
    try:
        return _latest(text.strip())
    except (ValueError, OverflowError) as error:
        raise ImpossibleTime(
            f"'{text}' is not a time: give ISO 8601, as in 2026-01-31T10:00:00+01:00, or digits, as in 20260131100000"
        ) from error


def parse_asked_start(text: str) -> datetime:
    """The *first* moment that a time can mean. Raises :class:`ImpossibleTime`.

    >>> iso(parse_asked_start("2026-01")), iso(parse_asked_start("202601")), iso(parse_asked_start("2026-01-31 10:00"))
    ('2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', '2026-01-31T10:00:00.000000Z')
    """
    plain = text.strip()
    digits = _DIGITS.fullmatch(plain)
    month = _MONTH.fullmatch(plain)
    if digits or month:
        parts = [int(part) for part in (digits or month).groups() if part]  # type: ignore[union-attr]
        parse_asked_time(plain)
        return datetime(*(*parts, 1, 1)[: max(3, len(parts))], tzinfo=UTC)  # type: ignore[misc,arg-type]
    parse_asked_time(plain)
    return from_iso(plain)


def _latest(text: str) -> datetime:
    digits = _DIGITS.fullmatch(text)
    if digits:
        return _end_of_span([int(part) for part in digits.groups() if part])
    month = _MONTH.fullmatch(text)
    if month:
        return _end_of_span([int(part) for part in month.groups()])
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return moment + timedelta(days=1, microseconds=-1)
    if "." in text:
        return moment
    span = timedelta(seconds=1) if re.search(r":\d\d:\d\d", text) else timedelta(minutes=1)
    return moment + span - timedelta(microseconds=1)


def _end_of_span(parts: list[int]) -> datetime:
    start = datetime(*(*parts, 1, 1)[: max(3, len(parts))], tzinfo=UTC)  # type: ignore[misc,arg-type]
    match len(parts):
        case 1:
            following = start.replace(year=start.year + 1)
        case 2:
            following = (start + timedelta(days=31)).replace(day=1)
        case count:
            following = (
                start + (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))[count - 3]
            )
    return following - timedelta(microseconds=1)
