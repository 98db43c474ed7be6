"""How a crawl shows itself: a live line on a terminal, plain lines otherwise, and the summary at the end."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from newsmorgue.spiders.process import Report

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PLURAL = re.compile(r"\b\w{3,}s\b")
_PLAIN_SECONDS = 10.0
_TROUBLES = 5
_ALWAYS = frozenset({"fetched", "new stories", "new versions", "unchanged", "failed"})
# What a person wants to know, in this order: the column's name, and the counts it adds up.
COLUMNS = (
    ("fetched", ("exchanges", "not_kept")),
    ("new stories", ("new_story",)),
    ("new versions", ("new_version", "returned")),
    ("unchanged", ("unchanged",)),
    ("gone", ("gone",)),
    ("not kept", ("refused",)),
    ("not allowed", ("disallowed",)),
    ("later", ("retry",)),
    ("failed", ("failed",)),
    ("assets", ("asset",)),
    ("assets failed", ("asset_failed",)),
)


def printable(text: str) -> str:
    """A text without control characters but tab and line feed: what a site writes must not make a terminal act.

    >>> printable("a headline\\x1b[2J\\n")
    'a headline[2J\\n'
    """
    return _CONTROLS.sub("", text)


def counted(number: int, things: str) -> str:
    """A number of things, whose name is given in the plural.

    >>> counted(2, "new stories"), counted(1, "new stories"), counted(1, "losses"), counted(1, "assets failed")
    ('2 new stories', '1 new story', '1 loss', '1 asset failed')
    """
    return f"{number} {_PLURAL.sub(_singular, things) if number == 1 else things}"


def _singular(plural: re.Match[str]) -> str:
    for ending, singular in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if plural[0].endswith(ending):
            return plural[0].removesuffix(ending) + singular
    return plural[0]


def column_values(counts: Counter[str]) -> dict[str, int]:
    """The counts of a run under the names people see."""
    return {name: sum(counts[part] for part in parts) for name, parts in COLUMNS}


class Output(Console):
    """Standard output, whose reader may leave."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program with code 1; the command line knows better."""
        raise BrokenPipeError


class Progress:
    """Shows the runs of some sources while they last."""

    def __init__(self, console: Console, sources: Sequence[str]) -> None:
        self._console = console
        self._began = time.monotonic()
        self._said = self._began
        self._bars: Bars | None = None
        if console.is_terminal:
            self._bars = Bars(
                SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), console=console, transient=True
            )
            self._tasks = {source: self._bars.add_task(source, total=None) for source in sources}

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self._began

    def show(self, source: str, counts: Counter[str]) -> None:
        """A run has come so far."""
        shown = ", ".join(counted(value, name) for name, value in column_values(counts).items() if value)
        line = f"{source}: {shown or 'nothing yet'}"
        if self._bars is not None:
            self._bars.update(self._tasks[source], description=line)
        elif time.monotonic() - self._said >= _PLAIN_SECONDS:
            self._said = time.monotonic()
            self._console.print(line, markup=False, soft_wrap=True)


def print_summary(out: Console, err: Console, reports: "Sequence[Report]", seconds: float) -> None:
    """What the runs did, a line each; what went wrong on the error stream, with the first few addresses."""
    for report in reports:
        out.print(summary_line(report, seconds), markup=False, soft_wrap=True)
        for url, outcome, detail in report.troubles[:_TROUBLES]:
            err.print(printable(f"  {outcome}: {url}: {detail}"), markup=False, soft_wrap=True)
        if len(report.troubles) > _TROUBLES:
            err.print(f"  and {len(report.troubles) - _TROUBLES} more", markup=False)
        if report.failure is not None:
            err.print(printable(f"morgue: {report.source}: {report.failure}"), markup=False, soft_wrap=True)


def summary_line(report: "Report", seconds: float) -> str:
    """One run in one line.

    The first four numbers and ``failed`` are always there, the others where they are not 0.
    """
    values = column_values(report.counts)
    if report.failure is None:  # of what failed and was had at a later try nothing is left to be said
        ended = Counter("failed" if outcome == "failed" else "later" for _, outcome, _ in report.troubles)
        values |= {"later": ended["later"], "failed": ended["failed"]}
    shown = [counted(value, name) for name, value in values.items() if value or name in _ALWAYS]
    ending = f"{report.source}: {report.outcome or 'stopped'} after {seconds:.1f} s"
    return f"{ending}: {', '.join(shown)}, {report.counts['bytes']:,} bytes"
