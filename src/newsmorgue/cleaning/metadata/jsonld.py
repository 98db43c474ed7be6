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
# An escape of JSON; of a character by number with the number, and the low half of a pair behind it.
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})(?:\\u(d[c-f][0-9a-f]{2}))?|.)", re.I | re.S)
_HARMFUL = re.compile(r"\\(?:b|u(?:00[01]|007f|00[89]|d[89a-f]))", re.I)
_ANY_ESCAPE = re.compile(r"\\([\"\\/bfnrt]|u[0-9a-fA-F]{4})?")
# A string (that may never end), or what JSON does not allow outside of one.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*(?:"|\Z)|/\*.*?(?:\*/|\Z)|(?<!:)//[^\n]*|,(?=\s*[}\]])|:\s*(?:undefined\b|(?=[,}\]]))', re.S
)
_BETWEEN_VALUES = re.compile(r"[\s,;}\]]*")
_DECODER = json.JSONDecoder(strict=False)
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
    bare = _harmless(script.strip("\ufeff \t\r\n\f"))
    text = _unwrapped(bare)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    for written in (bare, text, text.replace("&quot;", '"')):
        try:
            return _values(_mended(written))
        except (ValueError, RecursionError):
            continue
    return None


def _unwrapped(script: str) -> str:
    """The JSON without the comment or CDATA marks that old templates put around scripts."""
    text = script
    for mark in _OPENING:
        text = text.removeprefix(mark).lstrip()
    for mark in _CLOSING:
        text = text.removesuffix(mark).rstrip()
    return text.rstrip(";")


def _harmless(text: str) -> str:
    """JSON whose escapes make no control characters and no halves of surrogate pairs: no text in UTF-8 can hold these,
    no database NUL, and no terminal should be sent the rest."""
    return _ESCAPE.sub(_escape, text) if _HARMFUL.search(text) else text


def _escape(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    if first is None:
        return " " if match[0] == "\\b" else match[0]
    if "d800" <= first.lower() <= "dbff":
        return match[0] if second else "\\ufffd"
    kept = "\\ufffd" if "dc00" <= first.lower() <= "dfff" else " " if _is_control(int(first, 16)) else f"\\u{first}"
    return f"{kept}\\ufffd" if second else kept


def _is_control(code: int) -> bool:
    return code < 0x20 or 0x7F <= code < 0xA0


def _values(text: str) -> Any:
    """The JSON values that stand one after another, or the only one; what follows the last that can be read is left.

    Raises ValueError where there is none."""
    values: list[Any] = []
    at = _between(text, 0)
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except ValueError:
            if not any(isinstance(value, dict | list) for value in values):
                raise
            break
        values.append(value)
        at = _between(text, at)
    return values[0] if len(values) == 1 else values


def _between(text: str, at: int) -> int:
    """Where the next value begins."""
    parting = _BETWEEN_VALUES.match(text, at)
    return parting.end() if parting else at


def _mended(text: str) -> str:
    """JSON without comments, commas that nothing follows, and escapes that JSON does not know; ``null`` for what is
    left out or undefined."""
    return _TOKEN.sub(_mended_token, text)


def _mended_token(match: re.Match[str]) -> str:
    token = match[0]
    if token[0] == '"':
        return _ANY_ESCAPE.sub(lambda escape: escape[0] if escape[1] else "", token) if "\\" in token else token
    return ": null" if token[0] == ":" else ""


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
    r'"(headline|datePublished|dateModified|description|articleSection|keywords|@type)"\s*:\s*"((?:[^"\\\n]|\\.){1,600})"'
)
_AUTHOR = re.compile(r'"author"\s*:\s*(?:\[[^\]]{0,3000}|\{[^}]{0,300})')
_NAME = re.compile(r'"name"\s*:\s*"((?:[^"\\\n]|\\.){1,200})"')


def _described_by_hand(scripts: list[str], loaded: list[Any]) -> list[Node]:
    """What single fields of JSON that no parser reads still say; only where it is an article's."""
    found: list[Node] = []
    for script, value in zip(scripts, loaded, strict=True):
        if value is not None:
            continue
        script = _harmless(script)
        node: Node = {}
        for key, text in _FIELD.findall(script):
            if key != "@type" or text in ARTICLE_TYPES:
                node.setdefault(key, _unescaped(text))
        if node.get("@type"):
            if author := _AUTHOR.search(script):
                names = _NAME.findall(author[0])
                node["author"] = [{"@type": "Person", "name": _unescaped(name)} for name in names]
            found.append(node)
    return found


def _unescaped(text: str) -> str:
    """What a string of JSON says."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
