"""The dates that feeds and sitemaps state: when they make a page due, and when they are no longer believed."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import BRIDGE, HOME, START, TEXT, Visitor, open_archive

from newsmorgue.archive import frontier, schema
from newsmorgue.archive.capture import Role
from newsmorgue.stories.filing import EndVisit
from newsmorgue.times import from_microseconds, iso
from newsmorgue.urls import address_key


@pytest.fixture
def visitor(tmp_path: Path, catalogue_url: str) -> Visitor:
    return Visitor(open_archive(tmp_path, catalogue=catalogue_url))


def _due(visitor: Visitor) -> dict[str, str]:
    """What the frontier would hand out now, and why."""
    with visitor.archive.catalogue.write() as connection:
        claims = frontier.claim(connection, "demo", "peek", visitor.now + timedelta(minutes=1), 100)
        frontier.release(connection, "peek")
    return {claim.url: claim.reason for claim in claims}


def test_what_is_found_is_due_until_it_was_seen(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2026-03-01")
    assert _due(visitor) == {BRIDGE: "new"}
    visitor.see(BRIDGE)
    assert _due(visitor) == {}


def test_a_changed_date_makes_a_page_due_and_the_same_one_does_not(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2026-03-01")
    visitor.see(BRIDGE)
    visitor.mention(BRIDGE, "2026-03-01")
    assert _due(visitor) == {}
    visitor.mention(BRIDGE, "2026-03-02")
    assert _due(visitor) == {BRIDGE: "date"}


def test_each_list_s_dates_are_compared_with_its_own(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2026-02-01", found_in="feed")
    visitor.mention(BRIDGE, "2026-02-01T10:00:00Z", found_in="sitemap")
    visitor.see(BRIDGE)
    visitor.mention(BRIDGE, "2026-02-01", found_in="feed")
    visitor.mention(BRIDGE, "2026-02-01T10:00:00Z", found_in="sitemap")
    assert _due(visitor) == {}


@pytest.mark.parametrize(("stated", "due"), [("2026-02-01", {}), ("2026-02-03", {BRIDGE: "date"})])
def test_a_story_that_moved_on_to_the_next_sitemap_is_due_if_its_date_is_newer_than_in_the_last(
    visitor: Visitor, stated: str, due: dict[str, str]
) -> None:
    first, second, feed = (f"{HOME}{name}" for name in ("sitemap-1.xml", "sitemap-2.xml", "feed.xml"))
    for url, role in ((first, Role.SITEMAP), (second, Role.SITEMAP), (feed, Role.FEED)):
        visitor.mention(url, found_in="operator", role=role)
        visitor.settle(EndVisit(visitor.visit(url, None, "seed"), "listed"))
    visitor.mention(BRIDGE, "2026-02-01", found_in=first)
    visitor.mention(BRIDGE, "2026-01-31T23:00:00Z", found_in=feed)
    visitor.see(BRIDGE)
    visitor.mention(BRIDGE, stated, found_in=second)
    assert _due(visitor) == due


def test_a_later_date_in_a_list_of_another_kind_is_no_change(visitor: Visitor) -> None:
    for url, role in ((f"{HOME}map.xml", Role.SITEMAP), (f"{HOME}feed.xml", Role.FEED)):
        visitor.mention(url, found_in="operator", role=role)
        visitor.settle(EndVisit(visitor.visit(url, None, "seed"), "listed"))
    visitor.mention(BRIDGE, "2026-02-01T09:00:00Z", found_in=f"{HOME}feed.xml")
    visitor.see(BRIDGE)
    visitor.mention(BRIDGE, "2026-02-01T09:05:00Z", found_in=f"{HOME}map.xml")
    assert _due(visitor) == {}


@pytest.mark.parametrize(
    ("stated", "due"),
    [
        (iso(START + timedelta(hours=1)), True),
        ("2026-03-09", True),
        (iso(START - timedelta(hours=1)), False),
        ("2026-02-20", False),
        ("yesterday", False),
        (None, False),
    ],
)
def test_a_first_date_later_than_the_last_visit_makes_a_page_due(
    visitor: Visitor, stated: str | None, due: bool
) -> None:
    visitor.mention(BRIDGE)
    visitor.see(BRIDGE)
    visitor.mention(BRIDGE, stated, found_in="sitemap")
    assert _due(visitor) == ({BRIDGE: "date"} if due else {})


@pytest.mark.parametrize(("changes", "believed"), [(19, True), (20, False), (40, False)])
def test_a_source_whose_dates_change_without_its_pages_is_no_longer_believed(
    visitor: Visitor, changes: int, believed: bool
) -> None:
    visitor.see(BRIDGE)
    for number in range(changes):
        visitor.see(BRIDGE, reason="date")
        visitor.mention(BRIDGE, f"2026-04-01T00:00:{number:02}Z")
    visitor.mention("https://news.example/other", "2026-01-01")
    visitor.see("https://news.example/other")
    visitor.mention("https://news.example/other", "2026-04-02")
    assert ("https://news.example/other" in _due(visitor)) is believed


def test_one_hit_in_ten_is_enough_to_be_believed(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    for number in range(30):
        visitor.see(BRIDGE, f"{TEXT} {number // 8}", reason="date")
    visitor.mention(BRIDGE, "2026-04-02")
    visitor.mention(BRIDGE, "2026-04-03")
    assert _due(visitor) == {BRIDGE: "date"}


def test_what_was_only_linked_becomes_more_when_a_list_names_it(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, found_in=HOME, role=Role.LINK)
    visitor.mention(BRIDGE, "2026-03-01")
    assert _role(visitor, BRIDGE) == Role.STORY
    visitor.mention(BRIDGE, found_in=HOME, role=Role.LINK)
    assert _role(visitor, BRIDGE) == Role.STORY


def test_a_sitemap_that_names_the_home_page_does_not_make_it_a_story(visitor: Visitor) -> None:
    visitor.mention(HOME, found_in="operator", role=Role.HOME)
    visitor.settle(EndVisit(visitor.visit(HOME, None, "seed"), "listed"))
    for day in ("2026-03-08", "2026-03-09"):
        visitor.mention(HOME, day, found_in="sitemap")
    assert _role(visitor, HOME) == Role.HOME


def test_a_link_that_was_no_story_is_looked_at_again_when_a_list_names_it_with_a_later_date(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, found_in=HOME, role=Role.LINK)
    visitor.no_story(BRIDGE)
    visitor.mention(BRIDGE, iso(visitor.now + timedelta(hours=1)))
    assert _due(visitor) == {BRIDGE: "date"}


def _role(visitor: Visitor, url: str) -> str:
    with visitor.archive.catalogue.read() as connection:
        role = sa.select(schema.urls.c.role).where(schema.urls.c.key == address_key(url))
        return str(connection.execute(role).scalar_one())


# -- trying again --------------------------------------------------------------------------------------------------


def test_what_is_to_be_tried_again_is_due_then_and_not_for_ever(visitor: Visitor) -> None:
    visitor.mention(BRIDGE)
    waits = []
    while timedelta(days=10) > visitor.now - START and (later := _after_a_failure(visitor)):
        waits.append(later - visitor.now)
        visitor.now = later
    # A night without the site is survived, ten days of it are not.
    assert waits[:5] == [timedelta(minutes=minutes) for minutes in (15, 15, 30, 60, 120)]
    assert max(waits) == timedelta(hours=12)
    assert timedelta(days=3) < visitor.now - START < timedelta(days=4)
    visitor.mention(BRIDGE, "2026-03-09")
    assert _due(visitor) == {BRIDGE: "date"}


def _after_a_failure(visitor: Visitor) -> datetime | None:
    """The site says 503: when the page is to be tried again."""
    visitor.settle(EndVisit(visitor.visit(BRIDGE, None), "retry", "503", visitor.now + timedelta(minutes=15)))
    assert _due(visitor) == {}
    with visitor.archive.catalogue.read() as connection:
        due = connection.execute(sa.select(schema.urls.c.due_at)).scalar_one()
    return from_microseconds(due) if due is not None else None


def test_what_a_run_has_in_hand_is_not_handed_out_twice_and_comes_back(visitor: Visitor) -> None:
    visitor.mention(BRIDGE)
    with visitor.archive.catalogue.write() as connection:
        first = frontier.claim(connection, "demo", "run-1", visitor.now, 10)
        assert [claim.url for claim in first] == [BRIDGE]
        assert frontier.claim(connection, "demo", "run-2", visitor.now, 10) == []
        assert frontier.claimed(connection, "run-1") == 1
    killed_and_begun_again = Visitor(visitor.archive, now=visitor.now, run="run-3")
    assert _due(killed_and_begun_again) == {BRIDGE: "new"}
