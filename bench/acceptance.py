"""How well crawls of a built news site do, beside that site's own truth.

``python -m bench.acceptance --build BUILD_SITE.PY --corpus DIR [--corpus DIR …] --out DIR`` builds the site, serves it
with nginx, crawls it from its home address alone, publishes three revisions with a crawl after each, then builds and
crawls it once more without feeds and sitemaps; prints every figure, and exits with 1 where one misses its mark. What it
needs of the builder: ``--corpus --out --pages --port --now --revision --no-feeds``, and in OUT ``nginx.conf``,
``access.log`` (time, address, status, bytes, request in quotes) and ``truth.jsonl`` (a line an article: url, story,
aliases, archivable, kind, edits, edit_seen).

``--site OUT`` scores one archive alone, in its folder; ``--save FILE`` keeps what it has now, for a later ``--before``.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.settings.configuration import load_configuration
from newsmorgue.settings.opening import open_archive
from newsmorgue.urls import address_key

MORGUE = Path(sys.executable).parent / "morgue"
REVISIONS = 3
_LINE = re.compile(r'\S+ \S+ (\d{3}) \S+ "GET (\S+) ')
# What the archive's frontier should say of each kind of page that is no story, in any of these words.
_TREATED = {
    "robots-disallow": {"disallowed"},
    "meta-noarchive": {"refused"},
    "header-noarchive": {"refused"},
    "tdm-reserved": {"refused"},
    "gone": {"gone"},
    "soft-404": {"not_story"},
}
_LEAST_WITHOUT_FEEDS = 0.95
_MOST_NEEDLESS = 0.10


@dataclass(frozen=True, slots=True)
class Built:
    """A built site."""

    folder: Path

    def truth(self) -> list[dict[str, Any]]:
        """The site's own list of its articles."""
        return [json.loads(line) for line in (self.folder / "truth.jsonl").read_text("utf-8").splitlines()]

    def requests(self) -> list[tuple[int, str]]:
        """Status and path of everything that was asked for since the log was last emptied."""
        log = self.folder / "access.log"
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return [(int(match[1]), match[2]) for line in lines if (match := _LINE.match(line))]

    def met(self, alias: str) -> bool:
        """Whether a crawl could meet an alias: a spelling with a query stands only in the feed."""
        spelled = alias.replace("&", "&amp;")
        feeds = self.folder.glob("www/*/feed.xml")
        return "?" not in alias or any(spelled in feed.read_text("utf-8") for feed in feeds)


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by name; a list's length is its figure, and its items what is wrong. ``missed`` are marks not reached."""

    figures: dict[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def say(self, name: str, value: Any, mark: bool = True) -> None:
        """Add a figure; ``mark`` is whether it is as it should be."""
        self.figures[name] = value
        if not mark:
            self.missed.append(name)

    def print(self, title: str) -> None:
        """Write it all to standard output."""
        sys.stdout.write(f"\n## {title}\n")
        for name, value in self.figures.items():
            items = value if isinstance(value, list) else []
            shown = f"{len(items)}" if isinstance(value, list) else value
            sign = "  <-- missed" if name in self.missed else ""
            sys.stdout.write(f"{name}: {shown}{sign}\n" + "".join(f"    {item}\n" for item in items[:10]))
        sys.stdout.flush()


def stories(folder: Path) -> dict[str, dict[str, Any]]:
    """What ``morgue stories --json`` says in an archive's folder, by the canonical address of each story."""
    told = subprocess.run([MORGUE, "stories", "--json"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return {row["url"]: row for row in map(json.loads, told.splitlines())}


@dataclass(frozen=True, slots=True)
class Past:
    """What the archive had after the crawl before: its versions at each address; how often each was edited by then."""

    versions: dict[str, int] = field(default_factory=dict)
    edits: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Built, folder: Path) -> "Past":
        """What is so now."""
        known = stories(folder).items()
        versions = {address: row["versions"] for url, row in known for address in (url, *row["aliases"])}
        return cls(versions, {row["story"]: row["edits"] for row in site.truth()})

    def has_changed(self, row: dict[str, Any]) -> bool:
        """Whether an article is new or was edited since."""
        return bool(self.edits.get(row["story"]) != row["edits"])


def score(site: Built, folder: Path, past: Past, report: Report, least: float = 1.0) -> None:
    """Every figure of one crawl. ``past`` is what was before it, ``least`` the share to be found."""
    known, rows = stories(folder), site.truth()
    wanted = {row["story"]: row for row in rows if row["archivable"]}
    owners: dict[str, list[str]] = {}
    for url, row in known.items():
        for address in (url, *row["aliases"]):
            owners.setdefault(address, []).append(url)
    versions = {story: known[owners[story][0]]["versions"] for story in wanted if story in owners}
    _say_found(site, report, wanted, owners, versions, known, least)
    if past.edits:
        _say_revised(report, wanted, versions, past)
    else:
        many = sorted(story for story, count in versions.items() if count > 1)
        report.say("more than one version at first", many, not many)
    _say_treated(report, rows, _outcomes(folder))
    _say_requests(site, report, rows, past, _pages_at(rows))


def _say_found(
    site: Built,
    report: Report,
    wanted: dict[str, Any],
    owners: dict[str, list[str]],
    versions: dict[str, int],
    known: dict[str, Any],
    least: float,
) -> None:
    missing = sorted(wanted.keys() - versions.keys())
    report.say("stories wanted", len(wanted))
    share = len(versions) / len(wanted)
    report.say("found", f"{len(versions)} ({share:.1%})", share >= least)
    report.say("missing", missing, share >= least)
    twice = sorted(story for story in wanted if len(set(owners.get(story, ()))) > 1)
    report.say("found more than once", twice, not twice)
    merged = len(versions) - len({owners[story][0] for story in versions})
    report.say("two wanted stories in one", merged, not merged)
    unwanted = sorted(known.keys() - {owners[story][0] for story in versions})
    report.say("not wanted", unwanted, not unwanted)
    lost = sorted(
        alias
        for story, row in wanted.items()
        for alias in row["aliases"]
        if story in versions and owners.get(alias, []) != owners.get(story) and site.met(alias)
    )
    report.say("aliases missing", lost, not lost)


def _say_revised(report: Report, wanted: dict[str, Any], versions: dict[str, int], past: Past) -> None:
    before = past.versions
    grown = {story for story, count in versions.items() if story in before and count > before[story]}
    new = {story for story in wanted if story not in past.edits}
    report.say("new stories", f"{len(new & versions.keys())} of {len(new)}", new <= versions.keys())
    edited = {story for story, row in wanted.items() if story in past.edits and past.has_changed(row)}
    due = {story for story in edited if wanted[story].get("edit_seen")}
    report.say("edits to be seen", len(due))
    report.say("edits missed", sorted(due - grown), due <= grown)
    false = sorted(grown - edited)
    report.say("false versions", false, not false)


def _outcomes(folder: Path) -> dict[str, tuple[str, str | None]]:
    """What the archive in a folder says of each address of its frontier."""
    archive = open_archive(load_configuration({}, folder))
    with archive.catalogue.read() as connection:
        u = schema.urls.c
        rows = connection.execute(sa.select(u.key, u.outcome, u.detail)).all()
    archive.close()
    return {row.key: (row.outcome, row.detail) for row in rows}


def _say_treated(report: Report, rows: list[dict[str, Any]], outcomes: dict[str, tuple[str, str | None]]) -> None:
    for kind, words in _TREATED.items():
        mine = [row["url"] for row in rows if row["kind"] == kind]
        right = [url for url in mine if outcomes.get(address_key(url), ("", None))[0] in words]
        report.say(f"{kind}: {' or '.join(sorted(words))}", f"{len(right)} of {len(mine)}", right == mine)
    moved = [row for row in rows if row["kind"] == "redirect"]
    right = [row["url"] for row in moved if outcomes.get(address_key(row["url"]), ("", None))[0] == "redirected"]
    report.say(
        "redirect: redirected, and stored once under the target",
        f"{len(right)} of {len(moved)}",
        len(right) == len(moved),
    )


def _pages_at(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The article at each path and query that leads to one."""
    paths = {}
    for row in rows:
        for address in {row["url"], row["story"], *row["aliases"]}:
            parts = urlsplit(address)
            paths[parts.path + (f"?{parts.query}" if parts.query else "")] = row
    return paths


def _say_requests(
    site: Built, report: Report, rows: list[dict[str, Any]], past: Past, at: dict[str, dict[str, Any]]
) -> None:
    asked = site.requests()
    forbidden = [path for _, path in asked if path.startswith("/private/")]
    report.say("requests", len(asked))
    report.say("disallowed fetches", len(forbidden), not forbidden)
    pages = [(status, at[path]) for status, path in asked if path in at]
    whole = Counter(row["story"] for status, row in pages if status == 200)
    # The first 200 of what is new or was edited is needed; every other is not.
    needed = {row["story"] for row in rows if past.has_changed(row)}
    needless = sum(count - (story in needed) for story, count in whole.items())
    share = needless / len(pages) if pages else 0.0
    report.say("story fetches", len(pages))
    report.say("of them 304", sum(status == 304 for status, _ in pages))
    report.say("of them 200 without need", f"{needless} ({share:.1%})", share < _MOST_NEEDLESS)


# -- all of it ------------------------------------------------------------------------------------------------------


def build(options: argparse.Namespace, out: Path, port: int, revision: int, *more: str) -> Built:
    """Build the site, or publish a revision of it."""
    corpora = [part for folder in options.corpus for part in ("--corpus", folder)]
    command = [sys.executable, options.build, *corpora, "--out", str(out), "--pages", str(options.pages)]
    command += ["--port", str(port), "--now", options.now, "--revision", str(revision), *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Built(out)


@contextmanager
def served(site: Built) -> Iterator[None]:
    """Have nginx serve the site as long as the block lasts."""
    conf = site.folder / "nginx.conf"
    subprocess.run(["nginx", "-c", conf], check=True, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        subprocess.run(["nginx", "-c", conf, "-s", "quit"], check=True, stderr=subprocess.DEVNULL)


def crawl(site: Built, port: int, folder: Path) -> tuple[int, float]:
    """One crawl from the home address alone; its exit code and its seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    os.truncate(site.folder / "access.log", 0)
    started = time.monotonic()
    done = subprocess.run([MORGUE, "crawl", f"http://127.0.0.1:{port}/"], cwd=folder, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    time.sleep(1.5)  # nginx writes its log once a second
    return done.returncode, seconds


def one_crawl(site: Built, port: int, folder: Path, title: str, past: Past, least: float = 1.0) -> Report:
    """Crawl, score, print."""
    report = Report()
    code, seconds = crawl(site, port, folder)
    report.say("exit code", code, code == 0)
    report.say("seconds", round(seconds, 1))
    score(site, folder, past, report, least)
    report.print(title)
    return report


def run(options: argparse.Namespace) -> bool:
    """Build, crawl, revise, crawl without feeds; whether every mark was reached."""
    out, port = Path(options.out), options.port
    folder, reports, past = out / "archive", [], Past()
    site = build(options, out / "site", port, 0)
    for revision in range(REVISIONS + 1):
        if revision:
            build(options, out / "site", port, revision)
        with served(site):
            title = f"revision {revision}" if revision else "first crawl"
            reports.append(one_crawl(site, port, folder, title, past))
        past = Past.of(site, folder)
    plain = build(options, out / "site-without-feeds", port + 1, 0, "--no-feeds")
    with served(plain):
        title = "without feeds and sitemaps"
        least = _LEAST_WITHOUT_FEEDS
        reports.append(one_crawl(plain, port + 1, out / "archive-without-feeds", title, Past(), least))
    return not any(report.missed for report in reports)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", help="the program that builds the site")
    parser.add_argument("--corpus", action="append", default=[])
    parser.add_argument("--out", default="acceptance")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--port", type=int, default=8960)
    parser.add_argument("--now", default=datetime.now(UTC).replace(microsecond=0).isoformat())
    parser.add_argument("--site", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    if options.build:
        sys.exit(0 if run(options) else 1)
    report, here = Report(), Path.cwd()
    site = Built(options.site)
    past = Past(**json.loads(options.before.read_text())) if options.before else Past()
    score(site, here, past, report)
    report.print(str(here))
    if options.save:
        options.save.write_text(json.dumps(asdict(Past.of(site, here))))


if __name__ == "__main__":
    main()
