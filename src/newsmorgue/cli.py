"""The ``morgue`` command.

Heavy modules (Scrapy, the cleaner) are imported by the commands that need them: ``morgue versions`` answers at once.
"""

import io
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core
from rich.console import Console

from newsmorgue import commands_exchange, commands_schedule, commands_sources, commands_status, commands_stories
from newsmorgue.errors import ConfigurationError, ExitCode, MissingObject, NewsmorgueError, UnknownSource
from newsmorgue.progress import Output, printable
from newsmorgue.settings.browser import require_browser
from newsmorgue.settings.configuration import FILE_NAME, Configuration, SourceConfiguration, require_contact
from newsmorgue.settings.opening import current_configuration, opened_archive
from newsmorgue.times import now_utc, parse_asked_time

if TYPE_CHECKING:
    from newsmorgue.archive.archive import Archive
    from newsmorgue.spiders.process import Job
    from newsmorgue.stories.reading import Shown


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


app = typer.Typer(
    cls=_Commands,
    help="Crawl news sites, keep WARC snapshots and clean text, read any version of a story back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(commands_exchange.app)
app.add_typer(commands_status.app)
app.add_typer(commands_schedule.app)
app.add_typer(commands_sources.app, name="sources")
app.add_typer(commands_stories.app, name="stories")
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="One JSON document a line; the fields are in docs/reference.md.")]
Url = Annotated[str, typer.Argument(help="Any address of the story, with or without scheme, or its id.")]
Recheck = Annotated[bool, typer.Option("--recheck", help="Look again at every known story of the source.")]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Read sections back to this day, also where nothing on them is new."),
]
Delay = Annotated[float | None, typer.Option(min=0, help="Seconds between two requests to one host.")]
Concurrency = Annotated[int | None, typer.Option(min=1, max=64, help="Requests to one host at the same time.")]


def main() -> None:
    """Run the command; a documented exit code for everything that can go wrong, and no traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal without a letter of a headline, or half a surrogate pair in it, is no reason to show nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="morgue")


@app.command()
def init() -> None:
    """Write a commented morgue.toml into this folder."""
    from newsmorgue.settings.template import TEMPLATE

    path = Path(FILE_NAME)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(TEMPLATE)
    except FileExistsError as error:
        raise ConfigurationError(f"{path.resolve()}: exists already; edit it, or move it away first") from error
    out.print(f"wrote {path.resolve()}; next: set contact in it, then 'morgue crawl https://…'", markup=False)


@app.command()
def crawl(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="URL-or-SOURCE...", help="A home page, or a source's name.")
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
        raise typer.BadParameter("which sources? Or give --due", param_hint="URL-or-SOURCE...")
    chosen = {source.slug: source for source in (_source(configuration, name) for name in sources)}
    for source in chosen.values():
        require_contact(configuration, source.home)
    _run(configuration, [Job(_polite(source, delay, concurrency), recheck, since=day) for source in chosen.values()])


@app.command()
def save(
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="Pages to capture now.")],
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
def versions(url: Url, as_json: Json = False) -> None:
    """List every version of a story."""
    from newsmorgue import output
    from newsmorgue.stories.reading import find_story, story_row, story_versions

    with opened_archive() as archive:
        story = find_story(archive, url)
        rows, about = story_versions(archive, story), story_row(archive, story)
    if as_json:
        _print_lines(output.json_line(output.version_json(row)) for row in rows)
        return
    output.print_versions(out, about, rows)


@app.command()
def show(
    url: Url,
    at: Annotated[
        str | None, typer.Option(help="As it stood at this time: ISO 8601 (UTC without an offset) or digits.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="The version of this number instead.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, markdown, json, html or warc.")] = "text",
    as_json: Json = False,
) -> None:
    """Show a story, as last seen or as it stood at a time."""
    from newsmorgue import output

    form = "json" if as_json else form
    writers = {
        "text": _show_text,
        "markdown": _show_markdown,
        "json": _show_json,
        "html": _show_html,
        "warc": _show_warc,
    }
    if form not in writers:
        raise typer.BadParameter(f"'{form}' is none of: {', '.join(writers)}", param_hint="--format")
    if at is not None and version is not None:
        raise typer.BadParameter("give a time or a version, not both", param_hint="--at / --version")
    with opened_archive() as archive:
        writers[form](archive, _shown(archive, url, at, version), output)


@app.command()
def diff(
    url: Url,
    old: Annotated[int | None, typer.Option("--from", help="Version number; by default the one before --to.")] = None,
    new: Annotated[int | None, typer.Option("--to", help="Version number; by default the last.")] = None,
    as_json: Json = False,
) -> None:
    """Show what changed between two versions of a story, word by word."""
    from newsmorgue import output
    from newsmorgue.stories.diff import diff_articles
    from newsmorgue.stories.reading import find_story, show_version, story_versions

    with opened_archive() as archive:
        story = find_story(archive, url)
        last = new if new is not None else story_versions(archive, story)[-1].number
        after = show_version(archive, story, last)
        before = show_version(archive, story, old if old is not None else max(1, last - 1))
    lines = diff_articles(before.article, after.article)
    if as_json:
        _print_lines([output.json_line(output.diff_json(before, after, lines))])
    elif any(line.is_changed for line in lines):
        output.print_diff(out, before, after, lines)
    else:
        err.print(
            "no difference" if before.version.number != after.version.number else "only one version", markup=False
        )


@app.command()
def seal(source: Annotated[str | None, typer.Argument(help="Only this source's open files.")] = None) -> None:
    """Move the spool's open files into the store now."""
    from newsmorgue.archive.recovery import seal_all

    with opened_archive() as archive:
        sealed = seal_all(archive, now_utc(), source)
        out.print(f"sealed {len(sealed)} files into {archive.store.address}", markup=False)


@app.command()
def reindex(
    replace_rows: Annotated[
        bool, typer.Option("--replace", help="Empty the catalogue first, if it is not empty.")
    ] = False,
) -> None:
    """Build the catalogue anew from the stored objects alone."""
    from newsmorgue.archive.reindex import reindex as rebuild

    with opened_archive() as archive:
        rebuilt = rebuild(archive, replace=replace_rows)
    out.print(f"reindexed {rebuilt.files} files: {rebuilt.captures} captures, {rebuilt.events} events", markup=False)


@app.command()
def verify(
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended, put the rest into quarantine; then check.")
    ] = False,
) -> None:
    """Check every object against its manifest, every record against its digests, the catalogue against both."""
    from newsmorgue import output
    from newsmorgue.archive.repair import repair as mend
    from newsmorgue.archive.verify import verify as check

    with opened_archive() as archive:
        for said in mend(archive, now_utc()) if repair else ():
            err.print(printable(said), markup=False, soft_wrap=True)
        report = check(archive)
    if as_json:
        found = (*report.problems, *report.losses)
        _print_lines(output.json_line({"where": problem.where, "what": problem.what}) for problem in found)
    else:
        for problem in (*report.losses, *report.problems):
            out.print(printable(f"{problem.where}: {problem.what}"), markup=False, soft_wrap=True)
        known = f", {len(report.losses)} losses known" if report.losses else ""
        out.print(
            f"checked {report.objects} objects, {report.records} records: {len(report.problems)} problems{known}",
            markup=False,
        )
    if report.problems:
        raise typer.Exit(ExitCode.DAMAGED)


# -- helpers ---------------------------------------------------------------------------------------------------


def _source(configuration: Configuration, name: str) -> SourceConfiguration:
    """A source by URL, by its name in morgue.toml, or by the name the archive knows it under."""
    if "://" in name:
        return configuration.source_for_url(name)
    try:
        return configuration.source_named(name)
    except UnknownSource:
        from newsmorgue.archive.sources import home_of

        with opened_archive() as archive:
            home = home_of(archive, name)
        if home is None:
            raise
        return replace(configuration.source_for_url(home), slug=name)


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
    commands_status.tell(configuration, [job.source.slug for job in jobs])
    worst = max((report.exit_code for report in reports), key=_severity)
    raise typer.Exit(worst)


_SEVERITIES = [ExitCode.OK, ExitCode.NOTHING_FOUND, ExitCode.PAGES_FAILED, ExitCode.INTERRUPTED]


def _severity(code: int) -> int:
    """Of several runs' codes the gravest is the command's; what stopped a run is graver than what it missed."""
    return _SEVERITIES.index(ExitCode(code)) if code in _SEVERITIES else len(_SEVERITIES)


def _print_lines(lines: Any) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _shown(archive: "Archive", url: str, at: str | None, version: int | None) -> "Shown":
    from newsmorgue.stories.reading import find_story, show_at, show_version

    moment = parse_asked_time(at) if at is not None else None
    story = find_story(archive, url)
    return show_version(archive, story, version) if version is not None else show_at(archive, story, moment)


def _show_text(_: "Archive", shown: "Shown", output: Any) -> None:
    sys.stdout.write(output.article_text(shown.article))


def _show_markdown(_: "Archive", shown: "Shown", output: Any) -> None:
    sys.stdout.write(output.article_markdown(shown.article))


def _show_json(_: "Archive", shown: "Shown", output: Any) -> None:
    _print_lines([output.json_line(output.shown_json(shown))])


def _show_html(archive: "Archive", shown: "Shown", _: Any) -> None:
    """The entity as the site sent it, decompressed and otherwise untouched."""
    from newsmorgue.capture.entity import decode_entity
    from newsmorgue.stories.reading import payload_of

    record = payload_of(archive, shown.capture)
    sys.stdout.buffer.write(decode_entity(record.entity, record.http.get("content-encoding"), 1 << 30))


def _show_warc(archive: "Archive", shown: "Shown", _: Any) -> None:
    """The capture's own record, as one gzip member, byte for byte as archived."""
    from newsmorgue.archive.spool import WARC_SUFFIX

    capture = shown.capture
    data = archive.read_bytes(capture.warc, WARC_SUFFIX, capture.offset, capture.length)
    if not data:
        raise MissingObject(f"{capture.warc}@{capture.offset}: empty; run 'morgue verify'")
    sys.stdout.buffer.write(data)
