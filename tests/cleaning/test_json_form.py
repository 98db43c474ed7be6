"""The JSON form loses nothing and holds plain types only."""

import json
from pathlib import Path

import pytest

from newsmorgue.cleaning import READING, Article, PageKind, article_from_json, article_to_json, clean

PAGES = sorted(Path(__file__).parents[1].glob("fixtures/*/*/page.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parts[-3]}-{page.parts[-2]}")
def test_round_trip(page: Path) -> None:
    article = clean(page.read_bytes(), "https://example.org/x")
    assert article_from_json(json.loads(json.dumps(article_to_json(article)))) == article


def test_fields_of_a_later_time_are_passed_over_and_missing_ones_get_their_default() -> None:
    assert article_from_json({"url": "u", "kind": "other", "mood": "blue"}) == Article("u", PageKind.OTHER)


@pytest.mark.parametrize("form", [{"url": "u"}, {"kind": "other"}])
def test_without_url_or_kind_it_is_no_article(form: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        article_from_json(form)


def test_the_reading_names_rules_and_parsers() -> None:
    assert [part.rpartition("-")[0] for part in READING.split()] == ["rules", "model", "lxml", "libxml2", "bs4"]
