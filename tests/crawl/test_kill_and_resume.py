"""A crawl that is ended at any moment, in any way, goes on where it was: no page is lost, and few are fetched twice."""

import signal
from pathlib import Path
from random import Random

import pytest
from tests.cli.command import Morgue, finished
from tests.crawl.conftest import opened
from tests.processes import wait_until
from tests.sites.scripted import Answer, ScriptedSite, scripted, story

from newsmorgue.stories.reading import list_stories

_AT_ONCE = 4  # requests to one host at the same time: what can be in flight when a crawl is killed
_NO_END = 64  # a crawl of these sites is never ended so often


def newsroom(pages: int) -> dict[str, Answer | list[Answer]]:
    """A site of so many stories, all in its sitemap."""
    paths = [f"/world/2026/01/30/story-{number:03}" for number in range(pages)]
    answers: dict[str, Answer | list[Answer]] = {path: story(f"Story number {path[-3:]}") for path in paths}
    answers["/"] = Answer(200, b"<html><body><h1>The Courier</h1></body></html>")
    urls = "".join(f"<url><loc>{path}</loc></url>" for path in paths)
    return answers | {"/sitemap.xml": Answer(200, f"<urlset>{urls}</urlset>".encode())}


def pages_asked(site: ScriptedSite) -> list[str]:
    """The stories asked for so far, in order, each as often as it was."""
    return [path for path in tuple(site.visits) if path.startswith("/world/")]


def end_after(morgue: Morgue, site: ScriptedSite, more: int, how: signal.Signals) -> int:
    """Start a crawl, and end it after so many more pages were asked for (or it ended by itself); its exit code."""
    before, process = len(pages_asked(site)), morgue.start("crawl", site.url)
    wait_until(lambda: len(pages_asked(site)) - before >= more or process.poll() is not None)
    process.send_signal(how)
    return finished(process).code


def kept(morgue: Morgue, site: ScriptedSite) -> set[str]:
    """The paths of the stories that the archive has."""
    with opened(morgue) as archive:
        return {row.url.removeprefix(site.url) for row in list_stories(archive)}


def run_until_done(folder: Path, pages: int, seed: int) -> None:
    """One site, crawled with as many kills and stops as chance has it, until a crawl says that it is done."""
    random, morgue = Random(seed), Morgue(folder)
    with scripted(newsroom(pages)) as site:
        stories = {path for path in site.answers if path.startswith("/world/")}
        killed = 0
        for _ in range(_NO_END):
            how = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
            code = end_after(morgue, site, random.randrange(1, pages), how)
            killed += code < 0
            if code == 0:
                break
        assert code == 0
        # Who said that it was done had every page, each of them once.
        assert kept(morgue, site) == stories
        asked = pages_asked(site)
        assert len(asked) - len(set(asked)) <= killed * _AT_ONCE, f"{killed} kills"
        assert morgue.ask("verify").code == 0


@pytest.mark.parametrize("seed", range(2))
def test_a_crawl_ended_at_random_has_every_page_in_the_end(seed: int, tmp_path: Path) -> None:
    run_until_done(tmp_path, pages=40, seed=seed)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(40))
def test_forty_crawls_of_four_hundred_pages(seed: int, tmp_path: Path) -> None:
    run_until_done(tmp_path, pages=400, seed=1000 + seed)
