"""The exposition, read back by Prometheus' own parser."""

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families
from tests.health.test_verdict import GOOD, NOW, daily, verdict

from newsmorgue.health.prometheus import exposition
from newsmorgue.health.verdict import Run, Story, assess


def read(text: str) -> dict[str, dict[str, float]]:
    """Each metric's samples by source (and reason). Fails for a metric that comes twice or is no gauge."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.name not in found
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        assert [sample.timestamp for sample in family.samples] == [None] * len(family.samples)
        found[family.name] = {" ".join(sample.labels.values()): sample.value for sample in family.samples}
    return found


def test_every_source_has_its_samples() -> None:
    stories = [Story(NOW, 1000, 1)] * 20
    well = assess("example.org_8080", daily(60, GOOD), stories, NOW)
    down = [Run(NOW.replace(hour=hour), NOW.replace(hour=hour), "finished", {"failed": 1}) for hour in (1, 3, 11)]
    found = read(exposition([well, assess("a", down, (), NOW)]))
    name = "newsmorgue_source_"
    assert found[name + "ill"] == {"example.org_8080": 0, "a": 1}
    assert found[name + "ill_reason"] == {"a unreached": 1}
    assert found[name + "judged"] == {"example.org_8080": 1, "a": 1}
    assert found[name + "last_success_timestamp_seconds"] == {"example.org_8080": NOW.timestamp()}
    assert found[name + "silence_seconds"] == {"example.org_8080": 0}
    assert found[name + "longest_silence_seconds"] == {"example.org_8080": 86400}
    assert found[name + "error_ratio"] == {"example.org_8080": 0}
    assert found[name + "text_ratio"] == {"example.org_8080": 1}
    assert found[name + "text_characters"] == {"example.org_8080": 1000}
    assert found[name + "edits_per_story"] == {"example.org_8080": 1}
    assert found[name + "new_stories_today"] == {"example.org_8080": 3, "a": 0}
    assert found[name + "checked_timestamp_seconds"]["a"] == datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()


def test_no_source_no_metric() -> None:
    assert exposition([]) == ""


def test_what_is_not_known_has_no_sample() -> None:
    found = read(exposition([verdict([])]))
    assert sorted(found) == [
        f"newsmorgue_source_{name}" for name in ("checked_timestamp_seconds", "ill", "judged", "new_stories_today")
    ]
