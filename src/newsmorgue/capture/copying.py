"""Recorders for captures that were made elsewhere: one for each source they belong to, a few of them open at a time."""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from secrets import token_hex

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.holds import LASTS, RENEW_AFTER, Hold
from newsmorgue.archive.index import capture_from_record
from newsmorgue.archive.recovery import seal_all
from newsmorgue.archive.warc import StoredRecord
from newsmorgue.capture.recorder import Recorder, Rendering
from newsmorgue.capture.runs import BeginRun, EndRun
from newsmorgue.cleaning import Memory
from newsmorgue.errors import CatalogueUnavailable
from newsmorgue.settings.configuration import SourceConfiguration

# Each has three open files, of the 1,024 that a process may have by default.
_MOST_OPEN = 128
_MOST_PENDING = 256
_MOST_PENDING_BYTES = 32 << 20
KIND = "import"
_log = logging.getLogger(__name__)


class CopyRecorder(Recorder):
    """A recorder that takes records as they were written elsewhere."""

    def __init__(self, archive: Archive, source: str, clock: Callable[[], datetime]) -> None:
        super().__init__(archive, source, {"isPartOf": source, "description": "copied from other archives"}, clock)
        self._pending_bytes = 0

    def keep(self, record: StoredRecord, members: list[bytes], *, is_rendered: bool = False) -> Capture:
        """Append a capture: its own record's member is the first. ``record`` is what stands in that.

        Where it ``is_rendered``, the last member is that of the DOM.
        """
        file = self._open()
        offset = file.append_warc(b"".join(members))
        capture = capture_from_record(record, file.name, offset, len(members[0]))
        self._captures.append(capture)
        self._pending_bytes += sum(map(len, members))
        self.counts["exchanges"] += 1
        self.counts["bytes"] += len(record.block)
        if is_rendered:
            dom = len(members[-1])
            self.add(Rendering(capture, file.name, offset + sum(map(len, members)) - dom, dom))
        return capture

    def keep_dom(self, capture: Capture, member: bytes) -> None:
        """Append the DOM of a page that was kept before: the import that kept it was killed before it said so."""
        file = self._open()
        self.add(Rendering(capture, file.name, file.append_warc(member), len(member)))

    @property
    def is_full(self) -> bool:
        """Whether it is time to commit."""
        return len(self._captures) >= _MOST_PENDING or self._pending_bytes >= _MOST_PENDING_BYTES

    def commit(self) -> None:
        """See :meth:`Recorder.commit`."""
        super().commit()
        self._pending_bytes = 0


class CopyRecorders:
    """The recorders of one import. Raises :class:`newsmorgue.errors.Busy` for a source that another import has."""

    def __init__(self, archive: Archive, clock: Callable[[], datetime]) -> None:
        self._archive = archive
        self._clock = clock
        self._open: OrderedDict[str, tuple[CopyRecorder, str, ExitStack]] = OrderedDict()
        self._let_go: set[str] = set()
        self._holds: dict[str, Hold] = {}
        self._renewed = clock()
        self.counts: Counter[str] = Counter()  # of the runs that have ended

    def is_open(self, source: str) -> bool:
        """Whether it has been asked for, and not been let go of since."""
        return source in self._open

    @property
    def is_at_most(self) -> bool:
        """Whether one must be let go of before another is opened."""
        return len(self._open) >= _MOST_OPEN

    def let_go(self) -> None:
        """End the run of the source that was longest not asked for. Its file stays open in the spool for the next."""
        source, (recorder, run, stack) = next(iter(self._open.items()))
        with stack:
            _end(recorder, run)
            recorder.commit()
        self._forget(source)
        self._let_go.add(source)

    def of(self, source: SourceConfiguration) -> tuple[CopyRecorder, str]:
        """The source's recorder, and the run that it records."""
        if source.slug not in self._open:
            self._open[source.slug] = self._begin(source)
        self._open.move_to_end(source.slug)
        recorder, run, _ = self._open[source.slug]
        return recorder, run

    def memory(self, source: str) -> Memory:
        """What is known of a source whose recorder is open: the same until it is let go of."""
        return self._open[source][0].memory

    def _begin(self, source: SourceConfiguration) -> tuple[CopyRecorder, str, ExitStack]:
        recorder, run = CopyRecorder(self._archive, source.slug, self._clock), token_hex(8)
        with ExitStack() as stack:
            stack.enter_context(self._archive.spool.lock_source(source.slug, KIND))
            self._hold(Hold(source.slug, KIND, run, self._archive.place), stack)
            stack.callback(recorder.abandon)
            recorder.add(BeginRun(run, source, KIND, self._archive.host))
            recorder.commit()
            return recorder, run, stack.pop_all()

    def _hold(self, hold: Hold, stack: ExitStack) -> None:
        """Have no other machine write for the source, or build the catalogue anew, until the stack is closed."""
        with self._archive.catalogue.write() as connection:
            hold.take(connection, self._clock())
        self._holds[hold.source] = hold
        stack.callback(self._release, hold)

    def _release(self, hold: Hold) -> None:
        del self._holds[hold.source]
        try:
            with self._archive.catalogue.write() as connection:
                hold.release(connection)
        except CatalogueUnavailable as error:
            _log.warning("%s; the source is free for another machine in %s", error, LASTS)

    def _renew(self) -> None:
        now = self._clock()
        if now - self._renewed >= RENEW_AFTER:
            with self._archive.catalogue.write() as connection:
                for hold in self._holds.values():
                    hold.renew(connection, now)
            self._renewed = now

    def commit(self) -> None:
        """Make all so far durable. Raises :class:`Busy` where another machine took a source meanwhile."""
        self._renew()
        for recorder, _, _ in self._open.values():
            recorder.commit()

    def finish(self) -> None:
        """End all runs and seal what they wrote. Raises :class:`StoreUnavailable`: all is safe in the spool then."""
        for source, (recorder, run, stack) in list(self._open.items()):
            with stack:
                _end(recorder, run)
                recorder.finish()
            self._forget(source)
            self._let_go.discard(source)
        for source in sorted(self._let_go):
            seal_all(self._archive, self._clock(), source)

    def _forget(self, source: str) -> None:
        recorder, _, _ = self._open.pop(source)
        self.counts += recorder.counts

    def abandon(self) -> None:
        """Let go of all as it is: what was committed is kept."""
        for _, _, stack in self._open.values():
            stack.close()
        self._open.clear()


def _end(recorder: CopyRecorder, run: str) -> None:
    recorder.learn(run)
    recorder.add(EndRun(run, "finished", dict(recorder.counts)))
