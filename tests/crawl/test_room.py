"""A crawl waits while there is no room for what it would fetch, and ends where nothing makes any."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sized
from pathlib import Path

import pytest
from tests.archive.harness import captures, problems
from tests.cli.command import Morgue, finished
from tests.crawl.conftest import opened
from tests.crawl.hurried import SPOOL_LIMIT, HurriedMorgue
from tests.servers import Seaweed, proxy
from tests.sites.newsroom import Newsroom
from tests.sites.server import serve

from newsmorgue.errors import ExitCode


def test_a_disk_that_is_nearly_full_ends_the_crawl_until_there_is_room(tmp_path: Path) -> None:
    with serve(Newsroom()) as site:
        full = Morgue(tmp_path, {"MORGUE_DISK_RESERVE": "999999 GiB"})
        ended = full("crawl", site.url, "--delay", "0")
        assert ended.code == ExitCode.STORE_UNAVAILABLE
        assert f"the disk of {tmp_path / 'archive-spool'} has " in ended.err
        assert "make room, then run the same command again" in ended.err
        assert {one.path for one in site.log} == {"/robots.txt"}

        assert Morgue(tmp_path)("save", f"{site.url}/tech/cirrane-ecarte-sa-patronne/").code == 0


@pytest.mark.nightly
def test_a_spool_at_its_limit_makes_the_crawl_wait_for_the_store(tmp_path: Path, s3_credentials: Seaweed) -> None:
    address, is_away = s3_credentials.new_store(), True

    def pass_on(data: bytes) -> bytes | None:
        return None if is_away else data

    with (
        serve(Newsroom()) as site,
        proxy(s3_credentials.endpoint, on_request=pass_on, on_reply=pass_on) as endpoint,
    ):
        places = {"MORGUE_STORE": address, "MORGUE_S3_ENDPOINT": endpoint, "MORGUE_S3_REGION": s3_credentials.region}
        local = {"MORGUE_CATALOGUE": f"sqlite:///{tmp_path}/catalogue.sqlite", "MORGUE_SPOOL": str(tmp_path / "spool")}
        limit = {SPOOL_LIMIT: "5000"}
        morgue = HurriedMorgue(tmp_path, {**s3_credentials.environment, **places, **local, **limit})
        crawl = morgue.start("crawl", site.url, "--delay", "0")
        asked = _when_it_stands_still(site.log)
        assert crawl.poll() is None
        is_away = False
        ended = finished(crawl)
    assert ended.code == 0, ended.err
    assert len(site.log) > asked
    with opened(morgue) as archive:
        assert archive.spool.names() == []


def _when_it_stands_still(log: Sized, seconds: float = 3.0) -> int:
    """How many requests a site had when for some time no more came."""
    deadline = time.monotonic() + 60
    before, since = 0, time.monotonic()
    while not before or time.monotonic() - since < seconds:
        assert time.monotonic() < deadline
        if len(log) != before:
            before, since = len(log), time.monotonic()
        time.sleep(0.05)
    return before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of eight megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _check_full_disk(folder: Path, disk: Path, part: str) -> None:
    """A crawl while one part of the archive is on a disk that is as good as full, and one when there is room."""
    places = {name: folder / name for name in ("store", "spool")} | {"catalogue": folder / "catalogue" / "c.sqlite"}
    places[part] = disk / places[part].relative_to(folder)
    settings = {"MORGUE_STORE": str(places["store"]), "MORGUE_SPOOL": str(places["spool"])}
    settings |= {"MORGUE_CATALOGUE": f"sqlite:///{places['catalogue']}", "MORGUE_DISK_RESERVE": "1 MiB"}
    morgue = HurriedMorgue(folder, settings)
    with serve(Newsroom()) as site:
        assert morgue("save", f"{site.url}/tech/cirrane-ecarte-sa-patronne/").code == 0
        # SQLite needs some room to begin with.
        _fill(disk / "filler", leave=200_000 if part == "catalogue" else 20_000)
        full = morgue("crawl", site.url, "--delay", "0")
        assert full.code == ExitCode.STORE_UNAVAILABLE, full.err
        assert str(places[part]) in full.err
        (disk / "filler").unlink()
        with opened(morgue) as archive:
            kept = {(each.warc, each.offset) for each in captures(archive)}
        again = morgue("crawl", site.url, "--delay", "0")
    assert (again.code, again.err) == (0, "")
    with opened(morgue) as archive:
        assert kept <= {(each.warc, each.offset) for each in captures(archive)}
        assert archive.spool.names() == []
        assert problems(archive) == []


def _fill(path: Path, leave: int) -> None:
    """Take all the room there is but for so many bytes."""
    with path.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, shutil.disk_usage(path.parent).free - leave)


@pytest.mark.nightly
@pytest.mark.parametrize("part", ["store", "spool", "catalogue"])
def test_a_full_disk_costs_nothing_but_time(tmp_path: Path, small_disk: Path, part: str) -> None:
    _check_full_disk(tmp_path, small_disk, part)
