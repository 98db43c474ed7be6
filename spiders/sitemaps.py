"""Sitemaps (sitemaps.org 0.9 with Google's news extension), their indexes, and the lines of robots.txt that
name them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lxml import etree

from newsmorgue.capture.entity import EntityTooLarge, MalformedEntity, decode_entity, is_gzip, unpacked_pieces
from newsmorgue.cleaning.decode import decode
from newsmorgue.spiders.feeds import parse_feed
from newsmorgue.spiders.mentions import Mention, absolute_address, mention
from newsmorgue.spiders.xml_stream import XmlStream, in_pieces, local_name, namespace, text_of

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


class SitemapStream:
    """A sitemap's addresses one by one, each with whether it is a further sitemap's; ``problem`` is known at the end.

    What came from ``url`` may be XML, an index, a feed, or one address a line; gzip by content. Never raises. Reads
    50,000 addresses and 50 MiB at most, and names what it left; beside the body as it came it holds a piece at a time.
    """

    def __init__(self, body: bytes, url: str) -> None:
        self.problem: str | None = None
        self._body = body
        self._url = url

    def __iter__(self) -> Iterator[tuple[bool, Mention]]:
        """Read it, once."""
        try:
            pieces = unpacked_pieces(self._body, MOST_BYTES) if is_gzip(self._body) else in_pieces(self._body)
            first = next(pieces, b"")
            found = self._xml(chain((first,), pieces)) if b"<" in first[:1024] else self._plain(chain((first,), pieces))
            for number, one in enumerate(found):
                if number == MOST_MENTIONS:
                    self.problem = f"more than {MOST_MENTIONS} addresses; the rest is not read"
                    return
                yield one
        except (EntityTooLarge, MalformedEntity) as error:
            self.problem = str(error)

    def _xml(self, pieces: Iterator[bytes]) -> Iterator[tuple[bool, Mention]]:
        stream, empty = XmlStream(pieces, _ELEMENTS), True
        for element in stream:
            found = _entry(element, self._url)
            if found:
                empty = False
                yield local_name(element) == "sitemap", found
        self.problem = stream.problem
        if stream.root in _FEEDS:
            body = self._body
            feed = parse_feed(decode_entity(body, "gzip" if is_gzip(body) else None, MOST_BYTES), self._url)
            self.problem = feed.problem
            yield from ((False, mention) for mention in feed.mentions)
        elif stream.root not in ("urlset", "sitemapindex") and empty:
            self.problem = f"no sitemap: {stream.problem or f'its root is <{stream.root}>'}"

    def _plain(self, pieces: Iterator[bytes]) -> Iterator[tuple[bool, Mention]]:
        """One absolute address a line (sitemaps.org, "Text file")."""
        self.problem = "no sitemap: neither XML nor one address a line"
        for line in decode(b"".join(pieces)).text.split("\n"):
            is_address = line.strip().lower().startswith(("http://", "https://"))
            found = mention(line.strip(), self._url) if is_address else None
            if found:
                self.problem = None
                yield False, found


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """All of a :class:`SitemapStream` at once, each address once."""
    stream = SitemapStream(body, url)
    found = dict.fromkeys(stream)
    mentions = tuple(mention for is_sitemap, mention in found if not is_sitemap)
    return Sitemap(mentions, tuple(mention for is_sitemap, mention in found if is_sitemap), stream.problem)


def _entry(element: etree._Element, url: str) -> Mention | None:
    own = namespace(element)
    parts = {local_name(child): child for child in element if namespace(child) == own}
    news = next((child for child in element if local_name(child) == "news"), None)
    if "loc" not in parts:
        return None
    said = {local_name(child): text_of(child) for child in news} if news is not None else {}
    stated = text_of(parts["lastmod"]) if "lastmod" in parts else said.get("publication_date")
    return mention(text_of(parts["loc"]), url, stated, said.get("title"))


def sitemaps_in_robots(body: bytes, url: str) -> list[str]:
    """The addresses on ``Sitemap:`` lines of a robots.txt that came from ``url`` (RFC 9309 §2.2.4: they are
    no group's).
    """
    lines = _SITEMAP_LINE.findall(body.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n"))
    found = (absolute_address(line.decode("utf-8", "replace"), url) for line in lines)
    return list(dict.fromkeys(one for one in found if one))
