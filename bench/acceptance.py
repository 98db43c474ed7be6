"""How well a crawl of a built news site did, beside that site's own truth.

``python -m bench.acceptance --site OUT [--before FILE] [--save FILE]`` in the folder of an archive that crawled the
site. OUT has the site's ``truth.jsonl`` (a line an article: url, story, aliases, archivable, kind, edits, edit_seen)
and ``access.log``. ``--save`` keeps what the archive has now, ``--before`` compares with what it had at an earlier
``--save``, so that a second crawl's new stories and versions are counted.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MORGUE = Path(sys.executable).parent / "morgue"


def stories() -> dict[str, dict[str, Any]]:
    """What ``morgue stories --json`` says, by every address of each story."""
    told = subprocess.run([MORGUE, "stories", "--json"], capture_output=True, text=True, check=True).stdout
    return {row["url"]: row for row in map(json.loads, told.splitlines())}


def truth(site: Path) -> list[dict[str, Any]]:
    """The site's own list of its articles."""
    return [json.loads(line) for line in (site / "truth.jsonl").read_text("utf-8").splitlines()]


def met(site: Path, alias: str) -> bool:
    """Whether a crawl could meet an alias: a spelling with a query stands only in the feed."""
    return "?" not in alias or any(
        alias.replace("&", "&amp;") in feed.read_text("utf-8") for feed in site.glob("www/*/feed.xml")
    )


def compare(
    site: Path, rows: list[dict[str, Any]], known: dict[str, dict[str, Any]], before: dict[str, int]
) -> dict[str, Any]:
    """Counts and the addresses of what is wrong."""
    owners: dict[str, list[str]] = {}
    for url, row in known.items():
        for address in (url, *row["aliases"]):
            owners.setdefault(address, []).append(url)
    wanted = {row["story"]: row for row in rows if row["archivable"]}
    versions = {story: known[owners[story][0]]["versions"] for story in wanted if story in owners}
    grown = {story for story, count in versions.items() if story in before and count > before[story]}
    edited = {story for story, row in wanted.items() if row["edits"] and row.get("edit_seen") and story in before}
    unedited = {story for story, row in wanted.items() if not row["edits"] and story in before}
    return {
        "stories wanted": len(wanted),
        "found": len(versions),
        "missing": sorted(wanted.keys() - versions.keys()),
        "found more than once": sorted(story for story in wanted if len(set(owners.get(story, ()))) > 1),
        "two wanted stories in one": len(versions) - len({owners[story][0] for story in versions}),
        "not wanted": sorted(known.keys() - {owners[story][0] for story in versions}),
        "aliases missing": sorted(
            alias
            for story, row in wanted.items()
            for alias in row["aliases"]
            if owners.get(alias, []) != owners.get(story) and met(site, alias)
        ),
        "edits to be seen": len(edited),
        "edits missed": sorted(edited - grown),
        "false versions": sorted(unedited & grown),
        "more than one version at first": sorted(s for s, n in versions.items() if s not in before and n > 1),
    }


def requests(site: Path) -> dict[str, int]:
    """What the server's log has of paths that nobody may fetch, and in all."""
    log = site / "access.log"
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    return {"requests": len(lines), "requests under /private/": sum(" /private/" in line for line in lines)}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    known = stories()
    before = json.loads(options.before.read_text()) if options.before else {}
    report = compare(options.site, truth(options.site), known, before) | requests(options.site)
    for name, value in report.items():
        shown = (
            value if not isinstance(value, list) else f"{len(value)}" + "".join(f"\n    {item}" for item in value[:10])
        )
        sys.stdout.write(f"{name}: {shown}\n")
    if options.save:
        options.save.write_text(
            json.dumps({a: row["versions"] for u, row in known.items() for a in (u, *row["aliases"])})
        )


if __name__ == "__main__":
    main()
