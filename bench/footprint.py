"""How much memory a process needs that cleans page after page.

    python -m bench.footprint FOLDER… [--pages 5000]

Each folder holds ``gold.jsonl`` (a line for each page: ``file``, ``url``) and ``pages/`` (gzip). Pages are cleaned one
after another, and again from the first, as a worker does in a long crawl. Prints the resident memory on the way, and
its peak: it must not rise with the number of pages.
"""

import argparse
import gzip
import json
import resource
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from newsmorgue.cleaning import clean
from newsmorgue.errors import CleaningFailed

AT = (1, 100, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 10_000)
_MIB = 2**20


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--pages", type=int, default=5_000)
    chosen = parser.parse_args()
    table = Table("pages", "resident MiB", "peak MiB")
    for count, resident in footprint(chosen.folder, chosen.pages):
        table.add_row(f"{count:,}", f"{resident / _MIB:.0f}", f"{peak() / _MIB:.0f}")
    Console().print(table)


def footprint(folders: list[Path], pages: int) -> Iterator[tuple[int, int]]:
    """How many pages were cleaned, and the resident bytes of this process then."""
    for count, (path, url) in enumerate(islice(cycle(_pages(folders)), pages), 1):
        try:
            clean(gzip.decompress(path.read_bytes()), url)
        except CleaningFailed as refusal:
            Console(stderr=True).print(f"{path}: {refusal}", markup=False)
        if count in AT or count == pages:
            yield count, resident()


def _pages(folders: list[Path]) -> list[tuple[Path, str]]:
    found = []
    for folder in folders:
        rows = map(json.loads, (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines())
        found += [(folder / "pages" / row["file"], row.get("url") or "") for row in rows]
    return found


def resident() -> int:
    """The resident bytes of this process (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak() -> int:
    """The most bytes that were ever resident since this program began (Linux: ``getrusage`` counts what forked it)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
