"""Pages whose story is known, for training the cleaner: read from a corpus folder, their lines labelled by alignment.

A corpus is a folder with ``gold.jsonl`` (a line a page: ``file``, ``id``, ``url``, and ``text``, or the snippets
``with`` and ``without``) and ``pages/FILE`` (gzip).
"""

import gzip
import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tldextract import TLDExtract

from newsmorgue.cleaning.wording import visible

# The corpora whose gold texts begin with the summary.
WITH_SUMMARY = frozenset({"naeb", "fundus"})
_WORD = re.compile(r"\w+")
_GRAM = 4
_LEAST_COVER, _SURELY, _LONG = 0.4, 0.8, 8
_MOST_PLACES = 20
_domain = TLDExtract(suffix_list_urls=(), cache_dir=None)


@dataclass(frozen=True, slots=True)
class GoldPage:
    """``domain`` is the registered domain of ``url`` (the page's id where it has none): what folds are made of."""

    corpus: str
    id: str
    url: str
    domain: str
    html: bytes
    text: str | None
    kept: tuple[str, ...]
    stripped: tuple[str, ...]


def read_corpora(folder: Path, names: Sequence[str]) -> Iterator[GoldPage]:
    """The pages of some corpora in a folder."""
    for name in names:
        with (folder / name / "gold.jsonl").open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                url = row.get("url") or ""
                yield GoldPage(
                    name,
                    row["id"],
                    url,
                    _domain(url).top_domain_under_public_suffix or row["id"],
                    gzip.decompress((folder / name / "pages" / row["file"]).read_bytes()),
                    row.get("text"),
                    tuple(row.get("with") or ()),
                    tuple(row.get("without") or ()),
                )


def labels_of(page: GoldPage, lines: Sequence[str]) -> list[float | None]:
    """For each line 1.0 (the story's), 0.0 (something else) or None (not known)."""
    if page.text is not None:
        found = aligned(lines, page.text)
        return [1.0 if number in found else 0.0 for number in range(len(lines))]
    kept, stripped = ([visible(snippet) for snippet in snippets] for snippets in (page.kept, page.stripped))
    return [_by_snippets(visible(line), kept, stripped) for line in lines]


def _by_snippets(line: str, kept: list[str], stripped: list[str]) -> float | None:
    def meets(snippets: list[str]) -> bool:
        return any(snippet in line or (len(line) > 25 and line in snippet) for snippet in snippets if len(snippet) > 3)

    is_kept, is_stripped = meets(kept), meets(stripped)
    return None if is_kept == is_stripped else float(is_kept)


def aligned(lines: Sequence[str], text: str) -> set[int]:
    """The numbers of the lines that ``text`` is made of.

    Each line is looked up in the text by its 4-grams of words (shorter ones as they are); of all places, those chosen
    follow one another in both, with as many words as possible (weighted longest increasing subsequence). So a label
    that happens to stand in a sentence, or a teaser that repeats the first one, is not taken for the story.
    """
    gold = _WORD.findall(text)
    grams, words = defaultdict(list), defaultdict(list)
    for at, word in enumerate(gold):
        words[word].append(at)
        grams[tuple(gold[at : at + _GRAM])].append(at)
    places: list[tuple[int, int, int, int]] = []
    sure: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines):
        tokens = _WORD.findall(line)
        if len(tokens) < _GRAM:
            places += [(number, at, at + len(tokens), len(tokens)) for at in _exactly(tokens, gold, words)]
        else:
            found, cover = _roughly(tokens, gold, grams)
            places += [(number, at, end, weight) for at, end, weight in found]
            if cover >= _SURELY and len(tokens) >= _LONG:
                sure.append((number, tokens))
    chosen, had = _chain(places, len(gold))
    for number, tokens in sure:
        if number not in chosen:
            for at in grams.get(tuple(tokens[:_GRAM]), ()):
                if sum(had[at : at + len(tokens)]) <= 0.3 * len(tokens):
                    chosen.add(number)
                    had[at : at + len(tokens)] = [True] * len(had[at : at + len(tokens)])
                    break
    return chosen


def _exactly(tokens: list[str], gold: list[str], words: dict[str, list[int]]) -> list[int]:
    if not tokens:
        return []
    found = (at for at in words.get(tokens[0], ()) if gold[at : at + len(tokens)] == tokens)
    return [at for _, at in zip(range(_MOST_PLACES), found, strict=False)]


def _roughly(
    tokens: list[str], gold: list[str], grams: dict[tuple[str, ...], list[int]]
) -> tuple[list[tuple[int, int, int]], float]:
    """Where the tokens begin and end in the text, with the number of 4-grams that say so; and the share found."""
    starts: Counter[int] = Counter()
    hits = 0
    count = len(tokens) - _GRAM + 1
    for offset in range(count):
        if at := grams.get(tuple(tokens[offset : offset + _GRAM])):
            hits += 1
            starts.update(place - offset for place in at[:6])
    if hits < _LEAST_COVER * count:
        return [], 0.0
    best = [(start, votes) for start, votes in starts.most_common(4) if votes >= 0.3 * hits]
    return [(max(0, at), min(len(gold), at + len(tokens)), votes + 3) for at, votes in best], hits / count


def _chain(places: list[tuple[int, int, int, int]], length: int) -> tuple[set[int], list[bool]]:
    """The heaviest chain of places that follow one another in lines and text, and which words of the text it has."""
    places.sort()
    numbers = [place[0] for place in places]
    best: list[int] = []
    before: list[int] = []
    for index, (number, start, _, weight) in enumerate(places):
        first = bisect_left(numbers, number)
        earlier = max(
            (other for other in range(first) if places[other][2] <= start + 1), key=best.__getitem__, default=-1
        )
        best.append(weight + (best[earlier] if earlier >= 0 else 0))
        before.append(earlier)
        assert len(best) == index + 1
    chosen, had = set(), [False] * length
    at = max(range(len(best)), key=best.__getitem__, default=-1)
    while at >= 0:
        number, start, end, _ = places[at]
        chosen.add(number)
        had[start:end] = [True] * len(had[start:end])
        at = before[at]
    return chosen, had
