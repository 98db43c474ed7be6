"""Verify finds nothing in a whole archive, and names each object that something happened to."""

import random
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import BRIDGE, OTHER_TEXT, START, Visitor, captures, open_archive, problems

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.journal import members
from newsmorgue.archive.spool import WARC_SUFFIX, object_keys
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import verify
from newsmorgue.archive.warc import RecordWriter


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


def test_a_request_of_no_response_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealed as it was written, so that no checksum says so."""
    archive, write = open_archive(tmp_path), RecordWriter._request
    nobody = "<urn:uuid:00000000-0000-4000-8000-000000000000>"
    monkeypatch.setattr(RecordWriter, "_request", lambda self, exchange, _: write(self, exchange, nobody))
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.end()
    (capture,) = captures(archive)
    where = f"{object_keys(capture.warc).warc}@{capture.offset + capture.length}"
    assert problems(archive) == [f"{where}: was made with {nobody}, which is no record before it"]


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


def test_a_place_is_named_once_and_without_what_to_run(archive: Archive) -> None:
    names = sorted({capture.warc for capture in captures(archive)})
    warc, journal = object_keys(names[0]).warc, object_keys(names[0]).journal
    index, manifest = object_keys(names[1]).cdxj, object_keys(names[2]).manifest
    for key in (warc, journal, index, manifest):
        path = Path(archive.store.address) / key
        path.write_bytes(b"no index\n" + path.read_bytes() if key == index else path.read_bytes()[:-3])
    found = problems(archive)
    for key in (warc, journal):
        assert [re.sub(r"@\d+", "@N", each) for each in found if "member" in each and each.startswith(key)] == [
            f"{key}@N: the last gzip member is cut"
        ]
    assert any(each.startswith(f"{index}: line 1: not a CDXJ line") for each in found)
    assert any(each.startswith(f"{manifest}: not a manifest (") for each in found)
    assert not any("morgue verify" in each for each in found)


def test_a_rendering_without_its_dom_is_named(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.recorder.keep_rendering(visitor.record(BRIDGE, b"<html>x</html>"), b"<html>made by a script</html>")
    visitor.recorder.commit()
    assert problems(archive) == []
    for _ in range(2):  # in the spool, then sealed
        with archive.catalogue.write() as connection:
            connection.execute(sa.update(schema.renderings).values(dom_offset=schema.renderings.c.dom_offset - 1))
        (problem,) = problems(archive)
        assert problem.startswith("catalogue: a rendering names demo-") and problem.endswith(", where no DOM is")
        with archive.catalogue.write() as connection:
            connection.execute(sa.update(schema.renderings).values(dom_offset=schema.renderings.c.dom_offset + 1))
        visitor.end()
        assert problems(archive) == []


def test_a_sighting_without_its_capture_is_named(archive: Archive) -> None:
    with archive.catalogue.write() as connection:
        values = {"warc": "nowhere", "offset": 9, "version": "v", "url": BRIDGE, "at": 0}
        connection.execute(sa.insert(schema.sightings).values(**values))
    assert problems(archive) == ["catalogue: a sighting names nowhere@9, where no capture is"]


@pytest.mark.parametrize("sealed", [False, True])
def test_an_id_that_is_used_twice_is_named(tmp_path: Path, sealed: bool) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.record(BRIDGE, b"<html>x</html>")
    visitor.recorder.commit()
    (name,) = archive.spool.names()
    path = archive.spool.path(name, WARC_SUFFIX)
    with path.open("rb") as stream:
        *_, (offset, _, _) = members(stream, "")  # the request
    assert visitor.recorder._file is not None
    twice = visitor.recorder._file.append_warc(path.read_bytes()[offset:])
    visitor.record(BRIDGE, b"<html>y</html>")
    visitor.recorder.commit()
    if sealed:
        visitor.end()
    (problem,) = problems(archive)
    place = object_keys(name).warc if sealed else path
    assert problem.startswith(f"{place}@{twice}: has the WARC-Record-ID <urn:uuid:")
    assert problem.endswith(">, as another record")


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
