"""What is not mounted is no damage: nothing is replaced, put aside or forgotten because of it."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.archive.harness import BRIDGE, START, TEXT, Visitor, captures, environment_of, open_archive, problems, rows
from tests.cli.command import Morgue

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.recovery import seal_all
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.repair import repair
from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.errors import StoreUnavailable

LATER = START + timedelta(days=90)
# A folder of the store, and what a repair says of it: one sealing a day has a WARC, its index and a journal.
FOLDERS = [
    ("warc", "warc/: 10 of 10 objects are missing"),
    ("text", "text/: 5 of 5 objects are missing"),
    ("warc/demo", "warc/demo/: 6 of 6 objects are missing"),
    ("text/other/2026", "text/other/: 2 of 2 objects are missing"),
    ("warc/demo/2026/04", "warc/demo/2026/04/: 2 of 2 objects are missing"),
]


def fill(archive: Archive) -> Archive:
    """Two sources, the first in two months."""
    for source, days in (("demo", (0, 1, 40)), ("other", (0, 1))):
        for day in days:
            visitor = Visitor(archive, source, now=START + timedelta(days=day), run=f"{source}-{day}")
            visitor.see(f"{BRIDGE}-{source}", f"{TEXT} {day}")
            visitor.end()
    return archive


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return fill(open_archive(tmp_path))


def folder(archive: Archive) -> Path:
    return Path(archive.store.address)


def objects(archive: Archive) -> dict[str, bytes]:
    return {info.key: archive.store.get(info.key) for info in archive.store.list()}


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "absent"])
@pytest.mark.parametrize(("part", "said"), FOLDERS)
def test_a_folder_that_is_not_mounted_is_no_damage(
    archive: Archive, tmp_path: Path, part: str, said: str, is_there: bool
) -> None:
    elsewhere, before, were = tmp_path / "elsewhere", objects(archive), rows(archive)
    (folder(archive) / part).rename(elsewhere)
    if is_there:
        (folder(archive) / part).mkdir()
    left = objects(archive)
    with pytest.raises(StoreUnavailable) as refused:
        list(repair(archive, LATER))
    assert said in str(refused.value) and "mounted" in str(refused.value) and "--missing-is-lost" in str(refused.value)
    assert objects(archive) == left and rows(archive) == were
    if is_there:
        (folder(archive) / part).rmdir()
    elsewhere.rename(folder(archive) / part)
    assert list(repair(archive, LATER)) == []
    assert objects(archive) == before and rows(archive) == were


def test_a_store_that_is_not_mounted_is_no_damage(archive: Archive, tmp_path: Path) -> None:
    were = rows(archive)
    folder(archive).rename(tmp_path / "elsewhere")
    folder(archive).mkdir()
    for is_lost in (False, True):
        with pytest.raises(StoreUnavailable, match="is it the right one, and mounted"):
            list(repair(archive, LATER, missing_is_lost=is_lost))
        with pytest.raises(StoreUnavailable, match="is it the right one, and mounted"):
            reindex(archive, replace=True, missing_is_lost=is_lost)
    assert list(folder(archive).iterdir()) == [] and rows(archive) == were


def test_nothing_is_sealed_into_a_store_that_is_not_mounted(archive: Archive, tmp_path: Path) -> None:
    visitor = Visitor(archive, "new", now=LATER)
    visitor.see(BRIDGE)
    visitor.end(sealed=False)
    folder(archive).rename(tmp_path / "elsewhere")
    folder(archive).mkdir()
    with pytest.raises(StoreUnavailable, match="is it the right one, and mounted"):
        seal_all(archive, LATER)
    assert list(folder(archive).iterdir()) == [] and len(archive.spool.names()) == 1
    folder(archive).rmdir()
    (tmp_path / "elsewhere").rename(folder(archive))
    assert len(seal_all(archive, LATER)) == 1
    assert problems(archive) == []


def test_manifests_come_back_from_the_catalogue_also_all_of_them(archive: Archive) -> None:
    before = objects(archive)
    shutil.rmtree(folder(archive) / "manifests")
    with pytest.raises(StoreUnavailable, match=r"manifests/: 5 of 5 objects are missing"):
        reindex(archive, replace=True)
    assert len(list(repair(archive, LATER))) == 5
    assert objects(archive) == before and problems(archive) == []


def test_a_store_without_manifests_under_another_catalogue_is_left_alone(archive: Archive, tmp_path: Path) -> None:
    shutil.rmtree(folder(archive) / "manifests")
    left = objects(archive)
    (tmp_path / "new").mkdir()
    other = open_archive(tmp_path / "new", store=archive.store)
    with pytest.raises(StoreUnavailable, match=r"15 of 15 .* stand in no manifest"):
        list(repair(other, LATER))
    assert objects(archive) == left
    list(repair(other, LATER, missing_is_lost=True))
    assert all(key.startswith("quarantine/") for key in objects(archive))


def test_one_of_many_that_is_missing_is_damage(archive: Archive) -> None:
    name = captures(archive)[0].warc
    archive.store.delete(object_keys(name).warc)
    archive.store.delete(object_keys(name).journal)
    assert sum(said.startswith("lost: the capture of") for said in list(repair(archive, LATER))) == 1
    assert problems(archive) == []


def test_what_is_lost_for_good_is_given_up(archive: Archive) -> None:
    shutil.rmtree(folder(archive) / "warc" / "demo")
    said = list(repair(archive, LATER, missing_is_lost=True))
    assert sum(line.startswith("lost: ") for line in said) == 3
    assert problems(archive) == [] and {capture.source for capture in captures(archive)} == {"other"}
    assert list(repair(archive, LATER)) == []


def test_the_command_names_the_folder(archive: Archive, tmp_path: Path) -> None:
    command, were = Morgue(tmp_path, environment_of(archive)), rows(archive)
    (folder(archive) / "warc" / "demo").rename(tmp_path / "elsewhere")
    found = command("verify")
    assert found.code == 11 and found.err == "warc/demo/: 6 of 6 objects are missing: is all of the store mounted?\n"
    refused = command("verify", "--repair")
    assert (refused.code, refused.out) == (13, "") and "nothing was changed" in refused.err
    assert command("verify", "--missing-is-lost").code == 2
    assert command("reindex", "--missing-is-lost").code == 2
    (tmp_path / "elsewhere").rename(folder(archive) / "warc" / "demo")
    (folder(archive) / "manifests" / "demo").rename(tmp_path / "elsewhere")
    refused = command("reindex", "--replace")
    assert (refused.code, refused.out) == (13, "") and "manifests/demo/: 3 of 3 objects are missing" in refused.err
    assert rows(archive) == were
    assert command("reindex", "--replace", "--missing-is-lost").code == 0
    assert {capture.source for capture in captures(archive)} == {"other"}


def test_in_s3_and_postgresql(tmp_path: Path, store: Store, catalogue_url: str) -> None:
    archive = fill(open_archive(tmp_path, store=store, catalogue=catalogue_url))
    for info in list(store.list("text/demo/")):
        store.delete(info.key)
    with pytest.raises(StoreUnavailable, match=r"text/demo/: 3 of 3 objects are missing"):
        list(repair(archive, LATER))
