"""What a run wants to be so: intents, which a commit settles within one transaction.

An intent holds facts and decides, reading the catalogue as it is at the moment of the commit. What it decides goes
out as journal events; nothing else changes a row.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Capture, Role
from newsmorgue.archive.events import Discovered, Gone, Outcome, Sighted, Split, TextRenewed, VersionAdded
from newsmorgue.archive.frontier import make_due, role_of
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.replay import NEVER_SEEN, UNVOUCHED
from newsmorgue.archive.statements import find
from newsmorgue.cleaning import READING, Article, article_to_json
from newsmorgue.stories.assets import DiscoverAssets
from newsmorgue.stories.identity import (
    Address,
    ReadArticle,
    add_known_spellings,
    agrees,
    canonical_and_gone,
    claimed_key,
    identify,
    story_at,
)
from newsmorgue.stories.versions import family, root_of, text_digest
from newsmorgue.times import from_microseconds, iso, microseconds
from newsmorgue.urls import address_key, without_tracking

# What a run counts an asset as; any other outcome means that it could not be had.
_ASSET_COUNTS = {"stored": "asset", "unchanged": "asset", "redirected": None}
NEW_STORY = "new_story"
"""What a run counts a page as that began a story."""
RETRY_AFTER = timedelta(minutes=15)  # what failed is tried again after so long
MAX_HOPS = 10  # RFC 9110 §15.4 asks for a bound; browsers use 20, robots.txt readers 5


class Intent(Protocol):
    """Something to be settled by the next commit."""

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """Decide and emit. Returns the name under which the run counts it, or None."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit to a URL of the frontier, by a run, for a reason; and the capture it gave, if one was kept."""

    address: Address
    run: str
    reason: str
    role: Role
    capture: Capture | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A version's text cleaned anew under the current reading, from the capture it was last seen in."""

    version: str
    article: Article
    warc: str
    offset: int


def end_visit(
    ledger: Ledger, visit: Visit, outcome: str, detail: str | None = None, retry_at: datetime | None = None
) -> None:
    """Record how a visit ended: the one outcome that every claimed URL gets."""
    kept = visit.capture
    ledger.emit(
        Outcome(
            visit.address.source,
            visit.address.url,
            visit.address.key,
            outcome,
            visit.reason,
            visit.run,
            detail,
            kept.warc if kept else None,
            kept.offset if kept else None,
            visit.etag,
            visit.last_modified,
            iso(retry_at) if retry_at else None,
        )
    )


@dataclass(frozen=True, slots=True)
class EndVisit:
    """A visit that showed no version: ``outcome`` is one of ``not_story``, ``refused``, ``disallowed``, ``retry``,
    ``deferred`` (the host is not to be asked now), ``failed``, ``listed`` (a feed, sitemap, home or section page was
    read), ``gone`` (there is no such list, which no run counts with the stories that are gone). Or a visit to an asset,
    however it ended."""

    visit: Visit
    outcome: str
    detail: str | None = None
    retry_at: datetime | None = None

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        end_visit(ledger, self.visit, self.outcome, self.detail, self.retry_at)
        if self.visit.role == Role.ASSET:
            return _ASSET_COUNTS.get(self.outcome, "asset_failed")
        return "no_list" if self.outcome == "gone" else self.outcome


@dataclass(frozen=True, slots=True)
class FailUnvouched:
    """A failed visit to an address that nobody vouched for when it was made: it says only that nothing is there, unless
    a list names the address by now."""

    visit: Visit
    why: str
    retry_at: datetime

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        address = self.visit.address
        if role_of(ledger.connection, address.source, address.key) == self.visit.role:
            end_visit(ledger, self.visit, "not_story", UNVOUCHED + self.why)
            return "not_story"
        end_visit(ledger, self.visit, "failed", self.why, self.retry_at)
        return "failed"


@dataclass(frozen=True, slots=True)
class FilePage:
    """A page that is a story: find the story, and whether this is a version not seen before.

    ``assets`` are the URLs of what the page shows and is to be kept with it. ``reading`` is what article and renewals
    were cleaned under, and the one under which texts are compared. With ``metadata_only`` there is no text: the story's
    first version says that it is there, and later visits cannot tell whether it changed.
    """

    visit: Visit
    article: Article
    renewals: tuple[Renewal, ...] = ()
    assets: tuple[str, ...] = ()
    reading: str = READING
    metadata_only: bool = False

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        address, capture = self.visit.address, self.visit.capture
        if capture is None:
            raise ValueError("a page can be filed only with its capture")
        self.renew(ledger)
        if self.metadata_only and story_at(ledger.connection, address.key):
            end_visit(ledger, self.visit, "unchanged", "metadata alone are kept")
            return "unchanged"
        if self._is_another_page(ledger, read):
            end_visit(ledger, self.visit, "not_story", "nothing on it is of the story that was at this address")
            return "not_story"
        story, is_new = identify(ledger, address, self.article, read)
        add_known_spellings(ledger, address, story)
        before = None if is_new else _last_version(ledger.connection, story)
        version, is_added = self.find_version(ledger, story, capture)
        ledger.emit(Sighted(version, capture.warc, capture.offset, capture.url, iso(capture.time)))
        if not is_new:
            _say_back(ledger, story, address)
        counted = (
            NEW_STORY if is_new else "new_version" if is_added else "returned" if version != before else "unchanged"
        )
        end_visit(ledger, self.visit, "unchanged" if counted == "unchanged" else "stored", version)
        again = counted in (NEW_STORY, "new_version")
        DiscoverAssets(address.source, address.url, self.assets, again=again).settle(ledger, read)
        return counted

    def _is_another_page(self, ledger: Ledger, read: ReadArticle) -> bool:
        """Whether something else stands where a story was, and does not say that it belongs there: a log-in, a consent
        wall, a list. A story that was rewritten altogether names its own address, or a date."""
        key = self.visit.address.key
        story = story_at(ledger.connection, key)
        if story is None or _version_with(ledger.connection, story, self.reading, text_digest(self.article)):
            return False
        named = claimed_key(self.article.canonical) if self.article.canonical else None
        belongs = story_at(ledger.connection, named) == story if named else self.article.published
        return not belongs and not agrees(ledger, story, self.article, read)

    def renew(self, ledger: Ledger) -> None:
        """Give versions of the story their texts under the page's reading."""
        for renewal in self.renewals:
            article = article_to_json(renewal.article)
            digest = text_digest(renewal.article)
            ledger.emit(TextRenewed(renewal.version, self.reading, digest, article, renewal.warc, renewal.offset))

    def find_version(self, ledger: Ledger, story: str, capture: Capture) -> tuple[str, bool]:
        """The version this text is under its reading, added where no other of the story's is equal."""
        digest = text_digest(self.article)
        known = _version_with(ledger.connection, story, self.reading, digest)
        if known:
            return known, False
        version = secrets.token_hex(8)
        text = article_to_json(self.article)
        ledger.emit(VersionAdded(version, story, self.reading, digest, text, capture.warc, capture.offset))
        return version, True


_V, _S, _T = schema.versions.c, schema.sightings.c, schema.texts.c
_IN_STORIES = _V.story.in_(sa.bindparam("stories", expanding=True))
_VERSION_WITH = (
    sa.select(_V.id)
    .join(schema.texts, _T.version == _V.id)
    .where(_IN_STORIES, _T.reading == sa.bindparam("reading"), _T.digest == sa.bindparam("digest"))
    .order_by(_V.created_at, _V.id)
    .limit(1)
)
_LAST_VERSION = (
    sa.select(_S.version).join(schema.versions, _V.id == _S.version).where(_IN_STORIES).order_by(_S.at.desc()).limit(1)
)


def _version_with(connection: sa.Connection, story: str, reading: str, digest: str) -> str | None:
    values = {"stories": family(connection, story), "reading": reading, "digest": digest}
    return connection.execute(_VERSION_WITH, values).scalar()


def _last_version(connection: sa.Connection, story: str) -> str | None:
    return connection.execute(_LAST_VERSION, {"stories": family(connection, story)}).scalar()


def _say_back(ledger: Ledger, story: str, address: Address) -> None:
    """The story's own address answers again; that another one does says nothing of it."""
    canonical, gone = canonical_and_gone(ledger.connection, story)
    if gone is not None and address_key(canonical) == address.key:
        ledger.emit(Gone(story, address.url, 200))


@dataclass(frozen=True, slots=True)
class FileUnmodified:
    """The server said 304: the version last seen under this address is sighted again; what was no story, or was not to
    be kept, is so still."""

    visit: Visit

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        capture = self.visit.capture
        version = _version_shown(ledger.connection, capture) if capture else None
        names = ("outcome", "detail", "etag", "last_modified")
        before = find(ledger.connection, schema.urls, names, **_of(self.visit.address))
        if version is None and before is not None and before.outcome in ("not_story", "refused"):
            end_visit(ledger, self.visit, before.outcome, before.detail)
            return str(before.outcome)
        if capture is None or version is None:
            was_asked = before is not None and (before.etag or before.last_modified)
            end_visit(
                ledger, self.visit, "failed", NEVER_SEEN, ledger.now + (timedelta() if was_asked else RETRY_AFTER)
            )
            return "failed"
        ledger.emit(Sighted(version, capture.warc, capture.offset, capture.url, iso(capture.time)))
        story = story_at(ledger.connection, self.visit.address.key)
        if story:
            _say_back(ledger, story, self.visit.address)
        end_visit(ledger, self.visit, "unchanged", version)
        return "unchanged"


def _of(address: Address) -> dict[str, str]:
    """What the address's row in the frontier is found by."""
    return {"source": address.source, "key": address.key}


def _version_shown(connection: sa.Connection, capture: Capture) -> str | None:
    """The version that a revisit's payload showed when it was last seen under that URL."""
    s, c = schema.sightings.c, schema.captures.c
    joined = schema.sightings.join(schema.captures, (s.warc == c.warc) & (s.offset == c.offset))
    same = (c.surt == capture.surt, c.url == capture.url, c.payload_digest == capture.payload_digest)
    query = sa.select(s.version).select_from(joined).where(*same).order_by(s.at.desc()).limit(1)
    return connection.execute(query).scalar()


@dataclass(frozen=True, slots=True)
class FileGone:
    """404 or 410: a fact about the URL, and about the story if this is its address; never the story's erasure."""

    visit: Visit
    status: int
    at: datetime

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        story = story_at(ledger.connection, self.visit.address.key)
        row = canonical_and_gone(ledger.connection, story) if story else None
        if story and row and address_key(row[0]) == self.visit.address.key and row[1] is None:
            ledger.emit(Gone(story, self.visit.address.url, self.status, iso(self.at)))
        end_visit(ledger, self.visit, "gone", str(self.status))
        return "gone"


@dataclass(frozen=True, slots=True)
class FileRedirect:
    """The address leads elsewhere: the target goes on the frontier, and its story (if known) gets this address too."""

    visit: Visit
    target: str
    hops: int
    at: datetime
    most: int = MAX_HOPS

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        address = self.visit.address
        url = without_tracking(self.target)
        key = address_key(url)
        if key == address.key:
            return self._respelled(ledger, url)
        if self.hops >= self.most:
            end_visit(ledger, self.visit, "failed", f"more than {self.most} redirects, the last to {url}")
            return "failed"
        end_visit(ledger, self.visit, "redirected", key)
        known = find(ledger.connection, schema.urls, ("outcome_at",), source=address.source, key=key)
        ledger.emit(Discovered(address.source, url, key, self.visit.role, address.url, self.target, hops=self.hops + 1))
        story = story_at(ledger.connection, key)
        if story and story_at(ledger.connection, address.key) is None:
            add_known_spellings(ledger, Address(address.source, address.hosts, url, key), story)
        if (
            known is not None
            and self.visit.reason in ("date", "recheck")
            and (known.outcome_at or 0) < microseconds(self.at)
        ):
            make_due(ledger.connection, address.source, [key], ledger.now, self.visit.reason)
        return "redirected"

    def _respelled(self, ledger: Ledger, url: str) -> str:
        """Another scheme, ``www.`` or last slash: the same address in our books, fetched as the site spells it."""
        address = self.visit.address
        if url == address.url or self.hops >= self.most:
            end_visit(ledger, self.visit, "failed", f"redirects to itself: {url}")
            return "failed"
        end_visit(ledger, self.visit, "respelled", url)
        return "redirected"


@dataclass(frozen=True, slots=True)
class SplitStory:
    """A merge is undone: ``story``, which is part of another, is a story of its own again, and stays one."""

    story: str
    why: str

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`Intent`."""
        ledger.emit(Split(self.story, self.why))
        return None


@dataclass(frozen=True, slots=True)
class StaleVersion:
    """A version with no text under a reading, and the capture to clean anew."""

    version: str
    warc: str
    offset: int
    url: str
    seen: datetime


def stale_versions(connection: sa.Connection, key: str, reading: str) -> list[StaleVersion]:
    """The versions of the story at an address whose newest text is not under a reading: none to compare one with, or
    one that a return to that reading has made the newest again."""
    story = story_at(connection, key)
    if story is None:
        return []
    v, s, t = schema.versions.c, schema.sightings.c, schema.texts.c
    later = schema.texts.alias()
    newest = sa.select(sa.func.max(later.c.seq)).where(later.c.version == t.version).scalar_subquery()
    current = sa.exists().where(t.version == v.id, t.reading == reading, t.seq == newest)
    mine = (v.story.in_(family(connection, root_of(connection, story))), ~current)
    query = (
        sa.select(v.id, s.warc, s.offset, s.url, s.at)
        .join(schema.sightings, s.version == v.id)
        .where(*mine)
        .order_by(s.at)
    )
    latest = {row.id: row for row in connection.execute(query)}
    return [StaleVersion(row.id, row.warc, row.offset, row.url, from_microseconds(row.at)) for row in latest.values()]
