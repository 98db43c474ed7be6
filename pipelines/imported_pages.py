"""What an imported capture shows: the intent that it becomes. Pages are cleaned and compared as in a crawl."""

from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import HTML_TYPES, PAGE_ROLES, Capture
from newsmorgue.archive.transcription import Copied
from newsmorgue.archive.warc import StoredRecord
from newsmorgue.cleaning import Memory
from newsmorgue.errors import CleaningFailed, CleaningStopped
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.pipelines.items import CleanedPage
from newsmorgue.pipelines.version import VersionPipeline
from newsmorgue.settings.configuration import Configuration, SourceConfiguration
from newsmorgue.stories.filing import FilePage, Intent, Visit
from newsmorgue.stories.identity import Address
from newsmorgue.stories.imports import (
    GoneThen,
    ImportEnded,
    MovedThen,
    NotCleaned,
    PageImported,
    SeenAgain,
    redirect_target,
)
from newsmorgue.urls import address_key, without_tracking

_MOST_MOVED = 100_000


class ImportedPages:
    """Turns the captures of one import into intents; those of pages take their time.

    ``memory`` gives what is known of a source. ``counts`` hears what was ``cut`` and what is to be cleaned ``later``,
    ``warn`` of each page that could not be cleaned.
    """

    def __init__(
        self,
        archive: Archive,
        configuration: Configuration,
        pool: CleaningPool,
        memory: Callable[[str], Memory],
        counts: Counter[str],
        warn: Callable[[str], None],
    ) -> None:
        self.archive = archive  # the version stage asks for it
        self._configuration = configuration
        self._pool = pool
        self._version = VersionPipeline(self, pool)
        self._memory = memory
        self._counts = counts
        self._warn = warn
        self._moved: dict[str, list[tuple[str, str]]] = {}  # the addresses that redirect to a key
        self._moves = 0

    def intent(
        self, source: SourceConfiguration, copied: Copied, capture: Capture, refers_to: Capture | None, run: str
    ) -> Coroutine[Any, Any, Intent] | None:
        """What is to be settled for a capture; None where it says nothing of a story."""
        if capture.role not in PAGE_ROLES:
            return None
        address = _address(source, copied.url)
        if capture.truncated or (refers_to is not None and refers_to.truncated):
            self._counts["cut"] += 1  # half a text is no version
            return _at_once(ImportEnded(address, capture, "not_story", "cut short")) if capture.state else None
        if copied.method != "GET":
            return _at_once(ImportEnded(address, capture, "not_story", copied.method[:20])) if capture.state else None
        if refers_to is not None and copied.dom is None:
            return self._shown_again(address, capture, refers_to, run)
        if copied.dom is not None:
            return self._page(address, capture, _Page(copied.dom.block, None, "utf-8"), run)
        if capture.status in (200, 203) and capture.mime in HTML_TYPES:
            return self._page(address, capture, _Page.of(copied.stored), run)
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
            return self._page(address, capture, _Page.of(self.archive.read_capture(refers_to)), run)
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

    async def _page(self, address: Address, capture: Capture, page: "_Page", run: str) -> Intent:
        """Clean and compare a page, as the stages of a crawl do."""
        visit = Visit(address, run, "import", capture.role, capture)  # type: ignore[arg-type]  # a role by its name
        moved = self._moved_to(address.key)
        memory = self._memory(address.source)
        configured = self._configuration.sources.get(address.source)
        selectors = configured.selectors if configured else None
        try:
            article = await self._pool.clean(page.entity, page.coding, page.charset, address.url, memory, selectors)
            ended = await self._version.judge(CleanedPage(visit, article, memory, selectors=selectors))
        except CleaningStopped as error:
            self._counts["later"] += 1
            self._warn(f"{address.url}: {error}; kept, and cleaned when the same command is run again")
            return NotCleaned()
        except CleaningFailed as error:
            self._warn(f"{address.url}: {error}")
            return ImportEnded(address, capture, "failed", f"cleaning: {error}")
        if isinstance(ended, FilePage):
            return PageImported(ended, moved)
        return ImportEnded(address, capture, ended.outcome, ended.detail)


@dataclass(frozen=True, slots=True)
class _Page:
    """What is cleaned: of an answer its entity, of a page that a browser made its DOM."""

    entity: bytes
    coding: str | None
    charset: str | None

    @classmethod
    def of(cls, record: StoredRecord) -> "_Page":
        """The page in a response."""
        head, entity = record.http, record.entity
        return cls(entity, _coding(head.get("content-encoding"), entity), head.charset)


def _address(source: SourceConfiguration, url: str) -> Address:
    plain = without_tracking(url)
    return Address(source.slug, frozenset(source.hosts), plain, address_key(plain))


def _coding(stated: str | None, entity: bytes) -> str | None:
    """The content-coding; None where the body shows that its recorder undid it and left the header as it was."""
    is_markup = entity.lstrip(b"\xef\xbb\xbf\t\r\n ")[:1] == b"<"
    return None if is_markup and "deflate" not in (stated or "") else stated


async def _at_once(intent: Intent) -> Intent:
    """An intent that needs no cleaning, in its turn."""
    return intent
