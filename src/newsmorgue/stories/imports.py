"""Captures from elsewhere become versions and sightings: intents like those of a crawl, but a page counts at the time
it was captured, and the frontier is left alone."""

from dataclasses import dataclass
from urllib.parse import urljoin

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.events import LOST, AliasAdded, Audited, Gone, Imported, PolicyApplied, Sighted
from newsmorgue.archive.ledger import Ledger
from newsmorgue.stories.filing import NEW_STORY, FilePage
from newsmorgue.stories.identity import (
    Address,
    ReadArticle,
    add_known_spellings,
    canonical_and_gone,
    identify,
    join_moved,
    last_seen,
    same_site,
    story_at,
)
from newsmorgue.times import from_microseconds, iso, microseconds
from newsmorgue.urls import address_key, without_tracking


def _end(ledger: Ledger, address: Address, capture: Capture, outcome: str, detail: str | None = None) -> None:
    ledger.emit(Imported(address.source, address.url, outcome, capture.warc, capture.offset, detail))


def _see(ledger: Ledger, version: str, capture: Capture) -> None:
    ledger.emit(Sighted(version, capture.warc, capture.offset, capture.url, iso(capture.time)))


@dataclass(frozen=True, slots=True)
class ImportEnded:
    """A capture that showed no version, and why: ``not_story`` or ``failed``."""

    address: Address
    capture: Capture
    outcome: str
    detail: str | None = None

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        _end(ledger, self.address, self.capture, self.outcome, self.detail)
        return self.outcome


@dataclass(frozen=True, slots=True)
class NotCleaned:
    """A page whose cleaning was cut short: its capture waits for another one."""

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        return None


@dataclass(frozen=True, slots=True)
class PageImported:
    """A page that is a story, as it was captured. ``moved`` are addresses that redirect to it: URL and key."""

    page: FilePage
    moved: tuple[tuple[str, str], ...] = ()

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        address, capture = self.page.visit.address, self.page.visit.capture
        if capture is None:
            raise ValueError("a page can be filed only with its capture")
        keys = [key for _, key in self.moved]
        story, is_new = identify(ledger, address, self.page.article, read, capture.time, keys)
        add_known_spellings(ledger, address, story)
        for url, key in self.moved:
            if story_at(ledger.connection, key) is None:
                ledger.emit(AliasAdded(url, key, story, "redirect"))
        self.page.renew(ledger)
        version, is_added = self.page.find_version(ledger, story, capture)
        _say_back(ledger, story, address, capture)
        _see(ledger, version, capture)
        _end(ledger, address, capture, "stored", version)
        return NEW_STORY if is_new else "new_version" if is_added else "unchanged"


def _say_back(ledger: Ledger, story: str, address: Address, capture: Capture) -> None:
    """A story that was gone before this capture was there again at its time."""
    canonical, gone_at = canonical_and_gone(ledger.connection, story)
    if gone_at is not None and microseconds(capture.time) > gone_at and address_key(canonical) == address.key:
        ledger.emit(Gone(story, address.url, 200))


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """A revisit of its own address: the version that the capture at ``warc`` and ``offset`` showed is sighted again."""

    address: Address
    capture: Capture
    warc: str
    offset: int

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        s = schema.sightings.c
        before = sa.select(s.version).where(s.warc == self.warc, s.offset == self.offset)
        version = ledger.connection.execute(before).scalar()
        if version is None:
            _end(ledger, self.address, self.capture, "not_story")
            return "not_story"
        story = story_at(ledger.connection, self.address.key)
        if story is not None:
            _say_back(ledger, story, self.address, self.capture)
        _see(ledger, version, self.capture)
        _end(ledger, self.address, self.capture, "unchanged", version)
        return "unchanged"


@dataclass(frozen=True, slots=True)
class GoneThen:
    """404 or 410 at a time: the story of that address is gone, unless it was seen later."""

    address: Address
    capture: Capture

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        story = story_at(ledger.connection, self.address.key)
        if story is None or last_seen(ledger.connection, story) >= self.capture.time:
            return None
        canonical, gone_at = canonical_and_gone(ledger.connection, story)
        if address_key(canonical) != self.address.key:
            return None
        if gone_at is None or from_microseconds(gone_at) > self.capture.time:
            ledger.emit(Gone(story, self.address.url, self.capture.status, iso(self.capture.time)))
        return "gone"


def redirect_target(address: Address, location: str | None) -> str | None:
    """The key of the address that a redirect leads to, on the same site; None where it leads nowhere else there."""
    try:
        target = without_tracking(urljoin(address.url, location or ""))
        key = address_key(target)
    except ValueError:
        return None
    is_ours = target.startswith(("http://", "https://")) and same_site(address, target)
    return key if is_ours and key != address.key else None


@dataclass(frozen=True, slots=True)
class MovedThen:
    """An address that redirected to another one is another name of the story there, where one is known; and a story
    that it had itself is the same one, if it tells the same."""

    address: Address
    target: str

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        story, here = (story_at(ledger.connection, key) for key in (self.target, self.address.key))
        if story is not None and here is None:
            ledger.emit(AliasAdded(self.address.url, self.address.key, story, "redirect"))
        elif story is not None and here is not None:
            join_moved(ledger, here, story, read, f"{self.address.key} redirects to {self.target}")
        return None


@dataclass(frozen=True, slots=True)
class NotKept:
    """A capture that its site did not want to be kept."""

    url: str
    reason: str

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        ledger.emit(PolicyApplied(self.url, "not_kept", self.reason))
        return None


@dataclass(frozen=True, slots=True)
class FileImported:
    """All that is in a file is in the archive: it need not be read again. ``sha256`` is the file's, in hexadecimal."""

    name: str
    sha256: str
    captures: int

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        ledger.emit(Audited("imported", f"sha256:{self.sha256}", f"{self.name}: {self.captures} captures"))
        return None


def is_imported(connection: sa.Connection, sha256: str) -> bool:
    """Whether a file of that content was imported whole, and no capture was lost since: it may be one of the file's."""
    a = schema.audit.c
    imported = sa.select(sa.func.max(a.seq)).where(a.action == "imported", a.subject == f"sha256:{sha256}")
    lost = sa.select(sa.func.max(a.seq)).where(a.action == LOST)
    done, damaged = (connection.execute(query).scalar() for query in (imported, lost))
    return done is not None and (damaged is None or damaged < done)
