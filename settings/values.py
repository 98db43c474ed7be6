"""How one value of the configuration is read: given as TOML or as an environment variable's text.

Every reader takes what was given and returns the value, or raises ValueError whose message is what is
allowed.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from newsmorgue.archive.capture import Assets, Policy
from newsmorgue.schedule import timetable

SLUG = re.compile(r"[a-z0-9._-]{1,64}")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
# IEC 80000-13 prefixes; the decimal ones mean what SI says.
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SECONDS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_MAIL = re.compile(r"[^@\s()<>,;]+@[^@\s()<>,;]+")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9!_.*'()/-]*)?")


class WrongElementError(ValueError):
    """One element of a list is wrong: the second argument."""


def text(given: object) -> str:
    """Text that is not empty and has no control characters."""
    if not isinstance(given, str) or not given.strip() or re.search(r"[\x00-\x1f\x7f]", given):
        raise ValueError('text in quotes, as in "eu-central-1"')
    return given.strip()


def whole_number(given: object) -> int:
    """A count of at least one."""
    if isinstance(given, bool) or not re.fullmatch(r"[1-9]\d{0,5}", str(given)):
        raise ValueError("a whole number from 1 to 999999")
    return int(str(given))


def size(given: object) -> int:
    """Bytes.

    >>> size("256 MiB")
    268435456
    """
    allowed = 'a size of at least 1 MiB, as in "256 MiB" or "1 GiB"'
    count = int(_quantity(given, _BYTES, allowed))
    if count < 2**20:
        raise ValueError(allowed)
    return count


def every(given: object) -> timedelta | str:
    """How often a source is crawled: a span of at least a minute, or a line of cron's five fields.

    >>> every("15 minutes"), every("*/15 6-22 * * mon-fri")
    (datetime.timedelta(seconds=900), '*/15 6-22 * * mon-fri')
    """
    allowed = 'a time span from 1 minute to 366 days, as in "15 minutes", or a cron line, as in "*/15 6-22 * * *"'
    try:
        return age(given)
    except ValueError:
        if not isinstance(given, str):
            raise ValueError(allowed) from None
    try:
        return timetable.cron_line(given)
    except ValueError as error:
        raise ValueError(allowed) from error


def timezone(given: object) -> str:
    """A time zone by its name."""
    name = text(given)
    timetable.zone(name)
    return name


def quiet_hours(given: object) -> tuple[timetable.Quiet, ...]:
    """Hours in which no crawl begins, one span or a list of them."""
    spans = given if isinstance(given, list) else [given]
    if not all(isinstance(span, str) for span in spans):
        raise ValueError('hours as in "23:00-05:30", or a list of such')
    return tuple(timetable.quiet_hours(str(span)) for span in spans)


def age(given: object) -> timedelta:
    """A span of at least a minute.

    >>> age("24 h")
    datetime.timedelta(days=1)
    """
    allowed = 'a time span from 1 minute to 366 days, as in "24 h" or "30 minutes"'
    seconds = _quantity(given, _SECONDS, allowed)
    if not 60 <= seconds <= 366 * 86400:
        raise ValueError(allowed)
    return timedelta(seconds=seconds)


def delay(given: object) -> float:
    """Seconds between two requests, 0 to one hour."""
    allowed = 'seconds from 0 to 3600, as in 1.5 or "2 s"'
    seconds = _quantity(given, _SECONDS, allowed)
    if seconds > 3600:
        raise ValueError(allowed)
    return seconds


def _quantity(given: object, units: dict[str, int], allowed: str) -> float:
    match = None if isinstance(given, bool) else _QUANTITY.fullmatch(str(given).strip())
    if not match or match[2].lower() not in units:
        raise ValueError(allowed)
    return float(match[1]) * units[match[2].lower()]


def web_address(given: object) -> str:
    """An absolute http or https URL without user name, white space or control characters; an empty path
    becomes ``/``.
    """
    allowed = 'an absolute http:// or https:// address, as in "https://example.org/"'
    if not isinstance(given, str) or re.search(r"[\x00-\x20\x7f\\]", given):
        raise ValueError(allowed)
    try:
        parts = urlsplit(given)
        host(parts.netloc)
    except ValueError as error:
        raise ValueError(allowed) from error
    if parts.scheme not in ("http", "https"):
        raise ValueError(allowed)
    return parts._replace(path=parts.path or "/", fragment="").geturl()


def web_addresses(given: object) -> tuple[str, ...]:
    """A list of :func:`web_address`, without repetitions."""
    return _list_of(given, web_address)


def host(given: object) -> str:
    """A host in lower case and ASCII, with a port where one is given.

    >>> host("Zeitung.Example:8080"), host("bücher.example")
    ('zeitung.example:8080', 'xn--bcher-kva.example')
    """
    allowed = 'a host name, as in "amp.example.org" or "example.org:8080"'
    if not isinstance(given, str):
        raise ValueError(allowed)
    try:
        parts = urlsplit("//" + given)
        name, port = (parts.hostname or "").rstrip(".").encode("idna").decode(), parts.port
    except (UnicodeError, ValueError) as error:
        raise ValueError(allowed) from error
    name = f"[{name}]" if ":" in name else name
    if parts.netloc != given or "@" in given or not _HOST.fullmatch(name) or port == 0:
        raise ValueError(allowed)
    return name + (f":{port}" if port else "")


def hosts(given: object) -> tuple[str, ...]:
    """A list of :func:`host`, without repetitions."""
    return _list_of(given, host)


def _list_of(given: object, read: Callable[[object], str]) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise ValueError('a list in brackets, as in ["…", "…"]')
    return tuple(dict.fromkeys(_element(one, read) for one in given))


def _element(given: object, read: Callable[[object], str]) -> str:
    try:
        return read(given)
    except ValueError as error:
        raise WrongElementError(f"a list of which each is {error}", given) from error


def contact(given: object) -> str:
    """A mail address or a web address at which the crawler's operator is reached."""
    if isinstance(given, str) and _MAIL.fullmatch(given) and given.isascii() and given.isprintable():
        return given
    try:
        return web_address(given)
    except ValueError as error:
        raise ValueError('a mail or web address, as in "archive@example.org"') from error


def checksums(given: object) -> str:
    """When boto3 adds checksums to what it sends."""
    if given not in ("when_supported", "when_required"):
        raise ValueError('"when_supported" or "when_required"')
    return str(given)


def assets(given: object) -> Assets:
    """Which files are kept with a story's page."""
    try:
        return Assets(str(given))
    except ValueError as error:
        raise ValueError(f"one of {', '.join(Assets)}, in quotes") from error


def selector(given: object) -> str:
    """A CSS selector."""
    # Only a configuration that has one needs what reads pages.
    from newsmorgue.cleaning.choosing import check

    try:
        check(given if isinstance(given, str) else "")
    except ValueError as error:
        raise ValueError(f'a CSS selector, as in "div.story > p" ({error})') from error
    return str(given)


def selectors(given: object) -> tuple[str, ...]:
    """A list of :func:`selector`, without repetitions."""
    return _list_of(given, selector)


def policy(given: object) -> Policy:
    """What is kept of what a site asks not to keep."""
    try:
        return Policy(str(given))
    except ValueError as error:
        raise ValueError(f"one of {', '.join(Policy)}, in quotes") from error


def yes_or_no(given: object) -> bool:
    """A truth: TOML's own, or as a variable's text."""
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        return known[str(given).lower()]
    except KeyError as error:
        raise ValueError("true or false") from error


def folder(given: object, base: Path) -> Path:
    """An absolute folder; a relative one starts at ``base``."""
    if not isinstance(given, str) or not given.strip() or "\0" in given or "://" in given:
        raise ValueError('a folder, as in "./archive"')
    return (base / Path(given).expanduser()).resolve()


def spider_file(given: object, base: Path) -> Path:
    """The absolute path of a Python file, there or not; a relative one starts at ``base``."""
    if not isinstance(given, str) or "\0" in given or not given.endswith(".py"):
        raise ValueError('a Python file, as in "example.py"')
    return (base / Path(given).expanduser()).resolve()


def store(given: object, base: Path) -> str:
    """``s3://bucket/prefix`` or an absolute folder."""
    if isinstance(given, str) and _BUCKET.fullmatch(given):
        return given.rstrip("/")
    try:
        return str(folder(given, base))
    except ValueError as error:
        raise ValueError('a folder, as in "./archive", or "s3://bucket/prefix"') from error


def catalogue(given: object, base: Path) -> str:
    """A SQLAlchemy URL: SQLite with an absolute path, or PostgreSQL by psycopg 3."""
    if isinstance(given, str) and (match := re.fullmatch(r"postgres(?:ql)?(?:\+psycopg)?://(\S+)", given)):
        return f"postgresql+psycopg://{match[1]}"
    if isinstance(given, str) and (match := re.fullmatch(r"sqlite:///([^?#\x00]+)", given)):
        return sqlite_url((base / Path(match[1]).expanduser()).resolve())
    raise ValueError('"sqlite:///catalogue.sqlite" or "postgresql://user:password@host/database"')


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of a SQLite file."""
    return f"sqlite:///{path}"
