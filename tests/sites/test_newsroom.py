"""The demo newsroom keeps its promises: other tests take theirs from it.

Expected words are written out here, as a person reads them in ``content/``; only the tables of truth are read from
the newsroom.
"""

import gzip
import http.client
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from tests.sites import newsroom as site_module
from tests.sites.newsroom import Newsroom, Response
from tests.sites.server import ADVANCE, Site, serve
from tests.sites.truth import StoryTruth

CIRRANE = "/tech/cirrane-ecarte-sa-patronne/"
ISTER = "/monde/accord-peche-golfe-ister/"
HARBOUR = "/world/harbour-tolls-scrapped/"
DAM = "/monde/barrage-de-kervals-fissure/"
OLD_FESTIVAL = "/culture/festival-treteaux-annule/"
NEW_FESTIVAL = "/culture/les-treteaux-d-orvane-sans-ete/"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"


class _Stay(HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: object) -> None:
        return None


def ask(site: Site, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers (by lower-case name) of an answer; names of asked headers have ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(site.url + path, headers=named, method=method, data=b"" if method == "POST" else None)
    try:
        with build_opener(_Stay).open(request, timeout=10) as answer:
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()}
    except HTTPError as error:
        with error:
            return error.code, error.read(), {k.lower(): v for k, v in error.headers.items()}


def truth_of(newsroom: Newsroom, name: str, edition: int | None = None) -> StoryTruth:
    return next(truth for truth in newsroom.truth(edition) if truth.name == name)


def own_words(page: bytes) -> list[str]:
    """The story's blocks as the markup of ``entry-content`` has them, found without the product."""
    (content,) = BeautifulSoup(page, "lxml").select(".entry-content")
    for box in content.select(".ad-slot, .lire-aussi, .newsletter-box"):
        box.decompose()
    return [" ".join(block.get_text().split()) for block in content.select("p, h2, li")]


def texts(page: bytes, selector: str) -> list[str]:
    return [element.get_text() for element in BeautifulSoup(page, "lxml").select(selector)]


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Newsroom()) as served:
        yield served


@pytest.fixture(params=range(Newsroom.LAST + 1))
def any_edition(request: pytest.FixtureRequest) -> Iterator[Site]:
    with serve(Newsroom(request.param)) as served:
        yield served


def test_every_page_answers_200(any_edition: Site) -> None:
    assert {path: ask(any_edition, path)[0] for path in any_edition.newsroom.pages} == dict.fromkeys(
        any_edition.newsroom.pages, 200
    )


def test_the_page_of_each_story_says_what_the_truth_says(any_edition: Site) -> None:
    for truth in any_edition.newsroom.truth():
        if truth.status == 200:
            page = ask(any_edition, truth.path)[1]
            assert own_words(page) == list(truth.blocks), truth.name
            assert texts(page, "h1") == [truth.headline]
            assert texts(page, ".chapo") == [truth.summary]
            assert texts(page, ".byline a") == list(truth.authors)
            assert f'<html lang="{truth.language}"'.encode() in page


def test_the_truth_is_what_the_authors_wrote() -> None:
    truth = truth_of(Newsroom(), "algorithme")
    assert truth.headline == "Lethé, le moteur de recherche qui oublie ce que vous avez demandé"
    assert truth.authors == ("Maud Kerlouan",)
    assert truth.published == datetime(2026, 3, 11, 6, 15, tzinfo=UTC)
    assert truth.aliases == ("/2026/03/moteur-oubli.html",)
    assert len(truth.paragraphs) == 7
    assert truth.paragraphs[2].startswith(
        "La promesse serait banale si elle n'était contrôlée. Chaque nuit, trois laboratoires tirés au sort"
    )
    assert truth.paragraphs[1].endswith(
        "cryptographe de l'institut océanographique d'Orvane, où elle chiffrait des relevés de sonar."
    )
    assert truth.blocks[4:7] == (
        "Le service repose sur trois règles, affichées en page d'accueil :",
        "aucune requête n'est écrite sur un disque ;",
        "aucune réponse ne dépend de celui qui la demande ;",
    )


def test_a_story_fetched_twice_differs_in_bytes_and_not_in_words(site: Site) -> None:
    for truth in site.newsroom.truth():
        first, second = ask(site, truth.path)[1], ask(site, truth.path)[1]
        assert first != second
        assert own_words(first) == own_words(second)


def test_chrome_names_other_stories_comments_and_a_day_at_each_visit(site: Site) -> None:
    pages = [ask(site, CIRRANE)[1] for _ in range(4)]
    for name in ("ad-slot", "related-posts", "comments-title", "reading-time", "today", "comment-list", "lire-aussi"):
        assert len({texts(page, f".{name}")[0] for page in pages}) > 1, name


def test_a_newsroom_at_rest_repeats_itself() -> None:
    with serve(Newsroom(restless=False)) as site:
        assert ask(site, CIRRANE)[1] == ask(site, CIRRANE)[1]


@pytest.mark.parametrize(
    ("path", "phrases"),
    [
        (
            CIRRANE,
            (
                "Laisser un commentaire",
                "Votre adresse e-mail ne sera pas publiée",
                "Articles similaires",
                "Lire aussi :",
                "Bouton retour en haut de la page",
                "Temps de lecture",
                "Partager cet article",
                "La lettre du matin",
                "Tout accepter",
                "À propos de l&#x27;auteur",
                "Publicité",
                "Politique de cookies",
            ),
        ),
        (
            HARBOUR,
            ("Leave a comment", "Related stories", "Back to top", "min read", "Sign up", "Accept all", "Cookie policy"),
        ),
    ],
)
def test_a_page_is_full_of_what_must_be_stripped(site: Site, path: str, phrases: tuple[str, ...]) -> None:
    page = ask(site, path)[1].decode()
    assert [phrase for phrase in phrases if phrase not in page] == []
    truth = next(one for one in site.newsroom.truth() if one.path == path)
    assert [phrase for phrase in phrases if phrase in truth.text] == []


def test_versions_over_the_editions() -> None:
    shown = {truth.name: truth.shown for truth in Newsroom().truth(2)}
    assert shown["cirrane"] == (1, 2, 3)
    assert shown["ister"] == (1, 2, 1)
    assert shown["harbour"] == (1, 2, 2)
    assert shown["treteaux"] == (1, 1, 1)
    assert shown["barrage"] == (1, 1, None)
    assert shown["tempete"] == shown["nighttrain"] == (None, 1, 1)
    assert shown["bibliobus"] == shown["seeds"] == (None, None, 1)
    assert {shown[name] for name in ("musee", "algorithme", "census")} == {(1, 1, 1)}


def test_the_boss_is_dismissed_defended_and_back(site: Site) -> None:
    seen = []
    for edition in range(3):
        page = ask(site, CIRRANE)[1].decode()
        seen.append((re.findall("<h1[^>]*>(.*?)</h1>", page)[0], re.findall('modified_time" content="(.*?)"', page)[0]))
        if edition < 2:
            site.newsroom.advance()
    assert seen == [
        ("Cirrane écarte sa patronne, Salomé Brandicourt, à la surprise générale", "2026-03-16T08:12:00+01:00"),
        (
            "Cirrane : 700 salariés menacent de partir si Salomé Brandicourt n&#x27;est pas rappelée",
            "2026-03-16T17:35:00+01:00",
        ),
        (
            "Salomé Brandicourt revient à la tête de Cirrane, vingt-quatre heures après son éviction",
            "2026-03-17T08:05:00+01:00",
        ),
    ]


def test_a_figure_goes_wrong_and_is_put_right() -> None:
    written = [truth_of(Newsroom(), "ister", edition).text for edition in range(3)]
    assert ["84 000 tonnes" in text for text in written] == [True, False, True]
    assert ["48 000 tonnes" in text for text in written] == [False, True, False]
    assert written[0] == written[2]


def test_a_headline_changes_and_no_date_says_so() -> None:
    before, after = (truth_of(Newsroom(), "harbour", edition) for edition in (0, 1))
    assert (before.headline, after.headline) == (
        "Port-Sérac scraps harbour tolls after 160 years",
        "Port-Sérac scraps harbour tolls, leaving a 22-million hole",
    )
    assert (before.published, before.modified, before.text) == (after.published, after.modified, after.text)
    assert lastmods(Newsroom(0))[HARBOUR] == lastmods(Newsroom(1))[HARBOUR]


def test_lastmod_moves_where_text_was_changed_openly() -> None:
    before, after = lastmods(Newsroom(0)), lastmods(Newsroom(1))
    assert {path for path in before.keys() & after.keys() if before[path] != after[path]} == {CIRRANE, ISTER}


def lastmods(newsroom: Newsroom) -> dict[str, str]:
    tree = ElementTree.fromstring(newsroom.respond("/post-sitemap.xml", "http://site").body)
    return {
        urlsplit(url.findtext(f"{SITEMAP}loc", "")).path: url.findtext(f"{SITEMAP}lastmod", "")
        for url in tree.iter(f"{SITEMAP}url")
    }


def test_a_story_moves(site: Site) -> None:
    assert ask(site, OLD_FESTIVAL)[0] == 200
    assert ask(site, NEW_FESTIVAL)[0] == 404
    site.newsroom.advance()
    status, _, headers = ask(site, OLD_FESTIVAL + "?utm_source=rss")
    assert (status, headers["location"]) == (301, site.url + NEW_FESTIVAL)
    assert ask(site, NEW_FESTIVAL)[0] == 200


def test_a_story_vanishes() -> None:
    with serve(Newsroom(2)) as site:
        assert ask(site, DAM)[0] == 410
        truth = truth_of(site.newsroom, "barrage")
        assert (truth.status, truth.kept, truth.why) == (410, True, "gone")
        assert truth.headline.startswith("En Basse-Ister, une fissure")
        assert DAM.encode() not in ask(site, "/post-sitemap.xml")[1] + ask(site, "/feed/")[1] + ask(site, "/")[1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/monde/ancien-dossier/", 404),
        ("/monde/communique-supprime/", 410),
        ("/tech/page-retiree/", 200),
        ("/about", 200),
        ("/login", 200),
        ("/2025/11/valley-census/", 301),
    ],
)
def test_what_the_home_page_leads_to(site: Site, path: str, status: int) -> None:
    assert f'href="{site.url}{path}"' in ask(site, "/")[1].decode()
    assert ask(site, path)[0] == status


def test_the_soft_404_says_so_with_status_200(site: Site) -> None:
    assert "Page introuvable" in ask(site, site_module.SOFT_404)[1].decode()


def test_who_may_be_kept(site: Site) -> None:
    refused = {truth.path: truth.why for truth in site.newsroom.truth() if not truth.kept}
    assert refused == {
        "/private/portrait-a-paraitre/": "robots.txt",
        "/tech/batterie-au-sel-promesse/": "noarchive meta",
        "/world/traffic-lights-that-listen/": "noarchive header",
        "/world/choir-of-the-lighthouse-keepers/": "tdm-reservation header",
    }
    assert b'<meta name="robots" content="noarchive' in ask(site, "/tech/batterie-au-sel-promesse/")[1]
    assert ask(site, "/world/traffic-lights-that-listen/")[2]["x-robots-tag"] == "noarchive"
    assert ask(site, "/world/choir-of-the-lighthouse-keepers/")[2]["tdm-reservation"] == "1"


def test_robots_forbids_the_draft_that_the_sitemap_names(site: Site) -> None:
    robots = RobotFileParser()
    robots.parse(ask(site, "/robots.txt")[1].decode().splitlines())
    assert robots.site_maps() == [f"{site.url}/sitemap.xml", f"{site.url}/news-sitemap.xml.gz"]
    assert not robots.can_fetch("morgue", f"{site.url}/private/portrait-a-paraitre/")
    assert robots.can_fetch("morgue", site.url + CIRRANE)
    assert b"/private/portrait-a-paraitre/" in ask(site, "/post-sitemap.xml")[1]
    listings = b"".join(ask(site, path)[1] for path in ("/", "/monde/", "/feed/", CIRRANE))
    assert b"/private/" not in listings


def test_feeds(any_edition: Site) -> None:
    rss = ElementTree.fromstring(ask(any_edition, "/feed/")[1])
    links = [item.findtext("link", "") for item in rss.iter("item")]
    assert all("utm_source=rss" in link for link in links)
    assert {urlsplit(link).path for link in links} == listed_paths(any_edition.newsroom, "feed", "fr")
    atom = ElementTree.fromstring(ask(any_edition, "/en/atom.xml")[1])
    entries = [link.get("href", "") for link in atom.findall(f"{ATOM}entry/{ATOM}link")]
    assert {urlsplit(link).path for link in entries} == listed_paths(any_edition.newsroom, "feed", "en")
    assert ask(any_edition, links[0].removeprefix(any_edition.url))[0] == 200


def listed_paths(newsroom: Newsroom, where: str, language: str | None = None) -> set[str]:
    return {
        truth.path
        for truth in newsroom.truth()
        if where in truth.listed and truth.status == 200 and language in (None, truth.language)
    }


def test_sitemaps(any_edition: Site) -> None:
    index = ElementTree.fromstring(ask(any_edition, "/sitemap.xml")[1])
    parts = [loc.text or "" for loc in index.iter(f"{SITEMAP}loc")]
    assert [urlsplit(part).path for part in parts] == ["/post-sitemap.xml", "/news-sitemap.xml.gz"]
    assert set(lastmods(any_edition.newsroom)) == listed_paths(any_edition.newsroom, "sitemap")
    status, body, headers = ask(any_edition, "/news-sitemap.xml.gz", Accept_Encoding="gzip")
    assert (status, headers["content-type"]) == (200, "application/gzip")
    assert "content-encoding" not in headers
    news = ElementTree.fromstring(gzip.decompress(body))
    assert {urlsplit(loc.text or "").path for loc in news.iter(f"{SITEMAP}loc")} >= {CIRRANE}


def test_some_stories_are_found_in_one_place_only() -> None:
    with serve(Newsroom(2)) as site:
        sections = b"".join(ask(site, path)[1] for path in ("/", "/monde/", "/tech/", "/world/", "/culture/"))
        sitemap = ask(site, "/post-sitemap.xml")[1] + gzip.decompress(ask(site, "/news-sitemap.xml.gz")[1])
        feeds = ask(site, "/feed/")[1] + ask(site, "/en/atom.xml")[1]
    places = {
        path: [name for name, body in (("sections", sections), ("sitemap", sitemap), ("feeds", feeds)) if path in body]
        for path in (
            b"/world/seed-vault-in-a-wine-cellar/",
            b"/culture/le-dernier-bibliobus/",
            b"/tech/le-moteur-qui-oublie/",
        )
    }
    assert list(places.values()) == [["feeds"], ["sections"], ["sitemap"]]


def test_metadata_stands_where_each_story_has_it(site: Site) -> None:
    scripts = {
        truth.name: re.findall(r'ld\+json">(.*?)</script>', ask(site, truth.path)[1].decode())
        for truth in site.newsroom.truth()
    }
    assert scripts["census"] == []
    (graph,) = map(json.loads, scripts["musee"])
    assert [thing["@type"] for thing in graph["@graph"]] == ["WebSite", "WebPage", "BreadcrumbList", "NewsArticle"]
    (article,) = map(json.loads, scripts["cirrane"])
    assert [author["name"] for author in article["author"]] == ["Maud Kerlouan", "Idriss Vasselin"]
    assert (article["@type"], article["datePublished"]) == ("NewsArticle", "2026-03-16T08:12:00+01:00")
    census = ask(site, "/world/valley-that-counted-itself/")[1].decode()
    assert "article:published_time" not in census
    assert '<meta name="author"' not in census
    assert f'<link rel="canonical" href="{site.url}/world/valley-that-counted-itself/">' in census


def test_validators_answer_304_until_the_edition_changes(site: Site) -> None:
    _, body, headers = ask(site, "/feed/")
    assert ask(site, "/feed/", If_None_Match=headers["etag"])[:2] == (304, b"")
    assert ask(site, "/feed/", If_Modified_Since=headers["last-modified"])[0] == 304
    site.newsroom.advance()
    status, later, _ = ask(site, "/feed/", If_None_Match=headers["etag"])
    assert status == 200
    assert later != body


def test_the_about_page_is_the_same_in_every_edition(site: Site) -> None:
    _, body, headers = ask(site, "/about")
    site.newsroom.advance()
    assert ask(site, "/about")[1] == body
    assert ask(site, "/about", If_None_Match=headers["etag"])[0] == 304


def test_gzip_is_sent_to_those_who_ask(site: Site) -> None:
    _, packed, headers = ask(site, "/about", Accept_Encoding="gzip, br")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == ask(site, "/about")[1]


def test_the_log_has_every_request(site: Site) -> None:
    ask(site, "/feed/?x=1", User_Agent="a-test")
    ask(site, "/nowhere", method="HEAD")
    assert [(one.method, one.path, one.status) for one in site.log] == [
        ("GET", "/feed/?x=1", 200),
        ("HEAD", "/nowhere", 404),
    ]
    assert site.requests("/feed/")[0].headers["user-agent"] == "a-test"


def test_a_comment_is_refused_and_an_idle_connection_does_not_hold_the_server() -> None:
    with serve(Newsroom()) as site:
        assert ask(site, "/wp-comments-post.php", method="POST")[0] == 405
        connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
        connection.request("GET", "/about")
        assert connection.getresponse().read()
    connection.close()


def test_the_next_edition_comes_by_hand(site: Site) -> None:
    assert [ask(site, ADVANCE, method="POST")[:2] for _ in range(3)] == [
        (200, b"edition 1\n"),
        (200, b"edition 2\n"),
        (409, b"this is the last edition\n"),
    ]
    with pytest.raises(IndexError, match="edition 2 is the last"):
        site.newsroom.advance()


def test_a_test_may_put_an_answer_of_its_own(site: Site) -> None:
    site.newsroom.overrides[CIRRANE] = Response(503, "text/plain", b"later\n", (("Retry-After", "120"),))
    status, body, headers = ask(site, CIRRANE)
    assert (status, body, headers["retry-after"]) == (503, b"later\n", "120")


def test_with_a_clock_the_news_is_of_today() -> None:
    times = iter((datetime(2030, 5, 20, 10, 0, tzinfo=UTC), datetime(2030, 5, 20, 10, 2, tzinfo=UTC)))
    newsroom = Newsroom(clock=lambda: next(times))
    opened = datetime(2030, 5, 20, 10, 0, 1, tzinfo=UTC)
    # Written 3 hours and 48 minutes before edition 0 went out at noon.
    published = opened - timedelta(hours=3, minutes=48)
    assert (newsroom.now, truth_of(newsroom, "cirrane").published) == (opened, published)
    before = lastmods(newsroom)
    newsroom.advance()
    cirrane = truth_of(newsroom, "cirrane")
    assert (cirrane.published, cirrane.modified) == (published, opened + timedelta(minutes=2))
    assert truth_of(newsroom, "tempete").published == opened + timedelta(minutes=2)
    assert {path for path in before if lastmods(newsroom).get(path, before[path]) != before[path]} == {CIRRANE, ISTER}
