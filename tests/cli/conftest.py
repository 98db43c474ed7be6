"""An archive of two editions of the demo newsroom, crawled by the command itself, for every test that reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.command import Ended, Morgue
from tests.sites.newsroom import Newsroom
from tests.sites.server import Site, serve

# Nothing leads to this address; it answers 301 to the story.
OLD_ADDRESS = "/2026/03/moteur-oubli.html"


@dataclass(frozen=True, slots=True)
class Printed:
    """What the commands made, and the site as it was when they were done: it sends the same bytes again."""

    morgue: Morgue
    site: Site
    first: Ended
    saved: Ended
    second: Ended


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printed]:
    """See :class:`Printed`. No test may change it."""
    morgue = Morgue(tmp_path_factory.mktemp("printed"))
    with serve(Newsroom(restless=False)) as site:
        first = morgue("crawl", site.url, "--delay", "0")
        saved = morgue("save", site.url + OLD_ADDRESS, "--delay", "0")
        site.newsroom.advance()
        second = morgue("crawl", site.url, "--delay", "0", "--recheck")
        yield Printed(morgue, site, first, saved, second)


@pytest.fixture
def morgue(tmp_path: Path) -> Morgue:
    """The command in an empty folder."""
    return Morgue(tmp_path)
