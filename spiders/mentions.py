"""What discovery yields: addresses that a feed, sitemap or page mentions, cleaned of what no request may
hold.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

# sitemaps.org: a <loc> "must be less than 2,048 characters".
_LONGEST_ADDRESS = 2048
_LONGEST_TITLE = 500
_LONGEST_DATE = 64
# Needs no mending; nearly all of a sitemap's 50,000 do not, and mending one takes 40 µs.
_PLAIN = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]*[a-z0-9](?:/[\w.~/+,;=@:&!$*()-]*+(?:\?[\w.~/+,;=@:&!$*()-]*+)?)", re.A
)
_HTML_SPACE = " \t\n\r\f"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DAY = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Mention:
    """One address that was mentioned.

    ``url`` is absolute, http or https, without fragment, and spelled as a request sends it (ASCII, escaped).
    ``stated`` is when the page is said to have changed last, else been published, spelled by
    :func:`normal_date`. ``title`` is plain text. None where nothing was said.
    """

    url: str
    stated: str | None = None
    title: str | None = None


def mention(raw: str | None, base: str, stated: str | None = None, title: str | None = None) -> Mention | None:
    """A Mention of an address found in the document at ``base``; None where it is no web address."""
    url = absolute_address(raw, base)
    return Mention(url, normal_date(stated), normal_title(title)) if url else None


def absolute_address(raw: str | None, base: str) -> str | None:
    """The http(s) URL that ``raw`` means in the document at ``base``, without fragment; None where it means
    none.

    Refused are other schemes, user names, control characters, hosts and ports that cannot be, and addresses
    of more than 2,048 characters.

    >>> absolute_address(" /a b#c ", "https://example.org/x/")
    'https://example.org/a%20b'
    >>> absolute_address("javascript:alert(1)", "https://example.org/")
    """
    raw = (raw or "").strip(_HTML_SPACE)
    if not raw or len(raw) > _LONGEST_ADDRESS or _CONTROLS.search(raw):
        return None
    if _PLAIN.fullmatch(raw):
        return raw
    try:
        url = safe_url_string(urljoin(base, raw))
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return None
    return url.partition("#")[0] if usable and len(url) <= _LONGEST_ADDRESS else None


def normal_date(raw: str | None) -> str | None:
    """A date as ISO 8601: in UTC to the second with ``Z`` where it had an offset, as precise as given
    otherwise.

    Reads the W3C profile of ISO 8601 (sitemaps, Atom, JSON Feed) and RFC 5322 (RSS). What is neither is
    returned as it is: as long as it changes when the page does, it serves.

    >>> normal_date("Fri, 30 Jan 2026 10:00:00 +0100"), normal_date("2026-01-30"), normal_date("30.1.2026")
    ('2026-01-30T09:00:00Z', '2026-01-30', '30.1.2026')
    """
    raw = _CONTROLS.sub(" ", raw or "").strip()[:_LONGEST_DATE]
    if not raw or _DAY.fullmatch(raw):
        return raw or None
    try:
        moment = _moment(raw)
        if moment.tzinfo is None:
            return moment.isoformat(timespec="seconds")
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return raw


def _moment(raw: str) -> datetime:
    try:
        return datetime.fromisoformat(raw)
    except ValueError:
        return parsedate_to_datetime(raw)


def normal_title(raw: str | None) -> str | None:
    """A title on one line, of at most 500 characters, without control characters; None where nothing is
    left.
    """
    return " ".join(_CONTROLS.sub(" ", raw or "").split())[:_LONGEST_TITLE] or None
