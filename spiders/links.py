"""What a home or section page links to: its feeds, and what looks like a story by the shape of its address.

Only the tags that matter are cut out and parsed, so that a hostile page costs no more than its length:
libxml2 takes seconds for one tag with 40,000 attributes.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from lxml import etree

from newsmorgue.cleaning.decode import decode
from newsmorgue.spiders.mentions import Mention, absolute_address
from newsmorgue.urls import host_and_port

# Each alternative ends at its end mark or else at the end of the page, so that none is searched for twice.
_UNSEEN = re.compile(
    r"<!--(?:.*?-->|.*\Z)|<script\b(?:.*?</script|.*\Z)|<style\b(?:.*?</style|.*\Z)|<template\b(?:.*?</template|.*\Z)",
    re.S | re.I,
)
_TAG = re.compile(r"""<(?:a|link|base)\s(?:[^<>"']|"[^"<]*+"|'[^'<]*+'|["'])*+>""", re.I)
_LONGEST_TAG = 8192
_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
_COMMENTS = re.compile(r"/comments?(?:/feed|/default|\.xml|\.rss)|[?&]feed=comments", re.I)

_ASSET = re.compile(
    r"\.(?!html?$|xhtml$|php\d?$|aspx?$|jsp$|s?tm$|shtml$|cfm$|do$|ece$|amp$|cms$|ghtml$)[a-z][a-z0-9]{1,4}$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Segments of addresses that lead to lists, forms and files: a long name below them is no story's. Names that
# are also a section's (people, weather, archive) are not here.
_NO_STORY = _words(
    """
    abo abonnement abonnements account accounts advertise agb ajax api assets author authors autor
    autoren auteur auteurs autore basket bookmarks careers cart categories category cdn-cgi checkout
    comments contact contact-us contacto contatti cookies datenschutz download faq faqs feed feeds help
    hilfe impressum jobs kontakt legal licensing login logout newsletter newsletters page password
    preferences print privacy privacy-policy profile profiles redirect register registration
    registrieren rss search settings share shop sign-in sign-up signin signup sitemap static store
    subscribe subscription subscriptions suche suscripcion tag tags terms terms-of-service terms-of-use
    thema themen topic topics unsubscribe user users widget widgets wp-admin wp-content wp-json wp-login
    """
)
# Names of pages about the site itself: no stories, and no sections either.
INFORMATION = _words(
    """
    about about-us aboutus accessibility advertising advertise-with-us apps archive-search business-services careers
    chi-siamo comment-policy community-guidelines conditions-generales contact contacts contattaci contactez-nous
    cookie-policy cookies corrections-policy datenschutz donate editorial-policy events-calendar faq feedback games
    gdpr guidelines horoscope horoskop impressum imprint jobs kontakt kundenservice legal live-tv masthead
    mediadaten mentions-legales mission newsletters our-team puzzles qui-sommes-nous quienes-somos raetsel rss-feeds
    shop sitemap sobre-nosotros staff support tv-programm ueber-uns weather werben wetter who-we-are work-with-us
    """
)
_ADVERTS = _words(
    "ad ads adclick adclicks adserver advert adverts adtrack banner banners doubleclick openx promo-click pub pubs"
)
_STORY_FOLDER = _words(
    """
    a amp art article articles artikel articolo articulo artigo aktuell live news nieuws nota noticia
    noticias notizia nyheter p post posts story stories video videos
    """
)
_MONTH = r"(?:0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE_FOLDER = re.compile(rf"/(?:19|20)\d\d[/-]?{_MONTH}(?:[/-]?(?:0?[1-9]|[12]\d|3[01]))?/(?=[^/]*[^/\d])")
_LONG_NUMBER = re.compile(r"(?<!\d)\d{5,}(?!\d)")
_OPAQUE = re.compile(r"(?=.*\d)[a-z0-9]{8,}(?:-[a-z0-9]+)*")
_ID_PARAMETERS = frozenset(
    {
        *("id", "p", "aid", "nid", "sid", "idx", "idxno", "artid", "article_id", "articleid", "articleno", "autono"),
        *("news_id", "newsid", "pk_no", "serialno", "story", "storyid"),
    }
)


def feeds_linked_from(html: bytes, url: str) -> list[str]:
    """The feeds a page names in its ``link rel=alternate`` (HTML standard §4.6.7.2), without those of
    comments.
    """
    links = ((tag, base) for tag, base in _tags(html, url) if tag.tag == "link" and _is_feed(tag))
    found = (absolute_address(tag.get("href"), base) for tag, base in links)
    return list(dict.fromkeys(one for one in found if one and not _COMMENTS.search(one)))


def _is_feed(tag: etree._Element) -> bool:
    kind = tag.get("type", "").partition(";")[0].strip().lower()
    # JSON Feed 1.0 (2017) had no type of its own yet; under this one WordPress names every page's data.
    is_json_feed = kind == "application/json" and "feed" in tag.get("href", "").lower()
    return (kind in _FEED_TYPES or is_json_feed) and "alternate" in tag.get("rel", "").lower().split()


def story_links(html: bytes, url: str, hosts: Collection[str] = ()) -> list[Mention]:
    """What a page links to that looks like a story; where from and how often as in :func:`page_links`."""
    return [one for one in page_links(html, url, hosts) if looks_like_story(one.url)]


def page_links(html: bytes, url: str, hosts: Collection[str] = ()) -> list[Mention]:
    """What a page links to within its site, each address once, in the page's order.

    The site is the page's own host and port and ``hosts`` (``host`` or ``host:port``); ``www.`` makes no
    difference.
    """
    site = Site.of(url, hosts)
    found = (absolute_address(tag.get("href"), base) for tag, base in _tags(html, url) if tag.tag == "a")
    return [Mention(one) for one in dict.fromkeys(found) if one and one in site]


@dataclass(frozen=True, slots=True)
class Site:
    """The hosts and ports whose pages are one site's."""

    places: frozenset[tuple[str, int]]

    @classmethod
    def of(cls, url: str, hosts: Collection[str] = ()) -> Self:
        """The site of a page: its own host and port, and ``hosts`` (``host`` or ``host:port``)."""
        scheme = urlsplit(url).scheme
        return cls(frozenset({_place(url), *(_place(f"{scheme}://{host}") for host in hosts)}))

    def __contains__(self, url: str) -> bool:
        return _place(url) in self.places


def _place(url: str) -> tuple[str, int]:
    """Host and port, the two default ports being one: sites link to themselves with either scheme."""
    host, port = host_and_port(url)
    return host.removeprefix("www."), 443 if port == 80 else port


def _tags(html: bytes, url: str) -> Iterator[tuple[etree._Element, str]]:
    """The ``a`` and ``link`` elements of a page, and the address that theirs start from."""
    seen = _UNSEEN.sub("", decode(html).text)
    tags = [tag for tag in _TAG.findall(seen) if len(tag) <= _LONGEST_TAG]
    parser = etree.HTMLParser(encoding="utf-8", collect_ids=False, huge_tree=True)
    markup = "".join(tag + "</a>" if tag[1] in "aA" else tag for tag in tags)
    root = etree.fromstring(f"<html><body>{markup}</body></html>".encode("utf-8", "replace"), parser)
    base = next((absolute_address(element.get("href"), url) for element in root.iter("base")), None) or url
    return ((element, base) for element in root.iter("a", "link"))


def looks_like_story(url: str) -> bool:
    """Whether an address has the shape of a story's: a date and a name, a long name, or an article's number.

    >>> looks_like_story("https://example.org/2026/01/30/mayor-resigns")
    True
    >>> looks_like_story("https://example.org/sport/"), looks_like_story("https://example.org/tag/mayor-of-the-big-city")
    (False, False)
    """
    if leads_to_no_story(url):
        return False
    parts = urlsplit(url)
    path = unquote(parts.path).lower()
    segments = [segment for segment in path.split("/") if segment]
    if any(name in _ID_PARAMETERS and re.search(r"\d{3}", value) for name, value in parse_qsl(parts.query.lower())):
        return True
    return bool(segments) and (_DATE_FOLDER.search(path) is not None or _is_story_name(segments))


def leads_to_no_story(url: str) -> bool:
    """Whether an address is a file's, or lies below a folder of lists, forms and files."""
    path = unquote(urlsplit(url).path).lower()
    return bool(_NO_STORY.intersection(path.split("/"))) or _ASSET.search(path) is not None


def is_advert(url: str) -> bool:
    """Whether an address counts clicks on advertising, as some stand among a feed's stories.

    >>> is_advert("https://example.org/ads/click?to=x"), is_advert("https://example.org/news/ads-are-back-on-tv")
    (True, False)
    """
    return bool(_ADVERTS.intersection(urlsplit(url).path.lower().split("/")))


def _is_story_name(segments: list[str]) -> bool:
    name = re.sub(r"\.[a-z]{2,5}$", "", segments[-1])
    words = [word for word in re.split(r"[-_+,. ]+", name) if word]
    if len(words) >= 4 and len(name) >= 20:
        return True
    if _LONG_NUMBER.search(name) or (not name.isascii() and len(name) >= 12):
        return True
    return bool(_STORY_FOLDER.intersection(segments[:-1])) and (len(words) >= 3 or _OPAQUE.fullmatch(name) is not None)
