"""``morgue status``: how the sources are."""

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from newsmorgue.errors import ExitCode, NewsmorgueError, UnknownSource
from newsmorgue.options import Json
from newsmorgue.progress import Output, printable
from newsmorgue.settings.configuration import Configuration
from newsmorgue.settings.opening import current_configuration, open_archive
from newsmorgue.times import now_utc

if TYPE_CHECKING:
    from newsmorgue.archive.archive import Archive
    from newsmorgue.health.verdict import Health

app = typer.Typer()
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)


@app.command()
def status(
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="By default all.")] = None,
    as_json: Json = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="In Prometheus' text format.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", dir_okay=False, help="Into this file, whole or not at all.")
    ] = None,
    notify: Annotated[bool, typer.Option("--notify", help="Tell the webhook what has changed.")] = False,
) -> None:
    """Show how each source is, compared with its own past; exit code 14 if one is ill."""
    if as_json and prometheus:
        raise typer.BadParameter("give one of them", param_hint="--json / --prometheus")
    if output is not None and not (as_json or prometheus):
        raise typer.BadParameter("wants --json or --prometheus", param_hint="--output")
    configuration = current_configuration()
    with closing(open_archive(configuration)) as archive:
        verdicts = _verdicts(archive, sources)
        if notify:
            _tell(configuration, archive, verdicts)
    if as_json or prometheus:
        _write(_as_json(verdicts) if as_json else _as_metrics(verdicts), output)
    elif verdicts:
        from newsmorgue.health.report import print_health
        from newsmorgue.health.verdict import Condition

        print_health(out, verdicts)
        if any(health.condition == Condition.UNKNOWN for health in verdicts):
            err.print("unknown: it was crawled too seldom, or not long enough, to say what is usual", markup=False)
    else:
        err.print("no source was crawled yet; 'morgue crawl' with its name or home page does it", markup=False)
    if any(health.reasons for health in verdicts):
        raise typer.Exit(ExitCode.ILL)


def tell(configuration: Configuration, sources: Sequence[str]) -> None:
    """Tell the webhook, if there is one, how these sources are after their runs. Fails no run."""
    if configuration.webhook is None:
        return
    try:
        with closing(open_archive(configuration)) as archive:
            _tell(configuration, archive, _verdicts(archive, sources))
    except NewsmorgueError as error:
        err.print(printable(f"morgue: {error}"), markup=False, soft_wrap=True)


def _verdicts(archive: "Archive", sources: Sequence[str] | None) -> "list[Health]":
    from newsmorgue.health.history import assess_sources, known_sources

    with archive.catalogue.read() as connection:
        known = known_sources(connection)
        unknown = [source for source in sources or () if source not in known]
        if unknown:
            raise UnknownSource(f"'{unknown[0]}' was never crawled; known are: {', '.join(known) or 'none'}")
        return list(assess_sources(connection, sources or known, now_utc()))


def _tell(configuration: Configuration, archive: "Archive", verdicts: "Sequence[Health]") -> None:
    from newsmorgue.health.state import tell_changes
    from newsmorgue.health.webhook import poster

    if configuration.webhook is None:
        return
    for error in tell_changes(archive.catalogue, verdicts, poster(configuration.webhook), now_utc()):
        err.print(printable(f"morgue: {error}"), markup=False, soft_wrap=True)


def _as_json(verdicts: "Sequence[Health]") -> str:
    from newsmorgue.health.report import health_json, json_line

    return "".join(json_line(health_json(health)) + "\n" for health in verdicts)


def _as_metrics(verdicts: "Sequence[Health]") -> str:
    from newsmorgue.health.prometheus import exposition

    return exposition(verdicts)


def _write(text: str, path: Path | None) -> None:
    """Print; or replace a file at once, as its readers (node_exporter) must never see half of it."""
    if path is None:
        sys.stdout.write(text)
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)  # the collector is another user
        Path(name).replace(path)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--output") from error
