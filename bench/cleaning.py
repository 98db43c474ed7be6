"""How well and how fast pages are cleaned, beside other extractors.

    python -m bench.cleaning --folder CORPORA --evaluate EVALUATE.PY --peers PYTHON [--outputs DIR]

CORPORA has a folder for each collection (:mod:`bench.gold`); EVALUATE.PY is the program that scores extractors on them.
Every page is cleaned by a model that was trained on other sites (:mod:`bench.train_cleaner`), the peers run in the same
run, and the table says what is aimed at, what is reached, and what the best peer does. Speed is that of the shipped
model, in pages per second of CPU, each page's faster of two times. Behind it stands what leaked and what was lost, by
class (:mod:`bench.errors`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OURS = "newsmorgue"
# The same with the summary before the text: gold snippets may stand in a standfirst, which is no part of ``text``.
WITH_SUMMARY = "newsmorgue-with-summary"
CLEAN = "newsmorgue.cleaning:clean"
PEERS = (
    "trafilatura-meta",
    "trafilatura-precision",
    "newspaper4k",
    "readability-lxml",
    "resiliparse",
    "htmldate",
)
TIMED = "trafilatura-meta"
# Collection, measure, aim.
AIMS = (
    ("aeb", "F1", 0.970),
    ("naeb", "F1", 0.948),
    ("fundus", "F1", 0.970),
    ("wcxb", "F1", 0.954),
    ("trafilatura", "segF", 0.932),
    ("naeb", "title_exact", 0.84),
    ("naeb", "author_set", 0.80),
    ("naeb", "date_day", 0.87),
    ("fundus", "title_loose", 0.86),
    ("fundus", "author_set", 0.81),
    ("fundus", "date_day", 0.985),
    ("wcxb", "title_exact", 0.73),
    ("wcxb", "author_set", 0.70),
    ("wcxb", "date_day", 0.87),
    ("htmldate-news", "date_day", 0.92),
)
COLLECTIONS = ("aeb", "naeb", "fundus", "wcxb", "trafilatura", "cleanportal", "htmldate-news")
SPEED, RATIO = 200.0, 4.0


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--evaluate", type=Path, required=True)
    parser.add_argument("--peers", type=Path, required=True, help="a Python that has the other extractors")
    parser.add_argument("--outputs", type=Path, help="a folder of outputs made before, or to be made")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        outputs = chosen.outputs or Path(scratch) / "outputs"
        if not list(outputs.glob(f"{OURS}.*.jsonl")):
            _run("-m", "bench.train_cleaner", "--folder", str(chosen.folder), "--out-of-fold", str(outputs))
        with_summary = _with_summary(outputs, Path(scratch) / "with-summary")
        quality = _evaluated(
            chosen,
            Path(scratch),
            COLLECTIONS,
            (f"file:{OURS}={outputs}", f"file:{WITH_SUMMARY}={with_summary}", *PEERS),
            python=chosen.peers,
        )
        timed = _evaluated(
            chosen, Path(scratch), COLLECTIONS[:4], (CLEAN, TIMED), "--limit", "90", "--repeat", "2", "--cpu", "0"
        )
        _print(quality, timed)
        _run("-m", "bench.errors", "--folder", str(chosen.folder), "--outputs", str(outputs))


def _print(quality: dict[str, Any], timed: dict[str, Any]) -> None:
    table = Table("what", "aim", OURS, "best peer", "which")
    for row in _rows(quality):
        table.add_row(*row)
    ours, theirs = (_speed(timed, name) for name in (CLEAN, TIMED))
    table.add_row("pages per CPU second, text and all metadata", f"{SPEED:.0f}", f"{ours:.0f}", f"{theirs:.0f}", TIMED)
    table.add_row("times as fast", f"{RATIO:.0f}", f"{ours / theirs:.1f}", "1", TIMED)
    Console(width=110).print(table)


def _run(*arguments: str, python: Path = Path(sys.executable)) -> None:
    subprocess.run([str(python), *arguments], check=True)


def _with_summary(outputs: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in outputs.glob(f"{OURS}.*.jsonl"):
        rows = map(json.loads, file.read_text("utf-8").splitlines())
        told = ({**row, "text": "\n\n".join(filter(None, (row["summary"], row["text"])))} for row in rows)
        name = file.name.replace(OURS, WITH_SUMMARY, 1)
        (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in told), "utf-8")
    return folder


def _evaluated(
    chosen: argparse.Namespace,
    scratch: Path,
    collections: tuple[str, ...],
    extractors: tuple[str, ...],
    *more: str,
    python: Path = Path(sys.executable),
) -> dict[str, Any]:
    told = scratch / "told.json"
    _run(
        str(chosen.evaluate),
        *("--folder", str(chosen.folder), "--corpus", ",".join(collections), "--extractor", ",".join(extractors)),
        *("--bootstrap", "0", "--json", str(told), *more),
        python=python,
    )
    results: dict[str, Any] = json.loads(told.read_text("utf-8"))
    return {name.partition(" ")[0]: by for name, by in results.items()}


def _rows(quality: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for collection, measure, aim in AIMS:
        by = quality[collection]
        peers = {name: values[measure] for name, values in by.items() if name in PEERS and measure in values}
        best = max(peers, key=peers.__getitem__)
        reached = by[OURS][measure]
        mark = "" if round(reached, 3) >= aim else " (missed)"
        yield f"{collection} {measure}", f"{aim:.3f}", f"{reached:.3f}{mark}", f"{peers[best]:.3f}", best
        if measure == "segF":
            yield "  the summary counted as text", "", f"{by[WITH_SUMMARY][measure]:.3f}", "", ""


def _speed(timed: dict[str, Any], name: str) -> float:
    pages = sum(by[name]["n"] for by in timed.values())
    return float(pages / sum(by[name]["cpu"] for by in timed.values()))


if __name__ == "__main__":
    main()
