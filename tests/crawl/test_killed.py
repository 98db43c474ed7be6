"""A crawl that is killed, and the next one."""

import signal

import sqlalchemy as sa
from tests.cli.command import Morgue, finished
from tests.crawl.conftest import opened, story_of
from tests.processes import group_lives, wait_until
from tests.sites.held import HeldNewsroom
from tests.sites.server import Site, serve

from newsmorgue.archive import schema
from newsmorgue.stories.reading import list_stories


def kill_in_mid_crawl(morgue: Morgue, site: Site, newsroom: HeldNewsroom) -> None:
    """Start a crawl; ``kill -9`` when it asks for more stories than it gets. Nothing of it lives on."""
    process = morgue.start("crawl", site.url, "--delay", "0", "--concurrency", "1")
    newsroom.wait_until_it_holds()
    process.kill()
    assert finished(process).code == -signal.SIGKILL
    wait_until(lambda: not group_lives(process.pid))
    newsroom.go_on()


def test_after_kill_9_the_next_crawl_has_every_story(morgue: Morgue) -> None:
    newsroom = HeldNewsroom(stories=5)
    with serve(newsroom) as site:
        kill_in_mid_crawl(morgue, site, newsroom)
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
    # What was on disk is cleaned from there: only what was in flight is asked for again.
    pages = {truth.path for truth in kept}
    twice = [path for path in again if path in answered and path.partition("?")[0] in pages]
    assert len(twice) <= 1, twice
    assert morgue.ask("verify").code == 0
