"""Sealing in the background: a crawl goes on while its full WARCs travel to the store, or wait for it to come back."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.sealing import seal
from newsmorgue.archive.spool import SpoolFile
from newsmorgue.errors import NewsmorgueError, StoreUnavailable

_log = logging.getLogger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_ORPHANS_OLDER_THAN = timedelta(days=1)
_LAST_LOOK = 1.0


class Sealer:
    """Seals files one after another in a thread of its own, in the order they came, so that chains grow in order.

    A store that is away is asked again after 1 s, 2 s, … at most a minute. A file whose seal fails for another reason
    is let go of as it is, and the error kept for :meth:`close`.
    """

    def __init__(self, archive: Archive, clock: Callable[[], datetime]) -> None:
        self._archive = archive
        self._clock = clock
        self._files: queue.Queue[SpoolFile | None] = queue.Queue()
        self._stopping = threading.Event()
        self._away: StoreUnavailable | None = None  # until the store takes something again
        self._error: NewsmorgueError | None = None  # what no waiting mends
        self._thread: threading.Thread | None = None
        self._waiting = 0
        self._has_left = False  # whether there was no time for a file

    @property
    def waiting(self) -> int:
        """How many files are on their way."""
        return self._waiting

    def submit(self, file: SpoolFile) -> None:
        """Take a file over, with its lock, to seal it and to let go of it."""
        self._waiting += 1
        self._files.put(file)
        if self._thread is None:
            # A daemon: a store that hangs must not hold up the end of the process. The file is safe in the spool.
            self._thread = threading.Thread(target=self._work, name="sealer", daemon=True)
            self._thread.start()

    def close(self, patience: float) -> NewsmorgueError | None:
        """Wait until all is sealed, but not while for ``patience`` seconds nothing moves; what went wrong, or None.

        A store that swallows what it is sent is not waited for either: whatever becomes of that request, the file is
        safe in the spool.
        """
        if self._thread is None:
            return None
        if not self._stopping.is_set():
            self._files.put(None)
            self._wait(self._thread, patience)
            self._stopping.set()
            self._thread.join(_LAST_LOOK)
        if (self._thread.is_alive() or self._has_left) and self._error is None and self._away is None:
            self._away = StoreUnavailable(
                f"store {self._archive.store.address}: does not answer; what it did not take stays in the spool: "
                "try 'morgue seal' later"
            )
        return self._error or self._away

    def _wait(self, thread: threading.Thread, patience: float) -> None:
        seen, since = self._progress(), time.monotonic()
        while thread.is_alive() and time.monotonic() - since < patience:
            thread.join(min(0.1, patience))
            if self._progress() != seen:
                seen, since = self._progress(), time.monotonic()

    def _progress(self) -> tuple[int, int | None]:
        """What changes while the store takes something. What moves once it is away came to nothing each time."""
        return self._waiting, self._archive.store.moved if self._away is None else None

    def _work(self) -> None:
        self._abort_orphans()
        while (file := self._files.get()) is not None:
            try:
                with file:
                    self._seal(file)
            finally:
                self._waiting -= 1

    def _seal(self, file: SpoolFile) -> None:
        wait = _FIRST_WAIT
        while not self._stopping.is_set():
            try:
                seal(self._archive, file, self._clock())
                self._away = None
                return
            except StoreUnavailable as error:
                self._away = error
                _log.warning("%s stays in the spool for now: %s", file.name, error)
                self._stopping.wait(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
            except (NewsmorgueError, OSError) as error:
                self._keep(file, error)
                return
        self._has_left = True

    def _keep(self, file: SpoolFile, error: NewsmorgueError | OSError) -> None:
        if isinstance(error, OSError):  # the spool's own disk cannot be read
            error = StoreUnavailable(f"spool {file.warc_path}: {error}; see to the disk, then run 'morgue seal'")
        self._error = self._error or error
        _log.error("%s stays in the spool: %s", file.name, error)

    def _abort_orphans(self) -> None:
        """Throw away what uploads that were cut off a day ago or longer left in the store; a store away is no error."""
        try:
            self._archive.store.abort_orphans(older_than=_ORPHANS_OLDER_THAN, now=self._clock())
        except NewsmorgueError as error:
            _log.warning("unfinished uploads were not looked for: %s", error)
