"""Whole crawls of the demo newsroom, each made once for all the tests that look at what came of it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.command import Ended, Morgue
from tests.sites.newsroom import Newsroom
from tests.sites.server import Exchange, Site, serve
from tests.sites.truth import StoryTruth

from newsmorgue.archive.archive import Archive
from newsmorgue.settings.configuration import load_configuration
from newsmorgue.settings.opening import open_archive
from newsmorgue.stories.reading import StoryRow, find_story, story_row


@contextmanager
def opened(morgue: Morgue) -> Iterator[Archive]:
    """The archive that a command in that folder works on, to be read in this process."""
    with closing(open_archive(load_configuration(morgue.environment, morgue.folder))) as archive:
        yield archive


def story_of(archive: Archive, site: Site, truth: StoryTruth) -> StoryRow:
    """The story that the archive has at the truth's address."""
    return story_row(archive, find_story(archive, site.url + truth.path))


def served_today() -> Newsroom:
    """A newsroom whose editions go out when they are asked for."""
    return Newsroom(clock=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Editions:
    """An archive of every edition: each was crawled once, the first twice, and what each crawl asked the site."""

    site: Site
    morgue: Morgue
    archive: Archive
    crawls: tuple[Ended, ...]
    requests: tuple[tuple[Exchange, ...], ...]


@pytest.fixture(scope="session")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editions]:
    """See :class:`Editions`."""
    morgue = Morgue(tmp_path_factory.mktemp("editions"))
    with serve(served_today()) as site:
        made = [_crawl(morgue, site), _crawl(morgue, site)]
        for _ in range(Newsroom.LAST):
            site.newsroom.advance()
            made.append(_crawl(morgue, site, "--recheck"))
        with opened(morgue) as archive:
            crawls, requests = zip(*made, strict=True)
            yield Editions(site, morgue, archive, crawls, requests)


def _crawl(morgue: Morgue, site: Site, *options: str) -> tuple[Ended, tuple[Exchange, ...]]:
    before = len(site.log)
    ended = morgue("crawl", site.url, "--delay", "0", *options)
    return ended, tuple(site.log[before:])


@pytest.fixture
def morgue(tmp_path: Path) -> Morgue:
    """The command in an empty folder."""
    return Morgue(tmp_path)
