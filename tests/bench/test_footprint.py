"""A process that cleans page after page needs no more memory for the last than for the first hundred."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_MOST = 250  # MiB
_ROW = re.compile(r"│\s*([\d,]+)\s*│\s*(\d+)\s*│\s*(\d+)\s*│")


def _corpus(folder: Path) -> None:
    """The fixtures' pages, and some that are large or cannot be read."""
    (folder / "pages").mkdir()
    pages = [page.read_bytes() for page in sorted((_ROOT / "tests/fixtures").rglob("page.html"))]
    pages += [b"<p>" + b"word and more. " * 50_000, b"<div>" * 4000 + b"<p>deep", b"", b"<!--"]
    rows = []
    for number, page in enumerate(pages):
        (folder / f"pages/{number}.html.gz").write_bytes(gzip.compress(page))
        rows.append(json.dumps({"file": f"{number}.html.gz", "url": f"https://example.org/2026/{number}"}))
    (folder / "gold.jsonl").write_text("\n".join(rows), encoding="utf-8")


def _footprint(folder: Path, pages: int) -> dict[int, tuple[int, int]]:
    command = [sys.executable, "-m", "bench.footprint", str(folder), "--pages", str(pages)]
    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    return {int(row[0].replace(",", "")): (int(row[1]), int(row[2])) for row in _ROW.findall(ended.stdout)}


@pytest.mark.parametrize("pages", [500, pytest.param(5_000, marks=pytest.mark.nightly)])
def test_it_stays_flat(tmp_path: Path, pages: int) -> None:
    _corpus(tmp_path)
    needed = _footprint(tmp_path, pages)
    assert needed[pages][0] <= needed[100][0] + 8
    assert needed[pages][1] < _MOST
