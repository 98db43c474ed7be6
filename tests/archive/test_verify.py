"""Verify finds nothing in a whole archive, and names each object that something happened to."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import BRIDGE, OTHER_TEXT, START, Visitor, captures, open_archive, problems

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import verify


def _fill(archive: Archive) -> Archive:
    for number in range(3):
        visitor = Visitor(archive, now=START + timedelta(days=number), run=f"run-{number}")
        visitor.see(BRIDGE)
        visitor.see(BRIDGE, OTHER_TEXT)
        visitor.unmodified(BRIDGE)
        visitor.end()
    return archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Three sealings of one source, in a folder."""
    return _fill(open_archive(tmp_path))


def _paths(archive: Archive) -> list[Path]:
    return [Path(archive.store.address) / info.key for info in archive.store.list()]


def _key(archive: Archive, path: Path) -> str:
    return path.relative_to(archive.store.address).as_posix()


def test_a_whole_archive_has_no_problem(tmp_path: Path, store: Store, catalogue_url: str) -> None:
    report = verify(_fill(open_archive(tmp_path, store=store, catalogue=catalogue_url)))
    assert report.problems == []
    assert report.objects == 12


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data + b"\n",
        lambda data: bytes(len(data)),
        lambda data: data[::-1],
    ],
    ids=["half", "cut", "empty", "longer", "zeros", "backwards"],
)
def test_every_object_that_was_altered_is_named(archive: Archive, damage: Callable[[bytes], bytes]) -> None:
    for path in _paths(archive):
        whole = path.read_bytes()
        path.write_bytes(damage(whole))
        assert any(problem.startswith(_key(archive, path)) for problem in problems(archive)), path
        path.write_bytes(whole)
    assert problems(archive) == []


def test_every_single_bit_that_flips_is_seen(archive: Archive) -> None:
    chance = random.Random(3)
    for path in _paths(archive):
        whole = path.read_bytes()
        for _ in range(12):
            position, bit = chance.randrange(len(whole)), chance.randrange(8)
            flipped = bytearray(whole)
            flipped[position] ^= 1 << bit
            path.write_bytes(flipped)
            assert any(problem.startswith(_key(archive, path)) for problem in problems(archive)), (path, position, bit)
        path.write_bytes(whole)


def test_every_object_that_is_missing_is_named(archive: Archive) -> None:
    for path in _paths(archive):
        whole = path.read_bytes()
        path.unlink()
        assert any(problem.startswith(_key(archive, path)) for problem in problems(archive)), path
        path.write_bytes(whole)


def test_a_whole_sealing_that_is_missing_is_named(archive: Archive) -> None:
    keys = object_keys(captures(archive)[-1].warc)
    for key in (keys.warc, keys.cdxj, keys.journal, keys.manifest):
        archive.store.delete(key)
    assert any(problem.startswith(f"{keys.manifest}: is not in the store") for problem in problems(archive))


def test_an_object_that_no_manifest_describes_is_named(archive: Archive) -> None:
    archive.store.put_bytes("warc/demo/2026/03/stranger.warc.gz", b"")
    assert problems(archive) == ["warc/demo/2026/03/stranger.warc.gz: stands in no manifest"]


def test_a_catalogue_that_says_something_else_is_named(archive: Archive) -> None:
    first = captures(archive)[0]
    with archive.catalogue.write() as connection:
        mine = schema.captures.c.offset == first.offset
        connection.execute(sa.update(schema.captures).where(mine).values(status=404))
    assert (
        f"catalogue: does not say of {first.warc}@{first.offset} what {object_keys(first.warc).cdxj} says"
        in problems(archive)
    )


def test_a_sighting_without_its_capture_is_named(archive: Archive) -> None:
    with archive.catalogue.write() as connection:
        values = {"warc": "nowhere", "offset": 9, "version": "v", "url": BRIDGE, "at": 0}
        connection.execute(sa.insert(schema.sightings).values(**values))
    assert problems(archive) == ["catalogue: a sighting names nowhere@9, where no capture is"]


def test_a_revisit_whose_response_is_lost_is_named(archive: Archive) -> None:
    first = captures(archive)[0]
    keys = object_keys(first.warc)
    for key in (keys.warc, keys.cdxj, keys.journal, keys.manifest):
        archive.store.delete(key)
    with archive.catalogue.write() as connection:
        connection.execute(sa.delete(schema.captures).where(schema.captures.c.warc == first.warc))
    assert any(problem.endswith("refers to a capture that is not in the archive") for problem in problems(archive))


def test_nothing_is_changed(archive: Archive) -> None:
    before = {path: path.read_bytes() for path in _paths(archive)}
    verify(archive)
    assert {path: path.read_bytes() for path in _paths(archive)} == before
