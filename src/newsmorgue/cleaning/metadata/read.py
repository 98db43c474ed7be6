"""All metadata of a page: each field from the most trusted place that has it, with a note of where that was."""

import re
from dataclasses import dataclass, field

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.byline import read_authors
from newsmorgue.cleaning.metadata.facts import Facts, absolute, read_facts
from newsmorgue.cleaning.metadata.headline import read_headline, titles_of
from newsmorgue.cleaning.metadata.jsonld import LinkedData, Node, text_of, texts_of
from newsmorgue.cleaning.metadata.nearby import Around
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
)
_IMAGE = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "thumbnail")
_MOST_TAGS = 40


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields of :class:`~newsmorgue.cleaning.article.Article` that are not the body, named alike.

    ``description`` is what the page's head says of the story (shown to the reader or not); ``linked`` and
    ``og_type`` serve to tell kinds of page apart.
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
    around = Around(root, heading)
    published, modified = read_published(facts, around), read_modified(facts)
    values = {
        "headline": (headline.text, headline.found) if headline else None,
        "published": (published.value, published.found) if published else None,
        "modified": (modified.value, modified.found) if modified else None,
        "canonical": _canonical(facts),
        "section": _section(facts),
        "image": _image(facts),
        "site_name": site,
    }
    authors, authors_found = read_authors(facts, around, site_name)
    found = {name: value[1] for name, value in values.items() if value}
    if authors_found:
        found["authors"] = authors_found
    description = facts.meta("og:description", "description", "twitter:description", "dc.description")
    og_type = facts.meta("og:type")
    return Metadata(
        **{name: value[0] for name, value in values.items() if value},
        description=description[1] if description else text_of(facts.linked.story.get("description")),
        authors=authors,
        published_on=published.day if published else None,
        tags=_tags(facts),
        language=facts.language or _linked_language(facts.linked.story),
        is_accessible_for_free=_free(facts.linked),
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
    if raw and (url := absolute(facts.url, plain(raw))):
        return url, Found("link", raw)
    found = facts.meta("og:url")
    if found and (url := absolute(facts.url, found[1])):
        return url, Found("og", found[1])
    return None


def _section(facts: Facts) -> tuple[str, Found] | None:
    if text := text_of(facts.linked.story.get("articleSection")):
        return text, Found("json-ld", text)
    found = facts.meta(*_SECTION)
    return (found[1], Found("meta", found[1])) if found else None


def _image(facts: Facts) -> tuple[str, Found] | None:
    found = facts.meta(*_IMAGE)
    if found and (url := absolute(facts.url, found[1])):
        return url, Found("og" if found[0].startswith("og:") else "meta", found[1])
    raw = facts.linked.story.get("image")
    first = raw[0] if isinstance(raw, list) and raw else raw
    address = first.get("url") or first.get("contentUrl") if isinstance(first, dict) else first
    url = absolute(facts.url, address) if isinstance(address, str) else None
    return (url, Found("json-ld", str(address))) if url else None


def _site_name(facts: Facts) -> tuple[str, Found] | None:
    found = facts.meta("og:site_name", "application-name", "al:ios:app_name", "dc.publisher")
    if found:
        return found[1], Found("og" if found[0] == "og:site_name" else "meta", found[1])
    publisher = facts.linked.story.get("publisher")
    if isinstance(publisher, dict) and set(publisher) <= {"@id", "@type"}:
        publisher = facts.linked.by_id.get(str(publisher.get("@id")), {})
    name = text_of(publisher)
    return (name, Found("json-ld", name)) if name else None


def _tags(facts: Facts) -> tuple[str, ...]:
    keywords = facts.linked.story.get("keywords")
    raw = texts_of(keywords) or facts.values("article:tag") or facts.values("news_keywords") or facts.values("keywords")
    split = [tag.strip() for value in raw for tag in re.split(r"[,;|]" if len(raw) < 3 else r"[;|]", value)]
    kept = {letters(tag): tag for tag in reversed(split) if tag and len(tag) <= 100 and letters(tag)}
    return tuple(reversed(kept.values()))[:_MOST_TAGS]


def _linked_language(story: Node) -> str | None:
    value = text_of(story.get("inLanguage"))
    return value if value and re.fullmatch(r"[a-z]{2,3}(?:-[A-Z]{2})?", value) else None


def _free(linked: LinkedData) -> bool | None:
    value = linked.story.get("isAccessibleForFree", linked.page.get("isAccessibleForFree"))
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower().rsplit("/", 1)[-1])
