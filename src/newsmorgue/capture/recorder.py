"""The recorder: exchanges into the open WARC, intents into commits. Knows nothing of Scrapy."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import PAGE_ROLES, Capture, Policy, first_state
from newsmorgue.archive.events import PolicyApplied, Rendered
from newsmorgue.archive.exchange import Exchange
from newsmorgue.archive.index import is_whole_response, last_whole_response, response_anywhere, response_with
from newsmorgue.archive.journal import Place
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.recovery import open_file, take_over_others
from newsmorgue.archive.replay import add_capture
from newsmorgue.archive.sealer import Sealer
from newsmorgue.archive.spool import SpoolFile
from newsmorgue.archive.surt import surt
from newsmorgue.archive.warc import RecordWriter, RefersTo, clean_url
from newsmorgue.capture.policy import Mark, marks_of, spelled
from newsmorgue.cleaning import Article, Memory, article_from_json
from newsmorgue.stories.filing import NEW_STORY, Intent
from newsmorgue.stories.memory import WINDOW, Standing, look, standing
from newsmorgue.times import iso

BATCH = 64
PATIENCE = 30.0  # seconds that the end of a run waits for a store that is away, or takes nothing
_LEAVING = 3.0  # seconds that a run which failed waits for what is on its way


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an exchange: a capture in the open WARC, or a refusal and nothing on disk.

    With both only its head is on disk. ``exchange`` is whole in any case.
    """

    exchange: Exchange
    capture: Capture | None
    refusal: Mark | None = None


@dataclass(frozen=True, slots=True)
class _Refused:
    """The intent that notes a refusal."""

    url: str
    refusal: Mark

    def settle(self, ledger: Ledger, read: object) -> str | None:
        ledger.emit(PolicyApplied(self.url, "not_kept", f"{self.refusal.reason} ({self.refusal.where})"))
        return None


@dataclass(frozen=True, slots=True)
class Rendering:
    """The intent that notes where a page's DOM is."""

    capture: Capture
    dom_warc: str
    dom_offset: int
    dom_length: int

    def settle(self, ledger: Ledger, read: object) -> str | None:
        place = (self.dom_warc, self.dom_offset, self.dom_length)
        ledger.emit(Rendered(self.capture.warc, self.capture.offset, *place))
        return "rendered"


class Recorder:
    """Writes for one source, until :meth:`finish`. ``info`` goes into each WARC's first record."""

    def __init__(
        self,
        archive: Archive,
        source: str,
        info: dict[str, str],
        clock: Callable[[], datetime],
        *,
        dedupe_across_urls: bool = False,
        policy: Policy = Policy.NOTHING,
    ) -> None:
        self.archive = archive
        self.source = source
        self.clock = clock
        self.counts: Counter[str] = Counter()
        self._info = info
        self._dedupe_across_urls = dedupe_across_urls
        self._policy = policy
        self._writer = RecordWriter()
        self.sealer = Sealer(archive, clock)
        self._file: SpoolFile | None = None
        self._captures: list[Capture] = []
        self._intents: list[Intent] = []
        self._standing: Standing | None = None
        self._counted = 0  # new stories that are among the standing's

    def record(
        self,
        exchange: Exchange,
        role: str,
        about: Mapping[str, str] | None = None,
        *,
        is_first: bool = False,
        asked: tuple[Mark, ...] = (),
    ) -> Recorded:
        """Keep an exchange in the open WARC; of one that its site asks not to keep what the source's policy says.

        ``about`` says what the exchange does not show, such as where its URL was found; ``is_first`` that its URL was
        never fetched before, so that there is no need to look for its payload. ``asked`` is what the site asks for it
        elsewhere than in the answer.
        """
        marks = (*marks_of(exchange.head, exchange.entity), *asked)
        reserved = spelled(marks)
        refused = next((mark for mark in marks if mark.is_reserved), None) if self._policy is not Policy.ALL else None
        whole = exchange
        if refused and self._policy is Policy.METADATA and role in PAGE_ROLES:
            exchange = replace(exchange, body=b"", truncated="unspecified")
        elif refused:
            self.counts["not_kept"] += 1
            self.add(_Refused(clean_url(exchange.url), refused))
            return Recorded(exchange, None, refused)
        file = self._open()
        before = self._known_payload(exchange, is_first)
        first, others = self._writer.exchange(exchange, role, before, about, reserved)
        offset = file.append_warc(first + b"".join(others))
        capture = replace(self._capture(exchange, role, file.name, offset, len(first), before), reserved=reserved)
        self._captures.append(capture)
        self.counts["bytes"] += len(exchange.head.raw) + len(exchange.body)
        self.counts["exchanges"] += 1
        return Recorded(whole, capture, refused)

    def keep_rendering(self, capture: Capture, dom: bytes) -> None:
        """Keep the DOM that a browser made of a captured page."""
        file = self._open()
        response_id = self.archive.read_capture(capture).headers["warc-record-id"]
        record = self._writer.rendering(capture.url, iso(self.clock()), dom, response_id)
        offset = file.append_warc(record)
        self.counts["bytes"] += len(dom)
        self.add(Rendering(capture, file.name, offset, len(record)))

    def add(self, *intents: Intent) -> None:
        """Have intents settled by the next commit, which is made at once when a batch is full."""
        self._intents += intents
        if len(self._intents) >= BATCH:
            self.commit()

    def commit(self) -> None:
        """Make all that was recorded and intended so far durable. Nothing to do is no commit."""
        if not self._captures and not self._intents:
            return
        file = self._open()
        captures, self._captures = self._captures, []
        intents, self._intents = self._intents, []
        counts: Counter[str] = Counter()
        with self.archive.commit(file, self.clock()) as ledger:
            for capture in captures:
                add_capture(ledger.connection, capture)
            for intent in intents:
                counted = intent.settle(ledger, self.read_article)
                if counted:
                    counts[counted] += 1
        self.counts += counts
        self._seal_if_due(file)

    @property
    def memory(self) -> Memory:
        """What is known of the source: it changes by :meth:`learn` alone."""
        return self._know().memory

    @property
    def must_learn(self) -> bool:
        """Whether it is time to look at what the source's last stories repeat."""
        known = self._know()
        return known.stories + self.counts[NEW_STORY] - self._counted >= known.next_look

    def learn(self, run: str) -> None:
        """Commit, and where it is time look at what the last stories repeat.

        No page may be under way that was cleaned before: it would be compared with texts of another reading.
        """
        self.commit()
        if self.must_learn:
            self.add(look(self.archive, run, self.memory))
            self.commit()
            self._standing = None
            if self.must_learn:  # another run of the source is under way
                later = self._know()
                self._standing = replace(later, next_look=later.stories + WINDOW)

    def _know(self) -> Standing:
        if self._standing is None:
            with self.archive.catalogue.read() as connection:
                self._standing = standing(connection, self.source)
            self._counted = self.counts[NEW_STORY]
        return self._standing

    @property
    def has_pending(self) -> bool:
        """Whether anything waits for the next commit."""
        return bool(self._captures or self._intents)

    def read_article(self, place: Place) -> Article:
        """The text at a place of a journal."""
        return article_from_json(self.archive.read_text(place).article)

    def take_over(self) -> None:
        """Mend what ended processes left in the spool, of all sources, and seal in the background what is full."""
        take_over_others(self.archive, self.source, self.clock(), self.sealer.submit)
        self._open()

    def seal_now(self) -> None:
        """Send the open file to the store, in the background."""
        file, self._file = self._file, None
        if file is not None:
            self.sealer.submit(file)

    def finish(self, patience: float | None = None, largest: int | None = None) -> None:
        """Commit what is left, seal it, and let go of the open file; one of over ``largest`` bytes as it is.

        ``patience`` is in seconds, by default :data:`PATIENCE`.

        Raises :class:`StoreUnavailable` where the store stayed away: all is safe in the spool then.
        """
        try:
            self.commit()
            if largest is None or self._file is None or self._file.warc_length <= largest:
                self.seal_now()
            error = self.sealer.close(PATIENCE if patience is None else patience)
            if error is not None:
                raise error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the open file as it is: the next run takes it over."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self.sealer.close(_LEAVING)

    def _open(self) -> SpoolFile:
        if self._file is None:
            now = self.clock()
            self._file = open_file(self.archive, self.source, now, self._info, self.sealer.submit)
        return self._file

    def _seal_if_due(self, file: SpoolFile) -> None:
        if self.archive.must_be_sealed(file, self.clock()):
            self.seal_now()

    def _known_payload(self, exchange: Exchange, is_first: bool) -> RefersTo | None:
        """The earlier capture that has this payload: for the same URL (not if it ``is_first``), whole, and worth more
        than a header block. Where the source allows, it may be that of another URL.
        """
        if exchange.truncated or exchange.head.status not in (200, 304):
            return None
        if is_first and not self._dedupe_across_urls:
            return None
        with self.archive.catalogue.read() as connection:
            earlier = None if is_first else self._same_here(connection, exchange)
            if earlier is None and exchange.entity and self._dedupe_across_urls and exchange.head.status == 200:
                earlier = self._same_elsewhere(connection, exchange.payload_digest)
        if earlier is None or earlier.payload_digest is None:
            return None
        return RefersTo(earlier.url, iso(earlier.time), earlier.payload_digest)

    def _same_here(self, connection: sa.Connection, exchange: Exchange) -> Capture | None:
        """The response of the same URL that a 304 stands for, or that has the payload."""
        url = clean_url(exchange.url)
        if exchange.head.status == 304:
            return last_whole_response(connection, url)
        return response_with(connection, url, exchange.payload_digest) if exchange.entity else None

    def _same_elsewhere(self, connection: sa.Connection, payload_digest: str) -> Capture | None:
        """A response with that payload under any URL, also one that no commit has made a row yet."""
        same = (one for one in self._captures if is_whole_response(one) and one.payload_digest == payload_digest)
        return next(same, None) or response_anywhere(connection, self.source, payload_digest)

    def _capture(
        self, exchange: Exchange, role: str, warc: str, offset: int, length: int, before: RefersTo | None
    ) -> Capture:
        url, head = clean_url(exchange.url), exchange.head
        capture = Capture(
            surt=surt(url),
            time=exchange.started,
            warc=warc,
            offset=offset,
            length=length,
            source=self.source,
            url=url,
            kind="response",
            role=role,
            status=head.status,
            mime=head.media_type,
            payload_digest=exchange.payload_digest,
            truncated=exchange.truncated,
            state=first_state(role, head.status, head.media_type, exchange.truncated),
        )
        if before is None:
            return capture
        refers = datetime.fromisoformat(before.date)
        return replace(
            capture,
            kind="revisit",
            payload_digest=before.payload_digest,
            refers_to_url=before.url,
            refers_to_time=refers,
        )
