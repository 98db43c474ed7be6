"""All metadata of a page: each field from the most trusted place that has it, with a note of where that was."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata.byline import visible_bylines, visible_dates
from newsmorgue.cleaning.metadata.dates import day_in_url, read_date
from newsmorgue.cleaning.metadata.facts import Facts, absolute, read_facts
from newsmorgue.cleaning.metadata.headline import read_headline
from newsmorgue.cleaning.metadata.jsonld import LinkedData, Node, text_of, texts_of, types_of
from newsmorgue.cleaning.metadata.names import read_names
from newsmorgue.cleaning.tree import select, text_within
from newsmorgue.cleaning.wording import letters, plain

_PUBLISHED = (
    "article:published_time", "og:published_time", "og:article:published_time", "article:published", "datepublished",
    "published_time", "pubdate", "publishdate", "publish-date", "publish_date", "publication_date",
    "date_published", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dc.date.created", "dcterms.created", "dcterms.date", "dc.date",
    "article_date_original",
    "originalpublicationdate", "article.published", "cxenseparse:recs:publishtime", "cxenseparse:publishtime",
    "datecreated",
    "article.created", "date", "dcterms.issued", "citation_publication_date", "rnews:datepublished",
    "shareaholic:article_published_time",
    "creation_date", "pdate", "ptime",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "og:updated_time", "article:modified", "datemodified", "dc.date.modified",
    "dcterms.modified",
    "last-modified", "lastmod", "article.updated", "date_modified", "modified_time", "revised", "article:updated_time",
)  # fmt: skip
_AUTHOR = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator", "byl",
    "dc.contributor",
    "citation_author", "article:author_name", "cxenseparse:author", "rnews:author", "authors",
    "og:article:author", "twitter:creator:name",
)  # fmt: skip
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
    linked: LinkedData = field(default_factory=LinkedData)
    found: dict[str, Found] = field(default_factory=dict)


def read_metadata(root: etree._Element, url: str) -> Metadata:
    """Read the metadata of a parsed page fetched from ``url``."""
    facts = read_facts(root, url)
    site = _site_name(facts)
    site_name = site[0] if site else None
    values = {
        "headline": read_headline(facts, site_name),
        "published": _published(facts),
        "modified": _modified(facts),
        "canonical": _canonical(facts),
        "section": _section(facts),
        "image": _image(facts),
        "site_name": site,
    }
    authors, authors_found = _authors(facts, site_name)
    found = {name: value[1] for name, value in values.items() if value}
    if authors_found:
        found["authors"] = authors_found
    description = facts.meta("og:description", "description", "twitter:description", "dc.description")
    og_type = facts.meta("og:type")
    return Metadata(
        **{name: value[0] for name, value in values.items() if value},
        description=description[1] if description else text_of(facts.linked.story.get("description")),
        authors=authors,
        tags=_tags(facts),
        language=facts.language or _linked_language(facts.linked.story),
        is_accessible_for_free=_free(facts.linked),
        og_type=og_type[1].lower() if og_type else None,
        headings=facts.headings,
        linked=facts.linked,
        found=found,
    )


def _month_first(facts: Facts) -> bool:
    """The United States write the month first; so do few others (CLDR, short date format)."""
    language = facts.language or ""
    return language in ("en", "en-US", "en-PH", "") and not re.search(r"\.(?:uk|au|nz|ie|in|za)(?:[:/]|$)", facts.url)


def _first_date(candidates: Iterator[tuple[str, str]], month_first: bool) -> tuple[str, Found] | None:
    """The first readable date; a later candidate of the same day that also has a time and offset is taken instead."""
    best: tuple[str, Found] | None = None
    for how, raw in candidates:
        value = read_date(raw, month_first)
        if value and best is None:
            best = value, Found(how, raw[:300])
            if "T" in value:
                return best
        elif value and best and "T" in value and value[:10] == best[0]:
            return value, Found(how, raw[:300])
    return best


def _published(facts: Facts) -> tuple[str, Found] | None:
    found = _first_date(_published_candidates(facts), _month_first(facts))
    if found is None and (day := day_in_url(facts.url)):
        return day, Found("url", facts.url)
    return found or _first_date(visible_dates(facts), _month_first(facts))


def _published_candidates(facts: Facts) -> Iterator[tuple[str, str]]:
    story, page = facts.linked.story, facts.linked.page
    yield from _linked_strings(story, "datePublished", "dateCreated", "uploadDate")
    for name in _PUBLISHED:
        for value in facts.metas.get(name, ())[:1]:
            yield "meta", value
    yield from _microdata(facts.root, "datePublished", "datecreated", "datepublished", "dateCreated")
    yield from _linked_strings(page, "datePublished")
    yield from _linked_strings(story, "dateModified")


def _modified(facts: Facts) -> tuple[str, Found] | None:
    def candidates() -> Iterator[tuple[str, str]]:
        yield from _linked_strings(facts.linked.story, "dateModified")
        for name in _MODIFIED:
            for value in facts.metas.get(name, ())[:1]:
                yield "meta", value
        yield from _microdata(facts.root, "dateModified")
        yield from _linked_strings(facts.linked.page, "dateModified")

    return _first_date(candidates(), _month_first(facts))


def _linked_strings(node: Node, *keys: str) -> Iterator[tuple[str, str]]:
    for key in keys:
        value = node.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str | int):
                yield "json-ld", str(item)


def _microdata(root: etree._Element, *names: str) -> Iterator[tuple[str, str]]:
    for element in select(root, "//body//*[@itemprop]"):
        if element.get("itemprop") in names:
            yield "microdata", element.get("content") or element.get("datetime") or text_within(element)[:300]


def _authors(facts: Facts, site_name: str | None) -> tuple[tuple[str, ...], Found | None]:
    for how, raws in _author_candidates(facts):
        names = list(dict.fromkeys(name for raw in raws for name in read_names(raw, site_name)))
        if names:
            return tuple(names), Found(how, "; ".join(raws)[:300])
    return (), None


def _author_candidates(facts: Facts) -> Iterator[tuple[str, list[str]]]:
    yield "json-ld", _linked_authors(facts.linked)
    for name in _AUTHOR:
        if values := facts.metas.get(name):
            yield "meta", values
    yield from visible_bylines(facts)


def _linked_authors(linked: LinkedData) -> list[str]:
    value = linked.story.get("author") or linked.story.get("creator")
    nodes = value if isinstance(value, list) else [value]
    names: list[str] = []
    for node in nodes:
        if isinstance(node, dict) and isinstance(node.get("@id"), str) and not node.get("name"):
            node = linked.by_id.get(node["@id"], {})
        if isinstance(node, dict) and "Organization" in types_of(node):
            continue
        names += texts_of(node.get("name") if isinstance(node, dict) else node)
    return names


def _canonical(facts: Facts) -> tuple[str, Found] | None:
    """The first ``link rel=canonical`` counts, then ``og:url``; JSON-LD often names another page."""
    raw = facts.links.get("canonical")
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
    raw = (
        texts_of(keywords)
        or facts.metas.get("article:tag")
        or facts.metas.get("news_keywords")
        or facts.metas.get("keywords")
        or []
    )
    split = [tag.strip() for value in raw for tag in re.split(r"[,;|]" if len(raw) < 3 else r"[;|]", value)]
    kept = {letters(tag): tag for tag in reversed(split) if tag and len(tag) <= 100 and letters(tag)}
    return tuple(reversed(kept.values()))[:_MOST_TAGS]


def _linked_language(story: Node) -> str | None:
    value = text_of(story.get("inLanguage"))
    return value if value and re.fullmatch(r"[a-z]{2,3}(?:-[A-Z]{2})?", value) else None


def _free(linked: LinkedData) -> bool | None:
    value = linked.story.get("isAccessibleForFree", linked.page.get("isAccessibleForFree"))
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower().rsplit("/", 1)[-1])
