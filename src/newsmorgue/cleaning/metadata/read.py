"""All metadata of a page: each field from the most trusted place that has it, with a note of where that was."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.byline import read_authors
from newsmorgue.cleaning.metadata.facts import Facts, absolute, read_facts
from newsmorgue.cleaning.metadata.headline import read_headline, titles_of
from newsmorgue.cleaning.metadata.jsonld import LinkedData, Node, text_of, texts_of
from newsmorgue.cleaning.metadata.nearby import Around
from newsmorgue.cleaning.metadata.shown import Shown, picture_shown
from newsmorgue.cleaning.metadata.when import read_modified, read_published
from newsmorgue.cleaning.wording import letters, plain

_SECTION = (
    "article:section",
    "og:article:section",
    "section",
    "cxenseparse:recs:category",
    "parsely-section",
    "category",
    "dc.subject",
    "articlesection",
)
_IMAGE = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "thumbnail", "image")
_MOST_TAGS, _LONGEST_RAW = 40, 300


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields of :class:`~newsmorgue.cleaning.article.Article` that are not the body, named alike.

    ``description`` is what the page's head says of the story (shown to the reader or not); ``linked`` and
    ``og_type`` serve to tell kinds of page apart. ``base`` is what addresses in the page are relative to.
    """

    headline: str | None = None
    description: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    published_on: str | None = None
    modified: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    canonical: str | None = None
    image: str | None = None
    base: str = ""
    site_name: str | None = None
    is_accessible_for_free: bool | None = None
    og_type: str | None = None
    headings: tuple[str, ...] = ()
    heading: etree._Element | None = None
    titles: tuple[str, ...] = ()
    linked: LinkedData = field(default_factory=LinkedData)
    found: dict[str, Found] = field(default_factory=dict)


def read_metadata(root: etree._Element, url: str) -> Metadata:
    """Read the metadata of a parsed page fetched from ``url``."""
    facts = read_facts(root, url)
    site = _site_name(facts)
    site_name = site[0] if site else None
    headline = read_headline(facts, site_name)
    heading = headline.element if headline and headline.element is not None else _first_h1(facts)
    around, shown = Around(root, heading), Shown(root)
    published = read_published(facts, around)
    modified = read_modified(facts, around, published)
    values = {
        "headline": (headline.text, headline.found) if headline else None,
        "published": (published.value, published.found) if published else None,
        "modified": (modified.value, modified.found) if modified else None,
        "canonical": _canonical(facts),
        "section": _section(facts, shown),
        "image": _image(facts, heading),
        "site_name": site,
    }
    tags, language, free = _tags(facts, shown), _language(facts), _free(facts)
    authors, authors_found = read_authors(facts, around, site_name)
    found = {name: value[1] for name, value in values.items() if value}
    others = (
        ("authors", authors_found),
        ("tags", tags and tags[1]),
        ("language", language and language[1]),
        ("is_accessible_for_free", free and free[1]),
    )
    found |= {name: origin for name, origin in others if origin}
    description = facts.meta("og:description", "description", "twitter:description", "dc.description")
    og_type = facts.meta("og:type")
    return Metadata(
        **{name: value[0] for name, value in values.items() if value},
        description=description[1] if description else text_of(facts.linked.story.get("description")),
        authors=authors,
        published_on=published.day if published else None,
        tags=tags[0] if tags else (),
        language=language[0] if language else None,
        is_accessible_for_free=free[0] if free else None,
        base=facts.base,
        og_type=og_type[1].lower() if og_type else None,
        headings=facts.headings,
        heading=heading,
        titles=titles_of(facts),
        linked=facts.linked,
        found=found,
    )


def _first_h1(facts: Facts) -> etree._Element | None:
    return facts.h1s[0] if facts.h1s else None


def _canonical(facts: Facts) -> tuple[str, Found] | None:
    """The first ``link rel=canonical`` counts, then ``og:url``; JSON-LD often names another page."""
    raw = facts.canonical
    if raw and (url := absolute(facts.base, plain(raw))):
        return url, Found("link", raw)
    found = facts.meta("og:url")
    if found and (url := absolute(facts.base, found[1])):
        return url, Found("og", found[1])
    return None


def _section(facts: Facts, shown: Shown) -> tuple[str, Found] | None:
    if text := text_of(facts.linked.story.get("articleSection")):
        return text, Found("json-ld", text)
    found = facts.meta(*_SECTION)
    if found:
        return found[1], Found("meta", found[1])
    text = shown.section()
    return (text, Found("link", text)) if text else None


def _image(facts: Facts, heading: etree._Element | None) -> tuple[str, Found] | None:
    found = facts.meta(*_IMAGE)
    if found and (url := absolute(facts.base, found[1])):
        return url, Found("og" if found[0].startswith("og:") else "meta", found[1])
    raw = facts.linked.story.get("image") or facts.linked.story.get("thumbnailUrl")
    first = raw[0] if isinstance(raw, list) and raw else raw
    if isinstance(first, dict) and isinstance(first.get("@id"), str):
        first = facts.linked.by_id.get(first["@id"], first)
    address = first.get("url") or first.get("contentUrl") if isinstance(first, dict) else first
    url = absolute(facts.base, address) if isinstance(address, str) else None
    if url:
        return url, Found("json-ld", str(address))
    for how, shown in (("link", facts.picture), ("img", picture_shown(heading))):
        if shown and (url := absolute(facts.base, shown)):
            return url, Found(how, shown)
    return None


def _site_name(facts: Facts) -> tuple[str, Found] | None:
    found = facts.meta("og:site_name", "application-name", "al:ios:app_name", "dc.publisher")
    if found:
        return found[1], Found("og" if found[0] == "og:site_name" else "meta", found[1])
    publisher = facts.linked.story.get("publisher")
    if isinstance(publisher, dict) and set(publisher) <= {"@id", "@type"}:
        publisher = facts.linked.by_id.get(str(publisher.get("@id")), {})
    name = text_of(publisher)
    return (name, Found("json-ld", name)) if name else None


def _tags(facts: Facts, shown: Shown) -> tuple[tuple[str, ...], Found] | None:
    how, raw = next(((how, raw) for how, raw in _tag_places(facts, shown) if raw), ("", []))
    split = [tag.strip() for value in raw for tag in re.split(r"[,;|]" if len(raw) < 3 else r"[;|]", value)]
    kept = {letters(tag): tag for tag in reversed(split) if tag and len(tag) <= 100 and letters(tag)}
    tags = tuple(reversed(kept.values()))[:_MOST_TAGS]
    return (tags, Found(how, "; ".join(raw)[:_LONGEST_RAW])) if tags else None


def _tag_places(facts: Facts, shown: Shown) -> Iterator[tuple[str, list[str]]]:
    yield "json-ld", texts_of(facts.linked.story.get("keywords"))
    for name in ("article:tag", "news_keywords", "keywords"):
        yield "meta", facts.values(name)
    yield "link", shown.tags()


def _language(facts: Facts) -> tuple[str, Found] | None:
    if facts.language:
        return facts.language, Found(*facts.declared_language)
    value = text_of(facts.linked.story.get("inLanguage"))
    tag = value if value and re.fullmatch(r"[a-z]{2,3}(?:-[A-Z]{2})?", value) else None
    return (tag, Found("json-ld", tag)) if tag else None


def _free(facts: Facts) -> tuple[bool, Found] | None:
    """Whether all of the story is free to read: as the story says, or its page; not free where a part of it is not."""
    nodes = (facts.linked.story, facts.linked.page)
    said = [node["isAccessibleForFree"] for node in nodes if "isAccessibleForFree" in node]
    if said:
        return _as_found("json-ld", said[0])
    parts = [part.get("isAccessibleForFree") for part in _nodes_of(facts.linked.story.get("hasPart"))]
    if shut := [part for part in parts if _truth(part) is False]:
        return _as_found("json-ld", shut[0])
    meta = facts.meta("isaccessibleforfree", "article:content_tier", "og:article:content_tier")
    return _as_found("meta", meta[1]) if meta else None


def _as_found(how: str, said: object) -> tuple[bool, Found] | None:
    free = _truth(said)
    return None if free is None else (free, Found(how, str(said)[:_LONGEST_RAW]))


def _nodes_of(value: object) -> list[Node]:
    return [node for node in (value if isinstance(value, list) else [value]) if isinstance(node, dict)]


def _truth(value: object) -> bool | None:
    """A truth value as pages write it; tiers of content are those of Facebook's article object."""
    truths = {"true": True, "1": True, "yes": True, "free": True}
    falsehoods = {"false": False, "0": False, "no": False, "locked": False, "metered": False}
    return (truths | falsehoods).get(str(value).strip().lower().rsplit("/", 1)[-1])
