"""What a home or section page lists: stories, sections, feeds, and its own next page.

A link is a story's by the shape of its address, or where it reads as a headline does and does not stand in the site's
navigation. This parses the page as a tree, which a hostile page can make slow: to be called where time and memory are
bounded.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote, urlsplit

from lxml import etree

from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.tree import text_within
from newsmorgue.errors import CleaningFailed
from newsmorgue.spiders.links import (
    INFORMATION,
    Site,
    feeds_linked_from,
    leads_to_no_story,
    looks_like_story,
)
from newsmorgue.spiders.mentions import absolute_address
from newsmorgue.urls import address_key

MOST_SECTIONS = 40
_LONGEST_TEXT = 300
_CHROME = frozenset({"nav", "footer", "form"})
_CHROME_NAME = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|igation)?|menu|footer|breadcrumbs?|cookies?|consent)(?:$|[\s_-])", re.I
)
_MAST = re.compile(r"(?:^|[\s_-])(?:nav(?:bar|igation)?|menu)(?:$|[\s_-])", re.I)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# A headline: the shortest of real front pages have four words; scripts without spaces are counted by letters.
_HEADLINE_WORDS, _HEADLINE_LETTERS, _UNSPACED_LETTERS = 4, 20, 10
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_SECTION_WORDS, _SECTION_LETTERS = 4, 40
_FEED_FILE = re.compile(r"(?:\.rss|/(?:rss|feed|atom|index)\.xml|/(?:rss|feed|atom)|/feed\.json)/?$", re.I)
_NEXT = re.compile(
    r"(?:(?:see |show |load |view )?(?:older|more)(?: (?:stories|news|posts|articles|entries))?|next(?: page)?"
    r"|weiter|nächste(?: seite)?|ältere(?: (?:artikel|beiträge|meldungen))?|mehr(?: artikel)?|(?:page )?suivante?"
    r"|articles? (?:plus )?anciens|siguientes?|(?:página )?siguiente|más antiguos|successiva|pagina successiva"
    r"|próxim[ao]|volgende|następna|nästa|neste|næste|[»›→>]+)\s*[»›→>]*",
    re.I,
)
_PAGE_NUMBER = re.compile(
    r"(?:/(?:page|seite|pagina|strona|sida|p)[/-]?|[?&](?:page|p|pg|paged|seite|pagina)=)(\d{1,4})/?$", re.I
)
_DAY = re.compile(r"/((?:19|20)\d\d)[/-]?(1[0-2]|0?[1-9])[/-]?(3[01]|[12]\d|0?[1-9])(?!\d)")
_ISO_DAY = re.compile(r"/((?:19|20)\d\d)[/-]?(1[0-2]|0?[1-9])[/-]?(3[01]|[12]\d|0?[1-9])(?!\d)")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page lists, each address once, in the page's order.

    ``feeds`` are those that its head declares, ``feed_links`` what it links to under a name that feeds have.
    ``next_page`` is the address of the list's next page; ``newest`` the latest day that any story on it has, by its
    address or by the ``time`` beside it. None where nothing says so.
    """

    stories: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    feed_links: tuple[str, ...] = ()
    next_page: str | None = None
    newest: date | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    element: etree._Element
    url: str
    text: str
    in_chrome: bool
    in_mast: bool
    is_heading: bool


def read_listing(html: bytes, url: str, hosts: Collection[str] = (), charset: str | None = None) -> Listing:
    """Read a page that came from ``url``; the site is the page's own host and port, and ``hosts``. Never raises."""
    try:
        root, _ = parse(decode(html, charset))
    except CleaningFailed:
        return Listing()
    links = list(_links(root, url, Site.of(url, hosts)))
    stories = [link for link in links if _is_story(link)]
    feeds = tuple(feeds_linked_from(html, url))
    named = (link.url for link in links if _FEED_FILE.search(urlsplit(link.url).path) and link.url not in feeds)
    told = {address_key(link.url) for link in stories}
    return Listing(
        _each_once(link.url for link in stories),
        _sections(links, stories, told),
        feeds,
        _each_once(named),
        _next_page(root, links, url),
        max((day for link in stories if (day := _day_of(link))), default=None),
    )


def _each_once(urls: Iterator[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple({address_key(url): url for url in reversed(tuple(urls))}.values())[::-1]


def _links(root: etree._Element, url: str, site: Site) -> Iterator[_Link]:
    base = next((absolute_address(one.get("href"), url) for one in root.iter("base")), None) or url
    home = address_key(url)
    for element in root.iter("a"):
        found = absolute_address(element.get("href"), base)
        if found and found in site and address_key(found) != home:
            yield _link(element, found)


def _link(element: etree._Element, url: str) -> _Link:
    above = list(element.iterancestors())
    names = [f"{one.get('class', '')} {one.get('id', '')} {one.get('role', '')}" for one in above]
    tags = {str(one.tag) for one in above}
    mast = "nav" in tags or any(map(_MAST.search, names))
    chrome = mast or bool(_CHROME & tags) or any(map(_CHROME_NAME.search, names))
    within = next((one for one in element.iter(*_HEADINGS)), None) is not None
    return _Link(element, url, _text(element), chrome, mast, within or bool(_HEADINGS & tags))


def _text(element: etree._Element) -> str:
    """What a reader sees of a link; of a picture alone its alternative text."""
    shown = text_within(element) or element.get("title") or element.get("aria-label")
    pictures = (image.get("alt") for image in element.iter("img"))
    return " ".join((shown or next((alt for alt in pictures if alt), "")).split())[:_LONGEST_TEXT]


def _is_story(link: _Link) -> bool:
    """Whether a link is taken for a story's."""
    if looks_like_story(link.url):
        return True
    if link.in_chrome or leads_to_no_story(link.url) or _PAGE_NUMBER.search(link.url):
        return False
    return _reads_as_headline(link) and _has_a_name(link)


def _reads_as_headline(link: _Link) -> bool:
    words, unspaced = len(link.text.split()), len(_UNSPACED.findall(link.text))
    if unspaced >= _UNSPACED_LETTERS:
        return True
    return words >= _HEADLINE_WORDS + (not link.is_heading) and len(link.text) >= _HEADLINE_LETTERS


def _has_a_name(link: _Link) -> bool:
    """Whether the last part of an address could be a story's: two words, a number, or deep below folders."""
    segments = [part for part in unquote(urlsplit(link.url).path).split("/") if part]
    if not segments or INFORMATION.intersection(part.lower() for part in segments):
        return False
    last = segments[-1]
    deep = len(segments) >= (2 if link.is_heading else 3)
    return deep or bool(re.search(r"[-_]|\d{3}", last)) or not last.isascii()


def _sections(links: list[_Link], stories: list[_Link], told: set[str]) -> tuple[str, ...]:
    """Short names in short addresses: what stories of this page stand below, then what its navigation names."""
    paths = [urlsplit(link.url).path for link in stories]
    found = [link for link in links if address_key(link.url) not in told and _may_be_section(link)]
    ranked = sorted(found, key=lambda link: not _holds_some(link.url, paths))
    chosen = [link.url for link in ranked if link.in_mast or _holds_some(link.url, paths)]
    return _each_once(iter(chosen))[:MOST_SECTIONS]


def _holds_some(url: str, paths: list[str]) -> bool:
    folder = urlsplit(url).path.rstrip("/") + "/"
    return any(path.startswith(folder) for path in paths)


def _may_be_section(link: _Link) -> bool:
    parts = urlsplit(link.url)
    segments = [part.lower() for part in unquote(parts.path).split("/") if part]
    if parts.query or not 1 <= len(segments) <= 3 or leads_to_no_story(link.url) or INFORMATION.intersection(segments):
        return False
    if any(re.search(r"\d{4,}", part) or len(re.split(r"[-_]", part)) > 4 for part in segments):
        return False
    is_page = "." in segments[-1] and not segments[-1].startswith("index.")
    return not is_page and 1 <= len(link.text.split()) <= _SECTION_WORDS and len(link.text) <= _SECTION_LETTERS


def _next_page(root: etree._Element, links: list[_Link], url: str) -> str | None:
    """The next page of a list: the one that the page declares (HTML standard, link type ``next``), else by its look."""
    declared = [one for one in root.iter("link", "a") if "next" in (one.get("rel") or "").lower().split()]
    by_rel = [found for one in declared if (found := absolute_address(one.get("href"), url))]
    number = int(match[1]) if (match := _PAGE_NUMBER.search(url)) else 1
    numbered = [link.url for link in links if _number_of(link.url) == number + 1]
    worded = [link.url for link in links if _NEXT.fullmatch(link.text) and _number_of(link.url)]
    candidates = (found for found in (*by_rel, *worded, *numbered) if _is_page_of(found, url))
    return next(candidates, None)


def _number_of(url: str) -> int | None:
    match = _PAGE_NUMBER.search(url)
    return int(match[1]) if match else None


def _is_page_of(url: str, of: str) -> bool:
    """Whether an address is another page of the same list: same host, and what stands before the number the same."""
    one, other = urlsplit(url), urlsplit(of)
    stems = (_PAGE_NUMBER.sub("", address_key(url)), _PAGE_NUMBER.sub("", address_key(of)))
    same = stems[0].rstrip("/") == stems[1].rstrip("/") or one.path == other.path
    return one.netloc == other.netloc and address_key(url) != address_key(of) and same


def _day_of(link: _Link) -> date | None:
    """The day in a story's address, else in the one ``time`` element near its link."""
    match = _DAY.search(urlsplit(link.url).path)
    if match:
        return _day(match)
    for _, above in zip(range(3), link.element.iterancestors(), strict=False):
        times = [one.get("datetime") or "" for one in above.iter("time")]
        if times:
            found = _ISO_DAY.match(times[0].strip()) if len(times) == 1 else None
            return _day(found) if found else None
    return None


def _day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
