"""``morgue sources``: what is crawled and when; adding, pausing, trying out."""

import os
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from newsmorgue.errors import ConfigurationError, UnknownSource
from newsmorgue.progress import Output, printable
from newsmorgue.schedule.timetable import Timetable, shown
from newsmorgue.settings.configuration import (
    FILE_NAME,
    Configuration,
    SourceConfiguration,
    load_configuration,
    require_contact,
)
from newsmorgue.settings.opening import current_configuration, open_archive
from newsmorgue.settings.values import SLUG, sqlite_url
from newsmorgue.times import from_microseconds, iso, now_utc

if TYPE_CHECKING:
    from newsmorgue.spiders.trial import Found

app = typer.Typer(help="List the sources and when they are crawled; add, pause and resume them, try a site out.")
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)
Json = Annotated[bool, typer.Option("--json", help="One JSON document a line; the fields are in docs/reference.md.")]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as configured, as the archive knows it, or both."""

    source: str
    home: str
    configured: bool
    timetable: Timetable | None
    next_run: datetime | None
    paused_since: datetime | None
    last_run: tuple[datetime, datetime | None, str | None] | None


@app.callback(invoke_without_command=True)
def sources(context: typer.Context, as_json: Json = False) -> None:
    """List the sources and when they are crawled; add, pause and resume them, try a site out."""
    from newsmorgue import output

    if context.invoked_subcommand is not None:
        return
    rows = _rows(current_configuration())
    if as_json:
        for row in rows:
            sys.stdout.write(output.json_line(_as_json(row)) + "\n")
    elif rows:
        out.print(_as_table(rows))
    else:
        err.print("no sources yet; 'morgue sources add NAME HOME', or 'morgue crawl URL'", markup=False)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name, for ever: 1 to 64 of a-z 0-9 . _ -")],
    home: Annotated[str, typer.Argument(help="Its home page.")],
    every: Annotated[str | None, typer.Option(help='Its timetable: "15 minutes", or a cron line.')] = None,
) -> None:
    """Add a source to morgue.toml."""
    if not SLUG.fullmatch(name):
        raise typer.BadParameter("1 to 64 of the characters a-z 0-9 . _ -", param_hint="NAME")
    path = _add_table(name, home, every)
    out.print(
        f"added to {path}; next: 'morgue sources test {home}', 'morgue crawl {name}'", markup=False, soft_wrap=True
    )


@app.command()
def pause(source: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Have schedulers leave a source alone, on all machines, until it is resumed."""
    _set_paused(source, paused=True)
    out.print(f"{source} is paused; 'morgue crawl {source}' still crawls it", markup=False)


@app.command()
def resume(source: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Have schedulers crawl a paused source again."""
    _set_paused(source, paused=False)
    out.print(f"{source} is crawled by its timetable again", markup=False)


@app.command()
def test(
    url: Annotated[str, typer.Argument(metavar="URL-or-SOURCE", help="A home page, or a source's name.")],
    sample: Annotated[int, typer.Option(min=1, max=50, help="How many of the pages found are tried.")] = 5,
    as_json: Json = False,
) -> None:
    """Say what a crawl would find and why: lists, the pages they name, and what a few of these are. Keeps nothing."""
    from newsmorgue import output
    from newsmorgue.archive.capture import Assets
    from newsmorgue.spiders.process import Job, run_jobs
    from newsmorgue.spiders.trial import found

    configuration = current_configuration()
    source = configuration.source_for_url(url) if "://" in url else configuration.source_named(url)
    require_contact(configuration, source.home)
    with tempfile.TemporaryDirectory(prefix="morgue-test-") as folder:
        elsewhere = _in(configuration, Path(folder))
        (report,) = run_jobs(elsewhere, [Job(replace(source, assets=Assets.NONE), sample=sample)])
        with closing(open_archive(elsewhere)) as archive:
            seen = found(archive)
    if as_json:
        sys.stdout.write(output.json_line({"source": source.slug, "home": source.home, **asdict(seen)}) + "\n")
    else:
        _print_found(source, seen)
    if report.failure is not None:
        err.print(printable(f"morgue: {report.failure}"), markup=False, soft_wrap=True)
    raise typer.Exit(report.exit_code)


def _in(configuration: Configuration, folder: Path) -> Configuration:
    """The same settings with an archive of its own in a folder."""
    return replace(
        configuration,
        store=str(folder / "archive"),
        catalogue=sqlite_url(folder / "catalogue.sqlite"),
        spool=folder / "spool",
        webhook=None,
    )


def _print_found(source: SourceConfiguration, seen: "Found") -> None:
    lines = [f"{source.home} would be source '{source.slug}'; robots.txt: {seen.robots}", "lists:"]
    for each in seen.lists:
        outcome = f"{each.outcome or 'not read in a trial'}{f' ({each.detail})' if each.detail else ''}"
        lines.append(f"  {each.role} {each.url}: {outcome}, names {each.pages} pages; found in {_where(each.found_in)}")
    lines.append(f"pages found: {seen.pages}; tried of these, the newest first:")
    for page in seen.tried:
        lines.append(f"  {page.outcome}: {page.url}")
        if page.kind:
            lines.append(f"    {page.kind}, {page.characters} characters, published {page.published}: {page.headline}")
        else:
            lines.append(f"    {page.detail}")
        lines.append(f"    found in {_where(page.found_in)}" + (f", dated {page.stated}" if page.stated else ""))
    out.print(printable("\n".join(lines)), markup=False, soft_wrap=True)


def _where(found_in: str) -> str:
    named = {"operator": "robots.txt, morgue.toml or what was typed", "guess": "a guess"}
    return named.get(found_in, found_in)


def _rows(configuration: Configuration) -> list[SourceRow]:
    from newsmorgue.archive import schema
    from newsmorgue.schedule.plans import last_crawl, next_run

    with closing(open_archive(configuration)) as archive, archive.catalogue.read() as connection:
        s = schema.sources.c
        known = {row.slug: row for row in connection.execute(sa.select(s.slug, s.home, s.paused_at).order_by(s.slug))}
        rows = []
        for slug in [*configuration.sources, *(slug for slug in known if slug not in configuration.sources)]:
            source, row, last = configuration.sources.get(slug), known.get(slug), last_crawl(connection, slug)
            timetable = source.timetable if source else None
            rows.append(
                SourceRow(
                    slug,
                    source.home if source else known[slug].home,
                    source is not None,
                    timetable,
                    next_run(connection, slug) if timetable else None,
                    _moment(row.paused_at) if row else None,
                    (from_microseconds(last.started_at), _moment(last.ended_at), last.outcome) if last else None,
                )
            )
    return rows


def _moment(value: int | None) -> datetime | None:
    return from_microseconds(value) if value is not None else None


def _as_json(row: SourceRow) -> dict[str, Any]:
    timetable, last = row.timetable, row.last_run
    return {
        "source": row.source,
        "home": row.home,
        "configured": row.configured,
        "every": shown(timetable.every) if timetable else None,
        "timezone": timetable.timezone if timetable else None,
        "quiet_hours": [str(quiet) for quiet in timetable.quiet] if timetable else [],
        "next_run": iso(row.next_run) if row.next_run else None,
        "paused_since": iso(row.paused_since) if row.paused_since else None,
        "last_run": {"started": iso(last[0]), "ended": iso(last[1]) if last[1] else None, "outcome": last[2]}
        if last
        else None,
    }


def _as_table(rows: list[SourceRow]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("source", "every", "next run", "last run", "home"):
        table.add_column(name, overflow="fold")
    for row in rows:
        every = shown(row.timetable.every) if row.timetable else "-"
        coming = "paused" if row.paused_since else f"{row.next_run:%Y-%m-%d %H:%M}Z" if row.next_run else "-"
        last = f"{row.last_run[0]:%Y-%m-%d %H:%M}Z {row.last_run[2] or 'not ended'}" if row.last_run else "-"
        table.add_row(*map(printable, (row.source, every, coming, last, row.home)))
    return table


def _add_table(name: str, home: str, every: str | None) -> Path:
    """Write the source's table behind what is in morgue.toml, if all of it can be read then."""
    from newsmorgue.settings.template import TEMPLATE

    configuration = current_configuration()
    if name in configuration.sources:
        raise ConfigurationError(f"{configuration.file or FILE_NAME}: has a source '{name}' already")
    path = configuration.file or Path.cwd() / FILE_NAME
    before = path.read_text("utf-8") if configuration.file else TEMPLATE
    lines = [f"[sources.{_quoted(name)}]", f"home = {_quoted(home)}", *([f"every = {_quoted(every)}"] if every else [])]
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(before.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n", "utf-8")
        load_configuration({**os.environ, "MORGUE_CONFIG": str(fresh)}, Path.cwd())
        fresh.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
    return path


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in escaped) + '"'


def _set_paused(name: str, *, paused: bool) -> None:
    from newsmorgue.archive.sources import home_of
    from newsmorgue.capture.recorder import Recorder
    from newsmorgue.capture.runs import PauseSource

    configuration = current_configuration()
    with closing(open_archive(configuration)) as archive:
        source = configuration.sources.get(name)
        if source is None:
            home = home_of(archive, name)
            if home is None:
                raise UnknownSource(f"'{name}' is no source of {configuration.file or FILE_NAME} or of the archive")
            source = SourceConfiguration(name, home)
        recorder = Recorder(archive, name, {"isPartOf": name}, now_utc)
        recorder.add(PauseSource(source, paused))
        recorder.finish()
