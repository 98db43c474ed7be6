"""Events and captures into rows: the one way, for the live archive and for ``morgue reindex``.

An event's effect depends on the event and on the rows that earlier events made, and on nothing else (no clock, no
configuration), so that replaying a journal gives the same rows again.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import events, schema
from newsmorgue.archive.capture import CLEANED, Capture, Role
from newsmorgue.archive.events import Entry
from newsmorgue.archive.journal import Place
from newsmorgue.archive.manifests import Manifest
from newsmorgue.archive.statements import find, find_all, insert, update, upsert
from newsmorgue.errors import ImpossibleTime
from newsmorgue.times import from_iso, microseconds
from newsmorgue.urls import address_key

_Apply = Callable[[sa.Connection, Any, Entry, Place], None]
# After so many failures in a row, over so long, a URL is left alone until a feed or sitemap names it with a new date.
MAX_FAILURES = 5
_TRIED_FOR = timedelta(days=3)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=12)
_TRUST_SAMPLE, _TRUST_SHARE = 20, 0.1


_MOVED = sa.select(schema.moves.c.into, schema.moves.c.warc_offset).where(
    schema.moves.c.name == sa.bindparam("in_warc")
)
_MARK_CLEANED = (
    sa.update(schema.captures)
    .where(
        schema.captures.c.warc == sa.bindparam("in_warc"),
        schema.captures.c.offset == sa.bindparam("at_offset"),
        schema.captures.c.state.is_not(None),
    )
    .values(state=CLEANED)
)


def apply(connection: sa.Connection, entry: Entry, place: Place) -> None:
    """Change the rows as the event says. ``place`` is where the event stands in its journal."""
    _APPLY[entry.event.type](connection, entry.event, entry, place)


def insert_moves(connection: sa.Connection, manifest: Manifest) -> None:
    """What a compaction's manifest says of where the files that it replaced are now."""
    for item in manifest.replaces:
        offsets = {"warc_offset": item.warc_offset, "journal_offset": item.journal_offset}
        connection.execute(sa.insert(schema.moves).values(name=item.name, into=manifest.name, **offsets))


def add_capture(connection: sa.Connection, capture: Capture) -> None:
    """A capture's row, from the recorder or from CDXJ."""
    upsert(
        connection,
        schema.captures,
        {
            "surt": capture.surt,
            "timestamp": microseconds(capture.time),
            "warc": capture.warc,
            "offset": capture.offset,
            "length": capture.length,
            "source": capture.source,
            "url": capture.url,
            "kind": capture.kind,
            "role": capture.role,
            "status": capture.status,
            "mime": capture.mime,
            "payload_digest": capture.payload_digest,
            "refers_to_url": capture.refers_to_url,
            "refers_to_time": microseconds(capture.refers_to_time) if capture.refers_to_time else None,
            "truncated": capture.truncated,
            "state": capture.state,
            "reserved": capture.reserved,
        },
    )


def _source(connection: sa.Connection, event: events.SourceAdded, entry: Entry, _: Place) -> None:
    values = {
        "slug": event.source,
        "home": event.home,
        "created_at": microseconds(entry.at),
        "date_hits": 0,
        "date_misses": 0,
    }
    upsert(connection, schema.sources, values, "home")


def _pause(connection: sa.Connection, event: events.Paused, entry: Entry, _: Place) -> None:
    paused_at = microseconds(entry.at) if event.paused else None
    update(connection, schema.sources, {"slug": event.source}, {"paused_at": paused_at})


def _run(connection: sa.Connection, event: events.RunStarted, entry: Entry, _: Place) -> None:
    values = {"id": event.run, "source": event.source, "kind": event.kind, "host": event.host}
    upsert(connection, schema.runs, values | {"started_at": microseconds(entry.at)})


def _run_ended(connection: sa.Connection, event: events.RunEnded, entry: Entry, _: Place) -> None:
    counts = json.dumps(event.counts, sort_keys=True)
    ended = {"ended_at": microseconds(entry.at), "outcome": event.outcome, "counts": counts}
    update(connection, schema.runs, {"id": event.run}, ended)


def _discovered(connection: sa.Connection, event: events.Discovered, entry: Entry, _: Place) -> None:
    at = microseconds(entry.at)
    row = _url_row(connection, event.source, event.key)
    if row is None:
        _insert_url(connection, event, at)
    elif changes := _changes(connection, event, row, at):
        update(connection, schema.urls, {"source": event.source, "key": event.key}, changes)
    mention = {"given": event.given, "stated": event.stated, "at": at}
    key = {"source": event.source, "key": event.key, "found_in": event.found_in}
    upsert(connection, schema.mentions, key | mention, *mention)


def _changes(connection: sa.Connection, event: events.Discovered, row: Any, at: int) -> dict[str, Any]:
    """A link turns out to be more when a list names it; nothing becomes less (a sitemap names the home page too).

    An asset is named a second time only to be looked at again.
    """
    if event.role == Role.ASSET:
        return {"due_at": at, "reason": "recheck"}
    changes: dict[str, Any] = {"role": event.role} if row.role == Role.LINK != event.role else {}
    if changes and row.outcome == "not_story" and (row.detail or "").startswith(UNVOUCHED):
        changes |= {"due_at": at, "reason": "retry"}
    if event.role == changes.get("role", row.role) and _date_changed(connection, event, row):
        changes |= {"due_at": at, "reason": "date"}
    return changes


def _insert_url(connection: sa.Connection, event: events.Discovered, at: int) -> None:
    names = ("source", "key", "url", "role", "found_in", "hops")
    values = {name: getattr(event, name) for name in names}
    found = {"found_at": at, "failures": 0, "edits": 0, "due_at": at, "reason": "new"}
    insert(connection, schema.urls, values | found)


def _date_changed(connection: sa.Connection, event: events.Discovered, row: Any) -> bool:
    """Whether the list names another date than at its last look, or a first one that is later than the last visit."""
    if event.stated is None or not dates_are_trusted(connection, event.source):
        return False
    same = {"source": event.source, "key": event.key, "found_in": event.found_in}
    before = find(connection, schema.mentions, ("stated",), **same)
    if before is None or before.stated is None:
        return row.outcome_at is not None and (
            _later(event.stated, row.outcome_at) or _newer_than_in_lists_like_it(connection, event)
        )
    return bool(before.stated != event.stated)


def _newer_than_in_lists_like_it(connection: sa.Connection, event: events.Discovered) -> bool:
    """Whether the URL came over from another list of the same kind, and its date is newer than it was there.

    A site's sitemaps are pages of one list: with each new story its last ones move on to the next.
    """
    kind = _role_of_list(connection, event.source, event.found_in)
    known = find_all(connection, schema.mentions, ("found_in", "stated"), source=event.source, key=event.key)
    alike = [
        row.stated for row in known if row.stated and _role_of_list(connection, event.source, row.found_in) == kind
    ]
    return kind is not None and bool(alike) and event.stated is not None and event.stated > max(alike)


def _role_of_list(connection: sa.Connection, source: str, url: str) -> str | None:
    """The role of the list at a URL; None for ``operator`` and the like."""
    row = find(connection, schema.urls, ("role",), source=source, key=address_key(url))
    return str(row.role) if row else None


def _later(stated: str, moment: int) -> bool:
    try:
        return microseconds(from_iso(stated)) > moment
    except (ValueError, ImpossibleTime):
        return False


def dates_are_trusted(connection: sa.Connection, source: str) -> bool:
    """A source whose dates change without its pages loses the right to be believed: under 1 in 10 of at least 20."""
    row = find(connection, schema.sources, ("date_hits", "date_misses"), slug=source)
    looked = row.date_hits + row.date_misses if row else 0
    return row is None or looked < _TRUST_SAMPLE or row.date_hits >= looked * _TRUST_SHARE


def _outcome(connection: sa.Connection, event: events.Outcome, entry: Entry, _: Place) -> None:
    row = _url_row(connection, event.source, event.key)
    failed = event.outcome in ("failed", "retry")
    before = row.failures if row else 0
    # That a host was not to be asked says nothing of the page.
    failures = before if event.outcome == "deferred" else before + 1 if failed else 0
    retry = _retry(event, entry, row, failures)
    values = {
        "outcome": event.outcome,
        "outcome_at": microseconds(entry.at),
        "detail": event.detail,
        "failures": failures,
    }
    values |= {"due_at": microseconds(retry) if retry else None, "reason": "retry" if retry else "", "claimed_by": None}
    if (
        event.outcome == "respelled" and row is not None
    ):  # the same address as the site spells it: to be fetched so, at once
        values |= {"url": event.detail, "hops": row.hops + 1, "due_at": microseconds(entry.at), "reason": event.reason}
    values |= _validators(event) | _shown(event, row, microseconds(entry.at))
    update(connection, schema.urls, {"source": event.source, "key": event.key}, values)
    if event.warc is not None:
        _mark_cleaned(connection, event.warc, event.offset)
    if event.reason == "date" and event.outcome in ("stored", "unchanged"):
        column = schema.sources.c.date_hits if event.outcome == "stored" else schema.sources.c.date_misses
        connection.execute(
            sa.update(schema.sources).where(schema.sources.c.slug == event.source).values({column: column + 1})
        )


def _retry(event: events.Outcome, entry: Entry, row: Any, failures: int) -> datetime | None:
    """When to try again: as the visit said, and with each failure twice as late. A site may be away for a night.

    A site that names a moment within minutes is taken at its word for a while.
    """
    if event.retry_at is None:
        return None
    asked = from_iso(event.retry_at)
    if event.outcome == "deferred" or failures < 2 or (asked < entry.at + _FIRST_WAIT and failures < MAX_FAILURES):
        return asked
    known: int = max(row.found_at, row.seen_at or 0) if row else microseconds(entry.at)
    if failures >= MAX_FAILURES and microseconds(entry.at - _TRIED_FOR) > known:
        return None
    return max(asked, entry.at + min(_FIRST_WAIT * (1 << min(failures - 2, 8)), _LONGEST_WAIT))


UNVOUCHED = "failed, and no list names it: "
"""How the detail begins of a failure at an address that was only linked to: it is none unless a list names it later."""
NEVER_SEEN = "304 for a page that was never seen whole"
"""The detail of a failure for which the validators are to blame: what they are of is not in the archive."""
_UNREAD = frozenset({"failed", "retry", "deferred"})


def _validators(event: events.Outcome) -> dict[str, Any]:
    """Those of the last answer that was read. Another text without any takes the old ones' place too: they were not its
    own. With those of an answer that nobody could read the server would say 304 to what is not there; so it would at an
    address that is spelled in another way from now on."""
    if event.outcome == "respelled" or event.detail == NEVER_SEEN:
        return {"etag": None, "last_modified": None}
    if event.outcome in _UNREAD:
        return {}
    if event.etag or event.last_modified or event.outcome == "stored":
        return {"etag": event.etag, "last_modified": event.last_modified}
    return {}


def _shown(event: events.Outcome, row: Any, at: int) -> dict[str, Any]:
    """A visit that showed a story, and whether that was another text than the one before: what revisits go by."""
    if event.outcome not in ("stored", "unchanged"):
        return {}
    if row is None or row.seen_at is None or event.outcome == "unchanged":
        return {"seen_at": at}
    return {"seen_at": at, "edits": row.edits + 1, "edited_at": at}


def _mark_cleaned(connection: sa.Connection, warc: str, offset: int | None) -> None:
    warc, offset = _present_place(connection, warc, offset or 0)
    connection.execute(_MARK_CLEANED, {"in_warc": warc, "at_offset": offset})


def _story(connection: sa.Connection, event: events.StoryBegun, entry: Entry, _: Place) -> None:
    values = {"id": event.story, "source": event.source, "canonical": event.canonical}
    upsert(connection, schema.stories, values | {"created_at": microseconds(entry.at)})


def _canonical(connection: sa.Connection, event: events.CanonicalChanged, _entry: Entry, _: Place) -> None:
    claimed_key = address_key(event.claimed) if event.claimed else None
    values = {"canonical": event.canonical, "claimed": event.claimed, "claimed_key": claimed_key}
    _update_story(connection, event.story, **values, syndicated_from=event.syndicated_from)


def _alias(connection: sa.Connection, event: events.AliasAdded, entry: Entry, _: Place) -> None:
    values = {"url": event.url, "key": event.key, "story": event.story, "kind": event.kind}
    upsert(connection, schema.aliases, values | {"since": microseconds(entry.at)}, "story", "kind")


def _version(connection: sa.Connection, event: events.VersionAdded, entry: Entry, place: Place) -> None:
    upsert(
        connection, schema.versions, {"id": event.version, "story": event.story, "created_at": microseconds(entry.at)}
    )
    _text(connection, event, entry, place)


def _text(
    connection: sa.Connection, event: events.VersionAdded | events.TextRenewed, entry: Entry, place: Place
) -> None:
    """A text under a reading that was had before, and is again, is the newest one."""
    values = {"version": event.version, "reading": event.reading, "digest": event.digest, "seq": entry.seq}
    stands = {"journal": place.journal, "offset": place.offset, "length": place.length}
    shown = {name: event.article.get(name) for name in ("headline", "kind", "published")}
    shown["characters"] = len(event.article.get("text") or "")
    upsert(connection, schema.texts, values | stands | shown, "digest", "seq", *stands, *shown)


def _sighting(connection: sa.Connection, event: events.Sighted, _entry: Entry, _: Place) -> None:
    warc, offset = _present_place(connection, event.warc, event.offset)
    values = {"warc": warc, "offset": offset, "version": event.version, "url": event.url}
    upsert(connection, schema.sightings, values | {"at": microseconds(from_iso(event.seen))})


def _present_place(connection: sa.Connection, warc: str, offset: int) -> tuple[str, int]:
    """Where the record is that stood at a place when the event was written: compactions move it."""
    while row := connection.execute(_MOVED, {"in_warc": warc}).first():
        warc, offset = row.into, offset + row.warc_offset
    return warc, offset


def _rendered(connection: sa.Connection, event: events.Rendered, _entry: Entry, _: Place) -> None:
    warc, offset = _present_place(connection, event.warc, event.offset)
    dom_warc, dom_offset = _present_place(connection, event.dom_warc, event.dom_offset)
    place = {"dom_warc": dom_warc, "dom_offset": dom_offset, "dom_length": event.dom_length}
    upsert(connection, schema.renderings, {"warc": warc, "offset": offset} | place, *place)


def _merge(connection: sa.Connection, event: events.Merged, _entry: Entry, _: Place) -> None:
    _update_story(connection, event.story, merged_into=event.into)


def _split(connection: sa.Connection, event: events.Split, _entry: Entry, _: Place) -> None:
    row = find(connection, schema.stories, ("merged_into",), id=event.story)
    _update_story(connection, event.story, merged_into=None, split_from=row.merged_into if row else None)


def _gone(connection: sa.Connection, event: events.Gone, _entry: Entry, _: Place) -> None:
    _update_story(connection, event.story, gone_at=microseconds(from_iso(event.since)) if event.since else None)


def _policy(connection: sa.Connection, event: events.PolicyApplied, entry: Entry, _: Place) -> None:
    _add_audit(connection, entry, event.decision, event.url, event.reason)


def _imported(connection: sa.Connection, event: events.Imported, _entry: Entry, _: Place) -> None:
    _mark_cleaned(connection, event.warc, event.offset)


def _memory(connection: sa.Connection, event: events.MemoryLearned, entry: Entry, _: Place) -> None:
    looked = {"stories": event.stories, "at": microseconds(entry.at)}
    lines = json.dumps(event.lines, ensure_ascii=False)
    values = {"source": event.source, "number": event.number, "lines": lines}
    upsert(connection, schema.memory, values | looked, *looked)


def _audited(connection: sa.Connection, event: events.Audited, entry: Entry, _: Place) -> None:
    _add_audit(connection, entry, event.action, event.subject, event.detail)


def _add_audit(connection: sa.Connection, entry: Entry, action: str, subject: str, detail: str | None) -> None:
    values = {"seq": entry.seq, "line": entry.line, "at": microseconds(entry.at), "action": action}
    upsert(connection, schema.audit, values | {"subject": subject, "detail": detail})


def _update_story(connection: sa.Connection, story: str, **values: Any) -> None:
    update(connection, schema.stories, {"id": story}, values)


def _url_row(connection: sa.Connection, source: str, key: str) -> Any:
    names = ("role", "found_at", "failures", "hops", "outcome", "outcome_at", "detail", "seen_at", "edits")
    return find(connection, schema.urls, names, source=source, key=key)


_APPLY: dict[str, _Apply] = {
    events.SourceAdded.type: _source,
    events.Paused.type: _pause,
    events.RunStarted.type: _run,
    events.RunEnded.type: _run_ended,
    events.Discovered.type: _discovered,
    events.Outcome.type: _outcome,
    events.StoryBegun.type: _story,
    events.CanonicalChanged.type: _canonical,
    events.AliasAdded.type: _alias,
    events.VersionAdded.type: _version,
    events.TextRenewed.type: _text,
    events.Sighted.type: _sighting,
    events.Rendered.type: _rendered,
    events.Merged.type: _merge,
    events.Split.type: _split,
    events.Gone.type: _gone,
    events.PolicyApplied.type: _policy,
    events.Imported.type: _imported,
    events.MemoryLearned.type: _memory,
    events.Audited.type: _audited,
}
