"""The headline: of what the page calls itself, the title a reader sees over the story, without the site's name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.facts import Facts
from newsmorgue.cleaning.metadata.jsonld import text_of
from newsmorgue.cleaning.wording import letters

_PARTING = re.compile(r"\s+[|\-–—:•·»«/~]+\s+|\s*\|\s*|(?<=\S)\s*::\s*")
_SHORTEST = 8
_LONGEST_TAIL_WORDS = 6


def read_headline(facts: Facts, site_name: str | None) -> tuple[str, Found] | None:
    """The headline and its origin, or None where the page has no title at all.

    The wording that most of the places agree on wins; at equal votes the order of :func:`_candidates` decides. Of two
    spellings of it, one within the other, the shorter is the headline and the longer has a kicker or a section.
    """
    candidates = [_Candidate(how, raw, _without_site(raw, site_name, facts)) for how, raw in _candidates(facts)]
    usable = [candidate for candidate in candidates if _is_title(candidate, site_name)]
    if not usable:
        return None
    winner = max(usable, key=lambda candidate: sum(_alike(candidate.key, other.key) for other in usable if other.votes))
    same = [candidate for candidate in usable if candidate.votes and _alike(candidate.key, winner.key)]
    chosen = min(same, key=lambda candidate: (candidate.text.endswith(":"), len(candidate.key)), default=winner)
    # A quotation mark in an attribute that is quoted itself cuts the value there.
    printed = (
        candidate for candidate in same if candidate.how == "h1" and candidate.text.startswith(f'{chosen.text} "')
    )
    chosen = next(printed, chosen)
    return chosen.text, Found(chosen.how, chosen.raw)


@dataclass(frozen=True, slots=True)
class _Candidate:
    how: str
    raw: str
    text: str

    @property
    def key(self) -> str:
        return letters(self.text)

    @property
    def votes(self) -> bool:
        """The window's title and the like follow the others, and are cut short for search engines."""
        return self.how not in ("title", "meta")


def _candidates(facts: Facts) -> Iterator[tuple[str, str]]:
    if found := facts.meta("og:title"):
        yield "og", found[1]
    yield from (("h1", heading) for heading in facts.headings[:3])
    if text := text_of(facts.linked.story.get("headline") or facts.linked.story.get("name")):
        yield "json-ld", text
    if facts.title:
        yield "title", facts.title
    if found := facts.meta("headline", "dc.title", "title", "parsely-title", "sailthru.title", "twitter:title"):
        yield "meta", found[1]


def _is_title(candidate: _Candidate, site_name: str | None) -> bool:
    if candidate.how == "h1":
        return len(candidate.text) >= 3 and candidate.key != letters(site_name or "")
    return bool(candidate.key)


def _alike(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) > 15 and (one in other or other in one))


def _without_site(raw: str, site_name: str | None, facts: Facts) -> str:
    text = raw.strip()
    for _ in range(3):
        shorter = _cut_once(text, site_name, facts)
        if shorter == text:
            return text
        text = shorter
    return text


def _cut_once(text: str, site_name: str | None, facts: Facts) -> str:
    partings = list(_PARTING.finditer(text))
    if not partings:
        return text
    first, last = partings[0], partings[-1]
    head, tail = text[: last.start()].strip(), text[last.end() :].strip()
    if _names_site(tail, site_name, facts) or _is_told_apart(head, tail, facts):
        return head or text
    if _names_site(text[: first.start()], site_name, facts) and len(text[first.end() :]) >= _SHORTEST:
        return text[first.end() :].strip()
    return text


def _names_site(part: str, site_name: str | None, facts: Facts) -> bool:
    key = letters(part)
    if not key or len(part.split()) > _LONGEST_TAIL_WORDS:
        return False
    host = letters(re.sub(r"^https?://(?:www\.)?|[/?#].*", "", facts.url))
    site = letters(site_name or "")
    return (bool(site) and (key == site or (len(key) > 3 and key in site) or (len(site) > 3 and site in key))) or (
        len(key) > 2 and key in host
    )


def _is_told_apart(head: str, tail: str, facts: Facts) -> bool:
    """Another title of the page is just the head: what follows is the site's or the section's."""
    key = letters(head)
    others = [
        *facts.headings[:1],
        *(facts.metas.get("og:title") or [])[:1],
        text_of(facts.linked.story.get("headline")) or "",
    ]
    return (
        len(head) >= _SHORTEST
        and len(tail.split()) <= _LONGEST_TAIL_WORDS
        and any(letters(other) == key for other in others)
    )
