"""The journal's events: what the archive knows that no WARC holds.

One event is one line of JSON in one gzip member. ``type`` names the class below, ``seq`` is the number of the commit
it belongs to (one count for the whole catalogue: events replayed in the order of ``seq`` and place give the same
rows again), ``at`` the time in ISO 8601 UTC. Fields that are None are left out.
"""

import json
import re
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar, get_args

from newsmorgue.errors import MalformedRecord
from newsmorgue.times import from_iso, iso


@dataclass(frozen=True, slots=True)
class SourceAdded:
    """A source was crawled, or had a page saved, for the first time."""

    type: ClassVar[str] = "source"
    source: str
    home: str


@dataclass(frozen=True, slots=True)
class Paused:
    """An operator said that no scheduler is to crawl a source (``paused``), or that it is to again."""

    type: ClassVar[str] = "pause"
    source: str
    paused: bool


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began on ``host``; ``kind`` is ``crawl`` or ``save``."""

    type: ClassVar[str] = "run"
    run: str
    source: str
    kind: str
    host: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended ``finished``, ``interrupted``, ``failed``, or ``lost``: killed, and found so by a later run."""

    type: ClassVar[str] = "run_ended"
    run: str
    outcome: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Discovered:
    """A URL was found, or found again with another date. ``given`` is its spelling there, ``stated`` the date there.

    An asset's ``key`` is its URL itself; it is found again only when it is to be looked at again.
    """

    type: ClassVar[str] = "discovered"
    source: str
    url: str
    key: str
    role: str
    found_in: str
    given: str
    stated: str | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a visit to a URL ended. ``reason`` says why it was made, ``detail`` what the outcome rests on.

    ``retry_at`` is set where the visit is to be made again; ``warc`` and ``offset`` name the capture, if one was kept.
    """

    type: ClassVar[str] = "outcome"
    source: str
    url: str
    key: str
    outcome: str
    reason: str
    run: str
    detail: str | None = None
    warc: str | None = None
    offset: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    retry_at: str | None = None


@dataclass(frozen=True, slots=True)
class StoryBegun:
    """A story got its permanent id, under its first canonical URL."""

    type: ClassVar[str] = "story"
    story: str
    source: str
    canonical: str


@dataclass(frozen=True, slots=True)
class CanonicalChanged:
    """What a story's latest page says of its own address: its canonical URL, and claims that are not believed."""

    type: ClassVar[str] = "canonical"
    story: str
    canonical: str
    claimed: str | None = None
    syndicated_from: str | None = None


@dataclass(frozen=True, slots=True)
class AliasAdded:
    """A URL leads to a story; ``kind`` is ``canonical``, ``requested``, ``redirect`` or ``mentioned``."""

    type: ClassVar[str] = "alias"
    url: str
    key: str
    story: str
    kind: str


@dataclass(frozen=True, slots=True)
class VersionAdded:
    """A version and its text (``article`` in the form of :mod:`newsmorgue.cleaning.json_form`) under one reading."""

    type: ClassVar[str] = "version"
    version: str
    story: str
    reading: str
    digest: str
    article: dict[str, Any]
    warc: str
    offset: int


@dataclass(frozen=True, slots=True)
class TextRenewed:
    """A version's text under another reading, cleaned anew from the capture named."""

    type: ClassVar[str] = "text"
    version: str
    reading: str
    digest: str
    article: dict[str, Any]
    warc: str
    offset: int


@dataclass(frozen=True, slots=True)
class Sighted:
    """A capture showed a version. ``seen`` is the capture's time, ``url`` the address it was seen under."""

    type: ClassVar[str] = "sighting"
    version: str
    warc: str
    offset: int
    url: str
    seen: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A browser made a DOM of the page whose capture ``warc`` and ``offset`` name; the other fields are its record's
    place."""

    type: ClassVar[str] = "rendered"
    warc: str
    offset: int
    dom_warc: str
    dom_offset: int
    dom_length: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Two stories are one: ``story`` is a permanent redirect to the older ``into`` from now on."""

    type: ClassVar[str] = "merge"
    story: str
    into: str
    why: str


@dataclass(frozen=True, slots=True)
class Split:
    """A merge was undone."""

    type: ClassVar[str] = "split"
    story: str
    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A story's address answered 404 or 410 (``since`` is set) or answers again (``since`` is None)."""

    type: ClassVar[str] = "gone"
    story: str
    url: str
    status: int
    since: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyApplied:
    """An exchange was not kept, because its site asked for that."""

    type: ClassVar[str] = "policy"
    url: str
    decision: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """How a capture from elsewhere was filed: ``outcome`` is one of :class:`Outcome`'s, which says nothing of the URL's
    next visit. ``warc`` and ``offset`` name the capture here."""

    type: ClassVar[str] = "imported"
    source: str
    url: str
    outcome: str
    warc: str
    offset: int
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryLearned:
    """A source's last stories were looked at when it had ``stories`` of them: what it repeats is snapshot ``number``.

    A ``number`` that was there before says that nothing new was found. Each of ``lines`` is shape, kind of block, text.
    """

    type: ClassVar[str] = "memory"
    source: str
    number: int
    stories: int
    lines: list[list[str]]


# What an audit calls a capture that a repair could not save; its subject is the URL, its detail begins with the time.
LOST = "lost"


@dataclass(frozen=True, slots=True)
class Audited:
    """Something an operator may be asked about later: a recovery, a repair."""

    type: ClassVar[str] = "audit"
    action: str
    subject: str
    detail: str | None = None


Event = (
    SourceAdded
    | Paused
    | RunStarted
    | RunEnded
    | Discovered
    | Outcome
    | StoryBegun
    | CanonicalChanged
    | AliasAdded
    | VersionAdded
    | TextRenewed
    | Sighted
    | Rendered
    | Merged
    | Split
    | Gone
    | PolicyApplied
    | Imported
    | MemoryLearned
    | Audited
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CLASSES: dict[str, type[Event]] = {kind.type: kind for kind in get_args(Event)}


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its commit's number, its line within that commit, and its time."""

    seq: int
    line: int
    at: datetime
    event: Event


def storable(entry: Entry) -> tuple[Entry, bytes]:
    """The entry, and its line of JSON with the line feed.

    U+FFFD stands in both for what no database takes as text, but JSON on a page can hold: NUL, lone surrogates.
    """
    text = _json(entry)  # one search through all texts, however deep
    if "\\u0000" in text or _SURROGATE.search(text):
        entry = replace(entry, event=type(entry.event)(**_mended(_values(entry.event))))
        text = _json(entry)
    return entry, text.encode()


def _values(event: Event) -> dict[str, Any]:
    """The event's fields, not copied: events are never changed."""
    return {field.name: getattr(event, field.name) for field in fields(event)}


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mended(name): _mended(inner) for name, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list | tuple) else value


def _json(entry: Entry) -> str:
    head = {"type": entry.event.type, "seq": entry.seq, "line": entry.line, "at": iso(entry.at)}
    body = {name: value for name, value in _values(entry.event).items() if value is not None}
    return json.dumps(head | body, ensure_ascii=False, separators=(",", ":")) + "\n"


def decode(line: bytes, where: str) -> Entry:
    """Read one line. Raises :class:`MalformedRecord` naming ``where``; fields it does not know are passed over."""
    try:
        data = json.loads(line)
        kind = _CLASSES[data["type"]]
        known = {field.name: data[field.name] for field in fields(kind) if field.name in data}
        return Entry(data["seq"], data["line"], from_iso(data["at"]), kind(**known))
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedRecord(f"{where}: not a journal event ({error!r}); run 'morgue verify'") from error
