"""What the memory of a site takes off, and what it takes that it should not.

    python -m bench.memory FOLDER…

A folder holds ``gold.jsonl`` (a line for each page: ``file``, ``url``, and ``text`` where there is a gold text) and
``pages/`` (gzip). Pages of one registrable domain are a site. Each is cleaned without memory, and with a memory that
has learned from all stories of the site (as an archive reads a story again), from all others (as it reads a new one),
and from just two others.

*Residue* are lines of the text that stand on other pages of the site too, and not in the gold. *Lost* are lines that
the memory took and that stand in the gold. F1 is that of token 4-grams, over the pages that have a gold text.
"""

import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from newsmorgue.cleaning import Article, Memory, Sample, clean, learn, sample_of
from newsmorgue.cleaning.wording import letters
from newsmorgue.errors import CleaningFailed
from newsmorgue.urls import host_and_port, registrable_domain

Page = tuple[bytes, str, str | None]
Choose = Callable[[list[Sample], int], list[Sample]]


def _none(samples: list[Sample], at: int) -> list[Sample]:
    return []


def _all(samples: list[Sample], at: int) -> list[Sample]:
    return samples


def _others(samples: list[Sample], at: int) -> list[Sample]:
    return samples[:at] + samples[at + 1 :]


def _two(samples: list[Sample], at: int) -> list[Sample]:
    return (samples[at + 1 :] + samples[:at])[:2]


MEMORIES: dict[str, Choose] = {"none": _none, "all stories": _all, "all others": _others, "two others": _two}


@dataclass
class Score:
    """What came of one way to remember, over the pages of a corpus."""

    f1: list[float]
    residue: int = 0
    taken: int = 0
    lost: int = 0


def main(folders: list[Path]) -> None:
    """Print a table for each folder."""
    for folder in folders:
        scores = {name: Score([]) for name in MEMORIES}
        sites = [site for site in _sites(folder).values() if len(site) > 1]
        for site in sites:
            _score_site(site, scores)
        about = f"{folder.name}: {sum(map(len, sites))} pages of {len(sites)} sites with more than one"
        table = Table("in memory", *("F1", "residue", "taken", "lost"), title=about)
        for name, score in scores.items():
            f1 = f"{fmean(score.f1):.4f}" if score.f1 else "-"
            table.add_row(name, f1, *map(str, (score.residue, score.taken, score.lost)))
        Console().print(table)


def _sites(folder: Path) -> dict[str, list[Page]]:
    found: dict[str, list[Page]] = defaultdict(list)
    for line in (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        try:
            site = registrable_domain(host_and_port(row["url"])[0])
        except (ValueError, TypeError, KeyError):
            continue
        found[site].append(
            (gzip.decompress((folder / "pages" / row["file"]).read_bytes()), row["url"], row.get("text"))
        )
    return found


def _score_site(site: list[Page], scores: dict[str, Score]) -> None:
    first = [_read(html, url, None) for html, url, _ in site]
    samples = [sample_of(str(at), article) for at, article in enumerate(first)]
    seen = [set(_lines(article)) for article in first]
    for name, choose in MEMORIES.items():
        for at, (html, url, gold) in enumerate(site):
            memory = learn(Memory("bench"), choose(samples, at))
            _score(scores[name], _read(html, url, memory), gold, set().union(*_without(seen, at)))


def _without(seen: list[set[str]], at: int) -> list[set[str]]:
    return seen[:at] + seen[at + 1 :]


def _read(html: bytes, url: str, memory: Memory | None) -> Article:
    try:
        return clean(html, url, memory=memory)
    except CleaningFailed as error:
        sys.exit(f"{url}: {error}")


def _score(score: Score, article: Article, gold: str | None, elsewhere: set[str]) -> None:
    wanted = letters(gold or "")
    score.residue += sum(line in elsewhere and line not in wanted for line in _lines(article))
    score.taken += len(article.repeated)
    score.lost += sum(bool(wanted) and letters(line) in wanted for line in article.repeated)
    if gold:
        score.f1.append(_f1(article.text, gold))


def _lines(article: Article) -> Iterator[str]:
    for line in article.text.splitlines():
        if text := letters(line.removeprefix("- ")):
            yield text


def _f1(text: str, gold: str) -> float:
    got, wanted = _shingles(text), _shingles(gold)
    both = sum((got & wanted).values())
    return 2 * both / (sum(got.values()) + sum(wanted.values())) if got or wanted else 1.0


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = re.findall(r"\w+", text)
    return Counter(tuple(tokens[at : at + 4]) for at in range(max(1, len(tokens) - 3)))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(name) for name in sys.argv[1:]])
