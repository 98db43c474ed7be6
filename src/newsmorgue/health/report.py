"""Health as JSON and as a table. The JSON's fields are an interface: ``docs/reference.md`` lists them."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from newsmorgue.health.verdict import Condition, Health, Trend, span_text
from newsmorgue.output import json_line
from newsmorgue.progress import printable
from newsmorgue.table import Column, print_table
from newsmorgue.times import iso

__all__ = ["health_json", "json_line", "print_health"]

_BARS = "▁▂▃▄▅▆▇█"
_STYLES = {Condition.WELL: "green", Condition.ILL: "bold red", Condition.UNKNOWN: "dim", Condition.PAUSED: "yellow"}


def health_json(health: Health) -> dict[str, Any]:
    """``status --json``, and what a webhook gets."""
    return {
        "source": health.source,
        "at": iso(health.at),
        "condition": health.condition.value,
        "reasons": [{"code": reason.code, "text": reason.text} for reason in health.reasons],
        "last_run": iso(health.last_run) if health.last_run else None,
        "last_success": iso(health.last_success) if health.last_success else None,
        "last_news": iso(health.last_news) if health.last_news else None,
        "silence_seconds": health.silence.total_seconds() if health.silence is not None else None,
        "longest_silence_seconds": health.longest_silence.total_seconds() if health.longest_silence else None,
        "errors": _trend_json(health.errors),
        "texts": _trend_json(health.texts),
        "characters": _trend_json(health.characters),
        "changed": _trend_json(health.changed),
        "edits_per_story": health.edits_per_story,
        "new_stories_by_day": list(health.days),
    }


def _trend_json(trend: Trend) -> dict[str, float | None]:
    return {"recent": trend.recent, "before": trend.before}


def _last_success(health: Health) -> str:
    return f"{span_text(health.at - health.last_success)} ago" if health.last_success else "never"


def _silence(health: Health) -> str:
    if health.silence is None:
        return "-"
    longest = f" of {span_text(health.longest_silence)}" if health.longest_silence is not None else ""
    return span_text(health.silence) + longest


def _share(trend: Trend) -> str:
    return "-" if trend.recent is None else f"{trend.recent:.0%}"


def _characters(health: Health) -> str:
    return "-" if health.characters.recent is None else f"{health.characters.recent:,.0f}"


def _edits(health: Health) -> str:
    return "-" if health.edits_per_story is None else f"{health.edits_per_story:.2f}"


def sparkline(counts: Sequence[int]) -> str:
    """A bar a day, the highest being the most that there was; a dot for a day without any.

    >>> sparkline((0, 1, 4, 8))
    '·▁▄█'
    """
    most = max(counts, default=0)
    return "".join(_BARS[max(0, count * len(_BARS) // most - 1)] if count else "·" for count in counts)


_COLUMNS: tuple[Column[Health], ...] = (
    Column("source", 0, lambda health: health.source),
    Column("health", 0, lambda health: health.condition.value, style=lambda health: _STYLES[health.condition]),
    Column("last success", 1, _last_success),
    Column("silence", 2, _silence),
    Column("14 days", 3, lambda health: sparkline(health.days)),
    Column("errors", 4, lambda health: _share(health.errors), True),
    Column("texts", 5, lambda health: _share(health.texts), True),
    Column("characters", 6, _characters, True),
    Column("edits", 7, _edits, True),
)


def print_health(console: Console, verdicts: Sequence[Health]) -> None:
    """A line a source, and below it why it is ill."""
    columns = [column for column in _COLUMNS if column.name != "14 days" or console.encoding.startswith("utf")]
    print_table(console, columns, verdicts, _reasons)


def _reasons(health: Health) -> Iterator[Text]:
    return (Text(f"  {printable(reason.text)}", style="red") for reason in health.reasons)
