"""Damage, wherever it strikes: verify names the record or the file, and recovery makes it no worse."""

import random
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from tests.archive.harness import BRIDGE, OTHER_TEXT, START, Visitor, captures, open_archive, problems

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.journal import members
from newsmorgue.archive.spool import JOURNAL_SUFFIX, WARC_SUFFIX
from newsmorgue.errors import IntegrityFailure, MalformedRecord

LATER = START + timedelta(hours=1)
FLIPS, MANY_FLIPS = 60, 1000


def _visited(folder: Path, *, sealed: bool) -> Archive:
    archive = open_archive(folder)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.see(BRIDGE, OTHER_TEXT)
    visitor.unmodified(BRIDGE)
    visitor.end(sealed=sealed)
    return archive


def _stored(archive: Archive) -> dict[str, Path]:
    return {info.key: Path(archive.store.address) / info.key for info in archive.store.list()}


def _spooled(archive: Archive) -> dict[str, Path]:
    (name,) = archive.spool.names()
    return {str(path): path for path in (archive.spool.path(name, end) for end in (WARC_SUFFIX, JOURNAL_SUFFIX))}


def _cut(path: Path) -> list[tuple[int, int, bytes]]:
    return list(members(BytesIO(path.read_bytes()), ""))


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "spooled"])
def test_a_warc_cut_at_any_byte_of_its_last_record_is_named(tmp_path: Path, sealed: bool) -> None:
    archive = _visited(tmp_path, sealed=sealed)
    files = _stored(archive) if sealed else _spooled(archive)
    key, path = next((key, path) for key, path in files.items() if key.endswith(WARC_SUFFIX))
    whole, (last, _, _) = path.read_bytes(), _cut(path)[-1]
    for length in range(last, len(whole)):
        path.write_bytes(whole[:length])
        found = problems(archive)
        assert any(problem.startswith(f"{key}: ") for problem in found), length
        assert length == last or any(problem.startswith(f"{key}@{last}: ") for problem in found), length


@pytest.mark.parametrize("tail", [bytes(700), random.Random(4).randbytes(700), b"\x1f\x8b\x08"])
def test_a_tail_of_something_else(tmp_path: Path, tail: bytes) -> None:
    """In a sealed object it is damage; in an open file it was never committed, and the next run cuts it away."""
    archive = _visited(tmp_path, sealed=False)
    for path in _spooled(archive).values():
        path.write_bytes(path.read_bytes() + tail)
    assert problems(archive) == []
    again = Visitor(archive, now=LATER, run="run-2")
    assert again.see(BRIDGE) == "returned"
    again.end()
    assert problems(archive) == []
    for key, path in _stored(archive).items():
        whole = path.read_bytes()
        path.write_bytes(whole + tail)
        assert any(problem.startswith(f"{key}: ") for problem in problems(archive)), key
        path.write_bytes(whole)


def _flips(files: dict[str, Path], count: int, seed: int) -> Iterator[tuple[str, Path, int]]:
    """Flip one random bit at a time, the files by turns; the place of each, and all is as before afterwards."""
    chance = random.Random(seed)
    order = sorted(files.items())
    for number in range(count):
        key, path = order[number % len(order)]
        whole = path.read_bytes()
        position = chance.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[position] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        yield key, path, position
        path.write_bytes(whole)


def _record_at(records: list[tuple[int, int, bytes]], position: int) -> tuple[int, bytes]:
    return next((start, content) for start, length, content in records if start <= position < start + length)


def _shows(path: Path, start: int, content: bytes) -> bool:
    """Whether what is at ``start`` no longer reads as it did."""
    try:
        return next(found for at, _, found in members(BytesIO(path.read_bytes()), "") if at == start) != content
    except (MalformedRecord, StopIteration):
        return True


def _check_flips(files: dict[str, Path], archive: Archive, count: int, *, sealed: bool) -> int:
    """Every flip is named, by its record where that shows it; how many showed."""
    records = {key: _cut(path) for key, path in files.items() if key.endswith(".gz")}
    shown = 0
    for key, path, position in _flips(files, count, seed=11):
        found = problems(archive)
        if sealed:
            assert any(problem.startswith(f"{key}: ") for problem in found), (key, position)
        if key in records:
            start, content = _record_at(records[key], position)
            if _shows(path, start, content):
                shown += 1
                assert any(problem.startswith(f"{key}@{start}: ") for problem in found), (key, position, found)
    assert problems(archive) == []
    return shown


def test_every_bit_that_flips_in_a_sealed_object_is_named(tmp_path: Path) -> None:
    archive = _visited(tmp_path, sealed=True)
    assert _check_flips(_stored(archive), archive, FLIPS, sealed=True) > FLIPS // 4


def test_every_bit_that_flips_in_an_open_file_and_shows_is_named(tmp_path: Path) -> None:
    archive = _visited(tmp_path, sealed=False)
    assert _check_flips(_spooled(archive), archive, FLIPS, sealed=False) > FLIPS // 2


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "spooled"])
def test_every_one_of_many_bits_that_flip_is_named(tmp_path: Path, sealed: bool) -> None:
    archive = _visited(tmp_path, sealed=sealed)
    files = _stored(archive) if sealed else _spooled(archive)
    assert _check_flips(files, archive, MANY_FLIPS, sealed=sealed) > MANY_FLIPS // 4


def test_verify_reads_what_another_process_is_writing(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.see(BRIDGE)
    visitor.record(BRIDGE, b"<html>not committed yet")
    assert problems(open_archive(tmp_path)) == []


def test_a_spool_file_that_is_gone_is_named(tmp_path: Path) -> None:
    archive = _visited(tmp_path, sealed=False)
    for path in _spooled(archive).values():
        path.unlink()
    assert [problem.partition(": ")[2][:20] for problem in problems(archive)] == ["is not in the spool,"]


def _damage_second_record(path: Path) -> bytes:
    _, (start, length, _), *_ = _cut(path)
    damaged = bytearray(path.read_bytes())
    damaged[start + length // 2] ^= 0xFF
    path.write_bytes(damaged)
    return bytes(damaged)


def test_recovery_cuts_no_committed_record_behind_a_damaged_one(tmp_path: Path) -> None:
    """A bit flips in the middle, and the process that wrote on was killed."""
    archive = _visited(tmp_path, sealed=False)
    visitor = Visitor(archive, now=LATER, run="run-2")
    visitor.record(BRIDGE, b"<html>not committed")
    visitor.recorder.abandon()
    path = next(path for key, path in _spooled(archive).items() if key.endswith(WARC_SUFFIX))
    damaged = _damage_second_record(path)
    Visitor(archive, now=LATER, run="run-3").end(sealed=False)
    assert path.read_bytes()[: len(damaged)] == damaged
    assert len(captures(archive)) == 4
    assert [problem.partition("@")[0] for problem in problems(archive)] == [str(path)]


def test_without_a_catalogue_damage_is_not_taken_for_a_torn_end(tmp_path: Path) -> None:
    archive = _visited(tmp_path, sealed=False)
    path = next(path for key, path in _spooled(archive).items() if key.endswith(WARC_SUFFIX))
    damaged = _damage_second_record(path)
    fresh = open_archive(tmp_path, catalogue=f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    with pytest.raises((MalformedRecord, IntegrityFailure), match="whole records stand behind"):
        Visitor(fresh, now=LATER)
    assert path.read_bytes() == damaged
