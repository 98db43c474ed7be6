"""Repair: what can be had again is as it was, what is damaged has a successor, what is lost is named."""

import asyncio
import gzip
import hashlib
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
import sqlalchemy as sa
from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    START,
    TEXT,
    Visitor,
    captures,
    environment_of,
    exchange,
    open_archive,
    problems,
    rows,
)
from tests.archive.harness import rebuilt as reindexed
from tests.cli.command import PROGRAM, Morgue, clean_environment

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import UNCLEANED
from newsmorgue.archive.compaction import compact
from newsmorgue.archive.journal import members
from newsmorgue.archive.repair import repair
from newsmorgue.archive.salvage import LOST_FIELD
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import verify
from newsmorgue.archive.warc import RecordWriter
from newsmorgue.errors import Busy, ExitCode, IntegrityFailure, MissingObject
from newsmorgue.pipelines.importing import ImportJob
from newsmorgue.settings.configuration import Configuration
from newsmorgue.stories.reading import find_story, show_at, story_versions
from newsmorgue.times import iso

LATER = START + timedelta(days=9)
RANDOM, MANY = 6, 300
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


def _found(archive: Archive, name: str) -> list[tuple[int, int, bytes]]:
    return list(members(BytesIO(archive.store.get(object_keys(name).warc)), ""))


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
    assert any(line.startswith(f"{name}: replaced by ") and line.endswith("; 1 capture lost") for line in said)
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


def test_a_missing_warc_is_named_with_all_that_it_held_and_nothing_points_to_it(
    archive: Archive, tmp_path: Path
) -> None:
    name = _names(archive)[1]
    key = object_keys(name).warc
    lost = [capture for capture in captures(archive) if capture.warc == name]
    archive.store.delete(key)
    said = _repair(archive)
    assert f"{key}: is missing" in said
    assert {f"lost: the capture of {each.url} at {iso(each.time)}" for each in lost} <= set(said)
    assert len(captures(archive)) == 6
    for capture in captures(archive):
        assert archive.read_capture(capture).headers["warc-target-uri"] == capture.url
    story = find_story(archive, BRIDGE)
    assert [row.headline for row in story_versions(archive, story)] == [f"The bridge, {number}" for number in range(3)]
    _assert_clean(archive, tmp_path, losses=1)


def test_the_text_of_a_lost_page_is_still_read(archive: Archive, tmp_path: Path) -> None:
    archive.store.delete(object_keys(_names(archive)[1]).warc)
    morgue = Morgue(tmp_path, environment_of(archive))
    assert morgue("verify", "--repair").code == ExitCode.OK
    shown = morgue("show", BRIDGE, "--version", "2")
    assert (shown.code, shown.err) == (ExitCode.OK, "")
    assert f"{TEXT} 1" in shown.out
    assert f"{TEXT} 1" in morgue("show", BRIDGE, "--at", "2026-03-02T23:00:00Z").out
    assert morgue("diff", BRIDGE, "--from", "1", "--to", "2").code == ExitCode.OK
    (document,) = morgue.documents("show", BRIDGE, "--version", "2")
    assert document["capture"] is None
    for form in ("html", "warc"):
        page = morgue("show", BRIDGE, "--version", "2", "--format", form)
        assert (page.code, page.out) == (ExitCode.MISSING_OBJECT, "")
        assert page.err.startswith(f"morgue: {BRIDGE} as seen at 2026-03-02T12:01:00.000000Z: the page was lost")


def test_a_copy_of_a_missing_warc_that_turns_up_later_can_be_imported(archive: Archive, tmp_path: Path) -> None:
    key = object_keys(_names(archive)[1]).warc
    whole = archive.store.get(key)
    archive.store.delete(key)
    _repair(archive)
    archive.store.put_bytes(key, whole)
    assert any(problem.startswith(f"{key}: was replaced by ") for problem in problems(archive))
    (said,) = _repair(archive)
    assert said.startswith(f"{key}: copied to quarantine/")
    assert said.endswith("; it is whole, and was given up for lost: 'morgue import' takes it in from there")
    (kept,) = archive.store.list("quarantine/")
    assert archive.store.get(kept.key) == whole
    job = ImportJob(archive, Configuration("", "", Path(), cleaning_processes=1), lambda: LATER, source="demo")
    asyncio.run(job.run([_path(archive, kept.key)]))
    assert (job.counts["kept"], job.counts["skipped"], len(captures(archive))) == (3, 0, 9)
    _assert_clean(archive, tmp_path, losses=1)


def test_what_is_left_after_a_repair_can_be_taken_out(archive: Archive, tmp_path: Path) -> None:
    (schools,) = (each for each in captures(archive) if each.url == SCHOOLS and each.kind == "response")
    (first,) = (number for number, each in enumerate(_found(archive, schools.warc)) if each[0] == schools.offset)
    _damage(_path(archive, object_keys(schools.warc).warc), first)
    _repair(archive)
    ended = Morgue(tmp_path, environment_of(archive))("export", "--format", "wacz", "-o", "left.wacz")
    assert (ended.code, ended.out) == (ExitCode.OK, "wrote 8 captures to left.wacz\n")
    told = ended.err.splitlines()
    assert len(told) == len([each for each in captures(archive) if each.kind == "revisit"])
    assert all(f"{SCHOOLS} at 2026-03-0" in line and line.endswith("is not in the archive") for line in told)
    with zipfile.ZipFile(tmp_path / "left.wacz") as package, package.open("archive/data.warc.gz") as stream:
        content = b"".join(content for _, _, content in members(BytesIO(stream.read()), ""))
    assert b"WARC-Type: revisit" in content and LOST_FIELD.encode() not in content


def test_a_dom_that_is_lost_is_a_known_loss_and_not_taken_out(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    capture = visitor.record(BRIDGE, b"<html>x</html>")
    visitor.recorder.keep_rendering(capture, b"<html>made by a script</html>")
    visitor.end()
    (number,) = (at for at, each in enumerate(_found(archive, capture.warc)) if b"made by a script" in each[2])
    _damage(_path(archive, object_keys(capture.warc).warc), number)
    _repair(archive)
    _assert_clean(archive, tmp_path, losses=1)
    ended = Morgue(tmp_path, environment_of(archive))("export", "--format", "warc", "-o", "left.warc.gz")
    assert ended.code == ExitCode.OK
    assert ended.err == f"  incomplete: {BRIDGE} at {iso(capture.time)}: the DOM that a browser made of it is lost\n"
    _assert_other_tools_read(tmp_path / "left.warc.gz")


@pytest.mark.parametrize("change", [-40, -1, 1, 33])
def test_what_moved_within_a_damaged_file_is_put_back_where_it_stood(
    archive: Archive, tmp_path: Path, change: int
) -> None:
    """Bytes went or came in the second record, so that all behind it stands elsewhere."""
    name = _names(archive)[1]
    path = _path(archive, object_keys(name).warc)
    before = {(each.url, each.time): each.offset for each in captures(archive) if each.warc == name}
    data = bytearray(path.read_bytes())
    with path.open("rb") as stream:
        _, (offset, length, _), *_ = members(stream, "")
    middle = offset + length // 2
    data[middle : middle + max(-change, 0)] = bytes(max(change, 0))
    path.write_bytes(data)
    assert any(
        line.startswith(f"{name}: replaced by ") and line.endswith("; 1 capture lost") for line in _repair(archive)
    )
    after = {(each.url, each.time): each.offset for each in captures(archive) if _replaces(archive, each.warc) == name}
    assert len(after) == 2
    assert after.items() <= before.items()
    _assert_clean(archive, tmp_path, losses=1)


def test_a_site_cannot_have_its_own_record_taken_for_one_of_ours(tmp_path: Path) -> None:
    """A gzip body that holds a WARC record stands as it is within the record that archives it: which is damaged."""
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    forged, _ = RecordWriter().exchange(exchange("https://bank.example/", b"forged"), "story")
    noise = random.Random(1).randbytes(150_000)
    for size in range(120_000, 150_000, 2_000):  # in some of them compressing does not touch it
        visitor.record(f"{BRIDGE}/{size}", noise[:size] + forged + b"the end")
    visitor.end()
    before = captures(archive)
    path = _path(archive, object_keys(before[0].warc).warc)
    data = bytearray(path.read_bytes())
    struck = [each for each in before if forged in data[each.offset : each.offset + each.length]]
    assert struck
    for each in struck:
        data[each.offset + 20] ^= 0xFF
    path.write_bytes(data)
    _repair(archive)
    assert {each.url for each in captures(archive)} == {each.url for each in before} - {each.url for each in struck}
    successor = next(info.key for info in archive.store.list("warc/") if info.key.endswith(".warc.gz"))
    assert b"bank.example" not in gzip.decompress(archive.store.get(successor))
    _assert_clean(archive, tmp_path, losses=len(struck))


@pytest.mark.parametrize("kind", ["warc", "journal"])
def test_damage_in_the_spool_is_mended_too(archive: Archive, tmp_path: Path, kind: str) -> None:
    """It is stored as it is, and then gets its successor; also where the very first of the journal is damaged."""
    visitor = Visitor(archive, now=LATER, run="run-9")
    visitor.see(BRIDGE, f"{TEXT} 9")
    visitor.end(sealed=False)
    (name,) = archive.spool.names()
    _damage(
        archive.spool.path(name, {"warc": ".warc.gz", "journal": ".jsonl.gz"}[kind]), {"warc": 1, "journal": 0}[kind]
    )
    assert any(line.startswith(f"{name}: replaced by ") for line in _repair(archive))
    assert archive.spool.names() == []
    _assert_clean(archive, tmp_path, losses=1)


def test_a_file_that_is_damaged_while_its_sealing_is_cut_off(archive: Archive, tmp_path: Path) -> None:
    """Its manifest says already how it was: it can never be stored so, and must hold up nothing."""
    visitor = Visitor(archive, now=LATER, run="run-9")
    visitor.see(BRIDGE, f"{TEXT} 9")
    store, archive.store = archive.store, _Dying(archive.store, 0)  # type: ignore[assignment]
    with pytest.raises(IntegrityFailure):
        visitor.end()
    archive.store = store
    (name,) = archive.spool.names()
    _damage(archive.spool.path(name, ".warc.gz"), 1)
    assert any(line.startswith(f"{name}: replaced by ") for line in _repair(archive))
    assert archive.spool.names() == []
    _assert_clean(archive, tmp_path, losses=1)


class _BadStream(BytesIO):
    def __init__(self, data: bytes, sector: int) -> None:
        super().__init__(data)
        self.sector = sector

    def read(self, size: int | None = -1, /) -> bytes:
        start, data = self.tell(), super().read(size)
        if start < self.sector + 4096 and self.sector < self.tell():
            raise IntegrityFailure("cannot be read: Input/output error")
        return data


class _BadSector:
    """A store on a disk that cannot read one sector of one object."""

    def __init__(self, inner: Store, key: str, sector: int) -> None:
        self.inner, self.key, self.sector = inner, key, sector

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        if key == self.key and offset < self.sector + 4096 and self.sector < offset + length:
            raise IntegrityFailure(f"{key}@{self.sector}: cannot be read: Input/output error")
        return self.inner.get_range(key, offset, length)

    def open(self, key: str) -> BinaryIO:
        return _BadStream(self.inner.get(key), self.sector) if key == self.key else self.inner.open(key)

    def sha256(self, key: str) -> str:
        with self.open(key) as stream:
            return hashlib.sha256(stream.read()).hexdigest()


def test_a_sector_that_cannot_be_read_costs_what_stands_in_it(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    for number in range(6):
        visitor.record(f"{BRIDGE}/{number}", random.Random(number).randbytes(9_000))
    visitor.end()
    name = captures(archive)[0].warc
    sector = 4096 * 5
    hit = [each.url for each in captures(archive) if each.offset < sector + 4096 and sector < each.offset + each.length]
    store = archive.store
    archive.store = _BadSector(store, object_keys(name).warc, sector)  # type: ignore[assignment]
    assert any("cannot be read" in problem for problem in problems(archive))
    said = _repair(archive)
    archive.store = store
    assert 1 <= len(hit) <= 2
    assert [each.url for each in captures(archive)] == [
        url for number in range(6) if (url := f"{BRIDGE}/{number}") not in hit
    ]
    assert {url for url in hit if any(line.startswith(f"lost: the capture of {url} ") for line in said)} == set(hit)
    _assert_clean(archive, tmp_path, losses=1)


def test_verify_goes_on_behind_a_sector_that_cannot_be_read(archive: Archive, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    keys = object_keys(_names(archive)[1])
    _damage(_path(archive, object_keys(_names(archive)[2]).warc), 1)
    environment = clean_environment() | environment_of(archive)
    unreadable: list[str | Path] = ["-P", _path(archive, keys.warc), "-e", "trace=read", "-e", "inject=read:error=EIO"]
    command: list[str | Path] = [strace, "-f", "-qq", "-o", "/dev/null", *unreadable, PROGRAM, "verify"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr.lower():
        pytest.skip("strace may not trace here")
    assert done.returncode == ExitCode.DAMAGED
    found = done.stdout.splitlines()
    assert any(line.startswith(f"{keys.warc}: ") and "cannot be read: Input/output error" in line for line in found)
    assert any(line.startswith(f"{object_keys(_names(archive)[2]).warc}@") for line in found)


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


_DAMAGES: dict[str, Callable[[random.Random, bytearray], object]] = {
    "a bit flips": lambda chance, data: _flip(chance, data),
    "a sector is lost": lambda chance, data: _overwrite(data, chance.randrange(len(data)), bytes(512)),
    "the end is cut": lambda chance, data: data.__delitem__(slice(chance.randrange(len(data)), None)),
    "a tail": lambda chance, data: data.extend(chance.randbytes(chance.choice((1, 700)))),
    "bytes come in": lambda chance, data: data.insert(chance.randrange(len(data)), 0),
    "bytes go": lambda chance, data: data.__delitem__(slice(start := chance.randrange(len(data)), start + 40)),
    "nothing is left": lambda chance, data: data.clear(),
}


def _flip(chance: random.Random, data: bytearray) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, start: int, new: bytes) -> None:
    data[start : start + len(new)] = new[: len(data) - start]


def _damage_at_random(archive: Archive, chance: random.Random) -> list[str]:
    """Damage up to six objects, or remove them; what was done."""
    done = []
    for key in chance.sample(sorted(info.key for info in archive.store.list()), chance.choice((1, 1, 2, 3, 6))):
        kind = chance.choice([*_DAMAGES, "missing"])
        done.append(f"{key}: {kind}")
        if kind == "missing":
            archive.store.delete(key)
            continue
        data = bytearray(archive.store.get(key))
        _DAMAGES[kind](chance, data)
        _path(archive, key).write_bytes(data)
    return done


def _check_random_damage(whole: Path, folder: Path, seed: int) -> None:
    """Whatever is damaged, a repair ends, nothing is wrong afterwards, and the next run goes on."""
    shutil.copytree(whole, folder)
    archive, chance = open_archive(folder), random.Random(seed)
    if chance.random() < 0.3:
        list(compact(archive, "demo", LATER))
    done = _damage_at_random(archive, chance)
    list(repair(archive, LATER, missing_is_lost=True))
    assert problems(archive) == [], done
    visitor = Visitor(archive, now=LATER + timedelta(days=1), run="run-9")
    visitor.see(BRIDGE, f"{TEXT} anew")
    visitor.redirect("https://news.example/old", BRIDGE)
    visitor.unmodified(SCHOOLS)
    visitor.end()
    for capture in captures(archive):
        assert archive.read_capture(capture).headers["warc-target-uri"] == capture.url
    assert problems(archive) == [], done
    assert rows(reindexed(archive, f"sqlite:///{folder / 'rebuilt.sqlite'}")) == rows(archive), done
    shutil.rmtree(folder)


@pytest.mark.parametrize("seed", range(RANDOM))
def test_whatever_is_damaged_is_mended(archive: Archive, tmp_path: Path, seed: int) -> None:
    _check_random_damage(tmp_path, tmp_path.with_name(f"{tmp_path.name}-damaged"), seed)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_whatever_is_damaged_is_mended_many_times(archive: Archive, tmp_path: Path) -> None:
    for seed in range(RANDOM, RANDOM + MANY):
        _check_random_damage(tmp_path, tmp_path.with_name(f"{tmp_path.name}-{seed}"), seed)


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
    morgue = Morgue(tmp_path, environment_of(archive))
    found = morgue("verify")
    assert (found.code, found.err) == (ExitCode.DAMAGED, "")
    repaired = morgue("verify", "--repair")
    assert repaired.code == 0
    assert "; 1 capture lost" in repaired.err
    assert repaired.out.endswith(" records: 0 problems, 1 loss known\n")
    (lost,) = morgue.documents("verify")
    assert lost["what"].endswith("bytes were lost by damage; what is left of them is in quarantine")
