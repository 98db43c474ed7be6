"""Who takes part: how each is started on a site, and how its pages are counted afterwards."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from newsmorgue.errors import ExitCode

MORGUE = str(Path(sys.executable).with_name("morgue"))


@dataclass(frozen=True, slots=True)
class Contender:
    """``command(url)`` crawls a site (its address without last slash) into the working folder; ``pages(folder)`` are
    the pages it left there whole. ``exit_codes`` are those of a crawl that went well.
    """

    name: str
    command: Callable[[str], list[str]]
    pages: Callable[[Path], int]
    exit_codes: frozenset[int] = frozenset((0,))


def _bare_pages(folder: Path) -> int:
    return int((folder / "pages.txt").read_text())


def _usual_pages(folder: Path) -> int:
    """Pages with both a response record and a text."""
    with (folder / "pages.jsonl").open(encoding="utf-8") as lines:
        texts = {row["url"] for row in map(json.loads, lines) if row["text"]}
    with (folder / "pages.warc.gz").open("rb") as stream:
        responses = [record for record in ArchiveIterator(stream) if record.rec_type == "response"]
    return len(texts & {record.rec_headers.get_header("WARC-Target-URI") for record in responses})


def _morgue_pages(folder: Path) -> int:
    """Stories with a version; that every version's capture is readable and whole is ``morgue verify``'s word."""
    subprocess.run([MORGUE, "verify"], cwd=folder, capture_output=True, check=True)
    listed = subprocess.run([MORGUE, "stories", "--json"], cwd=folder, capture_output=True, text=True, check=True)
    return sum(json.loads(line)["versions"] >= 1 for line in listed.stdout.splitlines())


def _module(name: str) -> Callable[[str], list[str]]:
    return lambda url: [sys.executable, "-m", name, url]


def _morgue(url: str) -> list[str]:
    # This machine's own site needs no manners; the others wait for nobody either.
    return [MORGUE, "crawl", "--delay", "0", "--concurrency", "32", f"{url}/"]


BARE = Contender("bare Scrapy", _module("bench.bare"), _bare_pages)
USUAL = Contender("Scrapy + warcio + trafilatura", _module("bench.usual"), _usual_pages)
NEWSMORGUE = Contender(
    "newsmorgue",
    _morgue,
    _morgue_pages,
    # An empty site has no stories, and an address that a page names may be missing.
    frozenset((ExitCode.OK, ExitCode.NOTHING_FOUND, ExitCode.PAGES_FAILED)),
)
CONTENDERS = (BARE, USUAL, NEWSMORGUE)
