"""When the story was published and last changed: out of the page's data, its URL, and what is printed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.dates import day_in_url, read_date
from newsmorgue.cleaning.metadata.facts import Facts
from newsmorgue.cleaning.metadata.jsonld import Node
from newsmorgue.cleaning.metadata.nearby import Around, Nearby, following, marks_of, names_of, stands_in_comments
from newsmorgue.cleaning.tree import short_text, text_within

_PUBLISHED = (
    "article:published_time", "og:published_time", "og:article:published_time", "article:published", "datepublished",
    "published_time", "pubdate", "publishdate", "publish-date", "publish_date", "publication_date",
    "date_published", "parsely-pub-date", "published-date", "publication-date", "published_at", "published",
    "w-published-date", "sailthru.date", "dc.date.issued", "dc.date.created", "dcterms.created", "dcterms.date",
    "dc.date", "article_date_original", "originalpublicationdate", "article.published",
    "cxenseparse:recs:publishtime", "cxenseparse:publishtime", "datecreated", "article.created", "date",
    "dcterms.issued", "citation_publication_date", "rnews:datepublished", "shareaholic:article_published_time",
    "creation_date", "pdate", "ptime", "article:published_date", "firstpublishedtime", "displaydate", "released",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "og:updated_time", "article:modified", "datemodified", "dc.date.modified",
    "dcterms.modified", "last-modified", "lastmod", "article.updated", "date_modified", "modified_time", "revised",
    "article:updated_time", "og:article:modified_time", "updated_time", "modified-date", "lastmodified",
)  # fmt: skip
_UPDATED = re.compile(
    r"updated?\b|modified|revised|edited|corrected|mis(?:e)? à jour|actualis|modifié|aktualisiert|geändert|bearbeitet"
    r"|zuletzt|actualizad|modificad|atualizad|aggiornat|modificat|bijgewerkt|gewijzigd|uppdaterad|oppdatert|opdateret"
    r"|päivitetty|обновлен|изменен|güncel|aktualizac|zaktualizowan|frissítve|actualitzat|ενημέρωση|ενημερώθηκε"
    r"|оновлен|עודכן|تحديث|अपडेट|อัปเดต|ปรับปรุง|更新|수정|diperbarui|reviewed",
    re.I,
)
_CAME_OUT = re.compile(
    r"publi(?:shed|é|cad|cat|ziert)|posted|veröffentlicht|erstellt|pubblicat|opublikowan|опубликован|опубліков|yayınlan"
    r"|gepubliceerd|publicerad|publisert|julkaistu|δημοσι|פורסם|نشر|प्रकाशित|เผยแพร่|发布|發布|公開|配信|입력|등록",
    re.I,
)
_IN_DATA = frozenset({"json-ld", "meta", "microdata"})
# How far a place's clock can be from UTC (time zone database, 2024a).
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)
# Offsets of places that are not whole hours.
_ODD_OFFSETS = frozenset({-210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765})
_LONGEST_RAW, _FIRST_TIMES = 300, 8
# How many places behind one that gives a time are asked for its offset; how long ISO 8601 is without one.
_MOST_PRECISER, _TO_THE_MINUTE, _TO_THE_SECOND = 12, 16, 19

_REACH_OF_LINES, _LONGEST_LINE, _LONGEST_DATELINE = 3000, 60, 40
# A paragraph that begins with a date, perhaps behind a place: "BERLIN, 3. Mai 2024 – Die …".
_DATELINE = re.compile(r"(?:[^\W\d_][\w ./-]{1,30},\s)?\d{1,2}\.\s?(?:\d{1,2}\.|[^\W\d_]{3,10}\s)\s?20\d\d\b")
_LINKS = frozenset({"a", "header", "footer", "option"})

Candidates = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Moment:
    """``value`` in ISO 8601. ``day`` is set where the publisher counts days otherwise than ``value``'s offset does."""

    value: str
    found: Found
    day: str | None = None


def read_published(facts: Facts, around: Around) -> Moment | None:
    """When the story was first published. ``around`` gives what is printed near the headline, where it is needed."""
    month_first = _month_first(facts)
    in_url = day_in_url(facts.url)
    declared = _first(_declared(facts), month_first)
    if declared is None:
        printed = _first(_printed(facts, around.everything()), month_first)
        declared = _of_url(facts.url, in_url, printed)
    else:
        declared = _outvoted(declared, facts)
    return _as_printed(declared, facts, around, month_first, in_url) if declared else None


def read_modified(facts: Facts, around: Around, published: Moment | None) -> Moment | None:
    """When the page says that the story was last changed; in print, where that is not before ``published``."""

    def candidates() -> Candidates:
        yield from _linked_strings(facts.linked.story, "dateModified")
        yield from _metas(facts, _MODIFIED)
        yield from _microdata(facts, "dateModified")
        yield from _linked_strings(facts.linked.page, "dateModified")

    month_first = _month_first(facts)
    if declared := _first(candidates(), month_first):
        return declared
    # What data have of the publication they would have of a change; then only elements made for times are looked at.
    nearby = around.everything() if published is None or published.found.how not in _IN_DATA else None
    printed = _first(_changes(facts, nearby), month_first)
    return printed if printed and (published is None or printed.value[:10] >= published.value[:10]) else None


def _changes(facts: Facts, nearby: Nearby | None) -> Candidates:
    """Times that are named or worded as those of a change."""
    for element in facts.times[:_FIRST_TIMES]:
        if not stands_in_comments(element) and _is_of_change(element):
            yield "time", element.get("datetime") or text_within(element)[:_LONGEST_RAW]
    for how, raw in nearby.dates if nearby else ():
        if changed := _UPDATED.search(raw):
            yield how, raw[changed.start() :]


def _is_of_change(element: etree._Element) -> bool:
    before, above = element.getprevious(), element.getparent()
    said = before.tail if before is not None else above.text if above is not None else None
    names = set(names_of(element).replace("-", " ").replace("_", " ").lower().split())
    if not names.isdisjoint(("published", "pubdate")):
        return False
    return not names.isdisjoint(("updated", "modified", "update")) or bool(
        _UPDATED.search((said or "")[-_LONGEST_LINE:])
    )


def _month_first(facts: Facts) -> bool:
    """The United States write the month first; so do few others (CLDR, short date format)."""
    language = facts.language or ""
    return language in ("en", "en-US", "en-PH", "") and not re.search(r"\.(?:uk|au|nz|ie|in|za)(?:[:/]|$)", facts.url)


def _first(candidates: Candidates, month_first: bool) -> Moment | None:
    """The first readable date; of the next ones, one that says the same more precisely (a time of that day, an offset
    of that time) is taken instead."""
    best: Moment | None = None
    left = _MOST_PRECISER
    for how, raw in candidates:
        value = read_date(raw, month_first)
        if value and (best is None or _is_preciser(value, best.value)):
            best = Moment(value, Found(how, raw[:_LONGEST_RAW]))
        if best and "T" in best.value:
            left -= 1
            if left == 0 or _has_offset(best.value):
                return best
    return best


def _is_preciser(value: str, other: str) -> bool:
    if "T" not in other:
        return "T" in value and value[:10] == other
    return _has_offset(value) and value[:_TO_THE_MINUTE] == other[:_TO_THE_MINUTE]


def _has_offset(value: str) -> bool:
    return len(value) > _TO_THE_SECOND


def _declared(facts: Facts) -> Candidates:
    story, page = facts.linked.story, facts.linked.page
    yield from _linked_strings(story, "datePublished", "dateCreated", "uploadDate")
    yield from _metas(facts, _PUBLISHED)
    yield from _microdata(facts, "datePublished", "datecreated", "datepublished", "dateCreated")
    yield from _linked_strings(page, "datePublished")
    yield from _linked_strings(story, "dateModified")


def _linked_strings(node: Node, *keys: str) -> Candidates:
    for key in keys:
        value = node.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str | int):
                yield "json-ld", str(item)


def _metas(facts: Facts, names: tuple[str, ...]) -> Candidates:
    return (("meta", value) for name in names if name in facts.metas for value in facts.values(name)[:1])


def _microdata(facts: Facts, *names: str) -> Candidates:
    for element in facts.times:
        if element.get("itemprop") in names and not stands_in_comments(element):
            yield "microdata", element.get("content") or element.get("datetime") or text_within(element)[:_LONGEST_RAW]


def _printed(facts: Facts, nearby: Nearby) -> Candidates:
    """What is printed near the headline, then the page's time elements, then lines with a date anywhere behind the
    headline; what is said to be an update comes last."""
    updated = [pair for pair in nearby.dates if _UPDATED.search(pair[1])]
    yield from ((how, before) for how, raw in updated if (before := _before_change(raw)))
    yield from (pair for pair in nearby.dates if pair not in updated)
    times = [element for element in facts.times[:40] if not stands_in_comments(element)]
    for element in sorted(times, key=lambda element: "pubdate" not in element.attrib):
        if not marks_of(names_of(element)).today:
            yield "time", element.get("datetime") or text_within(element)[:_LONGEST_RAW]
    yield from updated
    yield from (("printed", line) for line in _dated_lines(facts))


def _before_change(raw: str) -> str:
    """The part of a line that says when a story came out, where it also says when it was changed; or nothing."""
    changed, published = _UPDATED.search(raw), _CAME_OUT.search(raw)
    if changed is None or published is None:
        return ""
    return raw[published.start() : changed.start()] if published.start() < changed.start() else raw[published.start() :]


def _dated_lines(facts: Facts) -> Iterator[str]:
    """Short lines with a year in them and datelines, behind the headline where there is one: before it stands the day
    of reading."""
    start, inside = (facts.h1s[0], False) if facts.h1s else (facts.root, True)
    return _lines(following(start, _REACH_OF_LINES, inside=inside))


def _lines(elements: Iterator[etree._Element]) -> Iterator[str]:
    for element in elements:
        for text in () if element.tag in _LINKS else (element.text, element.tail):
            if text and "20" in text and (line := text.strip()):
                if len(line) < _LONGEST_LINE:
                    yield line
                elif _DATELINE.match(line):
                    yield line[:_LONGEST_DATELINE]


def _of_url(url: str, in_url: str | None, printed: Moment | None) -> Moment | None:
    """The day in the URL before a printed one, unless the printed is the same with its time."""
    if in_url is None or (printed and printed.value[:10] == in_url):
        return printed
    return Moment(in_url, Found("url", url[:_LONGEST_RAW]))


def _outvoted(declared: Moment, facts: Facts) -> Moment:
    """Another moment that a meta element and a ``time`` element agree on, where JSON-LD alone has this one."""
    if declared.found.how != "json-ld":
        return declared
    metas = [Moment(value, Found(how, raw)) for how, raw in _metas(facts, _PUBLISHED) if (value := read_date(raw))]
    if not metas or any(moment.value[:10] == declared.value[:10] for moment in metas):
        return declared
    times = {read_date(element.get("datetime") or "") for element in facts.times[:_FIRST_TIMES]}
    return next((moment for moment in metas if "T" in moment.value and moment.value in times), declared)


def _as_printed(declared: Moment, facts: Facts, around: Around, month_first: bool, in_url: str | None) -> Moment:
    """The same instant on the clock that the page prints, so that its day is the one readers see."""
    instant = _instant(declared.value)
    if instant is None or not declared.value.endswith("+00:00") or in_url == declared.value[:10]:
        return declared
    own = [
        element
        for element in facts.times[:_FIRST_TIMES]
        if (moment := _instant(read_date(element.get("datetime") or "") or "")) and _same_minute(moment, instant)
    ]
    if own:
        dates = [text for element in own for text in (element.get("datetime", ""), text_within(element)[:_LONGEST_RAW])]
    else:
        printed = (short_text(element, _LONGEST_RAW) for element in facts.times[:_FIRST_TIMES])
        dates = [raw for raw in (*printed, *around.clocks()) if not _UPDATED.search(raw)]
    values = [value for raw in dates if (value := read_date(raw, month_first))]
    days = [value for value in values if own and "T" not in value]
    return _on_clock(declared, instant, values) or _on_day(declared, days[0] if days else in_url)


def _on_clock(declared: Moment, instant: datetime, values: list[str]) -> Moment | None:
    for value in values:
        if "T" in value and value[:10] != declared.value[:10]:
            clock = datetime.fromisoformat(value)
            offset = clock.utcoffset() if clock.tzinfo else _offset_between(clock, instant)
            if offset is not None and _shows(clock, offset, instant):
                local = instant.astimezone(timezone(offset))
                return Moment(local.isoformat(timespec="seconds"), declared.found)
    return None


def _same_minute(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(minutes=1)


def _shows(clock: datetime, offset: timedelta, instant: datetime) -> bool:
    """Whether a clock at an offset shows the instant, to the minute."""
    return clock.replace(tzinfo=None, second=0) - offset == instant.replace(tzinfo=None, second=0)


def _instant(value: str) -> datetime | None:
    moment = datetime.fromisoformat(value) if "T" in value else None
    return moment.astimezone(UTC) if moment and moment.tzinfo else None


def _offset_between(clock: datetime, instant: datetime) -> timedelta | None:
    """The offset of a printed clock that shows the instant to the minute, if a place on Earth has it."""
    utc = instant.replace(tzinfo=None)
    offset = clock.replace(second=0) - utc.replace(second=0)
    if not _WEST <= offset <= _EAST:
        return None
    minutes = int(offset.total_seconds() // 60)
    return offset if minutes % 60 == 0 or minutes in _ODD_OFFSETS else None


def _on_day(moment: Moment, day: str | None) -> Moment:
    """With the publisher's day, where that is the neighbour of UTC's and some place has that day at the instant."""
    if day is None or day == moment.value[:10]:
        return moment
    utc = datetime.fromisoformat(moment.value)
    possible = {(utc + _WEST).date(), (utc + _EAST).date()}
    return Moment(moment.value, moment.found, day) if date.fromisoformat(day) in possible else moment
