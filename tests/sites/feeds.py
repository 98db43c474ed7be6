"""What leads a crawler to the stories: RSS, Atom, sitemaps (index, plain, gzipped news) and robots.txt."""

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape

from tests.sites.stories import State
from tests.sites.theme import post_number
from tests.sites.words import WORDS

ROBOTS = """# The Lantern has nothing to hide but its drafts.
User-agent: *
Disallow: /private/
Disallow: /wp-admin/
Disallow: /pub/

Sitemap: {base}/sitemap.xml
Sitemap: {base}/news-sitemap.xml.gz
"""
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
# Google's rule for news sitemaps: articles of the last two days.
_NEWS_AGE = timedelta(days=2)


def robots(base: str) -> bytes:
    """robots.txt as of RFC 9309, with two Sitemap lines."""
    return ROBOTS.format(base=base).encode()


def rss(states: Iterable[State], base: str, now: datetime) -> bytes:
    """RSS 2.0 of the French stories; the links carry tracking parameters."""
    items = "".join(_rss_item(state, base) for state in _newest(states))
    return (
        f'{_XML}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="{_ATOM}"><channel>'
        f"<title>Le Fanal</title><link>{base}/</link><language>fr</language>"
        f"<description>{escape(WORDS['fr'].slogan)}</description>"
        f'<atom:link href="{base}/feed/" rel="self" type="application/rss+xml"/>'
        f"<lastBuildDate>{format_datetime(now)}</lastBuildDate>{items}</channel></rss>\n"
    ).encode()


def _rss_item(state: State, base: str) -> str:
    link = escape(f"{base}{state.path}?utm_source=rss&utm_medium=feed&utm_campaign=le-fanal")
    creators = "".join(f"<dc:creator>{escape(author)}</dc:creator>" for author in state.authors)
    categories = "".join(f"<category>{escape(tag)}</category>" for tag in state.tags)
    return (
        f"<item><title>{escape(state.text.headline)}</title><link>{link}</link>"
        f'<guid isPermaLink="false">{base}/?p={post_number(state)}</guid>'
        f"<pubDate>{format_datetime(state.published)}</pubDate>"
        f"{creators}{categories}<description>{escape(state.text.summary)}</description></item>"
    )


def atom(states: Iterable[State], base: str, now: datetime) -> bytes:
    """Atom (RFC 4287) of the English stories."""
    entries = "".join(_atom_entry(state, base) for state in _newest(states))
    return (
        f'{_XML}<feed xmlns="{_ATOM}" xml:lang="en"><id>{base}/en/</id><title>The Lantern</title>'
        f"<updated>{now.isoformat()}</updated>"
        f'<link rel="self" href="{base}/en/atom.xml"/><link href="{base}/"/>{entries}</feed>\n'
    ).encode()


def _atom_entry(state: State, base: str) -> str:
    authors = "".join(f"<author><name>{escape(author)}</name></author>" for author in state.authors)
    return (
        f"<entry><id>{base}/?p={post_number(state)}</id><title>{escape(state.text.headline)}</title>"
        f'<link rel="alternate" type="text/html" href="{base}{state.path}?utm_source=atom"/>'
        f"<published>{state.published.isoformat()}</published><updated>{state.touched.isoformat()}</updated>"
        f"{authors}<summary>{escape(state.text.summary)}</summary></entry>"
    )


def sitemap_index(base: str, now: datetime) -> bytes:
    """The index that robots.txt names."""
    parts = "".join(
        f"<sitemap><loc>{base}/{name}</loc><lastmod>{now.isoformat()}</lastmod></sitemap>"
        for name in ("post-sitemap.xml", "news-sitemap.xml.gz")
    )
    return f'{_XML}<sitemapindex xmlns="{_SITEMAP}">{parts}</sitemapindex>\n'.encode()


def sitemap(states: Iterable[State], base: str) -> bytes:
    """All stories with ``lastmod``, the draft under /private/ by mistake among them."""
    urls = "".join(
        f"<url><loc>{base}{state.path}</loc><lastmod>{state.touched.isoformat()}</lastmod></url>"
        for state in _newest(states)
    )
    return f'{_XML}<urlset xmlns="{_SITEMAP}">{urls}</urlset>\n'.encode()


def news_sitemap(states: Iterable[State], base: str, now: datetime) -> bytes:
    """The stories of the last two days, gzipped, as Google's news sitemap protocol has it."""
    urls = "".join(_news_url(state, base) for state in _newest(states) if state.published > now - _NEWS_AGE)
    text = f'{_XML}<urlset xmlns="{_SITEMAP}" xmlns:news="{_NEWS}">{urls}</urlset>\n'
    return gzip.compress(text.encode(), mtime=0)


def _news_url(state: State, base: str) -> str:
    name = escape(WORDS[state.language].site)
    return (
        f"<url><loc>{base}{state.path}</loc><news:news><news:publication><news:name>{name}</news:name>"
        f"<news:language>{state.language}</news:language></news:publication>"
        f"<news:publication_date>{state.published.isoformat()}</news:publication_date>"
        f"<news:title>{escape(state.text.headline)}</news:title></news:news></url>"
    )


def _newest(states: Iterable[State]) -> list[State]:
    return sorted(states, key=lambda state: state.published.astimezone(UTC), reverse=True)
