"""A large site for benchmarks: as many pages as asked, as heavy as real news pages, each with its own story.

The stories are drawn from the words of the demo newsroom, each word followed by one that follows it there, so
that the mix of words and punctuation is that of real prose though it means nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

from tests.sites import feeds
from tests.sites.bulk import fill
from tests.sites.chrome import Visit, slug
from tests.sites.stories import Kind, Part, State, Text, load_stories
from tests.sites.theme import STYLE, listing_page, story_page
from tests.sites.words import SECTIONS

# Stands for the site's address in the files, and is as long as one on 127.0.0.1, so that no size changes.
BASE = "http://large.invalid:0"
_NEWEST = datetime.fromisoformat("2026-03-16T12:00:00+01:00")
_APART = timedelta(minutes=20)
_FEED_LENGTH = 50
_HOME_LENGTH = 40
# The spread of page sizes around their mean: the standard deviation of the logarithm.
_SPREAD = 0.35


@dataclass(frozen=True, slots=True)
class LargePage:
    """A story of the large site: what a perfect cleaner finds at ``path``."""

    path: str
    language: str
    headline: str
    summary: str
    paragraphs: tuple[str, ...]


def build(folder: Path, pages: int = 300, average_bytes: int = 170_000, seed: int = 1) -> list[LargePage]:
    """Write the site into ``folder`` and what its stories say into ``folder/truth.jsonl``; returns the latter.

    Every file below ``folder/site`` is named by its address, ``index.html`` for one that ends with a slash. The same
    arguments give the same bytes.
    """
    random = Random(seed)
    states = tuple(_state(number, random) for number in range(pages))
    site = folder / "site"
    for number, (state, size) in enumerate(zip(states, _sizes(pages, average_bytes, random), strict=True)):
        others = random.sample(states, min(40, pages))
        visit = Visit(BASE, number, _NEWEST.date(), tuple(others))
        _write(site, state.path, fill(story_page(state, visit), size, others, BASE, random).encode())
    _write_listings(site, states)
    found = [_large_page(state) for state in states]
    lines = (json.dumps(asdict(page), ensure_ascii=False) + "\n" for page in found)
    (folder / "truth.jsonl").write_text("".join(lines), encoding="utf-8")
    return found


def _sizes(pages: int, average: int, random: Random) -> list[int]:
    drawn = [random.lognormvariate(0, _SPREAD) for _ in range(pages)]
    return [round(one * average * pages / sum(drawn)) for one in drawn]


def _state(number: int, random: Random) -> State:
    like = random.choice([state for story in load_stories() for _, state in story.states])
    headline = _sentence(like.language, random).rstrip(".!?")[:110]
    text = Text(headline, _sentence(like.language, random), _body(like.language, random))
    return replace(
        like,
        name=f"large-{number:05}",
        path=f"/{like.section}/{slug(headline)[:60].strip('-')}-{number:05}/",
        published=_NEWEST - number * _APART,
        modified=None,
        text=text,
        aliases=(),
        listed=frozenset(("feed", "sitemap", "section")),
        metadata="ld",
        policy=None,
        gone=False,
    )


def _body(language: str, random: Random) -> tuple[Part, ...]:
    return tuple(_part(language, random) for _ in range(random.randrange(10, 25)))


def _part(language: str, random: Random) -> Part:
    kind = random.choices((Kind.PARAGRAPH, Kind.HEADING, Kind.QUOTE), (8, 1, 1))[0]
    count = random.randrange(2, 5) if kind is Kind.PARAGRAPH else 1
    return Part(kind, " ".join(_sentence(language, random) for _ in range(count)))


def _sentence(language: str, random: Random) -> str:
    """A sentence of 8 to 40 words that ends where one of the newsroom's own sentences does."""
    follow, starts = _chain(language)
    words = [random.choice(starts)]
    while len(words) < 40 and not (len(words) >= 8 and words[-1][-1] in ".?!"):
        words.append(random.choice(follow.get(words[-1]) or starts))
    return " ".join(words)


@cache
def _chain(language: str) -> tuple[dict[str, list[str]], list[str]]:
    """Which words follow which in the demo newsroom's paragraphs, and those that begin one."""
    follow: defaultdict[str, list[str]] = defaultdict(list)
    starts: list[str] = []
    for words in _paragraphs(language):
        starts.append(words[0])
        for one, following in pairwise(words):
            follow[one].append(following)
    return dict(follow), starts


def _paragraphs(language: str) -> Iterator[list[str]]:
    for story in load_stories():
        for _, state in story.states:
            if state.language == language:
                yield from (part.text.split() for part in state.text.body if part.kind is Kind.PARAGRAPH)


def _write(site: Path, address: str, body: bytes) -> None:
    name = address.strip("/") + "/index.html" if address.endswith("/") else address.strip("/")
    path = site / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def _write_listings(site: Path, states: tuple[State, ...]) -> None:
    """Home, sections, feeds, sitemaps, robots.txt. A section shows all of its stories."""
    visit = Visit(BASE, 1, _NEWEST.date(), states[:20])
    _write(site, "/", listing_page("Le Fanal", states[:_HOME_LENGTH], "fr", visit).encode())
    for key, name in SECTIONS.items():
        listed = (state for state in states if state.section == key)
        _write(site, f"/{key}/", listing_page(name, listed, "fr", visit).encode())
    for language, address, make in (("fr", "feed.xml", feeds.rss), ("en", "en/atom.xml", feeds.atom)):
        newest = [state for state in states if state.language == language][:_FEED_LENGTH]
        _write(site, address, make(newest, BASE, _NEWEST))
    _write(site, "robots.txt", feeds.robots(BASE))
    _write(site, "sitemap.xml", feeds.sitemap_index(BASE, _NEWEST))
    _write(site, "post-sitemap.xml", feeds.sitemap(states, BASE))
    _write(site, "news-sitemap.xml.gz", feeds.news_sitemap(states, BASE, _NEWEST))
    _write(site, "wp-content/themes/fanal/style.css", STYLE)


def _large_page(state: State) -> LargePage:
    text = state.text
    blocks = tuple(part.text for part in text.body)
    return LargePage(state.path, state.language, text.headline, text.summary, blocks)
