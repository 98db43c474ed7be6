"""Hand-written pages, one folder a page: what a reader would call the story must come out, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from newsmorgue.cleaning import Article, clean

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/article.json"))
_FIELDS = (
    "headline", "summary", "published", "modified", "section", "language", "canonical", "image", "site_name",
    "is_accessible_for_free", "charset",
)  # fmt: skip


def read_case(folder: Path) -> tuple[Article, dict[str, Any]]:
    expected = json.loads((folder / "article.json").read_text(encoding="utf-8"))
    return clean((folder / "page.html").read_bytes(), expected["url"]), expected


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_page_is_read_as_a_person_would(folder: Path) -> None:
    article, expected = read_case(folder)
    assert article.kind == expected["kind"]
    assert list(article.authors) == expected["authors"]
    for name in _FIELDS:
        if name in expected:
            assert getattr(article, name) == expected[name], name
    if "tags" in expected:
        assert list(article.tags) == expected["tags"]
    if "blocks" in expected:
        assert [[block.kind.value, block.text] for block in article.body] == expected["blocks"]
    for phrase in expected.get("must_not_appear", ()):
        assert phrase not in article.text, phrase
        assert phrase not in article.markdown, phrase


def test_there_are_cases() -> None:
    assert len(CASES) >= 7
