"""Which story a page belongs to.

A story is known by its canonical URL and reachable under many. What a page says of its own address is believed only
within its own registrable domain (or the hosts its source lists), never for a home page, section or listing, and only
when text or headline agree with the story already there. Where nothing is there yet the claim is kept, the address
is put on the frontier, and the two become one when it has been seen and agrees.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.archive.events import AliasAdded, CanonicalChanged, Discovered, Merged, StoryBegun
from newsmorgue.archive.frontier import SEED_ROLES, role_of
from newsmorgue.archive.journal import Place
from newsmorgue.archive.ledger import Ledger
from newsmorgue.cleaning import Article
from newsmorgue.stories.likeness import tell_the_same
from newsmorgue.stories.versions import root_of, versions_of
from newsmorgue.times import from_microseconds
from newsmorgue.urls import address_key, host_and_port, is_loopback, registrable_domain, without_tracking

ReadArticle = Callable[[Place], Article]
_CONTROLS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Address:
    """A page's address: as fetched, its key, the source that fetched it, and the other hosts that source lists."""

    source: str
    hosts: frozenset[str]
    url: str
    key: str


def same_site(address: Address, url: str) -> bool:
    """Whether a URL is on the page's registrable domain or a host its source lists. For a bare address: same port."""
    try:
        here, there = host_and_port(address.url), host_and_port(url)
    except ValueError:
        return False
    if there[0] in address.hosts or f"{there[0]}:{there[1]}" in address.hosts:
        return True
    if is_loopback(here[0]) or _is_bare(here[0]):
        return here == there
    return registrable_domain(here[0]) == registrable_domain(there[0])


def _is_bare(host: str) -> bool:
    """Whether a host is an IP address or a single label, whose ports may be anybody's."""
    return "." not in host or host.replace(".", "").isdigit()


def story_at(connection: sa.Connection, key: str) -> str | None:
    """The story that an address leads to: the root, or None."""
    story = connection.execute(sa.select(schema.aliases.c.story).where(schema.aliases.c.key == key).limit(1)).scalar()
    return root_of(connection, story) if story else None


def identify(
    ledger: Ledger, address: Address, article: Article, read: ReadArticle, seen: datetime | None = None
) -> tuple[str, bool]:
    """The story a page belongs to, begun where there is none yet, its aliases and claims brought up to date.

    ``seen`` is when an imported page was captured, None for one just fetched: of a page older than what the story shows
    already, the word on its canonical URL counts no more; and an import puts nothing on the frontier.
    Returns the story's root id and whether it is new.
    """
    claimed, foreign = _claim(ledger, address, article)
    story = _known(ledger, address, article, read)
    there = story_at(ledger.connection, address_key(claimed)) if claimed else None
    believed = there is not None and (there == story or _agrees(ledger, there, article, read))
    if believed and there is not None:
        story = there if story is None else merge(ledger, story, there, f"{address.url} names {claimed} as canonical")
    is_new = story is None
    if story is None:
        story = _begin(ledger, address)
    elif seen is not None and seen < last_seen(ledger.connection, story):
        _add_alias(ledger, address.url, address.key, story, "requested")
        return story, False
    canonical = claimed if believed and claimed else without_tracking(address.url)
    waiting = claimed if claimed and not believed and there is None else None
    _say_canonical(ledger, story, canonical, waiting, foreign)
    if waiting and seen is None:
        _look_at(ledger, address, waiting)
    _add_alias(ledger, address.url, address.key, story, "requested")
    return story, is_new


def _claim(ledger: Ledger, address: Address, article: Article) -> tuple[str | None, str | None]:
    """The canonical URL a page claims beside its own address: (believable, foreign), at most one of them."""
    claimed = article.canonical
    key = _key(claimed) if claimed else None
    if not claimed or key is None or key == address.key:
        return None, None
    if not same_site(address, claimed):
        return None, claimed
    parts = urlsplit(without_tracking(claimed))
    is_front = parts.path.strip("/") == "" and not parts.query
    if is_front or role_of(ledger.connection, address.source, key) in SEED_ROLES:
        return None, None
    return claimed, None


def _key(url: str) -> str | None:
    """The key of what a page says is an address; None where it is none, or holds what no URL and no database may."""
    try:
        usable = urlsplit(url).scheme in ("http", "https") and not _CONTROLS.search(url)
        return address_key(url) if usable else None
    except ValueError:
        return None


def _known(ledger: Ledger, address: Address, article: Article, read: ReadArticle) -> str | None:
    """The story at an address, made one with those that redirect there or name it, if this page tells the same."""
    story = story_at(ledger.connection, address.key)
    for found, why in _leading_here(ledger.connection, address):
        other = root_of(ledger.connection, found)
        if other != story and _agrees(ledger, other, article, read):
            story = merge(ledger, story, other, f"{why} {address.url}") if story else other
    return story


def _leading_here(connection: sa.Connection, address: Address) -> list[tuple[str, str]]:
    """Stories whose address redirects to this one, and those that named it as canonical before it was seen."""
    moved = [(story_at(connection, key), f"{key} redirects to") for key in _redirecting_keys(connection, address)]
    table = schema.stories.c
    waiting = sa.select(table.id).where(table.claimed_key == address.key).order_by(table.created_at, table.id)
    claiming = [(story, "it named as canonical") for story in connection.execute(waiting).scalars()]
    return [(story, why) for story, why in (*moved, *claiming) if story]


def last_seen(connection: sa.Connection, story: str) -> datetime:
    """When a story was last sighted; the beginning of all counting where it never was."""
    rows = versions_of(connection, story)
    return max((row.last_seen for row in rows), default=from_microseconds(0))


def _agrees(ledger: Ledger, story: str, article: Article, read: ReadArticle) -> bool:
    rows = versions_of(ledger.connection, story)
    latest = max(rows, key=lambda row: row.last_seen, default=None)
    return latest is not None and tell_the_same(article, read(latest.place))


def _redirecting_keys(connection: sa.Connection, address: Address) -> list[str]:
    """The addresses that redirect here, over any number of hops, the nearest first."""
    table, found, fresh = schema.urls.c, [address.key], [address.key]
    while fresh:
        moved = (table.source == address.source, table.outcome == "redirected", table.detail.in_(fresh))
        hop = connection.execute(sa.select(table.key).where(*moved).order_by(table.key)).scalars().all()
        fresh = [key for key in hop if key not in found]
        found += fresh
    return found[1:]


def _begin(ledger: Ledger, address: Address) -> str:
    story = secrets.token_hex(8)
    ledger.emit(StoryBegun(story, address.source, without_tracking(address.url)))
    return story


def _say_canonical(ledger: Ledger, story: str, canonical: str, claimed: str | None, foreign: str | None) -> None:
    table = schema.stories.c
    columns = (table.canonical, table.claimed, table.syndicated_from)
    row = ledger.connection.execute(sa.select(*columns).where(table.id == story)).one()
    if tuple(row) != (canonical, claimed, foreign):
        ledger.emit(CanonicalChanged(story, canonical, claimed, foreign))
    _add_alias(ledger, canonical, address_key(canonical), story, "canonical")


def _look_at(ledger: Ledger, address: Address, url: str) -> None:
    key = address_key(url)
    if role_of(ledger.connection, address.source, key) is None:
        ledger.emit(Discovered(address.source, url, key, Role.LINK, address.url, url))


def _add_alias(ledger: Ledger, url: str, key: str, story: str, kind: str) -> None:
    table = schema.aliases.c
    known = ledger.connection.execute(sa.select(table.story).where(table.url == url)).scalar()
    if known is None:
        ledger.emit(AliasAdded(url, key, story, kind))


def add_known_spellings(ledger: Ledger, address: Address, story: str) -> None:
    """Make every spelling under which lists named this page, and every address that redirects to it, an alias."""
    keys = _redirecting_keys(ledger.connection, address)
    for key in keys:
        if story_at(ledger.connection, key) is None:
            url = ledger.connection.execute(
                sa.select(schema.urls.c.url).where(schema.urls.c.source == address.source, schema.urls.c.key == key)
            ).scalar_one()
            _add_alias(ledger, url, key, story, "redirect")
    ours = [key for key in (address.key, *keys) if story_at(ledger.connection, key) == story]
    table = schema.mentions.c
    given = (
        sa.select(table.given, table.key)
        .where(table.source == address.source, table.key.in_(ours))
        .order_by(table.given)
    )
    for row in ledger.connection.execute(given.distinct()).all():
        _add_alias(ledger, row.given, row.key, story, "mentioned")


def merge(ledger: Ledger, one: str, other: str, why: str) -> str:
    """Make two stories one: the older id stays, the other becomes a permanent redirect to it. Returns the older."""
    if one == other:
        return one
    table = schema.stories.c
    both = sa.select(table.id).where(table.id.in_((one, other))).order_by(table.created_at, table.id)
    older, younger = ledger.connection.execute(both).scalars().all()
    ledger.emit(Merged(younger, older, why))
    return str(older)
