"""Which story a page belongs to, in cases made by hand."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.archive.harness import BRIDGE, HOME, OTHER_TEXT, START, TEXT, Visitor, column, open_archive

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.errors import UnknownStory
from newsmorgue.stories.filing import SplitStory
from newsmorgue.stories.identity import Address, same_site
from newsmorgue.stories.reading import find_story, list_stories, show_at, story_row, story_versions
from newsmorgue.urls import address_key

NEW = "https://news.example/2026/bridge-reopens"
NEWER = "https://news.example/2026/bridge-reopens-at-last"
EDITED = TEXT + "\n\nNobody was hurt, the police said."


@pytest.fixture
def visitor(tmp_path: Path, catalogue_url: str) -> Visitor:
    return Visitor(open_archive(tmp_path, catalogue=catalogue_url))


def _story(visitor: Visitor, url: str) -> str:
    return find_story(visitor.archive, url)


def _urls(visitor: Visitor) -> list[str]:
    return sorted(row.url for row in list_stories(visitor.archive))


# -- spellings -----------------------------------------------------------------------------------------------------


def test_spellings_of_one_address_are_one_story(visitor: Visitor) -> None:
    assert visitor.see("http://www.news.example/2026/bridge/?utm_source=feed&utm_medium=rss#top") == "new_story"
    assert visitor.see("https://news.example/2026/bridge") == "unchanged"
    assert visitor.see("https://news.example:443/2026/bridge?fbclid=1", EDITED) == "new_version"
    for spelling in ("news.example/2026/bridge", "HTTPS://WWW.NEWS.EXAMPLE/2026/%62ridge", BRIDGE + "?gclid=7#x"):
        assert _story(visitor, spelling) == _story(visitor, BRIDGE)
    assert len(list(list_stories(visitor.archive))) == 1


def test_a_parameter_that_names_another_page_is_another_story(visitor: Visitor) -> None:
    visitor.see("https://news.example/read?id=1")
    assert visitor.see("https://news.example/read?id=2", OTHER_TEXT, headline="Schools") == "new_story"
    assert _story(visitor, "https://news.example/read?id=1") != _story(visitor, "https://news.example/read?id=2")


def test_the_spellings_of_lists_are_aliases(visitor: Visitor) -> None:
    visitor.mention(f"{BRIDGE}?utm_source=feed")
    visitor.see(BRIDGE)
    visitor.mention(f"{BRIDGE}?utm_source=mail", found_in="letter")
    aliases = story_row(visitor.archive, _story(visitor, BRIDGE)).aliases
    assert set(aliases) == {f"{BRIDGE}?utm_source=feed", f"{BRIDGE}?utm_source=mail"}


def test_an_unknown_address_is_said(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    for unknown in ("https://news.example/else", "http://[bad", "nothing", ""):
        with pytest.raises(UnknownStory):
            _story(visitor, unknown)


# -- redirects -----------------------------------------------------------------------------------------------------


def test_a_moved_story_keeps_its_id(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    story = _story(visitor, BRIDGE)
    assert visitor.redirect(BRIDGE, f"{NEW}?utm_source=redirect", reason="recheck") == "redirected"
    assert visitor.see(NEW, EDITED) == "new_version"
    row = story_row(visitor.archive, story)
    assert (row.id, row.url, row.versions) == (story, NEW, 2)
    assert {BRIDGE, f"{NEW}?utm_source=redirect"} <= set(row.aliases)
    assert _story(visitor, BRIDGE) == _story(visitor, NEW) == story


def test_a_story_that_moved_by_several_hops_keeps_its_id(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    story = _story(visitor, BRIDGE)
    visitor.redirect(BRIDGE, NEW)
    visitor.redirect(NEW, NEWER, hops=1)
    assert visitor.see(NEWER) == "unchanged"
    assert {_story(visitor, url) for url in (BRIDGE, NEW, NEWER)} == {story}


def test_an_address_that_was_never_a_story_and_leads_to_one_is_its_alias(visitor: Visitor) -> None:
    visitor.redirect("https://news.example/short", BRIDGE)
    visitor.see(BRIDGE)
    visitor.redirect("https://news.example/shorter", BRIDGE)
    assert _story(visitor, "news.example/short") == _story(visitor, "news.example/shorter") == _story(visitor, BRIDGE)


def test_two_addresses_of_one_story_become_one_when_the_older_redirects(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(NEW, EDITED)
    older = _story(visitor, BRIDGE)
    assert _story(visitor, NEW) != older
    visitor.redirect(BRIDGE, NEW, reason="recheck")
    visitor.see(NEW, EDITED)
    assert _story(visitor, BRIDGE) == _story(visitor, NEW) == older
    assert story_row(visitor.archive, older).versions == 2


def test_a_redirect_to_something_else_does_not_merge(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    story = _story(visitor, BRIDGE)
    visitor.redirect(BRIDGE, "https://news.example/topics/bridges")
    assert visitor.see("https://news.example/topics/bridges", OTHER_TEXT, headline="Topics") == "new_story"
    assert _story(visitor, BRIDGE) == story != _story(visitor, "https://news.example/topics/bridges")
    assert show_at(visitor.archive, story, None).article.text == TEXT


def test_redirects_in_a_circle_end(visitor: Visitor) -> None:
    visitor.redirect(BRIDGE, NEW)
    visitor.redirect(NEW, BRIDGE, hops=1)
    visitor.see(BRIDGE)
    assert visitor.redirect(BRIDGE, BRIDGE) == "failed"
    assert visitor.redirect(NEW, NEWER, hops=10) == "failed"


# -- canonical URLs ------------------------------------------------------------------------------------------------


def test_a_canonical_that_agrees_merges_into_the_older(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    visitor.see(NEW, EDITED)
    visitor.see(BRIDGE)
    older, younger = _story(visitor, BRIDGE), _story(visitor, NEW)
    visitor.see(NEW, EDITED + "\n\nAnd more.", canonical=BRIDGE)
    assert _story(visitor, NEW) == _story(visitor, younger) == _story(visitor, BRIDGE) == older
    assert column(visitor.archive, schema.stories.c.merged_into, schema.stories.c.id == younger) == [older]
    versions = story_versions(visitor.archive, older)
    assert [version.first_seen - START for version in versions] == [timedelta(minutes=n) for n in (1, 2, 4)]
    assert [version.story for version in versions] == [older, younger, older]
    assert show_at(visitor.archive, older, START + timedelta(minutes=2)).article.text == EDITED
    assert show_at(visitor.archive, older, START + timedelta(minutes=3)).article.text == TEXT
    assert _urls(visitor) == [BRIDGE]


def test_a_merge_can_be_undone(visitor: Visitor) -> None:
    test_a_canonical_that_agrees_merges_into_the_older(visitor)
    (younger,) = column(visitor.archive, schema.stories.c.id, schema.stories.c.merged_into.is_not(None))
    visitor.settle(SplitStory(younger, "by hand"))
    assert _story(visitor, NEW) == younger != _story(visitor, BRIDGE)
    assert [len(story_versions(visitor.archive, _story(visitor, url))) for url in (BRIDGE, NEW)] == [2, 1]


def test_what_was_split_stays_split_whatever_its_pages_say(visitor: Visitor) -> None:
    test_a_merge_can_be_undone(visitor)
    older, younger = _story(visitor, BRIDGE), _story(visitor, NEW)
    visitor.see(NEW, EDITED + "\n\nAnd more.", canonical=BRIDGE)
    visitor.see(BRIDGE, EDITED + "\n\nAnd more.", canonical=NEW)
    visitor.redirect(NEW, BRIDGE)
    visitor.see(BRIDGE, EDITED + "\n\nAnd more.")
    assert (_story(visitor, BRIDGE), _story(visitor, NEW)) == (older, younger)


def test_a_canonical_that_tells_something_else_is_not_believed(visitor: Visitor) -> None:
    visitor.see(BRIDGE)
    assert visitor.see(NEW, OTHER_TEXT, headline="Schools", canonical=BRIDGE) == "new_story"
    assert _story(visitor, NEW) != _story(visitor, BRIDGE)
    assert story_row(visitor.archive, _story(visitor, NEW)).url == NEW
    assert visitor.see(NEW, OTHER_TEXT, headline="Schools", canonical=BRIDGE) == "unchanged"


def test_an_equal_headline_is_enough_to_agree(visitor: Visitor) -> None:
    visitor.see(BRIDGE, TEXT, headline="Storm  closes THE bridge")
    visitor.see(NEW, OTHER_TEXT, headline="Storm closes the bridge", canonical=BRIDGE)
    assert _story(visitor, NEW) == _story(visitor, BRIDGE)


@pytest.mark.parametrize(
    ("claimed", "role"),
    [
        (HOME, Role.HOME),
        ("https://news.example", None),
        ("https://news.example/?utm_source=x", None),
        ("https://news.example/feed.xml", Role.FEED),
        ("https://news.example/sitemap.xml", Role.SITEMAP),
    ],
)
def test_a_home_page_or_list_is_no_canonical(visitor: Visitor, claimed: str, role: Role | None) -> None:
    if role:
        visitor.mention(claimed, role=role)
    visitor.see(BRIDGE, canonical=claimed)
    visitor.see(NEW, OTHER_TEXT, headline="Schools", canonical=claimed)
    assert _urls(visitor) == [BRIDGE, NEW]
    with pytest.raises(UnknownStory):
        _story(visitor, claimed)


def test_a_section_that_every_story_names_is_no_story(visitor: Visitor) -> None:
    section = "https://news.example/politics"
    visitor.see(BRIDGE, canonical=section)
    visitor.no_story(section)
    visitor.see(NEW, OTHER_TEXT, headline="Schools", canonical=section)
    assert _urls(visitor) == [BRIDGE, NEW]
    with pytest.raises(UnknownStory):
        _story(visitor, section)


def test_a_foreign_canonical_is_kept_as_where_it_came_from(visitor: Visitor) -> None:
    visitor.see(BRIDGE, canonical="https://agency.example/original")
    row = story_row(visitor.archive, _story(visitor, BRIDGE))
    assert (row.url, row.syndicated_from) == (BRIDGE, "https://agency.example/original")
    with pytest.raises(UnknownStory):
        _story(visitor, "https://agency.example/original")


@pytest.mark.parametrize(
    "claimed",
    [
        "http://[bad/",
        "https://news.example:99999/a",
        "mailto:desk@news.example",
        "javascript:1",
        "https://news.example/a\0b",
        "https://a\0b/",
        "https://a/\ud800",
    ],
)
def test_a_canonical_that_is_no_web_address_is_passed_over(visitor: Visitor, claimed: str) -> None:
    assert visitor.see(BRIDGE, canonical=claimed) == "new_story"
    assert story_row(visitor.archive, _story(visitor, BRIDGE)).syndicated_from is None


def test_a_claim_on_a_page_not_yet_seen_waits_for_it(visitor: Visitor) -> None:
    visitor.see(f"{BRIDGE}/amp", canonical=BRIDGE)
    story = _story(visitor, f"{BRIDGE}/amp")
    assert story_row(visitor.archive, story).url == f"{BRIDGE}/amp"
    assert _story(visitor, BRIDGE) == story
    assert column(visitor.archive, schema.urls.c.reason, schema.urls.c.url == BRIDGE) == ["new"]
    assert visitor.see(BRIDGE) == "unchanged"
    assert _story(visitor, BRIDGE) == _story(visitor, f"{BRIDGE}/amp") == story
    assert story_row(visitor.archive, story).url == BRIDGE


def test_a_claim_on_a_page_that_then_tells_something_else_is_dropped(visitor: Visitor) -> None:
    visitor.see(f"{BRIDGE}/amp", canonical=BRIDGE)
    visitor.see(BRIDGE, OTHER_TEXT, headline="Schools")
    assert _story(visitor, BRIDGE) != _story(visitor, f"{BRIDGE}/amp")
    visitor.see(f"{BRIDGE}/amp", canonical=BRIDGE)
    assert _urls(visitor) == [BRIDGE, f"{BRIDGE}/amp"]


def test_several_claimants_become_one_story(visitor: Visitor) -> None:
    for copy in ("amp", "print", "mobile"):
        visitor.see(f"{BRIDGE}/{copy}", canonical=BRIDGE)
    visitor.see(BRIDGE, EDITED)
    stories = {_story(visitor, url) for url in (BRIDGE, *(f"{BRIDGE}/{copy}" for copy in ("amp", "print", "mobile")))}
    assert len(stories) == 1
    assert _urls(visitor) == [BRIDGE]
    assert len(column(visitor.archive, schema.stories.c.id, schema.stories.c.merged_into.is_(None))) == 1


# -- what one site is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("https://example.org/a", "http://www.example.org/b", True),
        ("https://example.org/a", "https://m.example.org:8443/b", True),
        ("https://example.org/a", "https://org/b", False),
        ("https://one.co.uk/a", "https://two.co.uk/a", False),
        ("https://news.example/a", "https://partner.test/b", True),
        ("https://news.example/a", "https://other.test/b", False),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b", True),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:9000/b", False),
        ("http://192.0.2.1:8000/a", "http://192.0.2.1:9000/b", False),
        ("http://[2001:db8::1]/a", "http://[2001:db8::1]:81/b", False),
        ("http://intranet/a", "http://intranet:81/b", False),
        ("https://news.example/a", "https://[bad/", False),
    ],
)
def test_same_site(here: str, there: str, same: bool) -> None:
    assert same_site(Address("demo", frozenset({"partner.test"}), here, address_key(here)), there) is same


def test_a_host_that_the_source_lists_may_be_canonical(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path), hosts=frozenset({"partner.test"}))
    visitor.see("https://partner.test/bridge")
    visitor.see(BRIDGE, canonical="https://partner.test/bridge")
    assert _story(visitor, BRIDGE) == _story(visitor, "https://partner.test/bridge")
