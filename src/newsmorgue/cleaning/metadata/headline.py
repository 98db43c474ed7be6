"""The headline: the title a reader sees printed over the story, confirmed by what the page calls itself.

The window's title and often ``og:title`` are worded for search engines, and an ``h1`` may be the site's name or a
breadcrumb. What is printed as a heading and also said in the page's head is the headline; the editors' wording is
preferred to the window's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.facts import Facts
from newsmorgue.cleaning.metadata.jsonld import text_of, types_of
from newsmorgue.cleaning.tree import text_within
from newsmorgue.cleaning.wording import letters as letters_of
from newsmorgue.cleaning.wording import plain

_PARTING = re.compile(r"\s+[|\-–—:•·»«/~│⋆]+\s+|\s*[|│]\s*|\s*⋆\s*$|(?<=\S)\s*::\s*")
_WORD = re.compile(r"\w+")
_SHORTEST, _LONGEST = 8, 600
_LONGEST_TAIL_WORDS = 6
# Letters from which on two wordings that are equal, or one the end of the other, are no coincidence.
_TELLING = 12
_MOST_H2S = 40
# A heading that shares this part of its words with what the page calls itself is about the same.
_ALIKE = 0.34
_SENTENCE_WORDS = 4
_CUT = ("...", "…", ":")
# A page says its few titles several times.
letters = lru_cache(maxsize=256)(letters_of)


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline, its origin, and the element it is printed in (None where it is only said in the page's head)."""

    text: str
    found: Found
    element: etree._Element | None = None


@dataclass(frozen=True, slots=True)
class _Title:
    how: str
    raw: str
    text: str
    key: str
    element: etree._Element | None = None

    def chosen(self, printed: "_Title | None" = None) -> Headline:
        element = self.element if printed is None else printed.element
        return Headline(self.text, Found(self.how, self.raw), element)


def read_headline(facts: Facts, site_name: str | None) -> Headline | None:
    """The headline, or None where the page has no title at all."""
    site = _Site.of(facts, site_name)
    said = [_title(how, raw, site) for how, raw in _said(facts)]
    said = [title for title in said if title.key]
    window = next((title for title in said if title.how == "title"), None)
    h1s = list(_headings(facts, site))
    confirmed = next((h1 for h1 in h1s if any(_same(h1.key, title.key) for title in said)), None)
    editors = [title for title in said if title.how in ("json-ld", "og")]
    if second := _second_heading(facts, confirmed, window, editors):
        return second
    if declared := _declared_twice(facts, said, h1s):
        return declared
    if confirmed:
        return _shortest(confirmed, said)
    if printed := _printed(facts, said, site):
        return printed
    if likely := _likeliest(h1s, said, facts.url):
        return likely.chosen()
    return said[0].chosen() if said else None


def _said(facts: Facts) -> Iterator[tuple[str, str]]:
    story = facts.linked.story
    if text := text_of(story.get("headline") or story.get("name")):
        yield "json-ld", text
    if found := facts.meta("og:title"):
        yield "og", found[1]
    if facts.title:
        yield "title", facts.title
    if found := facts.meta("headline", "dc.title", "title", "parsely-title", "sailthru.title", "twitter:title"):
        yield "meta", found[1]


def titles_of(facts: Facts) -> tuple[str, ...]:
    """All titles that the page gives itself besides its headings."""
    other = text_of(facts.linked.story.get("alternativeHeadline"))
    return tuple(dict.fromkeys(title for title in (*(raw for _, raw in _said(facts)), other) if title))


def _title(how: str, raw: str, site: "_Site") -> _Title:
    text = site.cut(raw[:_LONGEST])
    return _Title(how, raw, text, letters(text))


def _headings(facts: Facts, site: "_Site") -> Iterator[_Title]:
    for element, text in zip(facts.h1s, facts.headings, strict=True):
        key = letters(text)
        is_kicker = text.endswith(":") and len(facts.headings) == 1
        if len(text) >= 3 and not (is_kicker or site.is_named_by(key) or _leads_home(element, facts.url)):
            yield _Title("h1", text, text, key, element)


def _leads_home(heading: etree._Element, url: str) -> bool:
    """Whether a heading is a link to the home page: the site's name."""
    link = next(heading.iter("a"), None)
    if link is None and (parent := heading.getparent()) is not None and parent.tag == "a":
        link = parent
    if link is None:
        return False
    try:
        target, own = urlsplit(link.get("href") or "#"), urlsplit(url)
    except ValueError:
        return False
    home = target.path in ("/", "/index.html", "/index.php") or (not target.path and bool(target.netloc))
    return home and own.path not in ("", "/")


def _same(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) > _TELLING + 3 and (one in other or other in one))


def _shortest(h1: _Title, said: list[_Title]) -> Headline:
    """Of the h1 and what is said alike the shortest: the longer have a kicker, a section or a date in them."""
    if equal := next((title for title in said if title.key == h1.key), None):
        put_together = h1.element is not None and len(h1.element) > 0
        linked = said[0] if said[0].how == "json-ld" else equal
        if put_together and linked.key != h1.key and h1.key.endswith(linked.key) and len(linked.key) > _TELLING:
            return linked.chosen(h1)
        # An h1 put together from elements (kicker, headline) may lack the colon between them.
        return (equal if put_together else h1).chosen(h1)
    alike = [title for title in said if title.how in ("json-ld", "og", "title") and _same(title.key, h1.key)]
    whole = [title for title in alike if not title.text.endswith(_CUT) and len(title.key) < len(h1.key)]
    shorter = min(whole, key=lambda title: len(title.key), default=h1)
    # A quotation mark in an attribute that is quoted itself cuts the value there.
    is_cut = h1.text.startswith((f'{shorter.text} "', f'{shorter.text}"')) or _ends_in_word(shorter.text, h1.text)
    return h1.chosen() if is_cut else shorter.chosen(h1)


def _ends_in_word(part: str, text: str) -> bool:
    return text.startswith(part) and text[len(part) :][:1].isalnum()


def _second_heading(facts: Facts, h1: _Title | None, window: _Title | None, editors: list[_Title]) -> Headline | None:
    """The editors' headline where the h1 has the window's wording and an h2 prints another that the head confirms."""
    if h1 is None or window is None or not _same(h1.key, window.key):
        return None
    others = [title for title in editors if title.key != h1.key and len(title.key) > _TELLING]
    return _among_h2s(facts, others) if others else None


def _declared_twice(facts: Facts, said: list[_Title], h1s: list[_Title]) -> Headline | None:
    """What a news story's own data and its preview agree on, against an h1 worded otherwise."""
    if "NewsArticle" not in types_of(facts.linked.story) or len(h1s) != 1:
        return None
    linked, preview = ([title for title in said if title.how == how] for how in ("json-ld", "og"))
    if not linked or not preview or linked[0].key != preview[0].key or _same(linked[0].key, h1s[0].key):
        return None
    return linked[0].chosen(h1s[0])


def _printed(facts: Facts, said: list[_Title], site: "_Site") -> Headline | None:
    """What an h2 prints and the page calls itself."""
    parts = [_title(title.how, part, site) for title in said for part in _PARTING.split(title.raw[:_LONGEST])]
    wanted = [title for title in (*said, *parts) if len(title.key) > _TELLING or len(title.text.split()) > 1]
    return _among_h2s(facts, [title for title in wanted if not site.is_named_by(title.key)])


def _among_h2s(facts: Facts, titles: list[_Title]) -> Headline | None:
    for element in facts.h2s[:_MOST_H2S]:
        text = text_within(element)
        key = letters(text) if len(text) < 300 else ""
        for title in titles:
            if key == title.key or (len(title.key) > _TELLING and key.endswith(title.key)):
                return Headline(title.text, Found("h2", text), element)
    return None


def _likeliest(h1s: list[_Title], said: list[_Title], url: str) -> _Title | None:
    """The h1 that shares most words with what the page calls itself, or else the first that is longer than a label."""
    if not h1s:
        return None
    if not said:
        return h1s[0]
    known = [_words(title.text) for title in said] + [_words(_slug(url))]
    share, best = max(((_share(_words(h1.text), known), h1) for h1 in h1s), key=lambda pair: pair[0])
    if share >= _ALIKE:
        return best
    return next((h1 for h1 in h1s if len(h1.text.split()) >= _SENTENCE_WORDS), None)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _share(words: frozenset[str], known: list[frozenset[str]]) -> float:
    return max((len(words & other) / len(words) for other in known), default=0.0) if words else 0.0


def _slug(url: str) -> str:
    try:
        return unquote(urlsplit(url).path).rstrip("/").rsplit("/", 1)[-1].replace("_", " ")
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class _Site:
    """What names the site rather than the story: its name, its host, and what stands beside a title of the page."""

    name: str
    host: str
    titles: frozenset[str]

    @classmethod
    def of(cls, facts: Facts, site_name: str | None) -> "_Site":
        others = [
            *facts.headings[:1],
            *map(plain, facts.metas.get("og:title", ())[:1]),
            text_of(facts.linked.story.get("headline")) or "",
        ]
        host = letters(re.sub(r"^https?://(?:www\.)?|[/?#].*", "", facts.url))
        return cls(letters(site_name or ""), host, frozenset(filter(None, map(letters, others))))

    def is_named_by(self, key: str) -> bool:
        """Whether letters are the site's name and nothing more."""
        return bool(key) and (key == self.name or (len(key) > 3 and key == self.host.removesuffix("com")))

    def cut(self, raw: str) -> str:
        """A title without the site's name, and without the section before it, at its end or start."""
        text = raw.strip()
        for _ in range(3):
            shorter = self._cut_once(text)
            if shorter == text:
                return text
            text = shorter
        return text

    def _cut_once(self, text: str) -> str:
        partings = list(_PARTING.finditer(text))
        if not partings:
            return text
        first, last = partings[0], partings[-1]
        head, tail = text[: last.start()].strip(), text[last.end() :].strip()
        if not tail or self._names(tail) or self._is_told_apart(head, tail):
            return head or text
        if self._names(text[: first.start()]) and len(text[first.end() :]) >= _SHORTEST:
            return text[first.end() :].strip()
        return text

    def _names(self, part: str) -> bool:
        key = letters(part)
        if not key or len(part.split()) > _LONGEST_TAIL_WORDS:
            return False
        name = self.name
        if name and (key == name or (len(key) > 3 and key in name) or (len(name) > 3 and name in key)):
            return True
        return len(key) > 2 and key in self.host

    def _is_told_apart(self, head: str, tail: str) -> bool:
        """Another title of the page is just the head: what follows is the site's or the section's."""
        return len(head) >= _SHORTEST and len(tail.split()) <= _LONGEST_TAIL_WORDS and letters(head) in self.titles
