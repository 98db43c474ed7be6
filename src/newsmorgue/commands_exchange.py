"""The commands that bring web archives in and take them out: ``import``, ``export``; and ``compact``."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from newsmorgue.errors import ExitCode, StoreUnavailable
from newsmorgue.interrupts import cancelled_by_interrupts
from newsmorgue.progress import Output, counted, printable
from newsmorgue.settings.opening import current_configuration, opened_archive
from newsmorgue.times import now_utc, parse_asked_start, parse_asked_time

if TYPE_CHECKING:
    from newsmorgue.archive.archive import Archive
    from newsmorgue.archive.foreign import Skipped
    from newsmorgue.archive.wacz import SigningKey
    from newsmorgue.pipelines.importing import ImportJob
    from newsmorgue.stories.exporting import Selection

app = typer.Typer()
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)
_SLUG = r"[a-z0-9._-]{1,64}"
# What became of the records, in the order in which people want to know it.
_SHOWN = (
    ("kept", "kept"),
    ("known", "known already"),
    ("new_story", "new stories"),
    ("new_version", "new versions"),
    ("unchanged", "unchanged"),
    ("gone", "gone"),
    ("failed", "not cleaned"),
    ("later", "to be cleaned later"),
    ("cut", "cut short"),
    ("not_kept", "not kept by policy"),
    ("passed_over", "other records"),
    ("skipped", "skipped"),
)
_ALWAYS = frozenset({"kept", "new_story", "new_version", "skipped"})


def _tell(skipped: "Skipped") -> None:
    err.print(f"  skipped: {printable(skipped.where)}: {printable(skipped.what)}", markup=False, soft_wrap=True)


def _warn(said: str) -> None:
    err.print(f"  not cleaned: {printable(said)}", markup=False, soft_wrap=True)


async def _interruptible(job: "ImportJob", files: list[Path]) -> None:
    with cancelled_by_interrupts():
        await job.run(files)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="WARCs (.gz too) or WACZs."),
    ],
    source: Annotated[str | None, typer.Option(help="The source that all of it goes to; else each URL's own.")] = None,
) -> None:
    """Bring in WARCs and WACZs from elsewhere: keep their records, clean and version their pages."""
    import asyncio
    import re

    from newsmorgue.pipelines.importing import ImportJob

    if source is not None and not re.fullmatch(_SLUG, source):
        raise typer.BadParameter(f"'{source}': 1 to 64 of a-z 0-9 . _ -", param_hint="--source")
    for path in files:
        if not path.is_file():
            raise typer.BadParameter(f"{path} is no file, and must be one: it is read twice", param_hint="FILE")
    configuration = current_configuration()
    total = sum(path.stat().st_size for path in files)
    with opened_archive() as archive, _bars("looking through", "importing", total=total) as (look, count):
        job = ImportJob(archive, configuration, now_utc, source=source, tell=_tell, warn=_warn, look=look, count=count)
        try:
            asyncio.run(_interruptible(job, files))
        except (KeyboardInterrupt, asyncio.CancelledError):
            err.print("  interrupted; what came in is kept, and the same command goes on with the rest", markup=False)
            raise KeyboardInterrupt from None
    out.print(_summary(job.counts, len(files)), markup=False, soft_wrap=True)
    if job.counts["skipped"]:
        raise typer.Exit(ExitCode.DAMAGED)
    if job.counts["failed"] or job.counts["later"]:
        raise typer.Exit(ExitCode.PAGES_FAILED)


@app.command()
def export(
    form: Annotated[str, typer.Option("--format", help="warc or wacz.")],
    output: Annotated[Path, typer.Option("-o", "--output", dir_okay=False, help="The file to be made.")],
    url: Annotated[str | None, typer.Argument(help="Only this story: any of its addresses, or its id.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From this time on.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Up to this time, included.")] = None,
    sign_key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Sign the WACZ: an ECDSA P-256 key in PEM form.")
    ] = None,
) -> None:
    """Take captures out as one WARC or WACZ: of a story, a source, a span of time, or all."""
    from newsmorgue.archive.sources import require_source
    from newsmorgue.archive.wacz import SigningKey
    from newsmorgue.stories.exporting import Selection
    from newsmorgue.stories.reading import find_story

    if form not in ("warc", "wacz"):
        raise typer.BadParameter(f"'{form}' is none of: warc, wacz", param_hint="--format")
    if url is not None and source is not None:
        raise typer.BadParameter("give a URL or a source, not both", param_hint="URL / --source")
    if sign_key is not None and form != "wacz":
        raise typer.BadParameter("only a WACZ can be signed", param_hint="--sign-key")
    if not output.parent.is_dir():
        raise typer.BadParameter(f"{output.parent} is no folder", param_hint="--output")
    if output.exists():
        raise typer.BadParameter(f"{output} exists already; no file is overwritten", param_hint="--output")
    span = parse_asked_start(start) if start else None, parse_asked_time(end) if end else None
    key = SigningKey.read(sign_key) if sign_key else None
    with opened_archive() as archive:
        if source is not None:
            require_source(archive, source)
        selection = Selection(find_story(archive, url) if url else None, source, *span)
        count = _export(archive, selection, form, output, url or source or "all", key)
    if not count:
        err.print("nothing to export: no capture is in that selection", markup=False)
        raise typer.Exit(ExitCode.NOTHING_FOUND)
    out.print(f"wrote {counted(count, 'captures')} to {output}", markup=False, soft_wrap=True)


@app.command()
def compact(
    source: Annotated[str, typer.Argument(help="The source's name, as 'morgue sources' has it.")],
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Only this month's files.")] = None,
) -> None:
    """Merge a source's small sealed WARCs into one a month; nothing in them changes."""
    import re

    from newsmorgue.archive.compaction import compact as merge
    from newsmorgue.archive.sources import require_source

    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise typer.BadParameter(f"'{month}': give year and month, as in 2026-01", param_hint="--month")
    with opened_archive() as archive:
        require_source(archive, source)
        merged = 0
        for compacted in merge(archive, source, now_utc(), month):
            merged += len(compacted.replaced)
            said = f"{compacted.name}: {len(compacted.replaced)} files, {compacted.size:,} bytes"
            out.print(said, markup=False, soft_wrap=True)
    out.print(f"merged {counted(merged, 'files')}" if merged else "nothing to merge", markup=False)


def _export(
    archive: "Archive", selection: "Selection", form: str, output: Path, title: str, key: "SigningKey | None"
) -> int:
    """Write beside the goal, and give it its name when it is whole and durable; how many captures it has."""
    import os

    from newsmorgue.archive.wacz import write_wacz
    from newsmorgue.stories.exporting import write_warc

    now = now_utc()
    partial = output.with_name(f".{output.name}.part")
    try:
        with partial.open("wb") as stream:
            if form == "warc":
                count = sum(1 for _ in write_warc(archive, selection, stream.write, output.name, now, _tell_lost))
            else:
                count = write_wacz(
                    stream,
                    lambda write: write_warc(archive, selection, write, "data.warc.gz", now, _tell_lost),
                    f"newsmorgue: {title}",
                    now,
                    key,
                )
            stream.flush()
            os.fsync(stream.fileno())
        if count:
            partial.rename(output)
    except OSError as error:
        raise StoreUnavailable(f"{output}: {error.strerror}; make room, or choose another place") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _tell_lost(said: str) -> None:
    err.print(printable(f"  incomplete: {said}"), markup=False, soft_wrap=True)


def _summary(counts: Counter[str], files: int) -> str:
    shown = [counted(counts[name], said) for name, said in _SHOWN if counts[name] or name in _ALWAYS]
    known = f" ({counts['files_known']} imported before)" if counts["files_known"] else ""
    return f"imported {counted(files, 'files')}{known}: {', '.join(shown)}"


@contextmanager
def _bars(*doing: str, total: int) -> Iterator[list[Callable[[int], None]]]:
    """A bar of bytes for each thing that is done, on a terminal; nothing elsewhere."""
    if not err.is_terminal:
        yield [lambda _: None for _ in doing]
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        yield [functools.partial(bars.advance, bars.add_task(what, total=total)) for what in doing]
