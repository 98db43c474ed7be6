"""How often a page that changed only around its story is read as another text.

    python -m bench.flips FOLDER…

A folder holds ``gold.jsonl`` (a line for each page: ``file``, ``url``) and ``pages/`` (gzip). Each page is cleaned as
it is and with something else around the story, as it would be on another day; its text must be the same.
"""

import argparse
import gzip
import json
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from newsmorgue.cleaning import STORY_KINDS, Article, clean
from newsmorgue.errors import CleaningFailed

_TEASERS = "".join(
    f'<div class="item"><h3><a href="/elsewhere/{number}">Another story of the day, number {number}</a></h3>'
    "<p>It was a long night in the district.</p></div>"
    for number in range(6)
)
_LINKS = "".join(f'<li><a href="/section/{number}">Section {number}</a></li>' for number in range(25))
_PROSE = "I do not agree at all with what is said above, and I shall tell you why in as many words as it takes. "
# What is put right before the end of the body.
AT_THE_END = {
    "six teasers": f'<section class="more">{_TEASERS}</section>',
    "a menu of 25 links": f"<ul>{_LINKS}</ul>",
    "five comments": '<div id="comments">' + f"<div class=comment><p>{_PROSE * 2}</p></div>" * 5 + "</div>",
    "a cookie notice": '<div class="cookie-banner"><p>We use cookies. <a href="/privacy">More</a></p></div>',
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path)
    folders: list[Path] = parser.parse_args().folders
    for folder in folders:
        if not (folder / "gold.jsonl").is_file():
            parser.error(f"{folder}: has no gold.jsonl")
    changed: Counter[str] = Counter()
    pages = 0
    for html, url in _pages(folders):
        before = _read(html, url)
        if before is None or before.kind not in STORY_KINDS:
            continue
        pages += 1
        for name, more in AT_THE_END.items():
            after = _read(_with(html, more.encode()), url)
            changed[name] += after is None or _seen(after) != _seen(before)
    table = Table("what is new at the end of the page", f"of {pages:,} stories another text")
    for name in AT_THE_END:
        table.add_row(name, f"{changed[name]} ({100 * changed[name] / max(1, pages):.1f} %)")
    Console().print(table)


def _pages(folders: list[Path]) -> list[tuple[bytes, str]]:
    found = []
    for folder in folders:
        for row in map(json.loads, (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines()):
            found.append((gzip.decompress((folder / "pages" / row["file"]).read_bytes()), row.get("url") or ""))
    return found


def _read(html: bytes, url: str) -> Article | None:
    try:
        return clean(html, url)
    except CleaningFailed:
        return None


def _with(html: bytes, more: bytes) -> bytes:
    at = html.lower().rfind(b"</body")
    return html + more if at < 0 else html[:at] + more + html[at:]


def _seen(article: Article) -> tuple[str | None, str | None, str]:
    return article.headline, article.summary, article.text


if __name__ == "__main__":
    main()
