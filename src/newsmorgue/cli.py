"""The ``morgue`` command.

What is heavy (Scrapy above all) is imported by the commands that need it: ``morgue versions`` answers at once.
"""

import io
import os
import sqlite3
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
from rich.console import Console

from newsmorgue import (
    __version__,
    commands_exchange,
    commands_reading,
    commands_schedule,
    commands_sources,
    commands_status,
    commands_stories,
)
from newsmorgue.errors import ConfigurationError, ExitCode, NewsmorgueError
from newsmorgue.interrupts import handle_interrupts
from newsmorgue.options import Json
from newsmorgue.progress import Output, counted, printable
from newsmorgue.settings.browser import require_browser
from newsmorgue.settings.configuration import FILE_NAME, Configuration, SourceConfiguration, require_contact
from newsmorgue.settings.opening import current_configuration, opened_archive, source_asked_for
from newsmorgue.times import now_utc

if TYPE_CHECKING:
    from newsmorgue.spiders.process import Job


class _Commands(typer.core.TyperGroup):
    """Gives whatever a command ends with its documented exit code, before typer gives it one of its own."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except NewsmorgueError as error:
            err.print(printable(f"morgue: {error}"), markup=False, soft_wrap=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(ExitCode.INTERRUPTED) from error
        except BrokenPipeError as error:
            # The reader (head, less) has seen enough; Python would complain once more while it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.OK) from error
        except OSError as error:
            # What no module has said more of: a disk or folder that no longer does what it should.
            place = f"{error.filename}: " if error.filename else ""
            said = f"morgue: {place}{error.strerror or error}; make room, or mend the folder, then run it again"
            err.print(printable(said), markup=False, soft_wrap=True)
            raise typer.Exit(ExitCode.STORE_UNAVAILABLE) from error
        except sqlite3.Error as error:
            # The catalogue's have become errors of ours: this is one of the temporary files that long lists go to.
            said = f"morgue: a temporary file in {tempfile.gettempdir()}: {error}; make room there, then run it again"
            err.print(said, markup=False, soft_wrap=True)
            raise typer.Exit(ExitCode.STORE_UNAVAILABLE) from error


app = typer.Typer(
    cls=_Commands,
    help="Crawl news sites, keep WARC snapshots and clean text, read any version of a story back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(commands_reading.app)
app.add_typer(commands_exchange.app)
app.add_typer(commands_status.app)
app.add_typer(commands_schedule.app)
app.add_typer(commands_sources.app, name="sources")
app.add_typer(commands_stories.app, name="stories")
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)

Lost = Annotated[
    bool, typer.Option("--missing-is-lost", help="Go on where most of a folder of the store is missing: it is lost.")
]
Recheck = Annotated[bool, typer.Option("--recheck", help="Look again at every known story of the source.")]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Read sections back to this day, also where nothing on them is new."),
]
Delay = Annotated[float | None, typer.Option(min=0, help="Seconds between two requests to one host.")]
Concurrency = Annotated[int | None, typer.Option(min=1, max=64, help="Requests to one host at the same time.")]


def _print_version(is_asked: bool) -> None:
    if is_asked:
        out.print(f"newsmorgue {__version__}", markup=False)
        raise typer.Exit


@app.callback()
def _every_command(
    _: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit."),
    ] = False,
) -> None:
    """What holds for every command is in the configuration; ``--version`` alone is asked of none."""


def main() -> None:
    """Run the command; a documented exit code for everything that can go wrong, and no traceback.

    SIGTERM ends a command as Ctrl-C does; a crawl and a schedule have ways of their own.
    """
    handle_interrupts()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal without a letter of a headline, or half a surrogate pair in it, is no reason to show nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="morgue")


@app.command()
def init() -> None:
    """Write a commented morgue.toml into this folder."""
    from newsmorgue.settings.template import TEMPLATE

    path = Path(FILE_NAME)
    if path.exists():
        raise ConfigurationError(f"{path.resolve()}: exists already; edit it, or move it away first")
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(TEMPLATE)
    except OSError:
        path.unlink(missing_ok=True)  # half a file, on a full disk, would be taken for a configuration
        raise
    said = f"wrote {path.resolve()}; next: set contact in it, then 'morgue crawl https://…'"
    out.print(said, markup=False, soft_wrap=True)


@app.command()
def crawl(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="URL-or-SOURCE", help="A home page, or a source's name.")
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="What is due by its timetable (of these sources, if any are given), once.")
    ] = False,
    recheck: Recheck = False,
    since: Since = None,
    delay: Delay = None,
    concurrency: Concurrency = None,
) -> None:
    """Crawl news sites: find their feeds and sitemaps, fetch what is new or changed, keep it."""
    from newsmorgue.spiders.process import Job

    configuration, day = current_configuration(), since.date() if since else None
    if due:
        if recheck or since or delay is not None or concurrency is not None:
            raise typer.BadParameter("goes with no other option", param_hint="--due")
        raise typer.Exit(max(commands_schedule.crawl_due(configuration, sources or []), key=_severity))
    if not sources:
        raise typer.BadParameter("which sources? Or give --due", param_hint="URL-or-SOURCE")
    if day is not None and day > (now_utc() + timedelta(hours=14)).date():  # nowhere on Earth is it later
        raise typer.BadParameter(f"{day} has not come yet", param_hint="--since")
    chosen: dict[str, SourceConfiguration] = {}
    for source in (source_asked_for(configuration, name) for name in sources):
        home = chosen.setdefault(source.slug, source).home
        if home != source.home:
            said = (
                f"{home} and {source.home} are both source '{source.slug}'; crawl one, or give each a [sources] table"
            )
            raise typer.BadParameter(said, param_hint="URL-or-SOURCE")
    for source in chosen.values():
        require_contact(configuration, source.home)
    _run(configuration, [Job(_polite(source, delay, concurrency), recheck, since=day) for source in chosen.values()])


@app.command()
def save(
    urls: Annotated[list[str], typer.Argument(metavar="URL", help="Pages to capture now.")],
    delay: Delay = None,
    concurrency: Concurrency = None,
) -> None:
    """Capture just these pages, now."""
    from newsmorgue.spiders.process import Job

    configuration = current_configuration()
    pages: dict[str, tuple[SourceConfiguration, list[str]]] = {}
    for url in urls:
        source = configuration.source_for_url(url)
        require_contact(configuration, url)
        pages.setdefault(source.slug, (_polite(source, delay, concurrency), []))[1].append(url)
    _run(configuration, [Job(source, save=tuple(saved)) for source, saved in pages.values()])


@app.command()
def seal(source: Annotated[str | None, typer.Argument(help="Only this source's open files.")] = None) -> None:
    """Move the spool's open files into the store now."""
    from newsmorgue.archive.recovery import seal_all
    from newsmorgue.archive.sources import require_source
    from newsmorgue.archive.spool import source_of

    with opened_archive() as archive:
        sealed = seal_all(archive, now_utc(), source)
        if source is not None and not sealed:
            require_source(archive, source)
        left = [name for name in archive.spool.names() if source in (None, source_of(name))]
        said = f"sealed {counted(len(sealed), 'files')} into {archive.store.address}"
        out.print(said, markup=False, soft_wrap=True)
    if left:
        err.print(f"left in the spool, as another process writes there: {counted(len(left), 'files')}", markup=False)


@app.command()
def reindex(
    replace_rows: Annotated[
        bool, typer.Option("--replace", help="Empty the catalogue first, if it is not empty.")
    ] = False,
    missing_is_lost: Lost = False,
) -> None:
    """Build the catalogue anew from the stored objects alone."""
    from newsmorgue.archive.holds import require_no_run_elsewhere
    from newsmorgue.archive.reindex import reindex as rebuild

    _only_with("--replace", replace_rows, missing_is_lost)
    with opened_archive() as archive:
        with archive.catalogue.read() as connection:
            require_no_run_elsewhere(connection, archive.place, now_utc())
        rebuilt = rebuild(archive, replace=replace_rows, missing_is_lost=missing_is_lost)
    rows = f"{counted(rebuilt.captures, 'captures')}, {counted(rebuilt.events, 'events')}"
    out.print(f"reindexed {counted(rebuilt.files, 'files')}: {rows}", markup=False)
    for host, count in rebuilt.elsewhere:
        said = f"{host} holds {counted(count, 'files')} not sealed yet: run 'morgue seal' there, and all is known again"
        err.print(printable(said), markup=False, soft_wrap=True)


@app.command()
def verify(
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended, put the rest into quarantine; then check.")
    ] = False,
    missing_is_lost: Lost = False,
) -> None:
    """Check every object against its manifest, every record against its digests, the catalogue against both."""
    from newsmorgue import output
    from newsmorgue.archive.presence import absences
    from newsmorgue.archive.repair import repair as mend
    from newsmorgue.archive.verify import verify as check

    _only_with("--repair", repair, missing_is_lost)
    with opened_archive() as archive:
        for said in mend(archive, now_utc(), missing_is_lost=missing_is_lost) if repair else ():
            err.print(printable(said), markup=False, soft_wrap=True)
        report = check(archive)
        absent = absences(archive) if report.problems else []
    for absence in absent:
        err.print(printable(f"{absence}: is all of the store mounted?"), markup=False, soft_wrap=True)
    if report.uncompared:
        said = f"the rows of stories were not compared with the journals: {report.uncompared}"
        err.print(printable(said), markup=False, soft_wrap=True)
    if as_json:
        for problem in (*report.problems, *report.losses):
            output.print_json({"where": problem.where, "what": problem.what})
    else:
        for problem in (*report.losses, *report.problems):
            out.print(printable(f"{problem.where}: {problem.what}"), markup=False, soft_wrap=True)
        known = f", {counted(len(report.losses), 'losses')} known" if report.losses else ""
        checked = f"{counted(report.objects, 'objects')}, {counted(report.records, 'records')}"
        out.print(f"checked {checked}: {counted(len(report.problems), 'problems')}{known}", markup=False)
    if report.problems:
        raise typer.Exit(ExitCode.DAMAGED)


# -- helpers ---------------------------------------------------------------------------------------------------


def _only_with(option: str, is_given: bool, missing_is_lost: bool) -> None:
    if missing_is_lost and not is_given:
        raise typer.BadParameter(f"says nothing without {option}", param_hint="--missing-is-lost")


def _polite(source: SourceConfiguration, delay: float | None, concurrency: int | None) -> SourceConfiguration:
    return replace(
        source,
        delay=source.delay if delay is None else delay,
        concurrency=source.concurrency if concurrency is None else concurrency,
    )


def _run(configuration: Configuration, jobs: "list[Job]") -> None:
    from newsmorgue.progress import Progress, print_summary
    from newsmorgue.spiders.process import run_jobs

    for job in jobs:
        if job.source.render:
            require_browser(job.source.slug)
    with Progress(err, [job.source.slug for job in jobs]) as progress:
        reports = run_jobs(configuration, jobs, progress.show)
    print_summary(out, err, reports, progress.seconds)
    for job, report in zip(jobs, reports, strict=True):
        if report.exit_code == ExitCode.NOTHING_FOUND and not job.save:
            said = f"  no story found; 'morgue sources test {job.source.home}' says what was looked at, and why"
            err.print(printable(said), markup=False, soft_wrap=True)
    commands_status.tell(configuration, [job.source.slug for job in jobs])
    worst = max((report.exit_code for report in reports), key=_severity)
    raise typer.Exit(worst)


_SEVERITIES = [ExitCode.OK, ExitCode.NOTHING_FOUND, ExitCode.PAGES_FAILED, ExitCode.INTERRUPTED]


def _severity(code: int) -> int:
    """Of several runs' codes the gravest is the command's; what stopped a run is graver than what it missed."""
    return _SEVERITIES.index(ExitCode(code)) if code in _SEVERITIES else len(_SEVERITIES)
