"""Crawls that are killed at any moment, again and again: what was committed stays, and the last one finishes."""

import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import captures, problems, rebuilt, rows
from tests.crawl.conftest import opened
from tests.crawl.hurried import HurriedMorgue
from tests.processes import SECONDS, group_lives, wait_until
from tests.sites.newsroom import Newsroom
from tests.sites.server import Site, serve

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import UNCLEANED
from newsmorgue.errors import MissingObject, NotYetStored

KILLS, NIGHTLY_KILLS, KILLS_A_FOLDER = 4, 50, 25
# Of a crawl of the newsroom in its first edition, lists and robots.txt included.
_REQUESTS = 25


def _kill(crawl: "subprocess.Popen[bytes]", morgue: HurriedMorgue) -> dict[tuple[str, int], str]:
    """``kill -9`` the crawl; the captures that were committed by then."""
    crawl.send_signal(signal.SIGSTOP)
    known = _committed(morgue.folder / "archive" / "catalogue.sqlite")
    crawl.kill()
    crawl.communicate(timeout=SECONDS)
    wait_until(lambda: not group_lives(crawl.pid))  # one that lived on could hold the spool's lock
    return known


def _committed(catalogue: Path) -> dict[tuple[str, int], str]:
    """The captures in a catalogue that a stopped process may be writing to; none where it is just being made."""
    if not catalogue.exists():
        return {}
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True, timeout=1)) as connection:
        try:
            rows = connection.execute("SELECT warc, offset, url FROM captures").fetchall()
        except sqlite3.OperationalError:
            return {}
    return {(warc, offset): url for warc, offset, url in rows}


def _let_it_come_to_something(crawl: "subprocess.Popen[bytes]", site: Site, chance: random.Random) -> None:
    """Wait for some requests and a little longer, or for the crawl's end, whichever is first."""
    goal = len(site.log) + chance.randrange(_REQUESTS)
    wait_until(lambda: len(site.log) >= goal or crawl.poll() is not None)
    # Sealing and the end of the run come after the last request.
    time.sleep(chance.random() * (2 if chance.random() < 0.3 else 0.3))


def _assert_all_is_there(archive: Archive, acknowledged: dict[tuple[str, int], str]) -> None:
    found = {(each.warc, each.offset): each for each in captures(archive)}
    assert acknowledged.keys() <= found.keys()
    for place, each in found.items():
        try:
            stored = archive.read_capture(each).headers["warc-target-uri"]
            assert stored == each.url == acknowledged.get(place, each.url)
        except (MissingObject, NotYetStored) as error:
            raise AssertionError(f"a row points nowhere: {place}") from error


def _torture(folder: Path, kills: int, seed: int) -> None:
    chance, acknowledged = random.Random(seed), dict[tuple[str, int], str]()
    morgue = HurriedMorgue(folder, {"MORGUE_CLEANING_PROCESSES": "1"})
    with serve(Newsroom()) as site:
        for _ in range(kills):
            crawl = morgue.start("crawl", site.url, "--delay", "0", "--recheck")
            _let_it_come_to_something(crawl, site, chance)
            acknowledged |= _kill(crawl, morgue)
            with opened(morgue) as archive:
                _assert_all_is_there(archive, acknowledged)
        ended = morgue("crawl", site.url, "--delay", "0", "--recheck")
    assert (ended.code, ended.err) == (0, "")
    with opened(morgue) as archive:
        _assert_all_is_there(archive, acknowledged)
        assert problems(archive) == []
        assert archive.spool.names() == []
        _assert_nothing_is_in_hand(archive)
        assert rows(rebuilt(archive, f"sqlite:///{folder / 'rebuilt.sqlite'}")) == rows(archive)
    assert not list(folder.rglob(".partial-*"))[kills:]  # at most one for each kill


def _assert_nothing_is_in_hand(archive: Archive) -> None:
    u, c, r = schema.urls.c, schema.captures.c, schema.runs.c
    with archive.catalogue.read() as connection:
        assert connection.execute(sa.select(u.url).where(u.claimed_by.is_not(None))).all() == []
        assert connection.execute(sa.select(c.url).where(c.state == UNCLEANED)).all() == []
        assert connection.execute(sa.select(r.id).where(r.outcome.is_(None))).all() == []


def test_crawls_that_are_killed_at_random(tmp_path: Path) -> None:
    _torture(tmp_path, KILLS, seed=21)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(NIGHTLY_KILLS // KILLS_A_FOLDER))
def test_crawls_that_are_killed_many_times(tmp_path: Path, seed: int) -> None:
    _torture(tmp_path, KILLS_A_FOLDER, seed)
