"""Repair: what can be had again is as it was, what is damaged has a successor, what is lost is named."""

import gzip
import json
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import BRIDGE, OTHER_TEXT, START, TEXT, Visitor, captures, open_archive, problems, rows
from tests.archive.harness import rebuilt as reindexed
from tests.cli.command import Morgue

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import UNCLEANED
from newsmorgue.archive.compaction import compact
from newsmorgue.archive.journal import members
from newsmorgue.archive.repair import repair
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import verify
from newsmorgue.errors import Busy, ExitCode, IntegrityFailure, MissingObject
from newsmorgue.stories.reading import find_story, show_at, story_versions

LATER = START + timedelta(days=9)
SCHOOLS = "https://news.example/2026/schools"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Three sealings of one source, in a folder; each has a story's page, another's, and one that is unchanged."""
    return _fill(open_archive(tmp_path))


def _fill(archive: Archive) -> Archive:
    for number in range(3):
        visitor = Visitor(archive, now=START + timedelta(days=number), run=f"run-{number}")
        visitor.see(BRIDGE, f"{TEXT} {number}", headline=f"The bridge, {number}")
        visitor.see(SCHOOLS, OTHER_TEXT, headline="Schools")
        visitor.unmodified(SCHOOLS)
        visitor.end()
    return archive


def _repair(archive: Archive) -> list[str]:
    return list(repair(archive, LATER))


def _names(archive: Archive) -> list[str]:
    """The names of what is sealed, in the order it was."""
    return sorted({capture.warc for capture in captures(archive)}, key=lambda name: name.rpartition("-")[2])


def _path(archive: Archive, key: str) -> Path:
    return Path(archive.store.address) / key


def _damage(path: Path, *numbers: int) -> tuple[int, int]:
    """Spoil the gzip members of those numbers; offset and length of the last."""
    data = bytearray(path.read_bytes())
    with path.open("rb") as stream:
        found = list(members(stream, ""))
    for offset, length, _ in (found[number] for number in numbers):
        data[offset + 12 : offset + length - 12] = bytes(length - 24)
    path.write_bytes(data)
    offset, length, _ = found[numbers[-1]]
    return offset, length


def _assert_clean(archive: Archive, folder: Path, losses: int = 0) -> None:
    report = verify(archive)
    assert [f"{problem.where}: {problem.what}" for problem in report.problems] == []
    assert len(report.losses) == losses
    assert rows(reindexed(archive, f"sqlite:///{folder / 'rebuilt.sqlite'}")) == rows(archive)
    assert _repair(archive) == []


def test_a_whole_archive_is_left_alone(archive: Archive, tmp_path: Path) -> None:
    before = {info.key: archive.store.get(info.key) for info in archive.store.list()}
    assert _repair(archive) == []
    assert {info.key: archive.store.get(info.key) for info in archive.store.list()} == before
    _assert_clean(archive, tmp_path)


@pytest.mark.parametrize("damage", [None, b"", b"other bytes\n"], ids=["missing", "empty", "wrong"])
@pytest.mark.parametrize("kind", ["cdxj", "manifest"])
def test_what_something_else_still_says_is_as_it_was(
    archive: Archive, tmp_path: Path, kind: str, damage: bytes | None
) -> None:
    key = getattr(object_keys(_names(archive)[1]), kind)
    whole = archive.store.get(key)
    archive.store.delete(key)
    if damage is not None:
        _path(archive, key).write_bytes(damage)
    said = _repair(archive)
    assert archive.store.get(key) == whole
    assert any(line.startswith(f"{key}: ") and ("made again" in line or "put back" in line) for line in said)
    quarantined = [info.key for info in archive.store.list("quarantine/")]
    assert len(quarantined) == (0 if damage is None else 1)
    assert all(archive.store.get(each) == damage and each.endswith(key) for each in quarantined)
    _assert_clean(archive, tmp_path)


def test_an_index_is_made_without_the_catalogue(archive: Archive, tmp_path: Path) -> None:
    fresh = reindexed(archive, f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    key = object_keys(_names(archive)[0]).cdxj
    whole = archive.store.get(key)
    _path(archive, key).write_bytes(whole[:-20])
    with fresh.catalogue.write() as connection:
        connection.execute(sa.delete(schema.captures))
    said = _repair(fresh)
    assert any("made again from the WARC" in line for line in said)
    assert archive.store.get(key) == whole
    _assert_clean(fresh, tmp_path)


def test_rows_that_say_something_else_are_built_anew(archive: Archive, tmp_path: Path) -> None:
    before = rows(archive)
    with archive.catalogue.write() as connection:
        connection.execute(sa.update(schema.captures).values(status=404))
    assert [line.partition(":")[0] for line in _repair(archive)] == ["catalogue"]
    assert rows(archive) == before
    _assert_clean(archive, tmp_path)


def test_a_damaged_record_costs_that_record_alone(archive: Archive, tmp_path: Path) -> None:
    name = _names(archive)[1]
    keys = object_keys(name)
    whole = archive.store.get(keys.warc)
    offset, length = _damage(_path(archive, keys.warc), 1)
    damaged = archive.store.get(keys.warc)
    (lost,) = (each for each in captures(archive) if (each.warc, each.offset) == (name, offset))
    said = _repair(archive)
    assert any(line.startswith(f"{name}: replaced by ") and line.endswith("; 1 captures lost") for line in said)
    assert f"lost: the capture of {lost.url} at 2026-03-02T12:01:00.000000Z" in said
    (kept,) = archive.store.list("quarantine/")
    assert (kept.key.endswith(keys.warc), archive.store.get(kept.key)) == (True, damaged)
    with pytest.raises(MissingObject):
        archive.store.get(keys.warc)
    successor = next(found for found in _names(archive) if found not in (name,) and _replaces(archive, found) == name)
    new = archive.store.get(object_keys(successor).warc)
    assert (new[:offset], new[offset + length :]) == (whole[:offset], whole[offset + length :])
    assert len(captures(archive)) == 8
    for capture in captures(archive):
        assert archive.read_capture(capture).headers["warc-target-uri"] == capture.url
    _assert_other_tools_read(_path(archive, object_keys(successor).warc))
    with archive.catalogue.read() as connection:
        a = schema.audit.c
        audited = connection.execute(sa.select(a.action, a.subject).where(a.action != "recovered").order_by(a.line))
        assert [tuple(row) for row in audited] == [("replaced", name), ("lost", lost.url)]
    _assert_clean(archive, tmp_path, losses=1)


def _replaces(archive: Archive, name: str) -> str | None:
    replaced = json.loads(archive.store.get(object_keys(name).manifest)).get("replaced", [])
    return replaced[0]["old"] if replaced else None


def _assert_other_tools_read(warc: Path) -> None:
    subprocess.run(["gzip", "--test", warc], check=True)
    checked = subprocess.run(
        [Path(sys.executable).with_name("warcio"), "check", warc], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("cut", [1, 700])
def test_a_warc_that_is_cut_or_has_a_tail(archive: Archive, tmp_path: Path, cut: int) -> None:
    first, second, _ = _names(archive)
    path = _path(archive, object_keys(first).warc)
    path.write_bytes(path.read_bytes()[:-cut])
    other = _path(archive, object_keys(second).warc)
    other.write_bytes(other.read_bytes() + b"a tail")
    _repair(archive)
    assert len(captures(archive)) == (9 if cut == 1 else 8)
    _assert_clean(archive, tmp_path, losses=1)


def test_of_a_damaged_journal_the_other_events_stay(archive: Archive, tmp_path: Path) -> None:
    """A text that is lost is had again: its capture waits for cleaning once more."""
    name = _names(archive)[2]
    key = object_keys(name).journal
    with _path(archive, key).open("rb") as stream:
        kinds = [content.partition(b'"type":"')[2].partition(b'"')[0] for _, _, content in members(stream, "")]
    _damage(_path(archive, key), kinds.index(b"version"), kinds.index(b"outcome"))
    before = len(captures(archive))
    assert any(line.startswith(f"{name}: replaced by ") for line in _repair(archive))
    story = find_story(archive, BRIDGE)
    assert [row.headline for row in story_versions(archive, story)] == ["The bridge, 0", "The bridge, 1"]
    assert show_at(archive, story, START + timedelta(days=1, hours=1)).article.text == f"{TEXT} 1"
    assert len(captures(archive)) == before
    assert [each.url for each in captures(archive) if each.state == UNCLEANED] == [BRIDGE]
    gunzipped = gzip.decompress(archive.store.get(object_keys(_names(archive)[2]).journal))
    assert len(gunzipped.splitlines()) == len(kinds)
    _assert_clean(archive, tmp_path, losses=2)


def test_a_manifest_is_not_forged(archive: Archive, tmp_path: Path) -> None:
    """Its objects go to quarantine, and verify goes on to say that the chain has a hole."""
    keys = object_keys(_names(archive)[1])
    archive.store.delete(keys.manifest)
    fresh = open_archive(tmp_path, catalogue=f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    list(repair(fresh, LATER))
    found = problems(fresh)
    assert len(found) == 1
    assert "a manifest is missing" in found[0]
    kept = {info.key.split("/", 2)[2] for info in fresh.store.list("quarantine/")}
    assert kept == {keys.warc, keys.cdxj, keys.journal}


def test_what_stands_in_no_manifest_goes_to_quarantine(archive: Archive, tmp_path: Path) -> None:
    archive.store.put_bytes("warc/demo/2026/03/stranger.warc.gz", b"whatever")
    (said, *_) = _repair(archive)
    assert said.startswith("warc/demo/2026/03/stranger.warc.gz: moved to quarantine/")
    assert "'morgue import' takes its pages in again" in said
    _assert_clean(archive, tmp_path)


def test_a_compacted_file_is_repaired_too(archive: Archive, tmp_path: Path) -> None:
    list(compact(archive, "demo", LATER))
    (name,) = _names(archive)
    _damage(_path(archive, object_keys(name).warc), 5)
    _repair(archive)
    assert len(captures(archive)) in (8, 9)
    _assert_clean(archive, tmp_path, losses=1)
    assert list(compact(archive, "demo", LATER)) is not None
    assert problems(archive) == []


def test_a_repair_repaired(archive: Archive, tmp_path: Path) -> None:
    """Damage to a successor, and more of it to what was damaged before."""
    for member in (1, 3):
        _damage(_path(archive, object_keys(_names(archive)[0 if member == 1 else -1]).warc), member)
        _repair(archive)
        assert problems(archive) == []
    assert len(captures(archive)) == 7
    _assert_clean(archive, tmp_path, losses=2)


def test_a_missing_warc_is_named_and_comes_back_with_a_copy(archive: Archive, tmp_path: Path) -> None:
    key = object_keys(_names(archive)[1]).warc
    whole = archive.store.get(key)
    archive.store.delete(key)
    assert f"{key}: is missing; nothing here can replace it, but a copy of it put back under that key" in _repair(
        archive
    )
    assert any(problem.startswith(f"{key}: missing") for problem in problems(archive))
    archive.store.put_bytes(key, whole)
    _assert_clean(archive, tmp_path)


def test_no_repair_while_a_crawl_runs(archive: Archive) -> None:
    _damage(_path(archive, object_keys(_names(archive)[1]).warc), 1)
    with archive.spool.lock_source("demo", "crawl"), pytest.raises(Busy):
        _repair(archive)


class _Dying:
    """A store that fails at its n-th change, and from then on."""

    def __init__(self, inner: Store, left: int) -> None:
        self.inner, self.left = inner, left

    def __getattr__(self, name: str) -> object:
        if name in ("put_file", "put_bytes", "delete"):
            self.left -= 1
            if self.left < 0:
                raise IntegrityFailure("the store fails")
        return getattr(self.inner, name)


def _check_cut_off(folder: Path, end: int) -> None:
    folder.mkdir()
    archive = _fill(open_archive(folder))
    name = _names(archive)[1]
    _damage(_path(archive, object_keys(name).warc), 1)
    _damage(_path(archive, object_keys(name).journal), 2)
    store, archive.store = archive.store, _Dying(archive.store, end)  # type: ignore[assignment]
    with suppress(IntegrityFailure):
        _repair(archive)
    archive.store = store
    _repair(archive)
    report = verify(archive)
    assert (report.problems, len(report.losses)) == ([], 2), end
    assert len(captures(archive)) == 8
    assert len(list(store.list("quarantine/"))) == 2
    assert rows(reindexed(archive, f"sqlite:///{folder / 'rebuilt.sqlite'}")) == rows(archive)


# A repair makes thirteen changes to the store.
@pytest.mark.parametrize("end", [0, 2, 6, 9, 11])
def test_a_repair_may_be_cut_off(tmp_path: Path, end: int) -> None:
    _check_cut_off(tmp_path / "archive", end)


@pytest.mark.nightly
def test_a_repair_may_be_cut_off_anywhere(tmp_path: Path) -> None:
    for end in range(14):
        _check_cut_off(tmp_path / str(end), end)


def test_in_s3_and_postgresql(tmp_path: Path, store: Store, catalogue_url: str) -> None:
    archive = _fill(open_archive(tmp_path, store=store, catalogue=catalogue_url))
    keys = object_keys(_names(archive)[1])
    whole = archive.store.get(keys.warc)
    archive.store.delete(keys.warc)
    archive.store.put_bytes(keys.warc, whole[:-300])
    _repair(archive)
    assert len(captures(archive)) == 9
    _assert_clean(archive, tmp_path, losses=1)


def test_the_command_says_what_it_did_and_what_is_lost(tmp_path: Path) -> None:
    archive = _fill(open_archive(tmp_path))
    _damage(_path(archive, object_keys(_names(archive)[1]).warc), 1)
    places = {"MORGUE_CATALOGUE": str(archive.catalogue.url), "MORGUE_SPOOL": str(archive.spool.folder)}
    morgue = Morgue(tmp_path, {"MORGUE_STORE": archive.store.address, **places})
    found = morgue("verify")
    assert (found.code, found.err) == (ExitCode.DAMAGED, "")
    repaired = morgue("verify", "--repair")
    assert repaired.code == 0
    assert "; 1 captures lost" in repaired.err
    assert repaired.out.endswith(" records: 0 problems, 1 losses known\n")
    (lost,) = morgue.documents("verify")
    assert lost["what"].endswith("bytes were lost by damage; what is left of them is in quarantine")
