"""Health in Prometheus' text exposition format, version 0.0.4, for node_exporter's textfile collector.

https://prometheus.io/docs/instrumenting/exposition_formats/: names and units as its naming guide has them; what is not
known has no sample. No sample has a timestamp of its own, which the textfile collector would refuse.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from newsmorgue.health.verdict import Condition, Health

_JUDGED = (Condition.WELL, Condition.ILL)
_Value = Callable[[Health], float | int | None]


def _moment(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None


def _seconds(span: timedelta | None) -> float | None:
    return span.total_seconds() if span is not None else None


_GAUGES: tuple[tuple[str, str, _Value], ...] = (
    ("ill", "Whether the source is ill (1) or not (0).", lambda of: int(of.condition == Condition.ILL)),
    ("judged", "Whether there is enough history to judge it by.", lambda of: int(of.condition in _JUDGED)),
    ("checked_timestamp_seconds", "When this was found.", lambda of: _moment(of.at)),
    ("last_run_timestamp_seconds", "The end of the last crawl.", lambda of: _moment(of.last_run)),
    (
        "last_success_timestamp_seconds",
        "The end of the last that succeeded.",
        lambda of: _moment(of.last_success),
    ),
    ("last_news_timestamp_seconds", "The end of the last that found a new story.", lambda of: _moment(of.last_news)),
    ("silence_seconds", "How long there was no new story.", lambda of: _seconds(of.silence)),
    ("longest_silence_seconds", "The longest silence before this one.", lambda of: _seconds(of.longest_silence)),
    ("error_ratio", "Share of the latest visits that failed or were put off.", lambda of: of.errors.recent),
    ("text_ratio", "Share of the latest pages that gave a story's text.", lambda of: of.texts.recent),
    ("changed_ratio", "Share of the latest looks at stories that found another text.", lambda of: of.changed.recent),
    ("text_characters", "Median length of the newest stories' texts.", lambda of: of.characters.recent),
    ("edits_per_story", "Edits of the newest stories, on average.", lambda of: of.edits_per_story),
    ("new_stories_today", "New stories since midnight, UTC.", lambda of: of.days[-1]),
)


def exposition(verdicts: Sequence[Health]) -> str:
    """All sources' gauges, each metric's samples together; and a sample for each reason why one is ill."""
    return "".join(f"{line}\n" for line in _lines(verdicts))


def _lines(verdicts: Sequence[Health]) -> Iterator[str]:
    for name, meaning, value in _GAUGES:
        samples = [(health, found) for health in verdicts if (found := value(health)) is not None]
        if samples:
            yield from _head(name, meaning)
            yield from (f'newsmorgue_source_{name}{{source="{health.source}"}} {found!r}' for health, found in samples)
    reasons = [(health.source, reason.code) for health in verdicts for reason in health.reasons]
    if reasons:
        yield from _head("ill_reason", "1 for each reason why a source is ill.")
        yield from (f'newsmorgue_source_ill_reason{{source="{source}",reason="{code}"}} 1' for source, code in reasons)


def _head(name: str, meaning: str) -> tuple[str, str]:
    return f"# HELP newsmorgue_source_{name} {meaning}", f"# TYPE newsmorgue_source_{name} gauge"
