"""An archive and a visitor for tests: what a crawl does, without Scrapy and without a network."""

import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive, Limits
from newsmorgue.archive.capture import Capture, Role
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.exchange import Exchange, HttpHead
from newsmorgue.archive.index import capture_from_row
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.spool import Spool
from newsmorgue.archive.store import Store, open_store
from newsmorgue.archive.verify import verify
from newsmorgue.capture.recorder import Recorder
from newsmorgue.capture.runs import BeginRun, EndRun
from newsmorgue.cleaning import READING, Article, PageKind
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.stories.discovery import Discover, Finding
from newsmorgue.stories.filing import EndVisit, FileGone, FilePage, FileRedirect, FileUnmodified, Intent, Renewal, Visit
from newsmorgue.stories.identity import Address
from newsmorgue.urls import address_key

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = "https://news.example/"
BRIDGE = "https://news.example/2026/bridge"
TEXT = (
    "The old bridge over the river was closed on Monday after a storm had torn two cables from its northern tower.\n\n"
    "Engineers will inspect the rest of it by boat this week, and the ferry carries the traffic until they are done."
)
OTHER_TEXT = (
    "The city council voted on Tuesday evening to build three new schools in the southern suburbs by next summer.\n\n"
    "Parents had waited for eleven years, and most classes are taught in containers that were meant to last for two."
)
# What a reindex need not give back: tables, and fields of others.


def open_archive(
    folder: Path,
    *,
    store: Store | None = None,
    catalogue: str | None = None,
    host: str = "test-host",
    limits: Limits | None = None,
) -> Archive:
    """An archive in one folder; other processes and later calls find the same one there."""
    url = catalogue or f"sqlite:///{folder / 'catalogue.sqlite'}"
    where = store or open_store(str(folder / "archive"))
    return _closing(Archive(where, Catalogue(url), Spool(folder / "spool"), limits or Limits(), host))


def _closing(archive: Archive) -> Archive:
    """A connection that is dropped unclosed is a warning, and so a failure of whichever test runs then."""
    weakref.finalize(archive, archive.catalogue.close)
    return archive


def environment_of(archive: Archive) -> dict[str, str]:
    """The environment in which the command finds an archive."""
    places = {"CATALOGUE": str(archive.catalogue.url), "SPOOL": str(archive.spool.folder)}
    return {f"MORGUE_{name}": value for name, value in ({"STORE": archive.store.address} | places).items()}


def exchange(
    url: str, body: bytes, at: datetime = START, *, status: int = 200, headers: Sequence[bytes] = (), **more: Any
) -> Exchange:
    """A plain HTTP/1.1 exchange; ``headers`` are lines without their end, ``more`` are fields of Exchange."""
    lines = [b"HTTP/1.1 %d Whatever" % status, *(headers or (b"Content-Type: text/html; charset=utf-8",))]
    head = HttpHead(b"\r\n".join([*lines, b"", b""]))
    return Exchange(url, at, b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n", head, body, **more)


def article(url: str, text: str, *, headline: str | None = "The bridge", **more: Any) -> Article:
    """What cleaning would have made of a page."""
    return Article(url, PageKind.ARTICLE, headline=headline, text=text, **more)


@dataclass
class Visitor:
    """One run of one source. Each visit takes a minute of ``now``, which tests may set."""

    archive: Archive
    source: str = "demo"
    now: datetime = START
    run: str = "run-1"
    hosts: frozenset[str] = frozenset()
    recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.archive, self.source, {"isPartOf": self.source}, lambda: self.now)
        source = SourceConfiguration(self.source, HOME, hosts=tuple(self.hosts))
        self.settle(BeginRun(self.run, source, "crawl", self.archive.host))

    def settle(self, *intents: Intent) -> str:
        """Commit intents on their own; what the run counted them as."""
        before = Counter(self.recorder.counts)
        self.recorder.add(*intents)
        self.recorder.commit()
        return next(iter(self.recorder.counts - before), "")

    def mention(self, url: str, stated: str | None = None, *, found_in: str = "feed", role: Role = Role.STORY) -> None:
        """A list names a URL."""
        self.settle(Discover(self.source, found_in, (Finding(url, role, stated),)))

    def record(self, url: str, body: bytes, *, role: Role = Role.STORY, **more: Any) -> Capture:
        """An exchange, not committed yet."""
        self.now += timedelta(minutes=1)
        recorded = self.recorder.record(exchange(url, body, self.now, **more), role)
        assert recorded.capture is not None
        return recorded.capture

    def visit(self, url: str, capture: Capture | None, reason: str = "new") -> Visit:
        """A visit that gave a capture; the URL is made known where it is not."""
        with self.archive.catalogue.read() as connection:
            known = sa.select(schema.urls.c.key).where(schema.urls.c.key == address_key(url))
            if connection.execute(known).first() is None:
                self.recorder.add(Discover(self.source, "list", (Finding(url, Role.STORY),)))
        address = Address(self.source, self.hosts, url, address_key(url))
        return Visit(address, self.run, reason, Role.STORY, capture)

    def see(self, url: str, text: str = TEXT, *, reason: str = "new", **more: Any) -> str:
        """A story's page answers with that text: recorded, filed, committed; what the run counted it as."""
        capture = self.record(url, f"<html><p>{text}</p></html>".encode("utf-8", "replace"))
        return self.file(url, capture, text, reason=reason, **more)

    def file(
        self,
        url: str,
        capture: Capture,
        text: str = TEXT,
        *,
        reason: str = "new",
        renewals: tuple[Renewal, ...] = (),
        reading: str = READING,
        **more: Any,
    ) -> str:
        """File a captured page."""
        page = FilePage(self.visit(url, capture, reason), article(url, text, **more), renewals, reading=reading)
        return self.settle(page)

    def redirect(self, url: str, target: str, *, hops: int = 0, reason: str = "new") -> str:
        """The URL answers 301."""
        headers = [b"Location: " + target.encode()]
        visit = self.visit(url, self.record(url, b"", status=301, headers=headers), reason)
        return self.settle(FileRedirect(visit, target, hops, self.now))

    def gone(self, url: str, status: int = 404) -> str:
        """The URL answers that there is nothing."""
        visit = self.visit(url, self.record(url, b"gone", status=status), "recheck")
        return self.settle(FileGone(visit, status, self.now))

    def unmodified(self, url: str) -> str:
        """The URL answers 304."""
        visit = self.visit(url, self.record(url, b"", status=304, headers=[b"Server: x"]), "recheck")
        return self.settle(FileUnmodified(visit))

    def no_story(self, url: str) -> str:
        """The URL is a page that is no story."""
        return self.settle(EndVisit(self.visit(url, self.record(url, b"<html>a list</html>")), "not_story"))

    def end(self, *, sealed: bool = True) -> None:
        """End the run, and let go of the open WARC, stored or not."""
        self.recorder.add(EndRun(self.run, "finished", {"stored": 1}))
        if sealed:
            self.recorder.finish()
        else:
            self.recorder.commit()
            self.recorder.abandon()


def captures(archive: Archive) -> list[Capture]:
    """Every capture, oldest first."""
    c = schema.captures.c
    with archive.catalogue.read() as connection:
        rows = connection.execute(sa.select(schema.captures).order_by(c.timestamp, c.warc, c.offset)).all()
    return [capture_from_row(row) for row in rows]


def column(archive: Archive, field: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> list[Any]:
    """The values of one column, sorted."""
    with archive.catalogue.read() as connection:
        return sorted(connection.execute(sa.select(field).where(*where)).scalars(), key=repr)


def rows(archive: Archive) -> dict[str, list[str]]:
    """Every row that follows from the objects, by table."""
    tables = [table for table in schema.metadata.sorted_tables if table.name not in schema.NOT_OF_OBJECTS]
    with archive.catalogue.read() as connection:
        return {table.name: _rows(connection, table) for table in tables}


def _rows(connection: sa.Connection, table: sa.Table) -> list[str]:
    kept = [each for each in table.c if each.name not in schema.DERIVED.get(table.name, ())]
    return sorted(map(repr, connection.execute(sa.select(*kept)).all()))


def problems(archive: Archive) -> list[str]:
    """What verify finds, as text."""
    return [f"{problem.where}: {problem.what}" for problem in verify(archive).problems]


def rebuilt(archive: Archive, catalogue: str) -> Archive:
    """The same store and spool with a catalogue made from them alone."""
    other = _closing(Archive(archive.store, Catalogue(catalogue), archive.spool, archive.limits, archive.host))
    reindex(other, replace=False)
    return other
