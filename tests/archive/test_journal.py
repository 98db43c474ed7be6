"""The journal: every event comes back as it was, and damage is seen wherever it is."""

import gzip
import io
import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsmorgue.archive import events
from newsmorgue.archive.events import Entry, decode, storable
from newsmorgue.archive.journal import entries, members, pack, unpack, unpack_entry
from newsmorgue.errors import MalformedRecord

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
TEXT = {"headline": "Brücke „zu“", "authors": ["A", "B"], "is_accessible_for_free": None}
EXAMPLES: tuple[events.Event, ...] = (
    events.SourceAdded("demo", "https://news.example/"),
    events.RunStarted("r1", "demo", "crawl", "host"),
    events.RunEnded("r1", "finished", {"stored": 3}),
    events.Discovered("demo", "https://news.example/a", "news.example/a", "story", "feed", "https://news.example/a#x"),
    events.Outcome("demo", "https://news.example/a", "news.example/a", "stored", "new", "r1", warc="w", offset=0),
    events.StoryBegun("s1", "demo", "https://news.example/a"),
    events.CanonicalChanged("s1", "https://news.example/a", claimed="https://news.example/b"),
    events.AliasAdded("https://news.example/a?x", "news.example/a?x", "s1", "mentioned"),
    events.VersionAdded("v1", "s1", "rules-1", "sha256:00", TEXT, "w", 0),
    events.TextRenewed("v1", "rules-2", "sha256:01", TEXT, "w", 0),
    events.Sighted("v1", "w", 0, "https://news.example/a", "2026-03-01T12:30:15.123456Z"),
    events.Merged("s2", "s1", "because"),
    events.Split("s2", "by hand"),
    events.Gone("s1", "https://news.example/a", 410, "2026-03-01T12:30:15.123456Z"),
    events.PolicyApplied("https://news.example/a", "not_kept", "noarchive (meta)"),
    events.Imported("demo", "https://news.example/a", "stored", "w", 0),
    events.Audited("recovered", "w"),
    events.Paused("demo", True),
    events.Rendered("w", 0, "d", 10, 20),
    events.MemoryLearned("demo", 1, 8, [["edge", "paragraph", "Read on in our app."]]),
)


def _packed(entry: Entry) -> bytes:
    return pack(storable(entry)[1])


def _journal() -> tuple[bytes, list[Entry]]:
    written = [Entry(1, line, AT, event) for line, event in enumerate(EXAMPLES)]
    return b"".join(map(_packed, written)), written


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(events.Event))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_an_event_comes_back_as_it_was(event: events.Event) -> None:
    entry = Entry(7, 3, AT, event)
    stored, line = storable(entry)
    assert stored == entry
    assert decode(line, "x") == entry
    assert unpack_entry(pack(line), "x") == entry


def test_a_line_is_what_other_tools_expect_of_json_lines() -> None:
    data, written = _journal()
    lines = gzip.decompress(data).decode().splitlines()
    assert len(lines) == len(written)
    assert json.loads(lines[1]) == {
        "type": "run",
        "seq": 1,
        "line": 1,
        "at": "2026-03-01T12:30:15.123456Z",
        "run": "r1",
        "source": "demo",
        "kind": "crawl",
        "host": "host",
    }


def test_one_range_reads_one_event() -> None:
    data, written = _journal()
    read = list(entries(io.BytesIO(data), "j"))
    assert [entry for _, entry in read] == written
    for place, entry in read:
        assert unpack_entry(data[place.offset : place.offset + place.length], "j") == entry


def test_fields_of_a_later_program_are_passed_over() -> None:
    line = storable(Entry(1, 0, AT, events.Audited("repaired", "x")))[1].replace(
        b'"subject"', b'"colour":"red","subject"'
    )
    assert decode(line, "x").event == events.Audited("repaired", "x")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"type":"audit"}',
        b'{"type":"tea","seq":1,"line":0,"at":"2026-03-01T00:00:00Z"}',
        b'{"type":"audit","seq":1,"line":0,"at":"noon","action":"a","subject":"s"}',
    ],
)
def test_what_is_no_event_is_refused_by_name(line: bytes) -> None:
    with pytest.raises(MalformedRecord, match=r"^j@7: not a journal event"):
        decode(line, "j@7")


def test_a_cut_at_any_byte_of_the_last_member_is_seen() -> None:
    data, written = _journal()
    end = len(data) - len(_packed(written[-1]))
    assert len(list(entries(io.BytesIO(data[:end]), "j"))) == len(written) - 1
    for cut in range(end + 1, len(data)):
        with pytest.raises(MalformedRecord, match=f"^j@{end}: "):
            list(members(io.BytesIO(data[:cut]), "j"))


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 4096, b"plain text", b"\x1f\x8b", b"\x1f\x8b\x08\0" + b"\xff" * 60])
def test_garbage_behind_the_last_member_is_seen(tail: bytes) -> None:
    data, _ = _journal()
    with pytest.raises(MalformedRecord, match=f"^j@{len(data)}: "):
        list(members(io.BytesIO(data + tail), "j"))


def test_a_member_longer_than_a_read_and_an_empty_one() -> None:
    contents = [bytes(range(256)) * 2000, b"", b"x"]
    data = b"".join(pack(content) for content in contents)
    assert [content for _, _, content in members(io.BytesIO(data), "j")] == contents


def test_unpack_names_the_place_of_what_is_cut() -> None:
    with pytest.raises(MalformedRecord, match=r"^j@0: not a whole gzip member"):
        unpack(pack(b"some text")[:-3], "j@0")


@given(st.text(st.characters(codec=None)))
def test_whatever_text_a_page_holds_can_be_stored(text: str) -> None:
    event = events.VersionAdded("v", "s", "r", "d", {"headline": text, "tags": [text]}, "w", 0)
    entry, line = storable(Entry(1, 0, AT, event))
    kept = decode(line, "x").event
    assert isinstance(kept, events.VersionAdded)
    assert kept == entry.event
    wanted = "".join("\ufffd" if each == "\0" or "\ud800" <= each <= "\udfff" else each for each in text)
    assert kept.article == {"headline": wanted, "tags": [wanted]}
