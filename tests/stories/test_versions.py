"""Versions, sightings, states at a time; what is gone, what came back; what a new reading changes."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.harness import BRIDGE, START, TEXT, Visitor, article, column, open_archive, problems

from newsmorgue.archive import schema
from newsmorgue.cleaning import READING
from newsmorgue.errors import ImpossibleTime, UnknownVersion
from newsmorgue.stories.filing import Renewal, stale_versions
from newsmorgue.stories.reading import find_story, show_at, show_version, story_row, story_versions
from newsmorgue.stories.versions import normal_form, text_digest
from newsmorgue.urls import address_key

B = TEXT + "\n\nNobody was hurt."


@pytest.fixture
def visitor(tmp_path: Path, catalogue_url: str) -> Visitor:
    return Visitor(open_archive(tmp_path, catalogue=catalogue_url))


def _minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def _texts(visitor: Visitor, *minutes: int) -> list[str]:
    story = find_story(visitor.archive, BRIDGE)
    return [show_at(visitor.archive, story, _minute(minute)).article.text for minute in minutes]


def test_the_same_text_again_is_a_sighting(visitor: Visitor) -> None:
    assert [visitor.see(BRIDGE) for _ in range(3)] == ["new_story", "unchanged", "unchanged"]
    (version,) = story_versions(visitor.archive, find_story(visitor.archive, BRIDGE))
    assert (version.number, version.sightings) == (1, 3)
    assert (version.first_seen, version.last_seen) == (_minute(1), _minute(3))


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(" ", "\u00a0"),
        TEXT.replace(" ", " \u200b "),
        TEXT.replace("bridge", "bri\u00addge"),
        "\ufeff" + TEXT.replace("\n\n", "\n \t\n"),
        TEXT + "\u200e \u2060",
    ],
)
def test_what_no_reader_sees_makes_no_version(visitor: Visitor, text: str) -> None:
    visitor.see(BRIDGE)
    assert visitor.see(BRIDGE, text) == "unchanged"


def test_a_composed_letter_is_the_letter(visitor: Visitor) -> None:
    visitor.see(BRIDGE, "Zu\u0308rich cafe\u0301", summary="e\u0301")
    assert visitor.see(BRIDGE, "Z\u00fcrich caf\u00e9", summary="\u00e9") == "unchanged"


def test_headline_summary_and_body_each_make_a_version(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    assert visitor.see(BRIDGE, headline="A bridge") == "new_version"
    assert visitor.see(BRIDGE, summary="In short.") == "new_version"
    assert visitor.see(BRIDGE, TEXT + "!") == "new_version"


def test_what_is_not_told_makes_no_version(visitor: Visitor) -> None:
    visitor.see(BRIDGE, tags=("a",), modified="2026-03-01", image="https://news.example/1.jpg")
    assert visitor.see(BRIDGE, tags=("b",), modified="2026-03-02", image=None, authors=("C",)) == "unchanged"


def test_words_do_not_move_between_the_parts_unseen() -> None:
    one = article(BRIDGE, "b c", headline="a")
    other = article(BRIDGE, "c", headline="a b")
    third = article(BRIDGE, "c", headline="a", summary="b")
    assert len({text_digest(each) for each in (one, other, third)}) == 3


def test_a_text_that_returns_is_a_sighting_and_an_edit(visitor: Visitor) -> None:
    assert [visitor.see(BRIDGE, text) for text in (TEXT, B, TEXT)] == ["new_story", "new_version", "returned"]
    first, second = story_versions(visitor.archive, find_story(visitor.archive, BRIDGE))
    assert (first.sightings, second.sightings) == (2, 1)
    assert _texts(visitor, 1, 2, 3, 99) == [TEXT, B, TEXT, TEXT]
    assert visitor.see(BRIDGE, TEXT) == "unchanged"


def test_the_state_at_a_time_is_the_latest_sighting_then(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(BRIDGE, B)
    story = find_story(visitor.archive, BRIDGE)
    just_before = _minute(2) - timedelta(microseconds=1)
    assert show_at(visitor.archive, story, just_before).article.text == TEXT
    shown = show_at(visitor.archive, story, _minute(2))
    assert (shown.article.text, shown.seen, shown.version.number) == (B, _minute(2), 2)
    assert shown.require_capture().time == _minute(2)
    assert show_at(visitor.archive, story, None).version.number == 2


def test_a_time_before_the_first_sighting_names_it(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    with pytest.raises(ImpossibleTime, match=r"not seen before 2026-03-01T12:01:00.000000Z"):
        show_at(visitor.archive, find_story(visitor.archive, BRIDGE), START)


def test_a_version_is_shown_by_its_number(visitor: Visitor) -> None:
    for text in (TEXT, B, TEXT):
        visitor.see(BRIDGE, text)
    story = find_story(visitor.archive, BRIDGE)
    assert [show_version(visitor.archive, story, number).article.text for number in (1, 2)] == [TEXT, B]
    assert show_version(visitor.archive, story, 1).seen == _minute(1)
    with pytest.raises(UnknownVersion, match="no version 3: the story has 2"):
        show_version(visitor.archive, story, 3)


def test_two_stories_with_one_text_are_two(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    assert visitor.see("https://news.example/copy") == "new_story"


def test_a_page_recovered_late_takes_its_place_in_time(visitor: Visitor) -> None:
    left = visitor.record(BRIDGE, b"<html>old")
    visitor.see(BRIDGE, B)
    assert visitor.file(BRIDGE, left, TEXT) == "new_version"
    assert _texts(visitor, 1, 2) == [TEXT, B]
    assert [version.number for version in story_versions(visitor.archive, find_story(visitor.archive, BRIDGE))] == [
        1,
        2,
    ]


# -- 304 -----------------------------------------------------------------------------------------------------------


def test_a_304_sights_what_was_there(visitor: Visitor) -> None:
    for text in (TEXT, B, TEXT):
        visitor.see(BRIDGE, text)
    assert visitor.unmodified(BRIDGE) == "unchanged"
    assert _texts(visitor, 4) == [TEXT]
    visitor.end()
    assert problems(visitor.archive) == []


def test_a_304_of_an_address_that_must_be_escaped(visitor: Visitor) -> None:
    url = "https://news.example/Zürich"
    visitor.see(url)
    assert visitor.unmodified(url) == "unchanged"


def test_a_304_for_what_was_never_seen_is_a_failure(visitor: Visitor) -> None:
    assert visitor.unmodified(BRIDGE) == "failed"


def test_a_304_after_a_page_that_was_no_story_sights_no_older_text(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.no_story(BRIDGE)
    assert visitor.unmodified(BRIDGE) == "not_story"
    assert story_versions(visitor.archive, find_story(visitor.archive, BRIDGE))[0].sightings == 1


# -- gone and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
def test_a_story_that_is_gone_keeps_its_versions(visitor: Visitor, status: int) -> None:
    visitor.see(BRIDGE)
    assert visitor.gone(BRIDGE, status) == "gone"
    row = story_row(visitor.archive, find_story(visitor.archive, BRIDGE))
    assert (row.gone_since, row.versions) == (_minute(2), 1)
    visitor.gone(BRIDGE, status)
    assert story_row(visitor.archive, row.id).gone_since == _minute(2)
    assert _texts(visitor, 9) == [TEXT]


def test_a_story_that_comes_back_is_not_gone(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.gone(BRIDGE)
    assert visitor.see(BRIDGE) == "unchanged"
    assert story_row(visitor.archive, find_story(visitor.archive, BRIDGE)).gone_since is None


def test_a_304_says_that_a_story_is_back(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.gone(BRIDGE)
    visitor.unmodified(BRIDGE)
    assert story_row(visitor.archive, find_story(visitor.archive, BRIDGE)).gone_since is None


def test_a_copy_elsewhere_says_nothing_of_the_story_s_own_address(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(f"{BRIDGE}/amp", canonical=BRIDGE)
    visitor.gone(f"{BRIDGE}/amp")
    story = find_story(visitor.archive, BRIDGE)
    assert story_row(visitor.archive, story).gone_since is None
    visitor.gone(BRIDGE)
    visitor.see(f"{BRIDGE}/amp", canonical=BRIDGE)
    assert story_row(visitor.archive, story).gone_since is not None


def test_what_was_never_a_story_can_be_gone(visitor: Visitor) -> None:
    assert visitor.gone("https://news.example/nothing") == "gone"


# -- readings ------------------------------------------------------------------------------------------------------


BETTER = "a better cleaner"


def _stale(visitor: Visitor, reading: str) -> list[str]:
    with visitor.archive.catalogue.read() as connection:
        return [stale.version for stale in stale_versions(connection, address_key(BRIDGE), reading)]


def test_a_better_cleaner_makes_no_version(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(BRIDGE, B)
    first, second = (row.id for row in story_versions(visitor.archive, find_story(visitor.archive, BRIDGE)))
    assert _stale(visitor, READING) == []
    assert sorted(_stale(visitor, BETTER)) == sorted([first, second])

    capture = visitor.record(BRIDGE, b"<html>")
    cleaner = [text.replace("a storm", "the storm") for text in (TEXT, B)]
    renewals = tuple(
        Renewal(version, article(BRIDGE, text), capture.warc, capture.offset)
        for version, text in zip((first, second), cleaner, strict=True)
    )
    assert visitor.file(BRIDGE, capture, cleaner[1], renewals=renewals, reading=BETTER) == "unchanged"
    assert _stale(visitor, BETTER) == []
    assert [row.id for row in story_versions(visitor.archive, find_story(visitor.archive, BRIDGE))] == [first, second]
    readings = column(visitor.archive, schema.texts.c.reading, schema.texts.c.version == second)
    assert len(readings) == 2
    assert _texts(visitor, 1, 2) == cleaner
    assert visitor.see(BRIDGE, cleaner[0], reading=BETTER) == "returned"
    assert visitor.see(BRIDGE, cleaner[0] + " More.", reading=BETTER) == "new_version"


# -- the normal form -----------------------------------------------------------------------------------------------


@given(st.text())
def test_the_normal_form_is_normal(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


def test_the_normal_form_sees_through_what_stands_between_a_letter_and_its_accent() -> None:
    assert normal_form("e\u200b\u0301") == "\u00e9"
