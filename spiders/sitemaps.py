"""Sitemaps (sitemaps.org 0.9 with Google's news extension), their indexes, and the lines of robots.txt that
name them.
"""

import re
from dataclasses import dataclass

from lxml import etree

from newsmorgue.capture.entity import EntityTooLarge, MalformedEntity, decode_entity, is_gzip
from newsmorgue.cleaning.decode import decode
from newsmorgue.spiders.feeds import parse_feed
from newsmorgue.spiders.mentions import Mention, absolute_address, mention
from newsmorgue.spiders.xml_stream import XmlStream, local_name, namespace, text_of

# sitemaps.org: "no more than 50,000 URLs and must be no larger than 50MB (52,428,800 bytes)" uncompressed.
MOST_MENTIONS = 50_000
MOST_BYTES = 52_428_800
_ELEMENTS = frozenset({"url", "sitemap"})
_FEEDS = frozenset({"rss", "feed", "rdf"})
_SITEMAP_LINE = re.compile(rb"^[ \t]*site-?maps?[ \t]*:[ \t]*([^\s#]+)", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What could be read: pages, further sitemaps (``stated`` is their lastmod), and the first fault (None:
    none).
    """

    mentions: tuple[Mention, ...] = ()
    children: tuple[Mention, ...] = ()
    problem: str | None = None


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """Read what came from ``url`` as a sitemap: XML, an index, a feed, or one address a line; gzip by
    content.

    Never raises. Reads 50,000 addresses and 50 MiB at most, and names what it left.
    """
    try:
        body = decode_entity(body, "gzip" if is_gzip(body) else None, MOST_BYTES)
    except (EntityTooLarge, MalformedEntity) as error:
        return Sitemap(problem=str(error))
    if b"<" not in body[:1024]:
        return _plain(body, url)
    return _xml(body, url)


def _xml(body: bytes, url: str) -> Sitemap:
    stream = XmlStream(body, _ELEMENTS)
    found: dict[str, dict[Mention, None]] = {"url": {}, "sitemap": {}}
    problem: str | None = None
    for element in stream:
        one = _entry(element, url)
        if one:
            found[local_name(element)][one] = None
        if sum(map(len, found.values())) >= MOST_MENTIONS:
            problem = f"more than {MOST_MENTIONS} addresses; the rest is not read"
            break
    if stream.root in _FEEDS:
        feed = parse_feed(body, url)
        return Sitemap(feed.mentions, problem=feed.problem)
    if stream.root not in ("urlset", "sitemapindex") and not any(found.values()):
        return Sitemap(problem=f"no sitemap: {stream.problem or f'its root is <{stream.root}>'}")
    return Sitemap(tuple(found["url"]), tuple(found["sitemap"]), problem or stream.problem)


def _entry(element: etree._Element, url: str) -> Mention | None:
    own = namespace(element)
    parts = {local_name(child): child for child in element if namespace(child) == own}
    news = next((child for child in element if local_name(child) == "news"), None)
    if "loc" not in parts:
        return None
    said = {local_name(child): text_of(child) for child in news} if news is not None else {}
    stated = text_of(parts["lastmod"]) if "lastmod" in parts else said.get("publication_date")
    return mention(text_of(parts["loc"]), url, stated, said.get("title"))


def _plain(body: bytes, url: str) -> Sitemap:
    """One absolute address a line (sitemaps.org, "Text file")."""
    lines = [line.strip() for line in decode(body).text.split("\n")]
    addresses = [line for line in lines if line.lower().startswith(("http://", "https://"))]
    found = [mention(address, url) for address in addresses[:MOST_MENTIONS]]
    mentions = tuple(dict.fromkeys(one for one in found if one))
    if len(addresses) > MOST_MENTIONS:
        return Sitemap(mentions, problem=f"more than {MOST_MENTIONS} addresses; the rest is not read")
    return Sitemap(mentions, problem=None if mentions else "no sitemap: neither XML nor one address a line")


def sitemaps_in_robots(body: bytes, url: str) -> list[str]:
    """The addresses on ``Sitemap:`` lines of a robots.txt that came from ``url`` (RFC 9309 §2.2.4: they are
    no group's).
    """
    lines = _SITEMAP_LINE.findall(body.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n"))
    found = (absolute_address(line.decode("utf-8", "replace"), url) for line in lines)
    return list(dict.fromkeys(one for one in found if one))
