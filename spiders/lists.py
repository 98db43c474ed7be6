"""What a list (home page, section, feed, sitemap) names, read in a process of its own and handed over packed.

Packed because a sitemap may name 50,000 addresses: as lines of compressed JSON they pass to the crawl's process as
some hundred kilobytes, and are unpacked there a few at a time.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from isal import isal_zlib

from newsmorgue.archive.capture import Role
from newsmorgue.capture.entity import decode_entity, is_gzip
from newsmorgue.spiders.feeds import parse_feed
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.listing import read_listing
from newsmorgue.spiders.readers import Reader
from newsmorgue.spiders.sitemaps import SitemapStream

LARGEST_LIST = 64 << 20  # sitemaps.org allows 50 MB unpacked
_UNPACKED_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list as it came: its entity as received, and what is needed to read it: its ``reader``, else its role."""

    role: Role
    url: str
    entity: bytes = field(repr=False)  # a log is no place for it
    content_encoding: str | None
    charset: str | None
    hosts: tuple[str, ...] = ()
    reader: Reader | None = None


def read_list(page: ListPage) -> bytes:
    """Read a list, and pack what it says. Raises what :func:`decode_entity` raises."""
    packer = isal_zlib.compressobj(1)
    parts = [packer.compress(_line(found)) for found in _read(page)]
    return b"".join((*parts, packer.flush()))


def unpack(packed: bytes) -> Iterator[Found]:
    """What :func:`read_list` packed, one after the other."""
    unpacker, rest = isal_zlib.decompressobj(), b""
    while not unpacker.eof:
        lines = (rest + unpacker.decompress(packed, _UNPACKED_AT_ONCE)).split(b"\n")
        packed, rest = unpacker.unconsumed_tail, lines.pop()
        for line in lines:
            role, url, stated, guessed, problem = json.loads(line)
            yield Found(Role(role) if role else None, url, stated, guessed, problem)


def _line(found: Found) -> bytes:
    return json.dumps([found.role, found.url, found.stated, found.guessed, found.problem]).encode() + b"\n"


def _read(page: ListPage) -> Iterator[Found]:
    body = decode_entity(page.entity, page.content_encoding, LARGEST_LIST)
    if is_gzip(body) and page.role != Role.SITEMAP:  # a sitemap is unpacked as it is read
        body = decode_entity(body, "gzip", LARGEST_LIST)
    if page.reader is not None:
        return page.reader.read(body, page.url, page.charset)
    if page.role == Role.SITEMAP:
        return _in_sitemap(body, page.url)
    if page.role == Role.FEED or (page.role == Role.HOME and _is_feed(body, page.url)):
        return _in_feed(body, page.url)
    return _in_page(body, page.url, page.hosts, page.charset)


def _is_feed(body: bytes, url: str) -> bool:
    """Whether what was typed as a home page is a feed."""
    begins_like_one = (
        body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<rss", b"<feed", b"<rdf", b"{"))
    )
    return begins_like_one and bool(parse_feed(body, url).mentions)


def _in_sitemap(body: bytes, url: str) -> Iterator[Found]:
    stream = SitemapStream(body, url)
    for is_sitemap, mention in stream:
        yield Found(Role.SITEMAP if is_sitemap else Role.STORY, mention.url, mention.stated)
    yield from _problem(stream.problem)


def _in_feed(body: bytes, url: str) -> Iterator[Found]:
    feed = parse_feed(body, url)
    yield from (Found(Role.STORY, mention.url, mention.stated) for mention in feed.mentions)
    yield from _problem(feed.problem)


def _in_page(body: bytes, url: str, hosts: Collection[str], charset: str | None) -> Iterator[Found]:
    listing = read_listing(body, url, hosts, charset)
    yield from (Found(Role.FEED, feed) for feed in listing.feeds)
    yield from (Found(Role.FEED, feed, guessed=True) for feed in listing.feed_links)
    yield from (Found(Role.SECTION, section) for section in listing.sections)
    yield from (Found(Role.LINK, story) for story in listing.stories)
    if listing.next_page:
        yield Found(Role.OLDER, listing.next_page, listing.newest.isoformat() if listing.newest else None)


def _problem(problem: str | None) -> Iterator[Found]:
    if problem:
        yield Found(None, "", problem=problem)
