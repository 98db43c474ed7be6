"""What leaked into cleaned texts and what was lost from them, by class.

    python -m bench.errors --folder CORPORA --outputs DIR

DIR has what :mod:`bench.train_cleaner` wrote with ``--out-of-fold``. Each line of a page is looked up in the page's
gold text and in the output; a class is what the line is by its place, its boxes' roles or its wording.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.gold import WITH_SUMMARY, GoldPage, aligned, read_corpora
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.labels import role_of_label
from newsmorgue.cleaning.lines import HEADINGS, ROLE_MARK, TAG_MARK, Line, survey
from newsmorgue.cleaning.parse import parse

CORPORA = ("aeb", "naeb", "fundus", "wcxb")
_ROLES = ("comments", "related", "newsletter", "advert", "author box", "tags", "meta", "sharing", "credit", "consent")
_PLACES = {
    "caption": TAG_MARK["figure"] | TAG_MARK["figcaption"],
    "table": TAG_MARK["table"],
    "list": TAG_MARK["ul"] | TAG_MARK["ol"],
    "quote": TAG_MARK["blockquote"],
    "aside, footer, form": TAG_MARK["aside"] | TAG_MARK["footer"] | TAG_MARK["form"],
}
_SHORT = 8


@dataclass(slots=True)
class Tally:
    """Lines and words of one class, and the pages they are on."""

    lines: int = 0
    words: int = 0
    pages: set[str] = field(default_factory=set)

    def add(self, line: Line, page: GoldPage) -> None:
        """Count a line."""
        self.lines += 1
        self.words += line.words
        self.pages.add(f"{page.corpus}/{page.id}")


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--outputs", type=Path, required=True)
    chosen = parser.parse_args()
    texts = dict(_texts(chosen.outputs))
    leaked: dict[str, Tally] = defaultdict(Tally)
    lost: dict[str, Tally] = defaultdict(Tally)
    pages = words = 0
    for page in read_corpora(chosen.folder, CORPORA):
        if page.text is None:
            continue
        pages += 1
        root, _ = parse(decode(page.html, None))
        lines = [line for line in survey(root).lines if line.words]
        plain = [line.text for line in lines]
        gold = aligned(plain, page.text)
        ours = aligned(plain, texts.get((page.corpus, page.id), ""))
        words += sum(lines[number].words for number in gold)
        for number in ours - gold:
            leaked[_class(lines[number])].add(lines[number], page)
        first, last = (min(ours), max(ours)) if ours else (0, -1)
        for number in gold - ours:
            where = " before the text" if number < first else " behind the text" if number > last else ""
            lost[f"{_class(lines[number])}{where}"].add(lines[number], page)
    for title, tallies in (("leaked", leaked), ("lost", lost)):
        _print(f"{title}, of {words:,} words on {pages:,} pages", tallies)


def _texts(folder: Path) -> Iterator[tuple[tuple[str, str], str]]:
    for file in sorted(folder.glob("*.jsonl")):
        for row in map(json.loads, file.read_text("utf-8").splitlines()):
            summary = row.get("summary") if row["corpus"] in WITH_SUMMARY else None
            yield (row["corpus"], row["id"]), "\n".join(filter(None, (summary, row.get("text"))))


def _class(line: Line) -> str:
    if line.box.tag in HEADINGS:
        return "heading"
    if role := role_of_label(line.text):
        return f"label: {role}"
    for role in _ROLES:
        if line.box.marks & ROLE_MARK[role]:
            return f"in a box named as {role}"
    for place, marks in _PLACES.items():
        if line.box.marks & marks:
            return place
    if line.linked * 2 > line.words:
        return "line of links"
    return "short line" if line.words < _SHORT else "paragraph"


def _print(title: str, tallies: dict[str, Tally]) -> None:
    table = Table("class", "lines", "words", "pages", title=title)
    for name, tally in sorted(tallies.items(), key=lambda item: -item[1].words):
        table.add_row(name, f"{tally.lines:,}", f"{tally.words:,}", f"{len(tally.pages):,}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
