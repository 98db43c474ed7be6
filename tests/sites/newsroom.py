"""The demo newsroom itself: what each address answers in each of its editions.

Between editions one story changes by the minute, one goes from A to B and back to A, one headline changes
without any date saying so, one story moves, one vanishes, and new ones appear. All others only change what
surrounds them, which is different at every request.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha1
from itertools import count
from urllib.parse import urlsplit

from tests.sites import feeds
from tests.sites.chrome import Visit, slug
from tests.sites.pictures import picture
from tests.sites.stories import State, load_stories
from tests.sites.theme import STYLE, listing_page, plain_page, story_page
from tests.sites.timetable import WRITTEN, Clock, Timetable
from tests.sites.truth import StoryTruth, story_truth
from tests.sites.words import SECTIONS

_HTML = "text/html; charset=UTF-8"
_XML = "application/xml; charset=UTF-8"

SOFT_404 = "/tech/page-retiree/"
DEAD_LINK = "/monde/ancien-dossier/"
ALWAYS_GONE = "/monde/communique-supprime/"
_ERRORS = {"fr": "Page introuvable", "en": "Page not found"}
_ABOUT = (
    "Le Fanal et The Lantern sont un seul journal inventé, en deux langues, dont les événements, les lieux "
    "et les personnes n'existent pas. Il sert à essayer des archives de presse."
)
_PLAIN = {
    "/about": ("Qui sommes-nous ?", _ABOUT),
    "/legal": ("Mentions légales", "Le Fanal, société des lecteurs, 3 quai des Drapiers, Orvane."),
    "/cookies/": (
        "Politique de cookies",
        "Nous utilisons des cookies pour mesurer notre audience. Vous pouvez les refuser.",
    ),
    "/login": ("Se connecter", "Saisissez votre adresse e-mail et votre mot de passe pour lire la suite."),
}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer before HTTP: ``modified`` is given where it has validators and can answer 304."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    modified: datetime | None = None

    @property
    def etag(self) -> str | None:
        """The entity-tag, for answers that have validators."""
        return f'"{sha1(self.body).hexdigest()[:16]}"' if self.modified else None


class Newsroom:
    """The site in one of its editions.

    Its dates are those written in the stories, of March 2026; with a ``clock`` the edition goes out at its time, the
    next when :meth:`advance` is called, and every date, those of the truth too, is moved accordingly. A newsroom
    that is not ``restless`` sends the same bytes for the same page until the edition changes.
    """

    LAST = len(WRITTEN) - 1

    def __init__(self, edition: int = 0, *, clock: Clock | None = None, restless: bool = True) -> None:
        self.edition = edition
        self.overrides: dict[str, Response] = {}  # a test's own answer to a path, before any of the site's
        self._restless = restless
        self._requests = count(1)
        self._date_by(Timetable.by(clock, edition))

    def _date_by(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._stories = tuple(map(timetable.dated, load_stories()))

    @property
    def now(self) -> datetime:
        """When the edition went out."""
        return self._timetable.editions[self.edition]

    def advance(self) -> int:
        """Go on to the next edition; returns its number. Raises IndexError after the last."""
        if self.edition >= self.LAST:
            raise IndexError(f"edition {self.LAST} is the last")
        self._date_by(self._timetable.begin(self.edition + 1))
        self.edition += 1
        return self.edition

    def truth(self, edition: int | None = None) -> list[StoryTruth]:
        """What is to be known of every story published up to an edition (the present one unless told)."""
        known = (story_truth(story, self.edition if edition is None else edition) for story in self._stories)
        return [truth for truth in known if truth]

    @property
    def states(self) -> tuple[State, ...]:
        """The stories that the edition shows, the newest first."""
        shown = (story.at(self.edition) for story in self._stories)
        return tuple(
            sorted((one for one in shown if one and not one.gone), key=lambda one: one.published, reverse=True)
        )

    @property
    def pages(self) -> tuple[str, ...]:
        """Every address that answers 200 with a page or file of its own, tag and author pages left out."""
        return (
            "/",
            *(f"/{key}/" for key in SECTIONS),
            *_PLAIN,
            SOFT_404,
            *self._files(""),
            *(state.path for state in self.states),
        )

    def respond(self, target: str, base: str) -> Response:
        """The answer to a GET of ``target`` (path and query) on the site at ``base`` (no last slash)."""
        path = urlsplit(target).path
        if path in self.overrides:
            return self.overrides[path]
        visit = self._visit(base)
        return (
            self._file(path, base)
            or self._moved(target, base)
            or self._story(path, visit)
            or self._listing(path, visit)
            or self._other(path, visit)
        )

    def _visit(self, base: str) -> Visit:
        number = next(self._requests) if self._restless else 1
        return Visit(base, number, self.now.date(), self._listed("section"))

    def _listed(self, where: str, language: str | None = None) -> tuple[State, ...]:
        return tuple(one for one in self.states if where in one.listed and language in (None, one.language))

    def _files(self, base: str) -> dict[str, Callable[[], tuple[str, bytes]]]:
        return {
            "/robots.txt": lambda: ("text/plain; charset=UTF-8", feeds.robots(base)),
            "/feed/": lambda: (
                "application/rss+xml; charset=UTF-8",
                feeds.rss(self._listed("feed", "fr"), base, self.now),
            ),
            "/en/atom.xml": lambda: (
                "application/atom+xml; charset=UTF-8",
                feeds.atom(self._listed("feed", "en"), base, self.now),
            ),
            "/sitemap.xml": lambda: (_XML, feeds.sitemap_index(base, self.now)),
            "/post-sitemap.xml": lambda: (_XML, feeds.sitemap(self._listed("sitemap"), base)),
            "/news-sitemap.xml.gz": lambda: (
                "application/gzip",
                feeds.news_sitemap(self._listed("sitemap"), base, self.now),
            ),
            "/wp-content/themes/fanal/style.css": lambda: ("text/css; charset=UTF-8", STYLE),
        }

    def _file(self, path: str, base: str) -> Response | None:
        """Feeds, sitemaps, robots.txt, style, pictures: the same throughout an edition, with validators."""
        name = path.removeprefix("/wp-content/uploads/").removesuffix(".svg")
        if path == f"/wp-content/uploads/{name}.svg" and any(story.name == name for story in self._stories):
            return Response(200, "image/svg+xml", picture(name), modified=self._opened)
        make = self._files(base).get(path)
        return Response(200, *make(), modified=self.now) if make else None

    @property
    def _opened(self) -> datetime:
        return self._timetable.editions[0]

    def _moved(self, target: str, base: str) -> Response | None:
        to = next(
            (state.path for state in self.states if target in state.aliases or urlsplit(target).path in state.aliases),
            None,
        )
        if target.startswith("/pub/"):
            return Response(302, _HTML, b"", (("Location", f"{base}/about"),))
        return Response(301, _HTML, b"", (("Location", base + to),)) if to else None

    def _story(self, path: str, visit: Visit) -> Response | None:
        state = next((state for state in self.states if state.path == path), None)
        return Response(200, _HTML, story_page(state, visit).encode(), _policy(state)) if state else None

    def _listing(self, path: str, visit: Visit) -> Response | None:
        listed = self._listed("section")
        what, _, name = path.strip("/").partition("/")
        if path == "/":
            return _page(listing_page("Le Fanal / The Lantern", listed, "fr", visit, _archives(visit.base)))
        if what in SECTIONS and not name:
            return _section(what, (one for one in listed if one.section == what), visit)
        if what in ("tag", "author"):
            return _labelled(name, (one for one in listed if name in _labels(one, what)), visit)
        return None

    def _other(self, path: str, visit: Visit) -> Response:
        if path in _PLAIN:
            # The one page that never changes, chrome and all, and says so with validators.
            still = replace(visit, number=1, day=self._opened.date(), stories=())
            page = plain_page(*_PLAIN[path], "fr", still)
            return Response(200, _HTML, page.encode(), modified=self._opened)
        status = 200 if path == SOFT_404 else 410 if path == ALWAYS_GONE or self._is_gone(path) else 404
        language = "en" if path.startswith("/world/") else "fr"
        return _page(plain_page(_ERRORS[language], "Essayez une recherche ? 404", language, visit), status)

    def _is_gone(self, path: str) -> bool:
        states = (story.at(self.edition) for story in self._stories)
        return any(state.gone and state.path == path for state in states if state)


def _page(html: str, status: int = 200) -> Response:
    return Response(status, _HTML, html.encode())


def _policy(state: State) -> tuple[tuple[str, str], ...]:
    """The headers that reserve a page: Google's X-Robots-Tag, the W3C group's TDM Reservation Protocol."""
    if state.policy == "noarchive-header":
        return (("X-Robots-Tag", "noarchive"),)
    return (("tdm-reservation", "1"),) if state.policy == "tdm-header" else ()


def _section(key: str, states: Iterable[State], visit: Visit) -> Response:
    return _page(listing_page(SECTIONS[key], states, "en" if key == "world" else "fr", visit))


def _labelled(name: str, states: Iterable[State], visit: Visit) -> Response | None:
    found = tuple(states)
    return _page(listing_page(name.strip("/").replace("-", " "), found, found[0].language, visit)) if found else None


def _labels(state: State, what: str) -> set[str]:
    return {slug(label) + "/" for label in (state.tags if what == "tag" else state.authors)}


def _archives(base: str) -> str:
    """The home page's links to what is not, or no longer, where it was."""
    links = {
        "/2025/11/valley-census/": "From our archive: the valley that counted itself",
        DEAD_LINK: "Dossier : les digues",
        ALWAYS_GONE: "Communiqué",
        SOFT_404: "Notre comparateur de téléphones",
        "/about": "Qui sommes-nous ?",
        "/login": "Espace abonnés",
    }
    lines = "".join(f'<li><a href="{base}{path}">{words}</a></li>' for path, words in links.items())
    return f'<section class="archives"><h2>Archives</h2><ul>{lines}</ul></section>'
