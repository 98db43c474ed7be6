"""Compacting changes where bytes are, and nothing else; a crash at any step leaves an archive that it can finish."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    TEXT,
    Visitor,
    captures,
    open_archive,
    problems,
    rebuilt,
    rows,
)
from tests.archive.test_export import members_of
from tests.archive.test_sealing import DyingStore, PowerLoss
from tests.servers import Postgres, Seaweed

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive, Limits
from newsmorgue.archive.capture import Role
from newsmorgue.archive.compaction import Compacted, compact
from newsmorgue.archive.spool import WARC_SUFFIX
from newsmorgue.archive.store import Store, open_store
from newsmorgue.errors import IntegrityFailure
from newsmorgue.stories.reading import find_story, show_at, story_versions

MARCH, APRIL = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 4, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SCHOOLS = "https://news.example/2026/schools"


def fill(archive: Archive, start: datetime = MARCH, days: int = 4, source: str = "demo") -> None:
    """A run a day, each with a WARC of its own: versions, sightings, revisits, redirects, ends."""
    for day in range(days):
        visitor = Visitor(archive, source, start + timedelta(days=day), f"run-{source}-{start.month}-{day}")
        visitor.see(BRIDGE, TEXT + "\n\nNow it is open." * (day % 2), reason="recheck")
        visitor.see(SCHOOLS, OTHER_TEXT, reason="recheck", headline="Schools")
        visitor.redirect(f"https://news.example/{day}", BRIDGE)
        visitor.end()


def run(archive: Archive, month: str | None = None, now: datetime = NOW) -> list[Compacted]:
    """Compact the demo source."""
    return list(compact(archive, "demo", now, month))


def read(archive: Archive) -> dict[str, Any]:
    """Everything that a reader can ask for, but for where it stands."""
    said: dict[str, Any] = {}
    for url in (BRIDGE, SCHOOLS):
        story = find_story(archive, url)
        for version in story_versions(archive, story):
            shown = show_at(archive, story, version.first_seen)
            record = archive.read_capture(shown.require_capture())
            said[f"{url} {version.number}"] = (version.first_seen, version.sightings, shown.article, record.block)
    for capture in captures(archive):
        said[f"{capture.url} {capture.time}"] = (capture.kind, archive.read_capture(capture), capture.state)
    return said


def warcs(archive: Archive) -> list[str]:
    """The keys of the WARCs in the store."""
    return [info.key for info in archive.store.list("warc/") if info.key.endswith(WARC_SUFFIX)]


def check(archive: Archive, folder: Path, name: str = "again") -> None:
    """Nothing is wrong, and the objects give the rows again."""
    assert problems(archive) == []
    assert rows(rebuilt(archive, f"sqlite:///{folder / name}.sqlite")) == rows(archive)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = open_archive(tmp_path)
    fill(archive)
    return archive


def test_one_file_with_every_member_as_it_was(archive: Archive, tmp_path: Path) -> None:
    before, stood = read(archive), [archive.store.get(key) for key in warcs(archive)]
    (compacted,) = run(archive)
    assert len(compacted.replaced) == 4
    (key,) = warcs(archive)
    assert archive.store.get(key) == b"".join(stood)
    assert len(members_of(archive.store.get(key))) == 4 * 7 - 1
    assert read(archive) == before
    assert [info.key for info in archive.store.list("text/")] == [key.replace("warc/", "text/", 1)[:-8] + ".jsonl.gz"]
    check(archive, tmp_path)


def test_in_s3_and_postgresql(s3_credentials: Seaweed, postgres: Postgres, tmp_path: Path) -> None:
    store = open_store(s3_credentials.new_store(), endpoint=s3_credentials.endpoint)
    archive = open_archive(tmp_path, store=store, catalogue=postgres.new_database())
    fill(archive)
    before = read(archive)
    run(archive)
    assert len(warcs(archive)) == 1 and read(archive) == before and problems(archive) == []
    assert rows(rebuilt(archive, postgres.new_database())) == rows(archive)


def test_a_second_time_there_is_nothing_to_do(archive: Archive) -> None:
    run(archive)
    before = [(info.key, info.size) for info in archive.store.list()]
    assert run(archive) == []
    assert [(info.key, info.size) for info in archive.store.list()] == before


def test_months_and_other_sources_stay_apart(archive: Archive, tmp_path: Path) -> None:
    fill(archive, APRIL, 2)
    fill(archive, APRIL, 2, source="other")
    assert len(run(archive, "2026-04")) == 1
    assert len(warcs(archive)) == 4 + 1 + 2
    assert len(run(archive)) == 1
    assert len(warcs(archive)) == 1 + 1 + 2
    check(archive, tmp_path)


def test_what_was_compacted_is_compacted_again_with_what_came_since(archive: Archive, tmp_path: Path) -> None:
    run(archive)
    fill(archive, MARCH + timedelta(days=10), 2)
    before = read(archive)
    (compacted,) = run(archive)
    assert len(compacted.replaced) == 3 and len(warcs(archive)) == 1
    assert read(archive) == before
    check(archive, tmp_path)


def test_large_files_stay(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    fill(archive, days=2)
    archive.limits = Limits(size=1_000)
    assert run(archive) == []


def test_an_archive_goes_on_after_it(archive: Archive, tmp_path: Path) -> None:
    run(archive)
    fill(archive, APRIL, 1)
    assert len(story_versions(archive, find_story(archive, BRIDGE))) == 2
    check(archive, tmp_path)


def test_events_of_later_journals_find_what_was_moved(archive: Archive, tmp_path: Path) -> None:
    """A run captured a page and was killed; the next, whose journal is another, cleans it; then all is compacted."""
    visitor = Visitor(archive, now=MARCH + timedelta(days=20), run="killed")
    left = visitor.record(BRIDGE, f"<html><p>{TEXT}</p></html>".encode(), role=Role.STORY)
    visitor.end()
    after = Visitor(archive, now=MARCH + timedelta(days=21), run="after")
    after.file(BRIDGE, left, reason="recheck")
    after.end()
    run(archive)
    assert {capture.state for capture in captures(archive) if capture.time == left.time} == {"cleaned"}
    check(archive, tmp_path)


def test_a_place_read_before_is_found_after(archive: Archive) -> None:
    old = captures(archive)[3]
    block = archive.read_capture(old).block
    run(archive)
    assert archive.read_capture(old).block == block
    fill(archive, MARCH + timedelta(days=10), 1)
    run(archive)
    assert archive.read_capture(old).block == block


def test_damage_is_not_compacted(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "archive" / warcs(archive)[1]
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    before = rows(archive)
    with pytest.raises(IntegrityFailure, match="verify"):
        run(archive)
    assert rows(archive) == before and len(warcs(archive)) == 4


def test_verify_compares_the_pieces_with_the_old_manifests(archive: Archive, tmp_path: Path) -> None:
    run(archive)
    path = tmp_path / "archive" / warcs(archive)[0]
    data = bytearray(path.read_bytes())
    data[-30] ^= 1
    path.write_bytes(data)
    assert any("which it replaces" in problem for problem in problems(archive))


def test_what_another_process_left_is_removed(archive: Archive, tmp_path: Path) -> None:
    left = tmp_path / "spool" / "demo" / ".compacting-left"
    left.mkdir(parents=True)
    (left / "warc").write_bytes(b"half")
    run(archive)
    assert not left.exists() and archive.spool.names() == []


# -- crashes ---------------------------------------------------------------------------------------------------


def test_the_store_may_be_cut_off_at_any_operation(tmp_path: Path) -> None:
    for step in range(8, 200):  # the first seven only read
        folder = tmp_path / f"{step}"
        folder.mkdir()
        archive = open_archive(folder)
        fill(archive, days=2)
        before = read(archive)
        if not _dies(archive, step):
            assert step > 20
            return
        assert read(archive) == before  # the old is valid, or the new
        _reindexed_says_the_same(archive, folder, before)
        run(archive)
        assert len(warcs(archive)) == 1 and read(archive) == before
        check(archive, folder)
        archive.catalogue.close()
    pytest.fail("it never came to an end")


def _dies(archive: Archive, step: int) -> bool:
    """Compact until the store's operation of that number; whether it came so far."""
    whole: Store = archive.store
    archive.store = DyingStore(whole, step, done=False)
    try:
        run(archive)
    except PowerLoss:
        return True
    finally:
        archive.store = whole
    return False


def _reindexed_says_the_same(archive: Archive, folder: Path, before: dict[str, Any]) -> None:
    assert read(rebuilt(archive, f"sqlite:///{folder / 'crashed.sqlite'}")) == before


@pytest.mark.parametrize("name", ["_begin", "store_objects", "_switch", "_remove_replaced"])
def test_the_process_may_end_between_its_steps(archive: Archive, tmp_path: Path, name: str, monkeypatch: Any) -> None:
    before = read(archive)

    def dies(*_: Any) -> None:
        raise PowerLoss

    with monkeypatch.context() as patched:
        patched.setattr(f"newsmorgue.archive.compaction.{name}", dies)
        with pytest.raises(PowerLoss):
            run(archive)
    assert read(archive) == before
    run(archive, now=NOW + timedelta(days=1))
    assert len(warcs(archive)) == 1 and read(archive) == before
    check(archive, tmp_path)


def test_verify_says_that_a_compaction_is_unfinished(archive: Archive, monkeypatch: Any) -> None:
    def dies(*_: Any) -> None:
        raise PowerLoss

    with monkeypatch.context() as patched:
        patched.setattr("newsmorgue.archive.compaction._switch", dies)
        with pytest.raises(PowerLoss):
            run(archive)
    (problem,) = problems(archive)
    assert "morgue compact" in problem
    with archive.catalogue.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.moves)).scalar() == 0
