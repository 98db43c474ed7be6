"""A crawl that is killed, and the next one."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa
from tests.cli.command import Morgue, finished
from tests.crawl.conftest import opened, story_of
from tests.sites.newsroom import Newsroom
from tests.sites.server import Site, serve

from newsmorgue.archive import schema
from newsmorgue.stories.reading import list_stories

_SECONDS = 30.0


def wait_until(happened: Callable[[], bool]) -> None:
    """Fails where something does not happen in time."""
    deadline = time.monotonic() + _SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def kill_in_mid_crawl(morgue: Morgue, site: Site, stories: int) -> None:
    """Start a crawl; ``kill -9`` when so many stories were answered. Nothing of it lives on."""
    paths = {truth.path for truth in site.newsroom.truth()}
    process = morgue.start("crawl", site.url, "--delay", "0.15", "--concurrency", "1")
    wait_until(lambda: sum(one.path.partition("?")[0] in paths for one in site.log) >= stories)
    process.kill()
    assert finished(process).code == -signal.SIGKILL
    wait_until(lambda: not _lives(process.pid))


def _lives(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def test_after_kill_9_the_next_crawl_has_every_story(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        kill_in_mid_crawl(morgue, site, stories=5)
        first = len(site.log)
        ended = morgue("crawl", site.url, "--delay", "0")
        again = [one.path for one in site.log[first:]]
        answered = [one.path for one in site.log[:first]]
    assert (ended.code, ended.err) == (0, "")
    kept = [truth for truth in site.newsroom.truth() if truth.kept]
    with opened(morgue) as archive:
        assert len({story_of(archive, site, truth).id for truth in kept}) == len(kept)
        assert {row.versions for row in list_stories(archive)} == {1}
        with archive.catalogue.read() as connection:
            c = schema.captures.c
            left = connection.execute(sa.select(sa.func.count()).where(c.state == "uncleaned")).scalar_one()
            runs = (
                connection.execute(sa.select(schema.runs.c.outcome).order_by(schema.runs.c.started_at)).scalars().all()
            )
    assert left == 0
    assert runs == ["lost", "finished"]
    # What was on disk is cleaned from there: only what was in flight or not yet committed is asked for again.
    pages = {truth.path for truth in kept}
    twice = [path for path in again if path in answered and path.partition("?")[0] in pages]
    assert len(twice) <= 2, twice
    assert morgue("verify").code == 0
