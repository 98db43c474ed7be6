"""A crawl waits while there is no room for what it would fetch, and ends where nothing makes any."""

import time
from collections.abc import Sized
from pathlib import Path

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
