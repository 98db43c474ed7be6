"""The objects are the truth: a catalogue made from them alone is the one that was."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    START,
    TEXT,
    Visitor,
    article,
    column,
    exchange,
    open_archive,
    rebuilt,
    rows,
)

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Role
from newsmorgue.archive.events import Audited, MemoryLearned, Merged, Split
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.store import Store
from newsmorgue.errors import Busy, CatalogueUnavailable, MalformedRecord
from newsmorgue.stories.filing import EndVisit, Renewal
from newsmorgue.stories.identity import ReadArticle
from newsmorgue.stories.reading import find_story, show_at

SITE = "https://news.example"
ODD = "A \0 title with a lone \ud800 half"
OTHER_READING = "another reading"


class Emit:
    """An intent that says just these events."""

    def __init__(self, *events: Audited | MemoryLearned | Merged | Split) -> None:
        self._events = events

    def settle(self, ledger: Ledger, read: ReadArticle) -> None:
        """See Intent."""
        for event in self._events:
            ledger.emit(event)


def _first_run(archive: Archive) -> None:
    visitor = Visitor(archive)
    for url in (BRIDGE, f"{BRIDGE}?utm_source=feed", f"{SITE}/2026/schools"):
        visitor.mention(url, "2026-02-28")
    visitor.mention(f"{SITE}/feed.xml", role=Role.FEED)
    visitor.see(BRIDGE)
    visitor.see(f"{SITE}/2026/schools", OTHER_TEXT, headline=ODD, authors=("A\0B",))
    visitor.see(BRIDGE, TEXT + "\n\nNobody was hurt.", canonical=f"{SITE}/bridge-story")
    visitor.see(f"{SITE}/bridge-story", TEXT, canonical="https://agency.example/original")
    visitor.see(f"{SITE}/foreign", OTHER_TEXT + " More.", canonical="https://agency.example/original", headline=None)
    secret = exchange(f"{SITE}/secret", b"", visitor.now, headers=[b"X-Robots-Tag: noarchive"])
    visitor.recorder.record(secret, Role.STORY)
    visitor.redirect(f"{SITE}/old", BRIDGE)
    visitor.gone(f"{SITE}/2026/schools", 410)
    visitor.settle(Emit(MemoryLearned("demo", 1, 8, [["label", "paragraph", "à lire aussi"]])))
    visitor.settle(Emit(MemoryLearned("demo", 1, 16, [["label", "paragraph", "à lire aussi"]])))
    visitor.recorder.keep_rendering(visitor.record(f"{SITE}/2026/made", b"<html>"), b"<html><p>made</p>")
    visitor.unmodified(BRIDGE)
    visitor.no_story(f"{SITE}/list")
    visitor.end()


def _second_run(archive: Archive) -> None:
    visitor = Visitor(archive, now=START + timedelta(days=1), run="run-2")
    visitor.mention(BRIDGE, "2026-03-02")
    capture = visitor.record(BRIDGE, b"<html>new")
    version = show_at(archive, find_story(archive, BRIDGE), None).version.id
    renewal = Renewal(version, article(BRIDGE, "cleaned anew"), capture.warc, capture.offset)
    visitor.file(BRIDGE, capture, "cleaned anew", reason="date", renewals=(renewal,), reading=OTHER_READING)
    later = visitor.now + timedelta(hours=1)
    visitor.settle(EndVisit(visitor.visit(f"{SITE}/2026/slow", None), "retry", "503", later))
    visitor.see(f"{SITE}/2026/schools", OTHER_TEXT)
    first, second = (find_story(archive, f"{SITE}/{path}") for path in ("foreign", "2026/schools"))
    visitor.settle(Emit(Merged(first, second, "by hand"), Split(first, "by hand"), Audited("looked", "x\0", "\udfff")))
    visitor.end(sealed=False)


@pytest.fixture
def busy(tmp_path: Path, catalogue_url: str) -> Archive:
    """Two runs of one source and one of another, on one day and the next; what is left of the last is in the spool."""
    archive = open_archive(tmp_path, catalogue=catalogue_url)
    other = Visitor(archive, source="other", now=START + timedelta(minutes=3))
    other.see("https://other.example/a", OTHER_TEXT)
    _first_run(archive)
    other.see("https://other.example/a", TEXT)
    other.see("https://other.example/a", OTHER_TEXT)
    other.end()
    _second_run(archive)
    return archive


def test_every_row_comes_back(busy: Archive, tmp_path: Path) -> None:
    fresh = rebuilt(busy, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")
    assert rows(fresh) == rows(busy)
    rows_without_moves = [found for table, found in rows(busy).items() if table != "moves"]  # see test_compact
    assert all(rows_without_moves), "every table has rows, so that the comparison says something"


def test_in_place_too_and_again(busy: Archive) -> None:
    before, counters = rows(busy), column(busy, schema.counters.c.value)
    for _ in range(2):
        reindex(busy, replace=True)
        assert rows(busy) == before
        assert column(busy, schema.counters.c.value) == counters


def test_the_archive_goes_on_from_a_rebuilt_catalogue(busy: Archive, tmp_path: Path) -> None:
    fresh = rebuilt(busy, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")
    visitor = Visitor(fresh, now=START + timedelta(days=2), run="run-3")
    assert visitor.see(f"{SITE}/2026/schools", OTHER_TEXT) == "unchanged"
    visitor.end()
    again = rebuilt(fresh, f"sqlite:///{tmp_path / 'again.sqlite'}")
    assert rows(again) == rows(fresh)


def test_a_reindex_looks_at_no_clock(busy: Archive, tmp_path: Path) -> None:
    first, second = (rebuilt(busy, f"sqlite:///{tmp_path / name}.sqlite") for name in ("one", "two"))
    assert _everything(first) == _everything(second)


def _everything(archive: Archive) -> list[str]:
    with archive.catalogue.read() as connection:
        return [repr(row) for table in schema.metadata.sorted_tables for row in connection.execute(sa.select(table))]


def test_from_any_store(store: Store, tmp_path: Path) -> None:
    archive = open_archive(tmp_path, store=store)
    _first_run(archive)
    assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")) == rows(archive)


def test_a_catalogue_that_holds_something_is_refused(busy: Archive) -> None:
    before = rows(busy)
    with pytest.raises(CatalogueUnavailable, match=r"is not empty; .* add --replace to rebuild this one"):
        reindex(busy, replace=False)
    assert rows(busy) == before


def test_a_file_that_is_being_written_is_waited_for(busy: Archive) -> None:
    before = rows(busy)
    (name,) = busy.spool.names()
    held = busy.spool.lock(name)
    assert held is not None
    with held, pytest.raises(Busy, match=f"another process writes {name}"):
        reindex(busy, replace=True)
    assert rows(busy) == before


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"x" + data[1:]])
def test_a_damaged_object_changes_nothing(busy: Archive, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    before = rows(busy)
    key = next(info.key for info in busy.store.list("text/"))
    path = tmp_path / "archive" / key
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MalformedRecord):
        reindex(busy, replace=True)
    assert rows(busy) == before


def test_an_empty_archive_gives_an_empty_catalogue(tmp_path: Path) -> None:
    done = reindex(open_archive(tmp_path), replace=False)
    assert (done.files, done.captures, done.events) == (0, 0, 0)
