"""The commands that bring web archives in and take them out: ``import``."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from newsmorgue.errors import ExitCode
from newsmorgue.progress import printable
from newsmorgue.settings.opening import current_configuration, open_archive
from newsmorgue.times import now_utc

if TYPE_CHECKING:
    from newsmorgue.archive.archive import Archive
    from newsmorgue.archive.foreign import Skipped

app = typer.Typer()
out = Console(highlight=False)
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
    ("not_kept", "not kept by policy"),
    ("passed_over", "other records"),
    ("skipped", "skipped"),
)
_ALWAYS = frozenset({"kept", "new_story", "new_version", "skipped"})


@contextmanager
def _archive() -> Iterator["Archive"]:
    archive = open_archive(current_configuration())
    try:
        yield archive
    finally:
        archive.close()


def _tell(skipped: "Skipped") -> None:
    err.print(f"  skipped: {printable(skipped.where)}: {printable(skipped.what)}", markup=False, soft_wrap=True)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="WARCs (.gz too) or WACZs."),
    ],
    source: Annotated[str | None, typer.Option(help="The source that all of it goes to; else each URL's own.")] = None,
) -> None:
    """Bring in WARCs and WACZs from elsewhere: keep their records, clean and version their pages."""
    import asyncio
    import re

    from newsmorgue.pipelines.importing import ImportJob

    if source is not None and not re.fullmatch(_SLUG, source):
        raise typer.BadParameter(f"'{source}': 1 to 64 of a-z 0-9 . _ -", param_hint="--source")
    configuration = current_configuration()
    total = sum(path.stat().st_size for path in files)
    with _archive() as archive, _bar("importing", total) as advance:
        job = ImportJob(archive, configuration, now_utc, source=source, tell=_tell, count=advance)
        asyncio.run(job.run(files))
    out.print(_summary(job.counts, len(files)), markup=False, soft_wrap=True)
    if job.counts["skipped"]:
        raise typer.Exit(ExitCode.DAMAGED)


def _summary(counts: Counter[str], files: int) -> str:
    shown = [f"{counts[name]} {said}" for name, said in _SHOWN if counts[name] or name in _ALWAYS]
    known = f" ({counts['files_known']} imported before)" if counts["files_known"] else ""
    return f"imported {files} file{'s' if files > 1 else ''}{known}: {', '.join(shown)}"


@contextmanager
def _bar(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on a terminal, nothing elsewhere."""
    if not err.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(doing), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task(doing, total=total)
        yield lambda count: bars.advance(task, count)
