"""Dates as pages write them, to ISO 8601 as precise as they were: a day, or a time with the page's own offset."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from newsmorgue.cleaning.metadata.months import month_of

# A web page is not older than the web; later bounds would need a clock.
_YEARS = range(1990, 2100)
_BUDDHIST = 543  # Thailand counts years from the Buddha's death.
_ISO = re.compile(
    r"(?<!\d)(\d{4})[-/](\d{1,2})[-/](\d{1,2})"
    r"(?:(?:T|\s+|,\s*)(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,:]\d{1,9})?)?\s*(Z\b|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d(?!\d))?)?",
    re.I,
)
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z|[+-]\d\d:?\d\d)?)?(?!\d)")
# A letter of any script, or a vowel sign, which Python does not count among the characters of words.
_LETTER = r"[^\s\d_\x00-@\[-`{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\u2000-\u206f\u3000-\u303f]"
_NAMED = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?[\s\-/.]*(?:de\s+"
    rf"|of\s+)?({_LETTER}{{2,14}})\.?,?(?:/{_LETTER}{{2,14}})?[\s\-/.]*(?:de\s+|del\s+)?(\d{{4}})"
)
_MONTH_FIRST = re.compile(rf"({_LETTER}{{2,14}})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})")
# "2024. 5. 3.", "2024.05.03"; "2024. május 3.".
_YEAR_FIRST = re.compile(
    rf"(?<![\d.])(\d{{4}})(?:\.\s?(\d{{1,2}})\.\s?|\.?\s+({_LETTER}{{3,14}})\s+)(\d{{1,2}})(?![\d:])"
)
_VIETNAMESE = re.compile(r"(\d{1,2})\s+tháng\s+(\d{1,2})(?:,|\s+năm)?\s+(\d{4})", re.I)
# "3 พ.ค. 2567": the dots within Thai abbreviations.
_THAI_DOT = re.compile("(?<=[\u0e01-\u0e4e])\\.(?:\\s?(?=[\u0e01-\u0e4e]))?")
_EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d\d)(?![\d.]\d)")
_CLOCK = re.compile(
    r"(?<![\d:.+-])(\d{1,2})(?:[:h]|(?<=\d)\.(?=\d\d\s*(?:Uhr|hrs|am|pm)))(\d\d)?(?::(\d\d))?\s*(a\.?m\.?\b"
    r"|p\.?m\.?\b|[صم](?!\w)|[πμ]\.?μ\b)?",
    re.I,
)
# "午後6時05分", "오후 6:05", "下午6点"; "kl. 18.05".
_EAST_ASIAN_CLOCK = re.compile(
    r"(午後|下午|晚上|오후)?(?:午前|上午|오전)?\s*(?<!\d)(\d{1,2})\s?(?:[時时点點시]\s?(?:(\d{1,2})\s?[分분])?|:(\d\d))"
)
_CLOCK_SAID = re.compile(r"\b(?:kl|klo|kello|ore|alle|saat|godz)\.?\s*(\d{1,2})\.(\d\d)\b", re.I)
# Names of zones that mean one offset wherever they are used in print; CST, IST and BST do not.
_ZONES = {
    "EST": "-05:00", "EDT": "-04:00", "CDT": "-05:00", "MST": "-07:00", "MDT": "-06:00", "PST": "-08:00",
    "PDT": "-07:00", "CET": "+01:00", "CEST": "+02:00", "MEZ": "+01:00", "MESZ": "+02:00", "EET": "+02:00",
    "EEST": "+03:00", "MSK": "+03:00", "JST": "+09:00", "KST": "+09:00", "AEST": "+10:00", "AEDT": "+11:00",
    "NZST": "+12:00", "NZDT": "+13:00", "WIB": "+07:00", "SAST": "+02:00",
}  # fmt: skip
_OFFSET = re.compile(
    r"(?:\b(?:UTC|GMT)\b|(?<=\d)Z\b)?\s?([+-]\d\d:?\d\d)\b|\b(?:UTC|GMT)\s?([+-]\d{1,2})\b(?!:)|\b(UTC|GMT)\b"
    rf"|(?<=\d)(Z)\b|\b({'|'.join(_ZONES)})\b"
)
_IN_URL = re.compile(r"(?<!\d)((?:19|20)\d\d)([/_-]?)(\d\d?)\2(\d\d?)(?!\d)")
_IN_URL_LAST = re.compile(r"(?<!\d)(\d\d)[-_](\d\d)[-_](20\d\d)(?!\d)")
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?")


def read_date(text: str, month_first: bool = False) -> str | None:
    """The first date in ``text`` as ISO 8601, or None.

    ``month_first`` says how to read 03/04/2024. A time is kept only where one stands beside the date, and an offset
    only where one is written: nothing is converted.

    >>> read_date("Publié le 22 novembre 2023 à 08h14"), read_date("Wed, 22 Nov 2023 08:14:05 +0100")
    ('2023-11-22T08:14:00', '2023-11-22T08:14:05+01:00')
    >>> read_date("เผยแพร่ 3 พ.ค. 2567 18:05"), read_date("2024年5月3日 午後6時05分")
    ('2024-05-03T18:05:00', '2024-05-03T18:05:00')
    >>> read_date("March 4, 2024 5:06 pm"), read_date("03/04/2024"), read_date("03/04/2024", month_first=True)
    ('2024-03-04T17:06:00', '2024-04-03', '2024-03-04')
    """
    text = text.strip()[:300]
    if _EPOCH.fullmatch(text):
        return _from_epoch(int(text[:10]))
    return next(_readings(text, month_first), None)


def day_in_url(url: str) -> str | None:
    """The day written in a URL's path (``/2024/03/04/``, ``/2024-03-04-``, ``/20240304/``, ``/25-03-2024``), or None.

    >>> day_in_url("https://example.org/2024/03/04/title"), day_in_url("https://example.org/a-2024")
    ('2024-03-04', None)
    >>> day_in_url("https://example.org/a-25-03-2024"), day_in_url("https://example.org/03-04-2024")
    ('2024-03-25', None)
    """
    for match in _IN_URL.finditer(url):
        year, separator, month, day = match.groups()
        if separator or (len(month) == len(day) == 2):
            found = _day(int(year), int(month), int(day))
            if found:
                return found
    ended = _IN_URL_LAST.search(url)
    # Which of two small numbers is the month, no URL says.
    return _day(int(ended[3]), int(ended[2]), int(ended[1])) if ended and int(ended[1]) > 12 else None


def _from_epoch(seconds: int) -> str | None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.isoformat() if moment.year in _YEARS else None


def _readings(text: str, month_first: bool) -> Iterator[str]:
    for match in _ISO.finditer(text):
        yield from _with_time(
            _day(int(match[1]), int(match[2]), int(match[3])),
            match[4],
            match[5],
            match[6],
            match[7],
            text[match.end() :],
        )
    for match in _COMPACT.finditer(text):
        yield from _with_time(
            _day(int(match[1]), int(match[2]), int(match[3])), match[4], match[5], match[6], match[7], ""
        )
    text = text if text.isascii() else _THAI_DOT.sub("", text)
    for day, start, end in _spelled(text, month_first):
        rest = text[end:] if re.search(r"\d", text[end:]) else text[:start]
        yield from _with_clock(day, rest)


def _spelled(text: str, month_first: bool) -> Iterator[tuple[str | None, int, int]]:
    for match in _EAST_ASIAN.finditer(text):
        yield _day(int(match[1]), int(match[2]), int(match[3])), *match.span()
    if "tháng" in text:
        for match in _VIETNAMESE.finditer(text):
            yield _day(int(match[3]), int(match[2]), int(match[1])), *match.span()
    for match in _NAMED.finditer(text):
        yield _day(int(match[3]), month_of(match[2]), int(match[1])), *match.span()
    for match in _MONTH_FIRST.finditer(text):
        yield _day(int(match[3]), month_of(match[1]), int(match[2])), *match.span()
    for match in _YEAR_FIRST.finditer(text):
        month = int(match[2]) if match[2] else month_of(match[3])
        yield _day(int(match[1]), month, int(match[4])), *match.span()
    for match in _NUMERIC.finditer(text):
        yield _numeric_day(match, month_first), *match.span()


def _numeric_day(match: re.Match[str], month_first: bool) -> str | None:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    year += 2000 if year < 100 else 0
    as_american = (month_first and match[2] != ".") or second > 12
    return _day(year, first, second) if as_american else _day(year, second, first)


def _day(year: int, month: int, day: int) -> str | None:
    year -= _BUDDHIST if year - _BUDDHIST in _YEARS else 0
    try:
        return date(year, month, day).isoformat() if year in _YEARS else None
    except ValueError:
        return None


def _with_time(
    day: str | None, hour: str | None, minute: str | None, second: str | None, offset: str | None, rest: str
) -> Iterator[str]:
    if day is None:
        return
    if hour is None or int(hour) > 23 or int(minute or 0) > 59:
        yield day
        return
    seconds = min(int(second or 0), 59)
    half = re.match(r"\s*([ap])\.?m", rest, re.I)
    yield f"{day}T{_hour(int(hour), half[1] if half else None):02}:{int(minute or 0):02}:{seconds:02}{_offset(offset)}"


def _with_clock(day: str | None, rest: str) -> Iterator[str]:
    if day is None:
        return
    clock = _clock_in(rest)
    if clock is None or clock[0] > 23 or clock[1] > 59:
        yield day
        return
    hour, minute, second, end = clock
    offset = _OFFSET.search(rest, end)
    zone = next(filter(None, offset.groups()), None) if offset else None
    yield f"{day}T{hour:02}:{minute:02}:{min(second, 59):02}{_offset(zone)}"


def _clock_in(text: str) -> tuple[int, int, int, int] | None:
    """Hour, minute and second of the first time of day, and where its hour ends."""
    if not text.isascii() and (match := _EAST_ASIAN_CLOCK.search(text)) and (match[1] or not match[4]):
        return _hour(int(match[2]), "p" if match[1] else None), int(match[3] or match[4] or 0), 0, match.end(2)
    if match := _CLOCK.search(text):
        return _hour(int(match[1]), match[4]), int(match[2] or 0), int(match[3] or 0), match.end(1)
    if match := _CLOCK_SAID.search(text):
        return int(match[1]), int(match[2]), 0, match.end(1)
    return None


def _hour(hour: int, half: str | None) -> int:
    if half is None or hour > 12:
        return hour
    return hour % 12 + (12 if half[0] in "pPمμ" else 0)


def _offset(text: str | None) -> str:
    if not text:
        return ""
    if text.upper() in ("Z", "UTC", "GMT"):
        return "+00:00"
    if text[0] not in "+-":
        return _ZONES[text]
    digits = text[1:].replace(":", "").zfill(2).ljust(4, "0")
    return f"{text[0]}{digits[:2]}:{digits[2:]}" if int(digits[:2]) < 15 and int(digits[2:]) < 60 else ""
