"""Whole crawls while the store is away: they fetch what there is, say so at the end, and the next one stores it."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.faults import LINES, mendable
from tests.cli.command import Ended, Morgue, finished
from tests.crawl.conftest import opened, served_today
from tests.crawl.hurried import HurriedMorgue
from tests.servers import Seaweed
from tests.sites.server import Site, serve

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import UNCLEANED
from newsmorgue.errors import ExitCode
from newsmorgue.stories.reading import list_stories

LISTED = 8  # the stories that may be kept and are named by a list, in the first edition


def _morgue(folder: Path, server: Seaweed, address: str, endpoint: str, **more: str) -> HurriedMorgue:
    places = {"MORGUE_STORE": address, "MORGUE_S3_ENDPOINT": endpoint, "MORGUE_S3_REGION": server.region}
    local = {"MORGUE_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}", "MORGUE_SPOOL": str(folder / "spool")}
    return HurriedMorgue(folder, {**server.environment, **places, **local, **more})


def _outcomes(archive: Archive) -> Counter[str]:
    with archive.catalogue.read() as connection:
        return Counter(connection.execute(sa.select(schema.urls.c.outcome)).scalars())


def _assert_nothing_failed(archive: Archive) -> None:
    assert not {"failed", "retry", None} & set(_outcomes(archive))
    with archive.catalogue.read() as connection:
        states = connection.execute(sa.select(schema.captures.c.state)).scalars().all()
    assert UNCLEANED not in states
    assert len(list(list_stories(archive))) == LISTED


def _assert_all_is_stored(archive: Archive, server: Seaweed, address: str) -> None:
    """Four objects a WARC, each made once, nothing unfinished beside them, nothing left in the spool."""
    assert archive.spool.names() == []
    with archive.catalogue.read() as connection:
        names = connection.execute(sa.select(schema.files.c.name)).scalars().all()
    _, _, bucket, prefix = address.split("/", 3)
    client = server.client()
    keys = [found["Key"] for found in client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]]
    stems = Counter(re.sub(r"\.(warc\.gz|cdxj|jsonl\.gz|json)$", "", key.rsplit("/", 1)[1]) for key in keys)
    assert stems == dict.fromkeys(names, 4)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket, Prefix=f"{prefix}/")


def _crawl_while_away(folder: Path, site: Site, server: Seaweed, line: str) -> tuple[str, Ended]:
    address = server.new_store()
    with LINES[line](server) as endpoint:
        return address, _morgue(folder, server, address, endpoint)("crawl", site.url, "--delay", "0")


def _assert_told(ended: Ended, address: str) -> None:
    assert ended.code == ExitCode.STORE_UNAVAILABLE, ended.err
    assert f"store {address}: " in ended.err
    assert "stays in the spool" in ended.err


def _check_line(folder: Path, server: Seaweed, line: str) -> None:
    with serve(served_today()) as site:
        address, ended = _crawl_while_away(folder, site, server, line)
        _assert_told(ended, address)
        morgue = _morgue(folder, server, address, server.endpoint)
        with opened(morgue) as archive:
            _assert_nothing_failed(archive)
            assert len(archive.spool.names()) > 1
        again = morgue("crawl", site.url, "--delay", "0")
    assert (again.code, again.err) == (0, "")
    _check_whole(morgue, server, address)


def _check_whole(morgue: Morgue, server: Seaweed, address: str) -> None:
    with opened(morgue) as archive:
        _assert_nothing_failed(archive)
        _assert_all_is_stored(archive, server, address)
    verified = morgue.ask("verify")
    assert (verified.code, verified.err) == (0, ""), verified.out


@pytest.mark.nightly
@pytest.mark.parametrize("line", [*LINES])
def test_a_crawl_over_a_line_with_a_fault(tmp_path: Path, s3_credentials: Seaweed, line: str) -> None:
    _check_line(tmp_path, s3_credentials, line)


@dataclass(frozen=True, slots=True)
class _Outage:
    """A crawl over a line that has a fault until it is mended."""

    morgue: HurriedMorgue
    crawl: "subprocess.Popen[bytes]"
    address: str
    mend: Callable[[], object]


@contextmanager
def _outage(folder: Path, server: Seaweed, line: str, delay: str) -> Iterator[_Outage]:
    folder.mkdir()
    address = server.new_store()
    with serve(served_today()) as site, mendable(server, line) as (endpoint, mend):
        morgue = _morgue(folder, server, address, endpoint)
        yield _Outage(morgue, morgue.start("crawl", site.url, "--delay", delay), address, mend)


def _crawl_over_outages(folder: Path, server: Seaweed, delay: str, seconds: float) -> None:
    """One crawl for each fault, all at the same time."""
    with ExitStack() as stack:
        outages = [stack.enter_context(_outage(folder / line.replace(" ", "-"), server, line, delay)) for line in LINES]
        time.sleep(seconds)
        for outage in outages:
            assert outage.crawl.poll() is None
            outage.mend()
        for outage in outages:
            outage.crawl.wait(timeout=300)
            ended = finished(outage.crawl)
            assert ended.code == 0, ended.err
            _check_whole(outage.morgue, server, outage.address)


@pytest.mark.nightly
@pytest.mark.timeout(1200)
def test_a_store_that_is_away_for_five_minutes_of_a_crawl_in_each_way(tmp_path: Path, s3_credentials: Seaweed) -> None:
    """At that pace a crawl of the newsroom takes longer than the outage."""
    _crawl_over_outages(tmp_path, s3_credentials, "14", 300)


def test_seal_stores_what_a_crawl_could_not(tmp_path: Path, s3_credentials: Seaweed) -> None:
    with serve(served_today()) as site:
        address, ended = _crawl_while_away(tmp_path, site, s3_credentials, "reply lost")
    _assert_told(ended, address)
    morgue = _morgue(tmp_path, s3_credentials, address, s3_credentials.endpoint)
    sealed = morgue.ask("seal")
    assert (sealed.code, sealed.err) == (0, "")
    assert re.fullmatch(rf"sealed \d+ files into {address}\n", sealed.out)
    _check_whole(morgue, s3_credentials, address)
