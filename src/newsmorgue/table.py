"""Tables for people: a line a row, whole where it is piped, and as many columns as a terminal is wide."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.console import Console
from rich.text import Text

from newsmorgue.progress import printable

Row = TypeVar("Row")
_GAP = "  "
_LEAST_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """``rank``: a narrow terminal loses the columns of the highest rank first."""

    name: str
    rank: int
    cell: Callable[[Row], str]
    is_number: bool = False
    style: Callable[[Row], str] = lambda _: ""


def print_table(
    console: Console,
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    notes: Callable[[Row], Iterable[Text]] = lambda _: (),
) -> None:
    """Print the columns' names and a line for each row, below it what there is to note of it."""
    cells = [[printable(column.cell(row)) for column in columns] for row in rows]
    widths = [max(len(column.name), *(len(line[at]) for line in cells)) for at, column in enumerate(columns)]
    shown = _fitting(columns, widths, console.width if console.is_terminal else None)
    _print_line(console, [(_padded(columns[at], columns[at].name, widths[at]), "dim") for at in shown])
    for row, line in zip(rows, cells, strict=True):
        _print_line(console, [(_padded(columns[at], line[at], widths[at]), columns[at].style(row)) for at in shown])
        for note in notes(row):
            console.print(note, soft_wrap=True)


def _fitting(columns: Sequence[Column[Row]], widths: Sequence[int], room: int | None) -> list[int]:
    shown = sorted(range(len(columns)), key=lambda at: columns[at].rank)
    while (
        room is not None
        and len(shown) > _LEAST_COLUMNS
        and sum(widths[at] + len(_GAP) for at in shown) - len(_GAP) > room
    ):
        shown.pop()
    return sorted(shown)


def _padded(column: Column[Row], text: str, width: int) -> str:
    return text.rjust(width) if column.is_number else text.ljust(width)


def _print_line(console: Console, texts: Iterable[tuple[str, str]]) -> None:
    line = Text()
    for text, style in texts:
        line.append(text, style=style).append(_GAP)
    line.rstrip()
    console.print(line, soft_wrap=True)
