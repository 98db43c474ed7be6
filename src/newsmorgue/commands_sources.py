"""``morgue sources``: what is crawled and when; adding, pausing, trying out."""

import os
import re
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console

from newsmorgue.errors import ConfigurationError, UnknownSource
from newsmorgue.options import Json
from newsmorgue.progress import Output, counted, printable
from newsmorgue.schedule.timetable import Timetable, shown
from newsmorgue.settings.configuration import (
    FILE_NAME,
    Configuration,
    SourceConfiguration,
    load_configuration,
    require_contact,
)
from newsmorgue.settings.opening import current_configuration, open_archive, source_asked_for
from newsmorgue.settings.values import SLUG, sqlite_url
from newsmorgue.table import Column, print_table
from newsmorgue.times import from_microseconds, iso, microseconds, now_utc

if TYPE_CHECKING:
    from newsmorgue.spiders.trial import Found, ListFound

app = typer.Typer(help="List the sources and when they are crawled; add, pause and resume them, try a site out.")
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)


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
            output.print_json(_as_json(row))
    elif rows:
        print_table(out, _COLUMNS, rows)
    else:
        err.print("no sources yet; 'morgue sources add NAME HOME', or 'morgue crawl URL'", markup=False)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, for ever: 1 to 64 of a-z 0-9 . _ -")],
    home: Annotated[str, typer.Argument(metavar="HOME", help="Its home page.")],
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
def pause(source: Annotated[str, typer.Argument(metavar="SOURCE", help="Its name.")]) -> None:
    """Have schedulers leave a source alone, on all machines, until it is resumed."""
    _set_paused(source, paused=True)
    out.print(f"{source} is paused; 'morgue crawl {source}' still crawls it", markup=False)


@app.command()
def resume(source: Annotated[str, typer.Argument(metavar="SOURCE", help="Its name.")]) -> None:
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
    source = source_asked_for(configuration, url)
    require_contact(configuration, source.home)
    with tempfile.TemporaryDirectory(prefix="morgue-test-") as folder:
        elsewhere = _in(configuration, Path(folder))
        _pass_on_holds(configuration, elsewhere)
        (report,) = run_jobs(elsewhere, [Job(replace(source, assets=Assets.NONE), sample=sample)])
        if _has_catalogue(configuration):
            _pass_on_holds(elsewhere, configuration)
        with closing(open_archive(elsewhere)) as archive:
            seen = found(archive, source.home)
    if as_json:
        output.print_json({"source": source.slug, "home": source.home, **asdict(seen)})
    else:
        _print_found(configuration, source, seen)
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


def _pass_on_holds(known: Configuration, learns: Configuration) -> None:
    """Where a host asked to be left alone, it is meant of trials and crawls alike. Makes no archive."""
    from newsmorgue.archive import hosts, schema

    h = schema.hosts.c
    if not _has_catalogue(known):
        return
    with closing(open_archive(known)) as archive, archive.catalogue.read() as connection:
        held = connection.execute(sa.select(h.host, h.held_until).where(h.held_until > microseconds(now_utc()))).all()
    if held:
        with closing(open_archive(learns)) as archive, archive.catalogue.write() as connection:
            for row in held:
                hosts.hold(connection, row.host, from_microseconds(row.held_until))


def _has_catalogue(configuration: Configuration) -> bool:
    url = sa.make_url(configuration.catalogue)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _print_found(configuration: Configuration, source: SourceConfiguration, seen: "Found") -> None:
    known = source.slug in configuration.sources
    by = f", crawled by {source.spider.name}" if source.spider else ""
    lines = [
        f"{source.home} {'is' if known else 'would be'} source '{source.slug}'{by}; robots.txt: {seen.robots}",
        "lists:",
    ]
    for each in seen.lists:
        read = f"{each.outcome or 'not read in a trial'}{f' ({each.detail})' if each.detail else ''}"
        named = f"names {_names(each, seen)}" if each.outcome == "listed" else read
        lines += [f"  {each.role} {each.url}: {named}", f"    found in {_where(source, each.found_in)}"]
    lines.append(f"pages found: {seen.pages}" + ("; tried of these, the newest first:" if seen.tried else ""))
    for page in seen.tried:
        lines.append(f"  {_TRIED.get(page.outcome or '', page.outcome)}: {page.url}")
        if page.kind:
            published = f", published {page.published}" if page.published else ""
            lines.append(f"    {page.kind}, {page.characters} characters{published}: {page.headline}")
        elif page.detail:
            lines.append(f"    {page.detail}")
        dated = f", dated {page.stated}" if page.stated else ""
        lines.append(f"    found in {_where(source, page.found_in)}{dated}")
    out.print(printable("\n".join(lines)), markup=False, soft_wrap=True)


def _names(each: "ListFound", seen: "Found") -> str:
    lists = sum(other.found_in == each.url for other in seen.lists)
    return counted(each.pages, "pages") + (f", {counted(lists, 'lists')}" if lists else "")


# What became of a page, in words; of the others the outcome's own name says it.
_TRIED = {"stored": "a story", "unchanged": "a story", "not_story": "no story", "disallowed": "not allowed"}


def _where(source: SourceConfiguration, found_in: str) -> str:
    operator = "the spider's lists" if source.spider else "robots.txt, morgue.toml or what was typed"
    return {"operator": operator, "guess": "a guess"}.get(found_in, found_in)


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


def _every(row: SourceRow) -> str:
    return shown(row.timetable.every) if row.timetable else "-"


def _next_run(row: SourceRow) -> str:
    return "paused" if row.paused_since else f"{row.next_run:%Y-%m-%d %H:%M}Z" if row.next_run else "-"


def _last_run(row: SourceRow) -> str:
    return f"{row.last_run[0]:%Y-%m-%d %H:%M}Z {row.last_run[2] or 'not ended'}" if row.last_run else "-"


_COLUMNS: tuple[Column[SourceRow], ...] = (
    Column("source", 0, lambda row: row.source),
    Column("every", 3, _every),
    Column("next run", 1, _next_run),
    Column("last run", 2, _last_run),
    Column("home", 4, lambda row: row.home),
)


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
    except ConfigurationError as error:
        said = re.sub(rf"^\S*{re.escape(fresh.name)}(:\d+)?: ", "", str(error))
        raise ConfigurationError(f"{path.name} stays as it is: {said}") from error
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
