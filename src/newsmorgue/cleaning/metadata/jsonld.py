"""JSON-LD as pages embed it: lists, ``@graph``, references by ``@id``, and JSON that is not quite JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from newsmorgue.cleaning.wording import letters, plain

# schema.org's Article and its sub-types, and what news sites use in their stead.
ARTICLE_TYPES = frozenset(
    {
        "Article", "NewsArticle", "BlogPosting", "LiveBlogPosting", "ReportageNewsArticle", "OpinionNewsArticle",
        "AnalysisNewsArticle", "BackgroundNewsArticle", "AskPublicNewsArticle", "ReviewNewsArticle", "SatiricalArticle",
        "AdvertiserContentArticle", "ScholarlyArticle", "TechArticle", "Report", "SocialMediaPosting", "Review",
        "MedicalScholarlyArticle", "ClaimReview", "CriticReview",
    }
)  # fmt: skip
_LISTING_TYPES = frozenset({"CollectionPage", "SearchResultsPage", "ItemList"})
_MEDIA_TYPES = frozenset({"VideoObject", "ImageGallery", "MediaGallery", "AudioObject", "PodcastEpisode"})
_PAGE_TYPES = frozenset({"WebPage", "ItemPage"})
_OPENING, _CLOSING = ("<!--", "//", "/*", "<![CDATA[", "*/"), ("-->", "/*", "]]>", "*/", "//")
_TRAILING_COMMA = re.compile(r",(\s{0,200}[}\]])")
_BEFORE_NAME = re.compile(r"^.*[/:#]", re.S)
_MOST_NODES = 2000
_MOST_SCRIPTS, _MOST_CHARACTERS = 60, 2_000_000
_DEEPEST = 12

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LinkedData:
    """What a page's JSON-LD says of the story: ``story`` is the node that describes it, ``page`` the WebPage's node.

    ``types`` are all types at the top level of the blocks, for telling kinds of page apart.
    """

    story: Node = field(default_factory=dict)
    page: Node = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    by_id: dict[str, Node] = field(default_factory=dict)
    broken: bool = False


def read_linked_data(scripts: list[str], headline_hints: tuple[str, ...] = ()) -> LinkedData:
    """Read the JSON-LD ``scripts`` of a page. Of several articles the one titled like the hints is the story."""
    scripts = _bounded(scripts)
    loaded = [_load(script) for script in scripts]
    nodes = list(islice((node for value in loaded if value is not None for node in _nodes(value)), _MOST_NODES))
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 2}
    articles = [node for node in nodes if types_of(node) & ARTICLE_TYPES] or _described_by_hand(scripts, loaded)
    media = [node for node in nodes if types_of(node) & _MEDIA_TYPES]
    pages = [node for node in nodes if types_of(node) & (_PAGE_TYPES | _LISTING_TYPES)]
    return LinkedData(
        story=_best(articles or media, headline_hints),
        page=next(iter(pages), {}),
        types=frozenset(
            kind for value in loaded if value is not None for node in _top(value) for kind in types_of(node)
        ),
        by_id=by_id,
        broken=any(value is None for value in loaded),
    )


def _bounded(scripts: list[str]) -> list[str]:
    """The scripts up to a sum of characters; what is beyond is no description of a story."""
    kept: list[str] = []
    room = _MOST_CHARACTERS
    for script in scripts[:_MOST_SCRIPTS]:
        if len(script) <= room:
            kept.append(script)
            room -= len(script)
    return kept


def types_of(node: Node) -> frozenset[str]:
    """The node's ``@type`` values, without a vocabulary's address before them."""
    value = node.get("@type")
    if isinstance(value, str):
        return _kinds(value)
    return (
        frozenset(_BEFORE_NAME.sub("", kind) for kind in value if isinstance(kind, str))
        if isinstance(value, list)
        else frozenset()
    )


@lru_cache(maxsize=1024)
def _kinds(name: str) -> frozenset[str]:
    return frozenset({_BEFORE_NAME.sub("", name)})


def text_of(value: Any) -> str | None:
    """The text of a JSON-LD value: a string, or the ``name``/``@value`` of a node, or the first of a list."""
    if isinstance(value, list):
        return next((text for item in value if (text := text_of(item))), None)
    if isinstance(value, dict):
        return text_of(value.get("name") or value.get("@value") or value.get("headline"))
    return (plain(value) or None) if isinstance(value, str) else None


def texts_of(value: Any) -> list[str]:
    """All texts of a JSON-LD value that may be one or many."""
    items = value if isinstance(value, list) else [value]
    return [text for item in items if (text := text_of(item))]


def _load(script: str) -> Any:
    text = _unwrapped(script)
    for repair in (None, _without_trailing_commas, _without_entities):
        attempt = repair(text) if repair else text
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _unwrapped(script: str) -> str:
    """The JSON without the comment or CDATA marks that old templates put around scripts."""
    text = script.strip()
    for mark in _OPENING:
        text = text.removeprefix(mark).lstrip()
    for mark in _CLOSING:
        text = text.removesuffix(mark).rstrip()
    return text.rstrip(";")


def _without_trailing_commas(text: str) -> str:
    return _TRAILING_COMMA.sub(r"\1", text)


def _without_entities(text: str) -> str:
    return text.replace("&quot;", '"')


def _top(value: Any) -> Iterator[Node]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item
            if "@graph" in item:
                yield from _top(item["@graph"])


def _nodes(value: Any, depth: int = 0) -> Iterator[Node]:
    """Every node, outer ones first; inside an article nothing but its main entity is looked at."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _nodes(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        inner = ("@graph", "mainEntity", "mainEntityOfPage") if types_of(value) & ARTICLE_TYPES else list(value)
        for key in inner:
            if isinstance(value.get(key), dict | list) and key not in (
                "itemListElement",
                "hasPart",
                "isPartOf",
                "comment",
            ):
                yield from _nodes(value[key], depth + 1)


def _best(nodes: list[Node], hints: tuple[str, ...]) -> Node:
    wanted = {letters(hint) for hint in hints if hint}

    def rank(node: Node) -> tuple[bool, int]:
        title = letters(text_of(node.get("headline") or node.get("name")) or "")
        titled = bool(title) and any(title == hint or (len(title) > 20 and title in hint) for hint in wanted)
        return titled, sum(1 for key in ("headline", "datePublished", "author", "articleBody") if node.get(key))

    return max(nodes, key=rank, default={})


_FIELD = re.compile(
    r'"(headline|datePublished|dateModified|description|articleSection|@type)"\s*:\s*"((?:[^"\\\n]|\\.){1,600})"'
)
_AUTHOR = re.compile(r'"author"\s*:\s*[\[{][^\]}]{0,300}?"name"\s*:\s*"((?:[^"\\\n]|\\.){1,200})"')


def _described_by_hand(scripts: list[str], loaded: list[Any]) -> list[Node]:
    """What single fields of JSON that no parser reads still say; only where it is an article's."""
    found: list[Node] = []
    for script, value in zip(scripts, loaded, strict=True):
        node: Node = {}
        for key, text in _FIELD.findall(script) if value is None else ():
            if key != "@type" or text in ARTICLE_TYPES:
                node.setdefault(key, text)
        if node.get("@type") and (author := _AUTHOR.search(script)):
            node["author"] = {"@type": "Person", "name": author[1]}
        if node.get("@type"):
            found.append(node)
    return found
