"""Pages per CPU-second of newsmorgue, beside bare Scrapy and beside Scrapy + warcio + trafilatura.

``python -m bench.crawl [--pages 300] [--repeat 3] [--check]``. All crawl the same site on 127.0.0.1, one after the
other, round by round; a ratio is the median of the rounds' ratios, so that a machine that is slow for a while does not
favour one of them. ``docs/performance.md`` says what is counted.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.sites.large import build
from tests.sites.static import serve_folder

from bench.accounting import Usage, measure
from bench.contenders import BARE, CONTENDERS, NEWSMORGUE, USUAL, Contender

AIM = 4.0
"""newsmorgue's pages per CPU-second, as a multiple of the usual way's."""


@dataclass(frozen=True, slots=True)
class Run:
    """A crawl of ``pages`` pages, all of which were found in what the contender left."""

    pages: int
    usage: Usage

    @property
    def speed(self) -> float:
        """Pages per CPU-second, start-up included."""
        return self.pages / self.usage.cpu


Round = Mapping[str, Run]
"""One run of each contender, by name."""


def crawl(contender: Contender, url: str, pages: int) -> Run:
    """Let a contender crawl a site of so many pages. Raises RuntimeError where one was not fetched, or not kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        usage = measure(contender.command(url), folder, _environment())
        output = (folder / "output.txt").read_text(errors="replace")
        if usage.exit_code not in contender.exit_codes:
            raise RuntimeError(f"{contender.name}: ended with {usage.exit_code}\n{output}")
        found = contender.pages(folder)
    if found != pages:
        raise RuntimeError(f"{contender.name}: {found} pages of {pages}\n{output}")
    return Run(pages, usage)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MORGUE_", "PYTHON"))}
    return kept | {"MORGUE_ASSETS": "none"}  # the others fetch pages alone


def play(url: str, pages: int, contenders: Sequence[Contender] = CONTENDERS) -> Round:
    """One round: each contender in its turn."""
    return {contender.name: crawl(contender, url, pages) for contender in contenders}


def ratio(rounds: Sequence[Round], of: Contender, to: Contender) -> float:
    """How many times the pages per CPU-second of one contender are another's: the median of the rounds."""
    return statistics.median(played[of.name].speed / played[to.name].speed for played in rounds)


@contextmanager
def large_site(pages: int) -> Iterator[str]:
    """The address of a site of so many pages, served by another process."""
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), pages)
        with serve_folder(Path(folder)) as url:
            yield url


def table(rounds: Sequence[Round], empty: Sequence[Round]) -> Table:
    """The medians of each contender. A page's own cost is what is left when an empty site's cost is taken away."""
    shown = Table("", "pages", "CPU s", "start-up s", "ms a page", "pages / CPU s", "wall s", "peak MB")
    for column in shown.columns[1:]:
        column.justify = "right"
    for contender in CONTENDERS:
        runs, starts = [one[contender.name] for one in rounds], [one[contender.name] for one in empty]
        cpu, start = _median(runs, lambda run: run.usage.cpu), _median(starts, lambda run: run.usage.cpu)
        shown.add_row(
            contender.name,
            str(runs[0].pages),
            f"{cpu:.2f}",
            f"{start:.2f}",
            f"{(cpu - start) / runs[0].pages * 1000:.1f}",
            f"{_median(runs, lambda run: run.speed):.1f}",
            f"{_median(runs, lambda run: run.usage.wall):.1f}",
            f"{_median(runs, lambda run: run.usage.memory / 1e6):.0f}",
        )
    return shown


def _median(runs: Sequence[Run], value: Callable[[Run], float]) -> float:
    return statistics.median(map(value, runs))


def main() -> None:
    """Play the rounds, show what came of them; with ``--check`` fail where the aim is missed."""
    options = _options()
    out = Console(highlight=False, width=110)
    with large_site(0) as url:
        empty = [play(url, 0) for _ in range(options.repeat)]
    with large_site(options.pages) as url:
        rounds = [play(url, options.pages) for _ in range(options.repeat)]
    out.print(table(rounds, empty))
    beside_bare, beside_usual = ratio(rounds, NEWSMORGUE, BARE), ratio(rounds, NEWSMORGUE, USUAL)
    out.print(f"newsmorgue does {beside_bare:.2f} × the pages of {BARE.name} in the same CPU time,")
    out.print(f"and {beside_usual:.2f} × those of {USUAL.name}; the aim is {AIM}.")
    if options.check and beside_usual < AIM:
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.crawl", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=3, help="rounds, each of one crawl by each contender")
    parser.add_argument("--check", action="store_true", help=f"exit with 1 below {AIM} times the usual way")
    return parser.parse_args()


if __name__ == "__main__":
    main()
