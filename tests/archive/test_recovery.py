"""What was committed outlives ``kill -9`` at every step and a full disk, and what was not leaves only captures."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.archive.dying import BEGINNINGS, DISK_FULL, SECOND, STEPS
from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    START,
    Visitor,
    article,
    captures,
    column,
    open_archive,
    problems,
    rebuilt,
    rows,
)
from tests.processes import SECONDS

from newsmorgue.archive import schema
from newsmorgue.archive.archive import OPEN, Archive, Limits
from newsmorgue.archive.capture import CLEANED, UNCLEANED
from newsmorgue.archive.journal import entries
from newsmorgue.archive.recovery import adopt, open_file, seal_all
from newsmorgue.archive.spool import JOURNAL_SUFFIX, WARC_SUFFIX, SpoolFile
from newsmorgue.errors import IntegrityFailure, StoreUnavailable
from newsmorgue.stories.reading import find_story, list_stories, story_versions

LATER = START + timedelta(hours=1)
# How far the second page's capture had come, and what must be so of it afterwards.
LOST = {"nothing of the WARC", "half of the WARC's bytes"}


def _run(folder: Path, catalogue: str, step: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.archive.dying", str(folder), catalogue, step]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS)


@pytest.fixture(params=[*STEPS])
def step(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_kill_9_loses_nothing_that_was_committed(tmp_path: Path, catalogue_url: str, step: str) -> None:
    killed = _run(tmp_path, catalogue_url, step)
    assert killed.returncode == -9, killed.stderr
    archive = open_archive(tmp_path, catalogue=catalogue_url)
    visitor = Visitor(archive, now=LATER, run="run-2")
    _assert_files_and_rows_agree(archive)
    assert [row.url for row in list_stories(archive) if row.url == BRIDGE] == [BRIDGE]
    states = {capture.url: capture.state for capture in captures(archive)}
    assert states[BRIDGE] == CLEANED
    assert states.get(SECOND) == (None if step in LOST else CLEANED if step == "committed" else UNCLEANED)
    assert column(archive, schema.runs.c.outcome, schema.runs.c.id == "run-1") == ["lost"]

    for capture in captures(archive):
        if capture.state == UNCLEANED:
            assert visitor.file(capture.url, capture, OTHER_TEXT, headline="Schools") == "new_story"
    visitor.see(SECOND, OTHER_TEXT, headline="Schools")
    visitor.end()
    assert column(archive, schema.captures.c.url, schema.captures.c.state == UNCLEANED) == []
    assert [row.versions for row in list_stories(archive)] == [1, 1]
    assert story_versions(archive, find_story(archive, SECOND))[0].sightings == (1 if step in LOST else 2)
    assert problems(archive) == []
    assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")) == rows(archive)


def _assert_files_and_rows_agree(archive: Archive) -> None:
    for name in archive.spool.names():
        mine = schema.files.c.name == name
        for suffix, length in (
            (WARC_SUFFIX, schema.files.c.warc_length),
            (JOURNAL_SUFFIX, schema.files.c.journal_length),
        ):
            assert column(archive, length, mine) == [archive.spool.path(name, suffix).stat().st_size]
        for capture in captures(archive):
            assert archive.read_capture(capture).headers["warc-target-uri"] == capture.url
        with archive.spool.path(name, JOURNAL_SUFFIX).open("rb") as stream:
            lines = [(entry.seq, entry.line) for _, entry in entries(stream, name)]
        assert lines == sorted(set(lines))
        assert column(archive, schema.counters.c.value, schema.counters.c.name == "commits") == [lines[-1][0]]


@pytest.mark.parametrize("beginning", [*BEGINNINGS])
def test_a_warc_without_its_first_record_is_thrown_away(tmp_path: Path, catalogue_url: str, beginning: str) -> None:
    assert _run(tmp_path, catalogue_url, beginning).returncode == -9
    archive = open_archive(tmp_path, catalogue=catalogue_url)
    left = archive.spool.names()
    assert len(left) == 1
    visitor = Visitor(archive, now=LATER)
    visitor.see(BRIDGE)
    assert set(archive.spool.names()).isdisjoint(left)
    visitor.end()
    assert archive.spool.names() == []
    assert problems(archive) == []


def test_a_recovery_is_on_record(tmp_path: Path) -> None:
    catalogue = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    _run(tmp_path, catalogue, "one event")
    archive = open_archive(tmp_path)
    assert len(seal_all(archive, LATER)) == 1
    details = column(archive, schema.audit.c.detail, schema.audit.c.action == "recovered")
    assert len(details) == 1
    assert details[0].startswith("1 captures taken over uncleaned, 0 torn WARC bytes and ")


def test_a_full_disk_is_said_and_leaves_a_whole_spool(tmp_path: Path) -> None:
    done = _run(tmp_path, f"sqlite:///{tmp_path / 'catalogue.sqlite'}", DISK_FULL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"StoreUnavailable: spool {tmp_path / 'spool' / 'demo'}")
    archive = open_archive(tmp_path)
    before = len(captures(archive))
    assert before > 2
    visitor = Visitor(archive, now=LATER)
    assert visitor.see(BRIDGE) == "unchanged"
    visitor.end()
    assert len(captures(archive)) == before + 1
    assert problems(archive) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tmpfs")
    folder = tmp_path / "tiny"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_fills_up_in_the_middle_of_a_commit(tmp_path: Path, tiny_disk: Path) -> None:
    (tmp_path / "spool").symlink_to(tiny_disk)
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    noise = random.Random(2)
    long_text = " ".join(noise.randbytes(8).hex() for _ in range(150_000))
    capture = visitor.record(SECOND, b"<html>short</html>")
    with pytest.raises(StoreUnavailable, match="No space left on device; make room"):
        visitor.file(SECOND, capture, long_text)
    with pytest.raises(IntegrityFailure, match="run the same command again"):
        visitor.see(SECOND)  # nothing may be built on a commit that failed
    visitor.recorder.abandon()
    again = Visitor(archive, now=LATER, run="run-2")
    assert [each.state for each in captures(archive) if each.url == SECOND] == [UNCLEANED, UNCLEANED]
    assert again.see(SECOND, OTHER_TEXT, headline="Schools") == "new_story"
    again.end()
    assert problems(archive) == []
    assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")) == rows(archive)


def test_what_no_commit_covers_is_not_sealed(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.record(SECOND, b"<html>")
    visitor.recorder.abandon()
    (name,) = archive.spool.names()
    with archive.spool.path(name, JOURNAL_SUFFIX).open("ab") as stream:
        stream.write(b"half an ev")
    (sealed,) = seal_all(archive, LATER)
    assert sealed == name
    assert len(captures(archive)) == 2
    assert problems(archive) == []


def test_a_disk_that_lost_committed_bytes_is_no_new_beginning(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.end(sealed=False)
    (name,) = archive.spool.names()
    path = archive.spool.path(name, JOURNAL_SUFFIX)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        IntegrityFailure, match=r"the disk lost some; put back a copy, or run 'morgue reindex --replace'"
    ):
        Visitor(archive, now=LATER)


def test_the_next_run_goes_on_with_the_open_warc(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    for run in ("run-1", "run-2"):
        visitor = Visitor(archive, run=run)
        visitor.see(BRIDGE)
        visitor.end(sealed=False)
    assert len({capture.warc for capture in captures(archive)}) == 1
    assert column(archive, schema.files.c.state) == [OPEN]


@pytest.mark.parametrize("limits", [Limits(size=1), Limits(age=timedelta(seconds=1))])
def test_a_warc_of_some_size_or_age_is_sealed(tmp_path: Path, limits: Limits) -> None:
    archive = open_archive(tmp_path, limits=limits)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.see(BRIDGE)
    visitor.end()
    assert len({capture.warc for capture in captures(archive)}) == 2
    assert problems(archive) == []


def test_another_source_s_open_warc_is_left_alone(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    other = Visitor(archive, source="other")
    other.see(BRIDGE)
    other.end(sealed=False)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.end()
    assert [name.split("-")[0] for name in archive.spool.names()] == ["other"]


def test_a_file_the_catalogue_does_not_know_is_believed(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.see(BRIDGE)
    visitor.recorder.abandon()
    fresh = open_archive(tmp_path, catalogue=f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    with open_file(fresh, "demo", LATER, {}, SpoolFile.close):
        assert rows(fresh) == rows(visitor.archive)


def test_a_file_that_another_process_holds_is_not_adopted(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.see(BRIDGE)
    (name,) = visitor.archive.spool.names()
    assert adopt(open_archive(tmp_path), name, LATER) is None
    assert article(BRIDGE, "").url == BRIDGE
