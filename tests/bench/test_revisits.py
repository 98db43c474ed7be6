"""The simulation of revisits: its stories are as studies counted, and docs/revisits.md has its figures."""

from datetime import timedelta
from pathlib import Path

import pytest
from bench.revisits import (
    ASSUMPTIONS,
    SEED,
    STORIES,
    WINDOW,
    Story,
    compared,
    fixed,
    plot,
    replay,
    stories,
    table,
)

from newsmorgue.stories.revisit import next_visit

DOCS = Path(__file__).parents[2] / "docs"


def test_stories_are_edited_as_the_studies_counted() -> None:
    told = stories(20_000, seed=1)
    first_day = [sum(edit < 24 * 60 for edit in story.edits) for story in told]
    edited = [count for count in first_day if count]
    assert len(edited) / len(told) == pytest.approx(0.35, abs=0.01)
    assert sum(edited) / len(edited) == pytest.approx(1.94, abs=0.05)
    assert sum(count <= 2 for count in edited) / len(edited) > 0.8
    assert sum(count > 9 for count in edited) / len(edited) == pytest.approx(0.05, abs=0.01)
    within_a_week = sum(any(24 * 60 <= edit < 7 * 24 * 60 for edit in story.edits) for story in told)
    assert len(edited) / (len(edited) + within_a_week) == pytest.approx(0.82, abs=0.01)


def test_an_edit_that_the_next_one_hides_is_not_caught() -> None:
    hour = fixed(timedelta(hours=1))
    # Looked at within 15 minutes of publication, then on the hour after that.
    assert replay(hour, [Story((100.0, 110.0, 1000.0))]).caught == pytest.approx(2 / 3)
    late = replay(hour, [Story((100.0, 200.0))])
    assert (late.requests, late.caught) == (720, 1.0)
    assert 0 < late.median_delay < 60


@pytest.mark.parametrize("name", ASSUMPTIONS)
def test_more_edits_are_caught_than_at_the_fixed_interval_of_equal_cost(name: str) -> None:
    told = stories(500, SEED, ASSUMPTIONS[name])
    ours = replay(next_visit, told)
    equal = replay(fixed(WINDOW / ours.requests), told)
    assert equal.requests == pytest.approx(ours.requests, rel=0.05)
    assert ours.caught > equal.caught + 0.2


def test_figures_and_plot_in_the_documents_are_those_of_the_policy() -> None:
    told = stories(STORIES, SEED)
    assert table(compared(told)) in (DOCS / "revisits.md").read_text("utf-8")
    assert plot(told) == (DOCS / "revisits.svg").read_text("utf-8")
