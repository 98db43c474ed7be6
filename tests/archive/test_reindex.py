"""The objects are the truth: a catalogue made from them alone is the one that was."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.archive import makers
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
    problems,
    rebuilt,
    rows,
)

from newsmorgue.archive import compaction, schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Role
from newsmorgue.archive.events import Audited, MemoryLearned, Merged, Split
from newsmorgue.archive.holds import Hold, require_no_run_elsewhere
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.recovery import seal_all
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.repair import repair
from newsmorgue.archive.sealing import store_objects
from newsmorgue.archive.store import Store
from newsmorgue.capture.copying import CopyRecorder
from newsmorgue.errors import Busy, CatalogueUnavailable, MalformedRecord
from newsmorgue.pipelines.importing import ImportJob
from newsmorgue.settings.configuration import Configuration
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


@pytest.mark.parametrize("is_lost", [False, True], ids=["the catalogue was there", "the catalogue was lost"])
def test_what_another_machine_has_not_sealed_comes_back_when_it_seals(tmp_path: Path, is_lost: bool) -> None:
    here, there = (open_archive(tmp_path, host=host) for host in ("here", "there"))
    there.spool.folder = tmp_path / "spool of there"
    Visitor(here).end()
    theirs = Visitor(there, source="theirs", run="run-2")
    for number in range(3):
        theirs.settle(Emit(Audited("looked", f"there {number}")))
    theirs.see("https://theirs.example/a", OTHER_TEXT)

    if is_lost:
        here = rebuilt(here, f"sqlite:///{tmp_path / 'new.sqlite'}")
        there = Archive(there.store, here.catalogue, there.spool, there.limits, "there")
        theirs.recorder.archive = there
    else:
        assert reindex(here, replace=True).elsewhere == (("there", 1),)
    with pytest.raises(Busy, match="somebody has built it anew; run the same command again"):
        theirs.see("https://theirs.example/b", TEXT)
    theirs.recorder.abandon()
    ours = Visitor(here, run="run-3", now=START + timedelta(hours=1))
    for number in range(9):
        ours.settle(Emit(Audited("looked", f"here {number}")))
    ours.see(BRIDGE)
    ours.end()

    seal_all(there, START + timedelta(hours=2))
    looked = column(there, schema.audit.c.subject, schema.audit.c.action == "looked")
    assert looked == [*(f"here {number}" for number in range(9)), *(f"there {number}" for number in range(3))]
    assert show_at(there, find_story(there, "https://theirs.example/a"), None).article.text == OTHER_TEXT
    assert problems(there) == []
    assert rows(rebuilt(there, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")) == rows(there)


def _sealed_twice(folder: Path) -> Archive:
    archive = open_archive(folder)
    for day in range(2):
        visitor = Visitor(archive, now=START + timedelta(days=day), run=f"run-{day}")
        visitor.see(f"https://news.example/{day}")
        visitor.end()
    return archive


def test_nothing_is_built_anew_under_an_import_or_compaction_of_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = _sealed_twice(tmp_path)
    other = open_archive(tmp_path, host="there")
    seen = []

    def looked(made: object) -> object:
        with other.catalogue.read() as connection, pytest.raises(Busy) as busy:
            require_no_run_elsewhere(connection, other.place, START + timedelta(seconds=1))
        seen.append(str(busy.value).partition("; ")[0])
        return made

    kept, merged = CopyRecorder.keep, compaction._merge
    monkeypatch.setattr(CopyRecorder, "keep", lambda *args, **more: looked(kept(*args, **more)))
    monkeypatch.setattr(compaction, "_merge", lambda *args: looked(merged(*args)))
    (tmp_path / "a.warc.gz").write_bytes(
        makers.members(*makers.exchange(BRIDGE, "2026-01-01T12:00:00Z", makers.http(makers.page())))
    )
    job = ImportJob(archive, Configuration("", "", Path(), cleaning_processes=1), lambda: START, source="demo")
    asyncio.run(job.run([tmp_path / "a.warc.gz"]))
    assert len(list(compaction.compact(archive, "demo", START))) == 1
    assert seen == [f"{archive.place} is at a{kind} of source 'demo'" for kind in ("n import", " compaction")]
    with other.catalogue.read() as connection:
        require_no_run_elsewhere(connection, other.place, START + timedelta(seconds=1))


def test_a_compaction_under_which_the_catalogue_was_built_anew_ends_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = _sealed_twice(tmp_path)

    def slow(*args: Any) -> None:
        store_objects(*args)
        reindex(archive, replace=True)

    monkeypatch.setattr(compaction, "store_objects", slow)
    with pytest.raises(Busy, match="built anew meanwhile; run 'morgue verify --repair'"):
        list(compaction.compact(archive, "demo", START))
    monkeypatch.undo()
    list(repair(archive, START))
    assert problems(archive) == []
    assert len(list(compaction.compact(archive, "demo", START))) == 1
    assert problems(archive) == []


def test_nothing_is_built_anew_under_a_run_of_another_machine(busy: Archive) -> None:
    with busy.catalogue.write() as connection:
        Hold("demo", "crawl", "run-9", "there:/spool").take(connection, START)
        with pytest.raises(Busy, match="there:/spool is at a crawl of source 'demo'; stop it first"):
            require_no_run_elsewhere(connection, busy.place, START + timedelta(seconds=119))
        require_no_run_elsewhere(connection, "there:/spool", START)  # its own: the spool's locks tell
        require_no_run_elsewhere(connection, busy.place, START + timedelta(seconds=121))
