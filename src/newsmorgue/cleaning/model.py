"""The trained model that tells the story's lines: a file of regression trees and a lexicon, read without a library.

The trees (gradient boosting; ``docs/cleaning.md`` is the model card) become one Python function of nested conditions:
that runs a hundred times faster than walking tables, and needs nothing installed.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from newsmorgue.cleaning.features import NAMES
from newsmorgue.cleaning.lexicon import Lexicon

_FILE = "model.json.gz"
Score = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Model:
    """``score`` is a line's log-odds of being the story's, ``threshold`` what it must exceed; ``name`` says which."""

    name: str
    score: Score
    threshold: float
    lexicon: Lexicon


@cache
def shipped_name() -> str:
    """What names the shipped model in a reading: another file is another model."""
    return f"model-{hashlib.sha256(_shipped()).hexdigest()[:8]}"


def _shipped() -> bytes:
    return resources.files(__package__).joinpath(_FILE).read_bytes()


@cache
def shipped_model() -> Model:
    """The model that comes with this version."""
    return load_model(gzip.decompress(_shipped()))


def load_model(data: bytes) -> Model:
    """A model from its JSON form. Raises ValueError where it was made for other features."""
    form: dict[str, Any] = json.loads(data)
    if tuple(form["features"]) != NAMES:
        raise ValueError(f"the model {form['name']} was trained on other features")
    shares = {kind: {word: share / 100 for word, share in words.items()} for kind, words in form["lexicon"].items()}
    return Model(form["name"], _compiled(form["trees"], dict(form["settled"])), form["threshold"], Lexicon(**shares))


def _compiled(trees: list[Any], settled: dict[int, float]) -> Score:
    """A tree is a leaf's value, or ``[feature, threshold, tree if not greater, tree if greater]``.

    ``settled`` are numbers of trees, and the score beyond which (either way) a line is not given to more of them.
    """
    names = [f"f{feature}" for feature in range(len(NAMES))]
    lines = ["def score(row):", f" {', '.join(names)} = row", " s = 0.0"]
    for number, tree in enumerate(trees):
        if number in settled:
            lines.append(f" if not {-settled[number]!r} <= s <= {settled[number]!r}: return s")
        _write(tree, 1, lines)
    lines.append(" return s")
    space: dict[str, Any] = {}
    exec(compile("\n".join(lines), _FILE, "exec"), {"__builtins__": {}}, space)
    score: Score = space["score"]
    return score


def _write(tree: Any, depth: int, lines: list[str]) -> None:
    if not isinstance(tree, list):
        lines.append(f"{' ' * depth}s += {float(tree)!r}")
        return
    feature, threshold, low, high = tree
    lines.append(f"{' ' * depth}if f{int(feature)} <= {float(threshold)!r}:")
    _write(low, depth + 1, lines)
    lines.append(f"{' ' * depth}else:")
    _write(high, depth + 1, lines)
