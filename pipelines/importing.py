"""The importing job: WARCs and WACZs from elsewhere through the same policy, cleaning and versioning as a crawl.

Reading, writing and filing go in the order of the file; only cleaning is done in parallel. What is in the archive
already is known by URL, time and payload, and passed over: so an import that was stopped goes on when it is run again.
The files are looked through first, for what stands apart from the capture that it goes with.

Nothing is rendered: where a browser made the page when it was captured, the DOM of then is cleaned.
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import UNCLEANED, Capture, Policy
from newsmorgue.archive.exchange import sha1
from newsmorgue.archive.foreign import Count, ForeignRecord, Skipped, read_foreign
from newsmorgue.archive.known import (
    RecordIds,
    is_sighted,
    known_capture,
    rendered_captures,
    response_at,
    response_before,
)
from newsmorgue.archive.sources import home_of
from newsmorgue.archive.strays import Strays
from newsmorgue.archive.transcription import DOM_PREFIX, Copied, PassedOver, copies, transcribe, transcribe_beside
from newsmorgue.capture.copying import CopyRecorders
from newsmorgue.capture.policy import DOM_HEAD, Mark, marks_of, spelled, unspelled
from newsmorgue.errors import ConfigurationError
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.pipelines.imported_pages import ImportedPages
from newsmorgue.settings.configuration import Configuration, SourceConfiguration
from newsmorgue.stories.filing import Intent
from newsmorgue.stories.imports import FileImported, NotKept, is_imported
from newsmorgue.times import from_iso, microseconds

_MOST_FRESH = 1_000
_CHUNK = 1 << 20
_Identity = tuple[str, int, str | None]


class ImportJob:
    """One import into one archive.

    ``source`` is the slug of the source that all goes to; None: each URL's own. ``tell`` hears of everything that could
    not be taken, ``warn`` of each page that was kept and could not be cleaned, ``look`` and ``count`` how many bytes
    were looked through and then taken in.
    ``counts`` says what became of the records: ``kept``, ``known``, ``passed_over``, ``not_kept`` (by policy),
    ``skipped``, ``later`` (the machine had no time to clean it), and the pages' ``new_story``, ``new_version``…
    """

    def __init__(
        self,
        archive: Archive,
        configuration: Configuration,
        clock: Callable[[], datetime],
        *,
        source: str | None = None,
        tell: Callable[[Skipped], None] = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
        look: Count = lambda _: None,
        count: Count = lambda _: None,
    ) -> None:
        self._archive = archive
        self.counts: Counter[str] = Counter()
        self._configuration = configuration
        self._slug = source
        self._tell = tell
        self._look = look
        self._count = count
        self._recorders = CopyRecorders(archive, clock)
        self._pool = CleaningPool(configuration.cleaning_processes)
        self._pages = ImportedPages(archive, configuration, self._pool, self._recorders.memory, self.counts, warn)
        self._waiting: deque[tuple[SourceConfiguration, asyncio.Task[Intent]]] = deque()
        self._most_waiting = 2 * configuration.cleaning_processes + 2
        self._fresh: dict[_Identity, Capture] = {}  # kept since the last commit
        self._ids = RecordIds()
        self._strays = Strays()
        self._passed: list[_File] = []  # imported before
        self._last_source: SourceConfiguration | None = None
        self._unresolved = 0
        self._home: str | None = None

    async def run(self, paths: Sequence[Path]) -> None:
        """Import the files, one after another; twice those with revisits of what a later file holds."""
        try:
            files = [_File(number, path, await _sha256(path)) for number, path in enumerate(paths)]
            for file in files:
                await self._look_through(file)
            again = [file for file in files if await self._file(file)]
            for file in again:
                await self._read(file, is_last=True)
            for file in self._passed if any(self._lone_doms()) else ():
                await self._read(file, is_last=False)  # they may have the pages
            self._tell_strays()
            self._recorders.finish()
            self.counts += self._recorders.counts
        finally:
            for _, task in self._waiting:
                task.cancel()
            self._recorders.abandon()
            self._pool.close()
            self._ids.close()
            self._strays.close()

    async def _look_through(self, file: "_File") -> None:
        """Find what stands apart from the capture that it goes with."""
        if self._is_imported(file):
            self._look(file.path.stat().st_size)
            return
        for item in copies(read_foreign(file.path, self._look)):
            await asyncio.sleep(0)  # here, and at each other item, the import can be cancelled
            if isinstance(item, PassedOver) and item.stray is not None:
                self._strays.add(file.number, item.stray)

    async def _file(self, file: "_File") -> bool:
        """Import a file that was not imported whole before; whether it has revisits that another may make good."""
        if self._is_imported(file):
            self.counts["files_known"] += 1
            self._count(file.path.stat().st_size)
            self._passed.append(file)
            return False
        return await self._read(file, is_last=False)

    async def _read(self, file: "_File", *, is_last: bool) -> bool:
        left_out, kept, self._unresolved = self._left_out(), self.counts["kept"], 0
        for item in copies(read_foreign(file.path, self._count if not is_last else lambda _: None), self._strays):
            await asyncio.sleep(0)
            if isinstance(item, Copied):
                if not is_last or item.record.kind == "revisit":
                    await self._take(item, is_last)
            elif isinstance(item, PassedOver):
                self.counts["passed_over"] += not is_last and item.stray is None
            elif not is_last:
                self._skip(item)
        await self._drain(0)
        is_whole = self._left_out() == left_out and not self._unresolved and not any(self._lone_doms(file.number))
        if is_whole and self._last_source is not None and not self._is_imported(file):
            recorder, _ = self._recorders.of(self._last_source)
            self._recorders.commit()
            recorder.add(FileImported(file.path.name, file.sha256, self.counts["kept"] - kept))
        self._commit()
        return bool(self._unresolved)

    def _is_imported(self, file: "_File") -> bool:
        with self._archive.catalogue.read() as connection:
            return is_imported(connection, file.sha256)

    def _tell_strays(self) -> None:
        """What stood apart, and goes with no capture in these files."""
        self.counts["passed_over"] += sum(stray.kind != "resource" for stray in self._strays.left())
        for dom in self._lone_doms():
            page = (dom.get("warc-target-uri") or "").removeprefix(DOM_PREFIX)
            what = "a browser made this of a page that is in none of the files; import it together with that one"
            self._skip(Skipped(dom.where, f"{page}: {what}"))

    def _lone_doms(self, file: int | None = None) -> Iterator[ForeignRecord]:
        """The DOMs of pages that no file has had so far, and of none that came in with the same DOM before."""
        for stray in self._strays.left(file):
            if stray.kind == "resource" and not self._is_rendering(stray):
                yield stray

    def _is_rendering(self, dom: ForeignRecord) -> bool:
        with self._archive.catalogue.read() as connection:
            pages = rendered_captures(connection, (dom.get("warc-target-uri") or "").removeprefix(DOM_PREFIX))
        return any(self._archive.read_rendering(page) == dom.block for page in pages)

    def _left_out(self) -> int:
        """How much of the files is not in the archive, or not as it should be: at another time it may be."""
        return sum(self.counts[name] for name in ("skipped", "not_kept", "later"))

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
        if known is None and await self._open(source):
            known = self._known(identity, copied.time)  # a stopped import may have left it in the spool
        if known is not None and (identity in self._fresh or not self._is_unfinished(copied, known)):
            self.counts["known"] += not is_last
            return
        await self._keep(source, copied, refers_to, known)

    async def _keep(
        self, source: SourceConfiguration, copied: Copied, refers_to: Capture | None, known: Capture | None
    ) -> None:
        """Write the capture, unless it was written by an import that was stopped, and see what it shows."""
        await self._open(source)
        recorder, run = self._recorders.of(source)
        self._last_source = source
        marks = _marks(copied)
        reserved = next((mark for mark in marks if mark.is_reserved), None)
        # Half a record would be none of its maker: where metadata may be kept, nothing is.
        has_new_dom = known is not None and copied.dom is not None and self._archive.read_rendering(known) is None
        refused = reserved if (known is None or has_new_dom) and source.policy is not Policy.ALL else None
        if refused:
            self.counts["not_kept"] += 1
            recorder.add(NotKept(copied.url, f"{refused.reason} ({refused.where})"))
            return
        if known is None:
            kept = transcribe(copied, refers_to, spelled(marks))
            known = recorder.keep(*kept, is_rendered=copied.dom is not None)
            self.counts["kept"] += 1
            self._fresh[(known.url, microseconds(known.time), known.payload_digest)] = known
        elif copied.dom is not None and has_new_dom:
            response_id = self._archive.read_capture(known).headers["warc-record-id"]
            recorder.keep_dom(known, transcribe_beside(copied.dom, response_id))
        intent = self._pages.intent(source, copied, known, refers_to, run)
        if intent is not None:
            self._waiting.append((source, asyncio.create_task(intent)))
            await asyncio.sleep(0)  # it begins now, and cleaning goes on while the file is read
        await self._drain(self._most_waiting)
        if recorder.is_full or len(self._fresh) >= _MOST_FRESH:
            self._commit()

    async def _open(self, source: SourceConfiguration) -> bool:
        """Begin to write for a source; False where that was begun before."""
        if self._recorders.is_open(source.slug):
            return False
        if self._recorders.is_at_most:
            await self._drain(0)
            self._commit()
            self._recorders.let_go()
        self._recorders.of(source)
        return True

    def _is_unfinished(self, copied: Copied, known: Capture) -> bool:
        """Whether a page in the archive is still to be cleaned, or came in without its DOM and showed no story."""
        if known.state == UNCLEANED or copied.dom is None or self._archive.read_rendering(known) is not None:
            return known.state == UNCLEANED
        with self._archive.catalogue.read() as connection:
            is_seen = is_sighted(connection, known)
        if is_seen:
            what = "came in before without this DOM, and showed a version all the same; that stays"
            self._skip(Skipped(copied.dom.where, f"{copied.url}: {what}"))
        return not is_seen

    def _known(self, identity: _Identity, time: datetime) -> Capture | None:
        url, _, digest = identity
        if identity in self._fresh or digest is None:
            return self._fresh.get(identity)
        with self._archive.catalogue.read() as connection:
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
        with self._archive.catalogue.read() as connection:
            if named is not None and named[1] is not None:
                return response_at(connection, named[0], named[1])
            if digest is None and not is_unmodified:
                return None
            wanted = None if is_unmodified else digest
            return response_before(connection, url.strip("<>") if url else copied.url, copied.time, wanted)

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
        self._home = self._home or home_of(self._archive, slug) or root
        return SourceConfiguration(slug, self._home)


@dataclass(frozen=True, slots=True)
class _File:
    """A file to be imported; ``sha256`` is that of its bytes, in hexadecimal."""

    number: int
    path: Path
    sha256: str


async def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            await asyncio.sleep(0)
    return digest.hexdigest()


def _moment(date: str) -> datetime | None:
    try:
        return from_iso(date)
    except ValueError:
        return None


def _marks(copied: Copied) -> tuple[Mark, ...]:
    """What the site asks for a capture: in the answer, in what its scripts made of it, and as its recorder said."""
    found = (*marks_of(copied.head, copied.stored.entity), *unspelled(copied.reserved))
    return tuple(dict.fromkeys(found + (marks_of(DOM_HEAD, copied.dom.block) if copied.dom else ())))
