"""The revisit policy over the catalogue: which pages the frontier hands out as time goes by."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import BRIDGE, OTHER_TEXT, START, TEXT, Visitor, article, open_archive, rebuilt

from newsmorgue.archive import frontier, schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Role
from newsmorgue.cleaning import PageKind
from newsmorgue.stories.filing import EndVisit, FilePage
from newsmorgue.stories.reading import find_story, story_row
from newsmorgue.stories.revisit_planning import plan_revisits
from newsmorgue.times import from_microseconds

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MOVED = "https://news.example/2026/the-bridge"


@pytest.fixture
def visitor(tmp_path: Path, catalogue_url: str) -> Visitor:
    return Visitor(open_archive(tmp_path, catalogue=catalogue_url))


def due(visitor: Visitor, after: timedelta = timedelta(), archive: Archive | None = None) -> dict[str, str]:
    """What a crawl would be handed out so long after now, and why."""
    now = visitor.now + after
    with (archive or visitor.archive).catalogue.write() as connection:
        plan_revisits(connection, "demo", now)
        claims = frontier.claim(connection, "demo", "peek", now, 100)
        frontier.release(connection, "peek")
    return {claim.url: claim.reason for claim in claims}


def next_look(visitor: Visitor, url: str = BRIDGE) -> timedelta | None:
    """How long from now the planned look at a page is."""
    with visitor.archive.catalogue.write() as connection:
        plan_revisits(connection, "demo", visitor.now)
        at = connection.execute(sa.select(schema.urls.c.due_at).where(schema.urls.c.url == url)).scalar_one()
    return from_microseconds(at) - visitor.now if at is not None else None


def test_a_story_is_due_again_when_its_time_has_come_and_not_before(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    assert due(visitor) == {}
    assert due(visitor, 14 * MINUTE) == {}
    # Nothing told of validators: half as long again as the quarter of an hour of a young story.
    assert due(visitor, 23 * MINUTE) == {BRIDGE: "revisit"}


def test_planning_again_changes_nothing(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    assert next_look(visitor) == next_look(visitor) == 22.5 * MINUTE


def test_the_date_of_the_list_or_of_the_page_is_the_story_s_age(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2026-02-20")
    visitor.see(BRIDGE)
    assert next_look(visitor) == 7 * DAY * 1.5
    other = "https://news.example/dated"
    visitor.see(other, OTHER_TEXT, published="2026-02-27T10:00:00+01:00")
    assert next_look(visitor, other) == 12 * HOUR * 1.5
    for number, nonsense in enumerate(("1970-01-01", "0001-01-01T00:00:00Z", "soon")):
        visitor.mention(f"{other}/{number}", nonsense)
        visitor.see(f"{other}/{number}", f"{OTHER_TEXT} {number}")
        assert next_look(visitor, f"{other}/{number}") == 22.5 * MINUTE


def test_an_edit_is_counted_and_brings_the_next_look_nearer(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2026-01-01")
    visitor.see(BRIDGE)
    assert next_look(visitor) == 45 * DAY
    visitor.see(BRIDGE, TEXT + " It opens again on Friday.", reason="revisit")
    assert next_look(visitor) == 22.5 * MINUTE
    visitor.now += 2 * HOUR
    visitor.see(BRIDGE, TEXT + " It opens again on Friday.", reason="revisit")
    assert next_look(visitor) == (2 * HOUR + MINUTE) / 2 * 1.5


def test_an_old_story_is_left_alone_until_a_list_gives_it_another_date(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2025-01-01")
    visitor.see(BRIDGE)
    assert due(visitor, 300 * DAY) == {}
    visitor.mention(BRIDGE, "2026-03-02")
    assert due(visitor) == {BRIDGE: "date"}


def test_a_live_blog_is_followed(visitor: Visitor) -> None:
    visitor.mention(BRIDGE, "2026-03-01T08:00:00Z")
    capture = visitor.record(BRIDGE, b"<html>live", headers=[b'ETag: "1"', b"Content-Type: text/html"])
    live = replace(article(BRIDGE, TEXT), kind=PageKind.LIVE_BLOG)
    visitor.settle(FilePage(visitor.visit(BRIDGE, capture), live))
    assert next_look(visitor) == 22.5 * MINUTE


def test_a_page_that_is_gone_is_looked_for_and_its_return_is_noticed(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.now += DAY
    visitor.gone(BRIDGE, 404)
    story = find_story(visitor.archive, BRIDGE)
    assert story_row(visitor.archive, story).gone_since == visitor.now
    assert next_look(visitor) == DAY + MINUTE
    assert due(visitor, DAY + MINUTE) == {BRIDGE: "revisit"}
    visitor.now += 2 * DAY
    assert visitor.see(BRIDGE, reason="revisit") == "unchanged"
    row = story_row(visitor.archive, story)
    assert (row.gone_since, row.versions) == (None, 1)


def _not_a_story(visitor: Visitor) -> None:
    visitor.settle(EndVisit(visitor.visit(BRIDGE, visitor.record(BRIDGE, b"wall"), "revisit"), "not_story", "wall"))


def _failing(visitor: Visitor) -> None:
    visitor.settle(EndVisit(visitor.visit(BRIDGE, None, "revisit"), "failed", "status 500"))


def _to_the_log_in(visitor: Visitor) -> None:
    visitor.redirect(BRIDGE, "https://news.example/login", reason="revisit")
    visitor.no_story("https://news.example/login")


@pytest.mark.parametrize("happens", [_not_a_story, _failing, _to_the_log_in])
def test_a_story_is_not_forgotten_for_what_stood_in_its_place(
    visitor: Visitor, happens: Callable[[Visitor], None]
) -> None:
    visitor.see(BRIDGE)
    visitor.now += 10 * HOUR
    happens(visitor)
    assert due(visitor) == {}
    assert due(visitor, 11 * HOUR) == {BRIDGE: "revisit"}


def test_of_the_addresses_of_one_story_one_is_looked_at(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(f"{BRIDGE}?outputType=amp", canonical=BRIDGE)
    assert due(visitor, HOUR) == {BRIDGE: "revisit"}
    visitor.redirect(BRIDGE, MOVED, reason="revisit")
    visitor.see(MOVED)
    assert due(visitor, HOUR) == {MOVED: "revisit"}


def test_what_is_due_for_another_reason_stays_so(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.mention(BRIDGE, "2026-03-01", found_in="a list")
    visitor.mention(BRIDGE, "2026-03-02", found_in="a list")
    assert due(visitor, DAY) == {BRIDGE: "date"}


def test_lists_and_what_was_never_a_story_are_not_the_policy_s(visitor: Visitor) -> None:
    visitor.no_story("https://news.example/about")
    visitor.mention("https://news.example/feed.xml", role=Role.FEED)
    feed = visitor.visit("https://news.example/feed.xml", None, "seed")
    visitor.settle(EndVisit(feed, "listed"))
    visitor.gone("https://news.example/never-there")
    assert due(visitor, 300 * DAY) == {}


def test_after_a_reindex_the_same_is_due_at_the_same_time(visitor: Visitor, tmp_path: Path) -> None:
    visitor.see(BRIDGE)
    visitor.see(BRIDGE, TEXT + " It opens again on Friday.", reason="revisit")
    visitor.see("https://news.example/old", OTHER_TEXT, published="2026-02-01")
    visitor.end()
    for after in (HOUR, 20 * DAY):
        fresh = rebuilt(visitor.archive, f"sqlite:///{tmp_path / str(after.days)}.sqlite")
        assert due(visitor, after, fresh) == due(visitor, after) != {}


def test_validators_are_those_of_the_text_that_was_seen_last(visitor: Visitor) -> None:
    """A page that has none any more is not asked for with those of another text of it."""
    capture = visitor.record(BRIDGE, b"one")
    visit = visitor.visit(BRIDGE, capture)
    visitor.settle(FilePage(replace(visit, etag='"1"'), article(BRIDGE, TEXT)))
    assert _etag(visitor) == '"1"'
    visitor.unmodified(BRIDGE)
    assert _etag(visitor) == '"1"'
    visitor.see(BRIDGE, OTHER_TEXT, reason="revisit")
    assert _etag(visitor) is None


def _etag(visitor: Visitor) -> str | None:
    with visitor.archive.catalogue.read() as connection:
        etag: str | None = connection.execute(sa.select(schema.urls.c.etag).where(schema.urls.c.url == BRIDGE)).scalar()
    return etag


@pytest.mark.parametrize(
    ("says", "counted"),
    [
        ({}, "not_story"),
        ({"canonical": "https://news.example/login"}, "not_story"),
        ({"canonical": "https://news.example/tech", "published": "2026-03-01"}, "not_story"),
        ({"canonical": BRIDGE}, "new_version"),
        ({"published": "2026-03-01"}, "new_version"),
        ({"headline": "The bridge"}, "new_version"),
    ],
)
def test_another_text_is_the_story_s_if_the_page_says_that_it_belongs_there(
    visitor: Visitor, says: dict[str, str], counted: str
) -> None:
    visitor.see(BRIDGE)
    assert visitor.see(BRIDGE, OTHER_TEXT, reason="revisit", **{"headline": "Sign in"} | says) == counted
    assert story_row(visitor.archive, find_story(visitor.archive, BRIDGE)).versions == 1 + (counted == "new_version")


def test_the_first_look_at_a_page_that_was_known_by_another_address_is_no_edit(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(MOVED, canonical=BRIDGE)
    with visitor.archive.catalogue.read() as connection:
        assert set(connection.execute(sa.select(schema.urls.c.edits)).scalars()) == {0}


def test_time_has_passed_is_all_that_a_plan_asks(visitor: Visitor) -> None:
    """A crawl that was off for a month looks once at what fell due in it."""
    visitor.see(BRIDGE)
    assert due(visitor, 30 * DAY) == {BRIDGE: "revisit"}
    visitor.now = START + 30 * DAY
    visitor.see(BRIDGE, reason="revisit")
    assert due(visitor, DAY) == {}
