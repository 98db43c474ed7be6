"""Which story a page belongs to.

A story is known by its canonical URL and reachable under many. What a page says of its own address is believed only
within its own registrable domain (or the hosts its source lists), never for a home page, section or listing, and only
when text or headline agree with the story already there. Where nothing is there yet the claim is kept, the address
is put on the frontier, and the two become one when it has been seen and agrees.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.archive.events import AliasAdded, CanonicalChanged, Discovered, Merged, StoryBegun
from newsmorgue.archive.frontier import SEED_ROLES, role_of
from newsmorgue.archive.journal import Place
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.statements import find, find_all
from newsmorgue.cleaning import Article
from newsmorgue.stories.likeness import tell_the_same
from newsmorgue.stories.versions import VersionRow, family, root_of, versions_of
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
    row = find(connection, schema.aliases, ("story",), key=key)
    return root_of(connection, row.story) if row else None


def identify(
    ledger: Ledger,
    address: Address,
    article: Article,
    read: ReadArticle,
    seen: datetime | None = None,
    moved: Sequence[str] = (),
) -> tuple[str, bool]:
    """The story a page belongs to, begun where there is none yet, its aliases and claims brought up to date.

    ``seen`` is when an imported page was captured, None for one just fetched: of a page older than what the story shows
    already, the word on its canonical URL counts no more; and an import puts nothing on the frontier. ``moved`` are the
    keys of addresses that redirected here then, beside those that the frontier knows.
    Returns the story's root id and whether it is new.
    """
    claimed, foreign = _claim(ledger, address, article)
    story = _known(ledger, address, article, read, moved)
    there = story_at(ledger.connection, address_key(claimed)) if claimed else None
    believed = there is not None and (there == story or _may_join(ledger, story, there, article, read))
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
    key = claimed_key(claimed) if claimed else None
    if not claimed or key is None or key == address.key:
        return None, None
    if not same_site(address, claimed):
        return None, claimed
    parts = urlsplit(without_tracking(claimed))
    is_front = parts.path.strip("/") == "" and not parts.query
    if is_front or role_of(ledger.connection, address.source, key) in (*SEED_ROLES, Role.OLDER):
        return None, None
    return claimed, None


def claimed_key(url: str) -> str | None:
    """The key of what a page says is an address; None where it is none, or holds what no URL and no database may."""
    try:
        usable = urlsplit(url).scheme in ("http", "https") and not _CONTROLS.search(url)
        return address_key(url) if usable else None
    except ValueError:
        return None


def _known(ledger: Ledger, address: Address, article: Article, read: ReadArticle, moved: Sequence[str]) -> str | None:
    """The story at an address, made one with those that redirect there or name it, if this page tells the same."""
    story = story_at(ledger.connection, address.key)
    for found, why in _leading_here(ledger.connection, address, moved):
        other = root_of(ledger.connection, found)
        if other != story and _may_join(ledger, story, other, article, read):
            story = merge(ledger, story, other, f"{why} {address.url}") if story else other
    return story


def _leading_here(connection: sa.Connection, address: Address, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Stories whose address redirects to this one, and those that named it as canonical before it was seen."""
    redirecting = dict.fromkeys((*_redirecting_keys(connection, address), *keys))
    moved = [(story_at(connection, key), f"{key} redirects to") for key in redirecting]
    waiting = find_all(connection, schema.stories, ("created_at", "id"), claimed_key=address.key)
    claiming = [(row.id, "it named as canonical") for row in waiting]
    return [(story, why) for story, why in (*moved, *claiming) if story]


def join_moved(ledger: Ledger, story: str, there: str, read: ReadArticle, why: str) -> None:
    """Make a story one with that to which its address turned out to lead, if their last texts tell the same."""
    latest = _latest(ledger.connection, story)
    if story != there and latest is not None and _may_join(ledger, story, there, read(latest.place), read):
        merge(ledger, story, there, why)


def last_seen(connection: sa.Connection, story: str) -> datetime:
    """When a story was last sighted; the beginning of all counting where it never was."""
    rows = versions_of(connection, story)
    return max((row.last_seen for row in rows), default=from_microseconds(0))


def _may_join(ledger: Ledger, story: str | None, other: str, article: Article, read: ReadArticle) -> bool:
    """Whether a page of ``story`` (None: of none yet) tells ``other`` too, and nobody parted the two."""
    return not (story and _were_parted(ledger.connection, story, other)) and agrees(ledger, other, article, read)


def _were_parted(connection: sa.Connection, one: str, other: str) -> bool:
    """Whether an operator split one of them (or a story that is part of it) from the other."""
    pairs = ((one, other), (other, one))
    return any(
        row.split_from and root_of(connection, row.split_from) == elder
        for younger, elder in pairs
        for member in family(connection, younger)
        if (row := find(connection, schema.stories, ("split_from",), id=member))
    )


def agrees(ledger: Ledger, story: str, article: Article, read: ReadArticle) -> bool:
    """Whether a page tells the same as a story's last text."""
    latest = _latest(ledger.connection, story)
    return latest is not None and tell_the_same(article, read(latest.place))


def _latest(connection: sa.Connection, story: str) -> VersionRow | None:
    return max(versions_of(connection, story), key=lambda row: row.last_seen, default=None)


def _redirecting_keys(connection: sa.Connection, address: Address) -> list[str]:
    """The addresses that redirect here, over any number of hops, the nearest first."""
    found, fresh = [address.key], [address.key]
    while fresh:
        hop = [row.key for goal in fresh for row in _moved(connection, address.source, goal)]
        fresh = [key for key in dict.fromkeys(hop) if key not in found]
        found += fresh
    return found[1:]


def _moved(connection: sa.Connection, source: str, key: str) -> list[Any]:
    return find_all(connection, schema.urls, ("key",), source=source, outcome="redirected", detail=key)


def _begin(ledger: Ledger, address: Address) -> str:
    story = secrets.token_hex(8)
    ledger.emit(StoryBegun(story, address.source, without_tracking(address.url)))
    return story


def _say_canonical(ledger: Ledger, story: str, canonical: str, claimed: str | None, foreign: str | None) -> None:
    row = find(ledger.connection, schema.stories, ("canonical", "claimed", "syndicated_from"), id=story)
    if tuple(row) != (canonical, claimed, foreign):
        ledger.emit(CanonicalChanged(story, canonical, claimed, foreign))
    _add_alias(ledger, canonical, address_key(canonical), story, "canonical")


def _look_at(ledger: Ledger, address: Address, url: str) -> None:
    key = address_key(url)
    if role_of(ledger.connection, address.source, key) is None:
        ledger.emit(Discovered(address.source, url, key, Role.LINK, address.url, url))


def _add_alias(ledger: Ledger, url: str, key: str, story: str, kind: str) -> None:
    if find(ledger.connection, schema.aliases, ("story",), url=url) is None:
        ledger.emit(AliasAdded(url, key, story, kind))


def add_known_spellings(ledger: Ledger, address: Address, story: str) -> None:
    """Make every spelling under which lists named this page, and every address that redirects to it, an alias."""
    keys = _redirecting_keys(ledger.connection, address)
    for key in keys:
        if story_at(ledger.connection, key) is None:
            row = find(ledger.connection, schema.urls, ("url",), source=address.source, key=key)
            _add_alias(ledger, row.url, key, story, "redirect")
    ours = [key for key in (address.key, *keys) if story_at(ledger.connection, key) == story]
    for key in ours:
        given = find_all(ledger.connection, schema.mentions, ("given",), source=address.source, key=key)
        for spelling in dict.fromkeys(row.given for row in given):
            _add_alias(ledger, spelling, key, story, "mentioned")


def merge(ledger: Ledger, one: str, other: str, why: str) -> str:
    """Make two stories one: the older id stays, the other becomes a permanent redirect to it. Returns the older."""
    if one == other:
        return one
    table = schema.stories.c
    both = sa.select(table.id).where(table.id.in_((one, other))).order_by(table.created_at, table.id)
    older, younger = ledger.connection.execute(both).scalars().all()
    ledger.emit(Merged(younger, older, why))
    return str(older)


def canonical_and_gone(connection: sa.Connection, story: str) -> tuple[str, int | None]:
    """A story's canonical URL, and since when it is gone (None: it is not), in microseconds."""
    row = find(connection, schema.stories, ("canonical", "gone_at"), id=story)
    return row.canonical, row.gone_at
