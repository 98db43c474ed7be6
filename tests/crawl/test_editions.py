"""What an archive has of the demo newsroom after its three editions, against what its authors wrote."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.crawl.conftest import Editions, story_of
from tests.sites.stories import Text
from tests.sites.truth import StoryTruth
from tests.sites.words import ENGLISH, FRENCH, SECTIONS

from newsmorgue.cleaning import Article, BlockKind
from newsmorgue.errors import UnknownStory
from newsmorgue.stories.reading import find_story, list_stories, show_at, show_version, story_versions
from newsmorgue.stories.versions import normal_form

_READ = (BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.QUOTE, BlockKind.LIST)
_CHROME = [
    getattr(words, name)
    for words in (FRENCH, ENGLISH)
    for name in (
        *("share", "share_on", "read_also", "newsletter", "about_author", "all_their_stories", "related", "most_read"),
        *("leave_comment", "not_published", "accept", "refuse", "back_to_top", "rights", "support", "subscribe"),
    )
]
_WITHOUT_METADATA = "census"
# Nothing but the home page and its section lead to it.
_LINKED_ONLY = frozenset({"section"})
_PAGES = ("/", "/robots.txt", *(f"/{key}/" for key in SECTIONS))


def kept(editions: Editions) -> list[StoryTruth]:
    return [truth for truth in editions.site.newsroom.truth() if truth.kept]


def lines(article: Article) -> list[str]:
    return [normal_form(line) for block in article.body if block.kind in _READ for line in block.items or (block.text,)]


def written(text: Text) -> list[str]:
    return [normal_form(line) for part in text.body for line in part.text.split("\n")]


def test_every_crawl_finishes(editions: Editions) -> None:
    assert [(ended.code, ended.err) for ended in editions.crawls] == [(0, "")] * 4
    assert all("finished after" in ended.out for ended in editions.crawls)


def test_every_story_is_there_once(editions: Editions) -> None:
    expected = sorted(editions.site.url + truth.path for truth in kept(editions))
    assert sorted(row.url for row in list_stories(editions.archive)) == expected


def test_a_story_that_only_pages_link_to_is_found(editions: Editions) -> None:
    (truth,) = (truth for truth in editions.site.newsroom.truth() if truth.listed == _LINKED_ONLY)
    assert story_of(editions.archive, editions.site, truth).headline == truth.headline


def test_the_addresses_of_a_story_lead_to_it(editions: Editions) -> None:
    site = editions.site
    for alias, path in {
        "/2025/11/valley-census/": "/world/valley-that-counted-itself/",
        "/culture/festival-treteaux-annule/": "/culture/les-treteaux-d-orvane-sans-ete/",
    }.items():
        story = find_story(editions.archive, site.url + path)
        assert find_story(editions.archive, site.url + alias) == story
        assert find_story(editions.archive, (site.url + alias).removeprefix("http://")) == story
    feed = site.url + "/tech/cirrane-ecarte-sa-patronne/?utm_source=rss&utm_medium=feed&utm_campaign=le-fanal"
    cirrane = next(row for row in list_stories(editions.archive) if "cirrane" in row.url)
    assert (cirrane.url, cirrane.aliases) == (feed.partition("?")[0], (feed,))


def test_a_moved_story_keeps_its_versions_under_one_name(editions: Editions) -> None:
    moved = next(truth for truth in kept(editions) if truth.name == "treteaux")
    row = story_of(editions.archive, editions.site, moved)
    assert row.url == editions.site.url + moved.path
    assert editions.site.url + moved.aliases[0] in row.aliases
    assert row.versions == 1


def test_the_text_of_every_version_is_what_was_written(editions: Editions) -> None:
    for truth in kept(editions):
        row = story_of(editions.archive, editions.site, truth)
        for number, text in enumerate(truth.versions, 1):
            article = show_version(editions.archive, row.id, number).article
            assert (article.headline, article.summary) == (text.headline, text.summary), truth.name
            assert lines(article) == written(text), truth.name


def test_no_text_has_anything_of_what_surrounds_it(editions: Editions) -> None:
    for truth in kept(editions):
        row = story_of(editions.archive, editions.site, truth)
        article = show_at(editions.archive, row.id, None).article
        everything = f"{article.headline}\n{article.summary}\n{article.text}\n{article.markdown}"
        assert [phrase for phrase in _CHROME if phrase in everything] == [], truth.name


def test_what_the_page_says_of_a_story_is_kept_with_it(editions: Editions) -> None:
    for truth in kept(editions):
        row = story_of(editions.archive, editions.site, truth)
        article = show_at(editions.archive, row.id, None).article
        assert article.authors == truth.authors, truth.name
        assert article.language == truth.language, truth.name
        if truth.name != _WITHOUT_METADATA:
            assert article.published_at == truth.published, truth.name


def test_a_date_that_only_readers_see_is_kept_too(editions: Editions) -> None:
    truth = next(truth for truth in kept(editions) if truth.name == _WITHOUT_METADATA)
    row = story_of(editions.archive, editions.site, truth)
    assert show_at(editions.archive, row.id, None).article.published_at == truth.published


def test_versions_and_sightings_are_as_the_editions_showed_them(editions: Editions) -> None:
    """Each edition was looked at once; the second crawl of the first found nothing new, and so looked at no story."""
    for truth in kept(editions):
        row = story_of(editions.archive, editions.site, truth)
        versions = story_versions(editions.archive, row.id)
        shown = [number for number in truth.shown if number]
        assert {version.number: version.sightings for version in versions} == Counter(shown), truth.name


def test_a_text_that_returns_is_the_old_version_again(editions: Editions) -> None:
    truth = next(truth for truth in kept(editions) if truth.name == "ister")
    row = story_of(editions.archive, editions.site, truth)
    first, second = story_versions(editions.archive, row.id)
    assert truth.shown == (1, 2, 1)
    assert first.first_seen < second.first_seen == second.last_seen < first.last_seen
    moments = (first.first_seen, second.first_seen, first.last_seen)
    assert [show_at(editions.archive, row.id, moment).version.number for moment in moments] == [1, 2, 1]


def test_a_second_crawl_at_once_asks_for_lists_alone(editions: Editions) -> None:
    pages = {truth.path for truth in editions.site.newsroom.truth()}
    assert not pages & {one.path.partition("?")[0] for one in editions.requests[1]}
    assert "0 new stories, 0 new versions" in editions.crawls[1].out
    # Feeds and sitemaps have validators.
    unchanged = [one.status for one in editions.requests[1] if one.path not in _PAGES]
    assert set(unchanged) == {304}


def test_a_story_that_is_gone_stays_readable_and_is_marked(editions: Editions) -> None:
    gone = next(truth for truth in kept(editions) if truth.status == 410)
    row = story_of(editions.archive, editions.site, gone)
    assert row.gone_since is not None
    assert lines(show_at(editions.archive, row.id, None).article) == written(gone.versions[-1])
    others = [other for other in list_stories(editions.archive) if other.id != row.id]
    assert [other.url for other in others if other.gone_since] == []


def test_nothing_forbidden_is_asked_for(editions: Editions) -> None:
    asked = {one.path for one in editions.site.log}
    assert [path for path in asked if path.startswith(("/private/", "/wp-admin/", "/pub/"))] == []
    assert [one.path for one in editions.site.log if "newsmorgue/" not in one.headers["user-agent"]] == []
    assert {one.headers.get("cookie") for one in editions.site.log} == {None}


def test_nothing_but_stories_is_kept_as_a_story(editions: Editions) -> None:
    for path in ("/", "/about", "/legal", "/login", "/tech/", "/tech/page-retiree/"):
        with pytest.raises(UnknownStory):
            find_story(editions.archive, editions.site.url + path)


def test_every_warc_holds_before_other_tools(editions: Editions) -> None:
    warcs = sorted((editions.morgue.folder / "archive").rglob("*.warc.gz"))
    assert len(warcs) == 4
    subprocess.run(["gzip", "--test", *warcs], check=True)
    checker = Path(sys.executable).with_name("warcio")
    checked = subprocess.run([checker, "check", "-v", *warcs], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "digest pass" in checked.stdout


def test_verify_finds_nothing(editions: Editions) -> None:
    ended = editions.morgue.ask("verify")
    assert (ended.code, ended.err) == (0, "")
    assert "0 problems" in ended.out
