"""Retry-After (RFC 9110 §10.2.3): seconds or a date, bounded; anything else is as if nothing were said."""

from datetime import UTC, datetime, timedelta

import pytest

from newsmorgue.archive.exchange import HttpHead
from newsmorgue.spiders.answers import retry_time

# The RFC's own example of a date is Fri, 31 Dec 1999 23:59:59 GMT.
NOW = datetime(1999, 12, 31, 23, 0, tzinfo=UTC)
UNSAID = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta()),
        ("99999999999999999999", timedelta(days=1)),
        ("Fri, 31 Dec 1999 23:59:59 GMT", timedelta(minutes=59, seconds=59)),
        ("Friday, 31-Dec-99 23:59:59 GMT", timedelta(minutes=59, seconds=59)),
        ("Sat, 01 Jan 2000 00:30:00 +0100", timedelta(minutes=30)),
        ("Thu, 30 Dec 1999 23:59:59 GMT", timedelta()),
        ("Sun, 31 Dec 2099 23:59:59 GMT", timedelta(days=1)),
        ("", UNSAID),
        ("soon", UNSAID),
        ("-5", UNSAID),
        ("1.5", UNSAID),
        ("²", UNSAID),
        ("Fri, 99 Dec 1999 23:59:59 GMT", UNSAID),
    ],
)
def test_when_the_next_try_is_allowed(value: str, wait: timedelta) -> None:
    head = HttpHead(f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\n\r\n".encode("latin-1"))
    assert retry_time(head, NOW) == NOW + wait


def test_nothing_said() -> None:
    assert retry_time(HttpHead(b"HTTP/1.1 429 Too Many\r\n\r\n"), NOW) == NOW + UNSAID
