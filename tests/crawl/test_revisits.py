"""Crawls over days: what is looked at again, at what price, and what never becomes a version. Time passes in the
catalogue: everything known is made to have happened earlier."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.cli.command import Ended, Morgue
from tests.crawl.conftest import opened, served_today, story_of
from tests.sites.newsroom import Response
from tests.sites.scripted import Answer, feed_of, page_of, scripted, story
from tests.sites.server import Exchange, Site, serve

from newsmorgue.archive import schema
from newsmorgue.stories.reading import StoryRow

CIRRANE = "/tech/cirrane-ecarte-sa-patronne/"
HTML = "text/html; charset=UTF-8"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PROSE = (
    "<p>Vous lisez ce journal depuis longtemps et nous vous en remercions. Pour aller plus loin, identifiez-vous avec "
    "l'adresse que vous nous avez donnée, ou créez un compte en quelques instants ; il vous sera demandé votre accord "
    "pour mesurer notre audience, conserver vos préférences et vous montrer des annonces qui vous ressemblent.</p>"
) * 5
TEASERS = "".join(
    f"<article><h2><a href='/tech/{number}'>La nouvelle numéro {number} du jour en quelques mots</a></h2>"
    f"<time datetime='2026-11-0{number}'>le {number}</time><p>Ce que l'on en sait ce matin, et ce que l'on ignore "
    f"encore, sera raconté dans ces colonnes par nos correspondants de la région {number}.</p></article>"
    for number in range(1, 10)
)
IN_ITS_PLACE = {
    "a consent wall": "<title>Avant de continuer</title><h1>Avant de continuer</h1>" + PROSE,
    "a log-in page": "<title>Se connecter</title><h1>Se connecter</h1>" + PROSE,
    "a log-in page that names its address": (
        "<title>Se connecter</title><link rel=canonical href='/login'><h1>Se connecter</h1>" + PROSE
    ),
    "a listing": "<title>Tech</title><link rel=canonical href='/tech/'><h1>Tech</h1>" + TEASERS,
    "a soft 404": "<title>Page introuvable</title><h1>Page introuvable</h1><p>Essayez une recherche.</p>",
    "a long soft 404": "<title>Oups</title><h1>Oups</h1>" + PROSE,
}


LOGIN = Response(302, HTML, b"", (("Location", "/login"),))


def page(body: str, status: int = 200) -> Response:
    """A page of the site with just this on it."""
    whole = f"<!doctype html><html lang=fr><head><meta charset=utf-8></head><body>{body}</body></html>"
    return Response(status, HTML, whole.encode())


@dataclass
class Days:
    """One archive of the newsroom, crawled again and again."""

    morgue: Morgue
    site: Site

    def crawl(self, after: timedelta) -> tuple[Ended, list[Exchange]]:
        """A crawl so long after the last; how it ended, and its requests for the story's page."""
        self._pass(after)
        before = len(self.site.log)
        ended = self.morgue("crawl", self.site.url, "--delay", "0")
        return ended, [one for one in self.site.log[before:] if one.path.partition("?")[0] == CIRRANE]

    def _pass(self, span: timedelta) -> None:
        count = span // timedelta(microseconds=1)
        c = schema.urls.c
        earlier = {each: each - count for each in (c.found_at, c.outcome_at, c.seen_at, c.edited_at, c.due_at)}
        with opened(self.morgue) as archive, archive.catalogue.write() as connection:
            connection.execute(sa.update(schema.urls).values(earlier))

    @property
    def stories(self) -> dict[str, StoryRow]:
        """The stories that may be kept, as they are known now, by their paths."""
        kept = [truth for truth in self.site.newsroom.truth() if truth.kept]
        with opened(self.morgue) as archive:
            return {truth.path: story_of(archive, self.site, truth) for truth in kept}


@pytest.fixture
def days(morgue: Morgue) -> Iterator[Days]:
    """The newsroom, crawled once."""
    with serve(served_today()) as site:
        days = Days(morgue, site)
        assert days.crawl(timedelta())[0].code == 0
        yield days


def test_a_young_story_is_asked_for_with_its_validators_and_304_is_a_sighting(days: Days) -> None:
    answer = days.site.newsroom.respond(CIRRANE, days.site.url)
    days.site.newsroom.overrides[CIRRANE] = Response(200, HTML, answer.body, modified=days.site.newsroom.now)
    assert days.crawl(5 * MINUTE)[1] == []
    _, asked = days.crawl(5 * HOUR)
    assert [(one.status, "if-none-match" in one.headers) for one in asked] == [(200, False)]
    seen = days.stories[CIRRANE].last_seen
    ended, asked = days.crawl(5 * HOUR)
    assert ended.code == 0
    assert [(one.status, "if-none-match" in one.headers, "if-modified-since" in one.headers) for one in asked] == [
        (304, True, True)
    ]
    assert (days.stories[CIRRANE].versions, days.stories[CIRRANE].last_seen > seen) == (1, True)
    with opened(days.morgue) as archive, archive.catalogue.read() as connection:
        c = schema.captures.c
        kinds = sa.select(c.kind, c.status).where(c.url == days.site.url + CIRRANE).order_by(c.timestamp)
        assert list(map(tuple, connection.execute(kinds))) == [("response", 200), ("response", 200), ("revisit", 304)]


def test_edits_walls_and_pages_that_are_gone_are_told_apart(days: Days) -> None:
    """Each story has something else in its place; then all are back."""
    newsroom, before = days.site.newsroom, days.stories
    edited, (gone, *paths) = CIRRANE, (path for path in before if path != CIRRANE)
    answer = newsroom.respond(edited, days.site.url)
    newsroom.overrides[edited] = Response(200, HTML, answer.body.replace(b"Cirrane", b"Sirrane"))
    newsroom.overrides[gone] = page("<h1>Page introuvable</h1>", 404)
    instead = {**{name: page(body) for name, body in IN_ITS_PLACE.items()}, "a redirect to the log-in": LOGIN}
    newsroom.overrides |= dict(zip(paths, instead.values(), strict=False))
    ended, _ = days.crawl(20 * DAY)
    asked = {one.path.partition("?")[0] for one in days.site.log[-40:]}
    assert asked >= {edited, gone, *paths}
    assert "0 new stories, 1 new version," in ended.out
    assert days.stories[edited].versions == 2
    assert (days.stories[gone].gone_since is not None, days.stories[gone].versions) == (True, 1)
    for name, path in zip(instead, paths, strict=False):
        assert days.stories[path] == before[path], name
    newsroom.overrides.clear()
    days.crawl(30 * DAY)
    after = days.stories
    assert {path for path in before if after[path].last_seen == before[path].last_seen} == set()
    assert {row.versions for path, row in after.items() if path != edited} == {1}
    assert {row.gone_since for row in after.values()} == {None}


def test_recheck_looks_also_for_what_is_behind_something_else(morgue: Morgue) -> None:
    names = ("home", "login", "error", "moved", "busy")
    paths = {name: f"/world/2026/01/30/the-story-{name}" for name in names}
    stories = {paths[name]: story(f"The story {name}") for name in names}
    moved = f"{paths['moved']}-again"
    with scripted({"/": page_of(), "/feed.xml": feed_of(*stories), **stories}) as site:
        feeds = f'feeds = ["{site.url}/feed.xml"]\n'
        (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{site.url}/"\n{feeds}')
        assert morgue("crawl", "demo").code == 0
        site.answers |= {
            paths["home"]: Answer(301, b"", {"Location": "/"}),
            paths["login"]: Answer(302, b"", {"Location": "/login"}),
            paths["error"]: Answer(200, b"<title>Page not found</title><h1>Page not found</h1><p>Sorry.</p>"),
            paths["moved"]: Answer(301, b"", {"Location": moved}),
            moved: stories[paths["moved"]],
            paths["busy"]: Answer(503),
        }
        assert morgue("crawl", "demo", "--recheck").code == 4
        site.answers |= stories
        site.answers[paths["moved"]] = Answer(301, b"", {"Location": moved})
        before = len(site.visits)
        ended = morgue("crawl", "demo", "--recheck")
        assert "4 unchanged" in ended.out
        assert sorted(set(site.visits[before:]) & {*stories, moved}) == sorted(
            (paths["home"], paths["login"], paths["error"], moved)
        )


def test_validators_of_what_the_archive_does_not_have_are_forgotten(morgue: Morgue) -> None:
    """Of a page whose address is spelled in another way now, and of one that was lost with a disk: with them the server
    would say 304 to what nobody has, until the page changes."""
    moved, lost = (f"/world/2026/01/30/{name}" for name in ("bridge", "ferry"))
    answers = {path: Answer(200, story(path).body, {"ETag": '"1"'}) for path in (moved, lost)}
    with scripted({"/": page_of(), "/feed.xml": feed_of(moved, lost), **answers}) as site:
        feeds = f'feeds = ["{site.url}/feed.xml"]\n'
        (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{site.url}/"\n{feeds}')
        assert morgue("crawl", "demo").code == 0
        site.answers |= {moved: Answer(301, b"", {"Location": f"{moved}/"}), f"{moved}/": answers[moved]}
        c = schema.captures.c
        with opened(morgue) as archive, archive.catalogue.write() as connection:
            connection.execute(sa.delete(schema.captures).where(c.url == site.url + lost))
        ended = morgue("crawl", "demo", "--recheck")
        assert (ended.code, ended.err) == (0, "")
        assert "0 new versions, 2 unchanged" in ended.out
        asked = [(path, headers.get("if-none-match")) for path, headers in zip(site.visits, site.headers, strict=True)]
        again = [one for one in asked if one[0].startswith("/world/")][2:]
        assert sorted(again, key=str) == [(moved, '"1"'), (f"{moved}/", None), (lost, '"1"'), (lost, None)]
