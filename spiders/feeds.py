"""Feeds: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, JSON Feed 1.x; from bytes to mentions."""

import json
from dataclasses import dataclass
from typing import Any

from lxml import etree

from newsmorgue.spiders.mentions import Mention, absolute_address, mention
from newsmorgue.spiders.xml_stream import XmlStream, local_name, namespace, text_of

_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_ENTRIES = frozenset({"item", "entry"})
# What an entry calls its last change (Atom, Dublin Core terms), and what its publication, best first.
_CHANGED = ("updated", "modified")
_PUBLISHED = ("pubdate", "published", "issued", "date", "created")
_ATOM = ("{http://www.w3.org/2005/Atom}", "atom:")
# Ten times what the largest feeds hold.
MOST_MENTIONS = 10_000


@dataclass(frozen=True, slots=True)
class Feed:
    """What could be read, in the feed's order, and the first thing that was wrong with it (None: nothing)."""

    mentions: tuple[Mention, ...]
    problem: str | None = None


def parse_feed(body: bytes, url: str) -> Feed:
    """Read a feed that came from ``url`` (its content-codings undone). Never raises; never fetches anything.

    Entries without a web address are left out. At most 10,000 are read.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, url)
    stream = XmlStream(body, _ENTRIES)
    mentions: dict[Mention, None] = {}
    for entry in stream:
        found = _entry(entry, url) if stream.root in _ROOTS else None
        if found:
            mentions[found] = None
        if len(mentions) == MOST_MENTIONS:
            return Feed(tuple(mentions), f"more than {MOST_MENTIONS} entries")
    if stream.root not in _ROOTS:
        return Feed((), f"neither RSS, Atom nor JSON Feed: {stream.problem or f'its root is <{stream.root}>'}")
    return Feed(tuple(mentions), stream.problem)


def _entry(entry: etree._Element, url: str) -> Mention | None:
    parts: dict[str, etree._Element] = {}
    own = namespace(entry)
    for child in entry:
        # A media:title or an itunes:title is another thing's.
        if namespace(child) == own or local_name(child) not in ("title", "link", "guid"):
            parts.setdefault(local_name(child), child)
    stated = next((text_of(parts[name]) for name in _CHANGED + _PUBLISHED if name in parts), None)
    title = text_of(parts["title"]) if "title" in parts else None
    return mention(_link(entry, parts), _base(entry, url), stated, title)


def _link(entry: etree._Element, parts: dict[str, etree._Element]) -> str | None:
    """The story's own address before the one of a service that counts readers (``feedburner:origLink``)."""
    candidates = [text_of(parts["origlink"]) if "origlink" in parts else None, _link_element(entry)]
    if "guid" in parts and parts["guid"].get("isPermaLink", "true").lower() != "false":
        candidates.append(_if_absolute(text_of(parts["guid"])))
    candidates.append(entry.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"))
    candidates.append(_if_absolute(text_of(parts["id"])) if "id" in parts else None)
    return next((found for found in candidates if found and found.strip()), None)


def _if_absolute(text: str) -> str | None:
    return text if text.strip().lower().startswith(("http://", "https://")) else None


def _link_element(entry: etree._Element) -> str | None:
    """RSS writes the address as text, Atom as ``href`` of the link whose ``rel`` is ``alternate`` (RFC 4287
    §4.2.7).
    """
    own = namespace(entry)
    links = [child for child in entry if local_name(child) == "link" and namespace(child) in (own, *_ATOM)]
    texts = [text_of(link) for link in links if link.get("href") is None]
    alternates = [link for link in links if link.get("href") and link.get("rel", "alternate") == "alternate"]
    alternates.sort(key=lambda link: link.get("type", "text/html") != "text/html")
    return next((text for text in texts if text.strip()), None) or next((link.get("href") for link in alternates), None)


def _base(element: etree._Element, url: str) -> str:
    """What relative addresses in an element start from (XML Base)."""
    return absolute_address(element.base, url) or url


def _json_feed(body: bytes, url: str) -> Feed:
    """JSON Feed 1.1 (jsonfeed.org)."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Feed((), f"not JSON: {error}")
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        return Feed((), "JSON without a list 'items' is no JSON Feed")
    found = [_json_item(item, url) for item in items[:MOST_MENTIONS] if isinstance(item, dict)]
    problem = f"more than {MOST_MENTIONS} entries" if len(items) > MOST_MENTIONS else None
    return Feed(tuple(dict.fromkeys(one for one in found if one)), problem)


def _json_item(item: dict[str, Any], url: str) -> Mention | None:
    def said(*names: str) -> str | None:
        return next((value for name in names if isinstance(value := item.get(name), str) and value.strip()), None)

    address = said("url") or _if_absolute(said("id") or "") or said("external_url")
    return mention(address, url, said("date_modified", "date_published"), said("title"))
