"""``morgue schedule``, and what ``morgue crawl --due`` does: what is due by its timetable."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from newsmorgue.errors import ConfigurationError, ExitCode
from newsmorgue.progress import Output, printable
from newsmorgue.schedule.timetable import Timetable
from newsmorgue.settings.configuration import FILE_NAME, Configuration
from newsmorgue.settings.opening import current_configuration, open_archive
from newsmorgue.times import now_utc

app = typer.Typer()
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)
CRAWL = (sys.executable, "-m", "newsmorgue", "crawl")


@app.command()
def schedule(
    limit: Annotated[
        int | None, typer.Option(min=1, max=64, help="Sources at once; by default sources_at_once in morgue.toml.")
    ] = None,
) -> None:
    """Crawl each source by its timetable, until stopped: SIGTERM or Ctrl-C ends it within 10 seconds."""
    from newsmorgue.schedule.scheduler import Scheduler, start_crawl

    configuration = current_configuration()
    watched = _Watched(configuration)
    _require_timetables(configuration, watched())
    with closing(open_archive(configuration)) as archive:
        scheduler = Scheduler(
            archive,
            watched,
            now_utc,
            limit or configuration.sources_at_once,
            lambda source: start_crawl(CRAWL, source),
            _say,
        )
        _stop_by_signal(scheduler.stop)
        number = len(watched())
        out.print(f"{number} source{'s have' if number > 1 else ' has'} a timetable; Ctrl-C stops", markup=False)
        scheduler.run()


def crawl_due(configuration: Configuration, names: Sequence[str]) -> list[int]:
    """Crawl what is due, of these sources or of all, each in a process of its own; how they ended (0 alone: nothing was
    due). Raises UnknownSource, ConfigurationError."""
    from newsmorgue.schedule.scheduler import Scheduler, start_crawl

    chosen = [configuration.source_named(name).slug for name in names] or list(configuration.sources)
    timetables = {slug: timetable for slug, timetable in timetables_of(configuration).items() if slug in chosen}
    _require_timetables(configuration, timetables)
    codes: list[int] = [ExitCode.OK]
    with closing(open_archive(configuration)) as archive:
        scheduler = Scheduler(
            archive,
            lambda: timetables,
            now_utc,
            configuration.sources_at_once,
            lambda source: start_crawl(CRAWL, source),
            lambda _, code: codes.append(code if code >= 0 else ExitCode.INTERRUPTED),
        )
        _stop_by_signal(scheduler.stop)
        scheduler.run_once()
    if len(codes) == 1 and out.is_terminal:  # for cron silence says it
        out.print("nothing is due; 'morgue sources' says when what is", markup=False)
    return codes


def timetables_of(configuration: Configuration) -> dict[str, Timetable]:
    """The sources that have a timetable."""
    return {slug: source.timetable for slug, source in configuration.sources.items() if source.timetable}


def _require_timetables(configuration: Configuration, timetables: Mapping[str, Timetable]) -> None:
    if not timetables:
        raise ConfigurationError(
            f'{configuration.file or FILE_NAME}: no source has a timetable; give one every = "1 hour", or write that '
            "above all tables for all sources"
        )


def _stop_by_signal(stop: Callable[..., None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _say(source: str, code: int) -> None:
    if code < 0:
        err.print(f"{source}: killed by signal {-code}; to be resumed soon", markup=False)


class _Watched:
    """The timetables of morgue.toml as it is now: it is read again when it changes. A broken one changes nothing."""

    def __init__(self, configuration: Configuration) -> None:
        self._file = configuration.file
        self._timetables = timetables_of(configuration)
        self._changed = self._time()

    def __call__(self) -> dict[str, Timetable]:
        changed = self._time()
        if changed != self._changed:
            self._changed = changed
            try:
                self._timetables = timetables_of(current_configuration())
            except ConfigurationError as error:
                err.print(printable(f"morgue: {error}; going on as before"), markup=False, soft_wrap=True)
        return self._timetables

    def _time(self) -> int | None:
        try:
            return self._file.stat().st_mtime_ns if self._file else None
        except OSError:
            return None
