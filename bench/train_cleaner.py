"""Train the cleaner's model: ``python -m bench.train_cleaner --folder CORPORA [--model FILE] [--out-of-fold DIR]``.

Each line of each page gets its features and, from the page's gold text, its label; LightGBM makes trees of them. With
``--out-of-fold`` the pages are parted into five folds by registered domain, each is cleaned by a model trained on the
other four, and what comes out is written as JSON lines (corpus, id, text, title, authors, date, summary), to be scored
beside other extractors. With ``--model`` one is trained on all pages and written.

The same corpora, seed and library versions give the same model. One thread is used, since sums of floating-point
numbers differ with the number of threads.
"""

import argparse
import gzip
import json
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from bench.gold import WITH_SUMMARY, GoldPage, labels_of, read_corpora
from newsmorgue.cleaning import clean
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.features import NAMES, Reader, hints_of, worthwhile
from newsmorgue.cleaning.lexicon import Lexicon, names_of, words_of
from newsmorgue.cleaning.lines import Line, survey
from newsmorgue.cleaning.metadata import read_metadata
from newsmorgue.cleaning.model import load_model
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.standfirst import read_standfirst
from newsmorgue.cleaning.wording import visible
from newsmorgue.errors import CleaningFailed

CORPORA = ("aeb", "naeb", "fundus", "wcxb", "trafilatura")
FOLDS = 5
SEED = 1
ROUNDS = 150
# Lines that so many trees are this sure of (log-odds) are not decided otherwise by all of them: of 23,768 lines of
# sites that the trees had not seen, none was.
SETTLED = ((20, 1.6), (40, 1.9), (80, 1.6))
THRESHOLD = 0.38
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 24,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 127,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "seed": SEED,
}
# Snippets label few lines of a page; few pages of wcxb are news; fundus has most of the languages.
_CORPUS_WEIGHT = {"aeb": 1.5, "fundus": 2.0, "trafilatura": 0.3, "wcxb": 0.7}
_MOST_WORDS, _LEAST = 120, 2.0
# A word or name is known once lines on so many sites have it; its share is drawn towards the mean as by three more.
_FEWEST_SITES, _PRIOR, _PRIOR_SITES = 3, 0.55, 3.0
_START_WORDS = 2


@dataclass(slots=True)
class Example:
    """A page's lines that may be the story's, with labels and weights."""

    page: GoldPage
    reader_of: Any
    lines: list[Line]
    labels: list[float | None]
    weights: list[float]


class Votes:
    """For each word, what the lines that have it on one site were on average; a vote a site."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, list[float]]] = defaultdict(dict)
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, words: Iterable[str], site: str, label: float) -> None:
        """Count a line."""
        for word in words:
            vote = self._lines[word].setdefault(site, [0.0, 0.0])
            vote[0] += label
            vote[1] += 1.0

    def close(self) -> None:
        """All lines are counted."""
        self._sums = {
            word: (sum(total / count for total, count in votes.values()), len(votes))
            for word, votes in sorted(self._lines.items())
            if len(votes) >= _FEWEST_SITES
        }

    def shares(self) -> dict[str, int]:
        """Each word's share, in hundredths."""
        return {word: round(100 * _share(*known)) for word, known in self._sums.items()}

    def share_without(self, word: str, site: str) -> float | None:
        """A word's share as it would be without one site: what a page of that site is trained with."""
        known = self._sums.get(word)
        if known is None:
            return None
        total, count = known
        vote = self._lines[word].get(site)
        if vote is None:
            return _share(total, count)
        return None if count == _FEWEST_SITES else _share(total - vote[0] / vote[1], count - 1)


def _share(total: float, count: int) -> float:
    return round((total + _PRIOR_SITES * _PRIOR) / (count + _PRIOR_SITES), 2)


class Without(dict[str, float]):
    """The shares without one site, looked up as they are asked for."""

    def __init__(self, votes: Votes, site: str) -> None:
        super().__init__()
        self._votes, self._site = votes, site

    def get(self, word: str, default: Any = None) -> Any:
        """As of any mapping."""
        share = self._votes.share_without(word, self._site)
        return default if share is None else share


@dataclass(slots=True)
class LexiconVotes:
    """The votes that make a lexicon."""

    words: Votes = field(default_factory=Votes)
    starts: Votes = field(default_factory=Votes)
    names: Votes = field(default_factory=Votes)

    def count(self, examples: Iterable[Example]) -> None:
        """Count all labelled lines."""
        for example in examples:
            site = example.page.domain
            for line, label in zip(example.lines, example.labels, strict=True):
                if label is None:
                    continue
                if line.words <= 40:
                    words = words_of(line.text)
                    self.words.add(words, site, label)
                    if words:
                        self.starts.add((" ".join(words[:_START_WORDS]),), site, label)
                boxes = [box for _, box in zip(range(4), line.box.above(), strict=False)]
                self.names.add({name for box in boxes for name in names_of(box.names)}, site, label)
        for votes in (self.words, self.starts, self.names):
            votes.close()

    def without(self, site: str) -> Lexicon:
        """The lexicon for training on a page of ``site``."""
        return Lexicon(Without(self.words, site), Without(self.starts, site), Without(self.names, site))


def examples_of(pages: Iterable[GoldPage]) -> Iterator[Example]:
    """Parse and label."""
    for page in pages:
        try:
            root, _ = parse(decode(page.html, None))
        except CleaningFailed:
            continue
        metadata = read_metadata(root, page.url or "https://example.org/")
        hints = hints_of(metadata)
        found = survey(root)
        best, _, lines = worthwhile(found)
        standfirst = read_standfirst(root, None, metadata)
        all_lines = [line for line in found.lines if line.words]
        labels = dict(zip(map(id, all_lines), labels_of(page, [line.text for line in all_lines]), strict=True))
        kept = [labels[id(line)] for line in lines]
        if standfirst and page.corpus in WITH_SUMMARY:  # that it is in the gold text says nothing of the body
            kept = [
                None if visible(line.text) == standfirst[0] else label for line, label in zip(lines, kept, strict=True)
            ]
        if not lines:
            continue
        story = sum(line.words for line in all_lines if labels[id(line)])
        weight = _CORPUS_WEIGHT.get(page.corpus, 1.0) / (story + 50)
        weights = [weight * (min(line.words, _MOST_WORDS) + _LEAST) for line in lines]
        yield Example(
            page,
            lambda lexicon, found=found, lines=lines, best=best, hints=hints: Reader(
                found, lines, best, hints, lexicon
            ).rows(),
            lines,
            kept,
            weights,
        )


def train(examples: list[Example], name: str, tables: Any = None) -> bytes:
    """Train on examples; the model as JSON."""
    votes = LexiconVotes()
    votes.count(examples)
    rows, labels, weights = [], [], []
    lexicons: dict[str, Lexicon] = {}
    for example in examples:
        site = example.page.domain
        lexicon = lexicons.get(site) or lexicons.setdefault(site, votes.without(site))
        for row, label, weight in zip(example.reader_of(lexicon), example.labels, example.weights, strict=True):
            if label is not None:
                rows.append(np.asarray(row, np.float32))
                labels.append(label)
                weights.append(weight)
    x, y, w = np.stack(rows), np.asarray(labels), np.asarray(weights)
    if tables is not None:
        tables.append((x, y, w))
    data = lightgbm.Dataset(x, y, weight=w * len(w) / w.sum(), params={"max_bin": 127, "verbose": -1})
    booster = lightgbm.train(PARAMETERS, data, ROUNDS)
    return as_json(booster, votes, name)


def as_json(booster: Any, votes: LexiconVotes, name: str) -> bytes:
    """The model's file."""
    form = {
        "name": name,
        "features": NAMES,
        "threshold": round(float(np.log(THRESHOLD / (1 - THRESHOLD))), 4),
        "settled": SETTLED,
        "trees": [_tree(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]],
        "lexicon": {
            "words": votes.words.shares(),
            "starts": votes.starts.shares(),
            "names": votes.names.shares(),
        },
    }
    return json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()


def _tree(node: dict[str, Any]) -> Any:
    if "leaf_value" in node:
        return round(node["leaf_value"], 4)
    assert node["decision_type"] == "<="
    threshold = float(f"{node['threshold']:.6g}")
    return [node["split_feature"], threshold, _tree(node["left_child"]), _tree(node["right_child"])]


def fold_of(domain: str) -> int:
    """Which of the folds a site is in."""
    return zlib.crc32(domain.encode()) % FOLDS


def out_of_fold(examples: list[Example], pages: list[GoldPage], folder: Path, name: str) -> None:
    """Clean each page with a model that never saw its site."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        corpus: (folder / f"{name}.{corpus}.jsonl").open("w", encoding="utf-8") for corpus in {p.corpus for p in pages}
    }
    for fold in range(FOLDS):
        data = train([example for example in examples if fold_of(example.page.domain) != fold], f"fold-{fold}")
        model = load_model(data)
        for page in pages:
            if fold_of(page.domain) == fold:
                article = clean(page.html, page.url, model=model)
                row = {
                    "corpus": page.corpus, "id": page.id, "text": article.text, "summary": article.summary,
                    "headline": article.headline, "title": article.headline, "authors": article.authors,
                    "date": article.date,
                }  # fmt: skip
                files[page.corpus].write(json.dumps(row, ensure_ascii=False) + "\n")
        sys.stdout.write(f"fold {fold + 1} of {FOLDS}\n")
    for file in files.values():
        file.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="the corpora: a folder each")
    parser.add_argument("--model", type=Path, help="write the model here (.json.gz)")
    parser.add_argument("--out-of-fold", type=Path, help="write what models clean that never saw the site")
    parser.add_argument("--name", default="newsmorgue", help="what to call these outputs")
    arguments = parser.parse_args()
    pages = list(read_corpora(arguments.folder, CORPORA))
    examples = list(examples_of(pages))
    if arguments.out_of_fold:
        more = read_corpora(arguments.folder, ("cleanportal", "htmldate-news"))
        out_of_fold(examples, [*pages, *more], arguments.out_of_fold, arguments.name)
    if arguments.model:
        data = train(examples, arguments.name)
        arguments.model.write_bytes(gzip.compress(data, 9, mtime=0))
        sys.stdout.write(f"{arguments.model}: {arguments.model.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
