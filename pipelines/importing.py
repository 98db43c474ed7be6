"""The importing job: WARCs and WACZs from elsewhere through the same policy, cleaning and versioning as a crawl.

Reading, writing and filing go in the order of the file; only cleaning is done in parallel. What is in the archive
already is known by URL, time and payload, and passed over: so an import that was stopped goes on when it is run again.
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import HTML_TYPES, PAGE_ROLES, UNCLEANED, Capture
from newsmorgue.archive.exchange import sha1
from newsmorgue.archive.foreign import Count, Skipped, read_foreign
from newsmorgue.archive.known import RecordIds, known_capture, response_at, response_before
from newsmorgue.archive.sources import home_of
from newsmorgue.archive.transcription import Copied, PassedOver, copies, transcribe
from newsmorgue.archive.warc import StoredRecord
from newsmorgue.capture.copying import CopyRecorders
from newsmorgue.capture.policy import refusal
from newsmorgue.errors import CleaningFailed, ConfigurationError
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.pipelines.items import CleanedPage
from newsmorgue.pipelines.version import VersionPipeline
from newsmorgue.settings.configuration import Configuration, SourceConfiguration
from newsmorgue.stories.filing import EndVisit, FilePage, Intent, Visit
from newsmorgue.stories.identity import Address
from newsmorgue.stories.imports import (
    FileImported,
    GoneThen,
    ImportEnded,
    MovedThen,
    NotKept,
    PageImported,
    SeenAgain,
    is_imported,
    redirect_target,
)
from newsmorgue.times import from_iso, microseconds
from newsmorgue.urls import address_key, without_tracking

_MOST_MOVED = 100_000
_MOST_FRESH = 1_000
_Identity = tuple[str, int, str | None]


class ImportJob:
    """One import into one archive.

    ``source`` is the slug of the source that all goes to; None: each URL's own. ``tell`` hears of everything that could
    not be taken, ``count`` how many bytes were read. ``counts`` says what became of the records: ``kept``, ``known``,
    ``passed_over``, ``not_kept`` (by policy), ``skipped``, and the pages' ``new_story``, ``new_version``…
    """

    def __init__(
        self,
        archive: Archive,
        configuration: Configuration,
        clock: Callable[[], datetime],
        *,
        source: str | None = None,
        tell: Callable[[Skipped], None] = lambda _: None,
        count: Count = lambda _: None,
    ) -> None:
        self.archive = archive  # the version stage asks for it
        self.counts: Counter[str] = Counter()
        self._configuration = configuration
        self._slug = source
        self._tell = tell
        self._count = count
        self._recorders = CopyRecorders(archive, clock)
        self._pool = CleaningPool(configuration.cleaning_processes)
        self._version = VersionPipeline(self, self._pool)
        self._waiting: deque[tuple[SourceConfiguration, asyncio.Task[Intent]]] = deque()
        self._most_waiting = 2 * configuration.cleaning_processes + 2
        self._fresh: dict[_Identity, Capture] = {}  # kept since the last commit
        self._ids = RecordIds()
        self._moved: dict[str, list[tuple[str, str]]] = {}  # the addresses that redirect to a key
        self._moves = 0
        self._last_source: SourceConfiguration | None = None
        self._unresolved = 0
        self._home: str | None = None

    async def run(self, paths: Sequence[Path]) -> None:
        """Import the files, one after another; twice those with revisits of what a later file holds."""
        try:
            again = [path for path in paths if await self._file(path, is_last=False)]
            for path in again:
                await self._file(path, is_last=True)
            self._recorders.finish()
            self.counts += self._recorders.counts
        finally:
            for _, task in self._waiting:
                task.cancel()
            self._recorders.abandon()
            self._pool.close()
            self._ids.close()

    async def _file(self, path: Path, *, is_last: bool) -> bool:
        """Import a file; whether it has revisits that another file may make good."""
        digest = _sha256(path)
        with self.archive.catalogue.read() as connection:
            if is_imported(connection, digest):
                self.counts["files_known"] += 1
                return False
        skipped, kept, self._unresolved = self.counts["skipped"], self.counts["kept"], 0
        for item in copies(read_foreign(path, self._count)):
            if isinstance(item, Copied):
                await self._take(item, is_last)
            elif isinstance(item, PassedOver):
                self.counts["passed_over"] += not is_last
            elif not is_last:
                self._skip(item)
        await self._drain(0)
        if self.counts["skipped"] == skipped and not self._unresolved and self._last_source is not None:
            recorder, _ = self._recorders.of(self._last_source)
            self._recorders.commit()
            recorder.add(FileImported(path.name, digest, self.counts["kept"] - kept))
        self._commit()
        return bool(self._unresolved)

    def _skip(self, skipped: Skipped) -> None:
        self.counts["skipped"] += 1
        self._tell(skipped)

    # -- a capture -------------------------------------------------------------------------------------------

    async def _take(self, copied: Copied, is_last: bool) -> None:
        try:
            source = self._source_for(copied.url)
        except ConfigurationError as error:
            self._skip(Skipped(copied.where, str(error)))
            return
        refers_to = self._referred(copied) if copied.record.kind == "revisit" else None
        if copied.record.kind == "revisit" and refers_to is None:
            self._unresolved += 1
            if is_last:
                what = "repeats a capture that is not in the archive; import the file that has it"
                self._skip(Skipped(copied.where, f"{copied.url}: {what}"))
            return
        digest = refers_to.payload_digest if refers_to else sha1(copied.stored.entity)
        self._ids.add(copied.record.get("warc-record-id"), copied.url, copied.time)
        identity = (copied.url, microseconds(copied.time), digest)
        known = self._known(identity, copied.time)
        if known is not None and (known.state != UNCLEANED or identity in self._fresh):
            self.counts["known"] += not is_last
            return
        await self._keep(source, copied, refers_to, known)

    async def _keep(
        self, source: SourceConfiguration, copied: Copied, refers_to: Capture | None, known: Capture | None
    ) -> None:
        """Write the capture, unless it was written by an import that was stopped, and see what it shows."""
        if self._recorders.must_let_go(source.slug):
            await self._drain(0)
            self._commit()
            self._recorders.let_go()
        recorder, run = self._recorders.of(source)
        self._last_source = source
        refused = None if known else refusal(copied.head, copied.stored.entity)
        if refused:
            self.counts["not_kept"] += 1
            recorder.add(NotKept(copied.url, f"{refused.reason} ({refused.where})"))
            return
        if known is None:
            known = recorder.keep(*transcribe(copied, refers_to))
            self.counts["kept"] += 1
            self._fresh[(known.url, microseconds(known.time), known.payload_digest)] = known
        shown = self._shown(_address(source, copied.url), copied, known, refers_to, run)
        if shown is not None:
            self._waiting.append((source, asyncio.create_task(shown)))
            await asyncio.sleep(0)  # it begins now, and cleaning goes on while the file is read
        await self._drain(self._most_waiting)
        if recorder.is_full or len(self._fresh) >= _MOST_FRESH:
            self._commit()

    def _known(self, identity: _Identity, time: datetime) -> Capture | None:
        url, _, digest = identity
        if identity in self._fresh or digest is None:
            return self._fresh.get(identity)
        with self.archive.catalogue.read() as connection:
            return known_capture(connection, url, time, digest)

    def _referred(self, copied: Copied) -> Capture | None:
        """The response that a revisit repeats: named by URL and date, by id, or only by URL and digest."""
        found = self._find_referred(copied)
        if found is None and self._fresh:
            self._commit()
            found = self._find_referred(copied)
        return found

    def _find_referred(self, copied: Copied) -> Capture | None:
        get = copied.stored.headers.get
        url, date = get("warc-refers-to-target-uri"), get("warc-refers-to-date")
        named = (url.strip("<>"), _moment(date)) if url and date else self._ids.find(get("warc-refers-to"))
        is_unmodified = copied.head.status == 304 or "not-modified" in (get("warc-profile") or "")
        digest = get("warc-payload-digest")
        with self.archive.catalogue.read() as connection:
            if named is not None and named[1] is not None:
                return response_at(connection, named[0], named[1])
            if digest is None and not is_unmodified:
                return None
            wanted = None if is_unmodified else digest
            return response_before(connection, url.strip("<>") if url else copied.url, copied.time, wanted)

    # -- what it shows ---------------------------------------------------------------------------------------

    def _shown(
        self, address: Address, copied: Copied, capture: Capture, refers_to: Capture | None, run: str
    ) -> Coroutine[Any, Any, Intent] | None:
        """What is to be settled for a capture; None where it says nothing of a story."""
        if capture.role not in PAGE_ROLES:
            return None
        if capture.truncated or (refers_to is not None and refers_to.truncated):
            self.counts["cut"] += 1  # half a text is no version
            return _at_once(ImportEnded(address, capture, "not_story", "cut short")) if capture.state else None
        if copied.method != "GET":
            return _at_once(ImportEnded(address, capture, "not_story", copied.method[:20])) if capture.state else None
        if refers_to is not None:
            return self._shown_again(address, capture, refers_to, run)
        if capture.status in (200, 203) and capture.mime in HTML_TYPES:
            return self._page(address, capture, copied.stored, run)
        if capture.state is not None:
            return _at_once(ImportEnded(address, capture, "not_story", str(capture.status)))
        if capture.status in (404, 410):
            return _at_once(GoneThen(address, capture))
        if capture.status in (301, 302, 303, 307, 308):
            return self._redirect(address, redirect_target(address, copied.head.get("location")))
        return None

    def _shown_again(
        self, address: Address, capture: Capture, refers_to: Capture, run: str
    ) -> Coroutine[Any, Any, Intent] | None:
        if address_key(refers_to.url) == address.key:
            return _at_once(SeenAgain(address, capture, refers_to.warc, refers_to.offset))
        if refers_to.status in (200, 203) and refers_to.mime in HTML_TYPES:
            return self._page(address, capture, self.archive.read_capture(refers_to), run)
        return _at_once(ImportEnded(address, capture, "not_story")) if capture.state else None

    def _redirect(self, address: Address, target: str | None) -> Coroutine[Any, Any, Intent] | None:
        if target is None:
            return None
        if self._moves < _MOST_MOVED:
            self._moves += 1
            self._moved.setdefault(target, []).append((address.url, address.key))
        return _at_once(MovedThen(address, target))

    def _moved_to(self, key: str) -> tuple[tuple[str, str], ...]:
        """The addresses that redirect to a key, over any number of hops."""
        found: dict[str, str] = {}
        fresh = [key]
        while fresh:
            hop = [pair for target in fresh for pair in self._moved.get(target, ())]
            fresh = [moved for _, moved in hop if moved not in found and moved != key]
            found |= {moved: url for url, moved in hop if moved != key}
        return tuple((url, moved) for moved, url in found.items())

    async def _page(self, address: Address, capture: Capture, holder: StoredRecord, run: str) -> Intent:
        """Clean and compare a page, as the stages of a crawl do."""
        visit = Visit(address, run, "import", capture.role, capture)  # type: ignore[arg-type]  # a role by its name
        head, entity = holder.http, holder.entity
        coding = _coding(head.get("content-encoding"), entity)
        moved = self._moved_to(address.key)
        memory = self._recorders.memory(address.source)
        configured = self._configuration.sources.get(address.source)
        selectors = configured.selectors if configured else None
        try:
            article = await self._pool.clean(entity, coding, head.charset, address.url, memory, selectors)
        except CleaningFailed as error:
            return ImportEnded(address, capture, "failed", f"cleaning: {error}")
        ended = await self._version.process_item(CleanedPage(visit, article, memory, selectors=selectors))
        if isinstance(ended, FilePage):
            return PageImported(ended, moved)
        if not isinstance(ended, EndVisit):
            raise TypeError(f"the stages ended a page with {ended!r}")
        return ImportEnded(address, capture, ended.outcome, ended.detail)

    async def _drain(self, most: int) -> None:
        """Settle what is ready, in the order of the file, until at most that many wait."""
        while len(self._waiting) > most:
            source, task = self._waiting.popleft()
            intent = await task
            self._recorders.of(source)[0].add(intent)

    def _commit(self) -> None:
        self._recorders.commit()
        self._fresh.clear()

    # -- where it goes ---------------------------------------------------------------------------------------

    def _source_for(self, url: str) -> SourceConfiguration:
        """The source named by the operator; else the URL's as configured; else one named by its host."""
        root = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        if self._slug is not None:
            return self._named(self._slug, root)
        meant = self._configuration.source_for_url(url)
        return meant if meant.slug in self._configuration.sources else self._configuration.source_for_url(root)

    def _named(self, slug: str, root: str) -> SourceConfiguration:
        if slug in self._configuration.sources:
            return self._configuration.sources[slug]
        self._home = self._home or home_of(self.archive, slug) or root
        return SourceConfiguration(slug, self._home)


def _address(source: SourceConfiguration, url: str) -> Address:
    plain = without_tracking(url)
    return Address(source.slug, frozenset(source.hosts), plain, address_key(plain))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _moment(date: str) -> datetime | None:
    try:
        return from_iso(date)
    except ValueError:
        return None


def _coding(stated: str | None, entity: bytes) -> str | None:
    """The content-coding; None where the body shows that its recorder undid it and left the header as it was."""
    is_markup = entity.lstrip(b"\xef\xbb\xbf\t\r\n ")[:1] == b"<"
    return None if is_markup and "deflate" not in (stated or "") else stated


async def _at_once(intent: Intent) -> Intent:
    """An intent that needs no cleaning, in its turn."""
    return intent
