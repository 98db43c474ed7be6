"""The worker's side of cleaning: runs in a process of its own, which is killed when it takes too long.

Imported by the worker processes alone: keep Scrapy and the catalogue out of here.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from newsmorgue.archive.capture import Assets
from newsmorgue.capture.entity import decode_entity
from newsmorgue.cleaning import STORY_KINDS, Article, Memory, Selectors, clean
from newsmorgue.errors import CleaningFailed
from newsmorgue.spiders.lists import read_list
from newsmorgue.spiders.requisites import page_requisites

__all__ = ["prepare", "read_list", "read_page", "within"]
LARGEST_ENTITY = 64 << 20
_MEMORY = 1 << 30
_PR_SET_PDEATHSIG = 1
Result = TypeVar("Result")


def prepare() -> None:
    """Limit this process: in memory, and in life to its parent's; Ctrl-C is for the parent to act on."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def within(seconds: float, function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function that has so much of the processor's time: when it is over ``SIGPROF`` kills this process.

    Raises :class:`CleaningFailed` where memory was not enough, though earlier pages had left most of it free.
    """
    has_room = _address_space() < _MEMORY // 2
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return function(*arguments)
    except MemoryError as error:
        if not has_room:
            os._exit(os.EX_TEMPFAIL)  # a new process has all of it
        raise CleaningFailed("cleaning needed more memory than it may have") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _address_space() -> int:
    """What of the limit is taken already, in bytes (proc(5))."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def read_page(
    entity: bytes,
    content_encoding: str | None,
    charset: str | None,
    url: str,
    memory: Memory | None,
    selectors: Selectors | None,
    assets: Assets,
) -> tuple[Article, tuple[str, ...]]:
    """Undo the content-coding and clean; with the article, of a story, the URLs of the assets to be kept with it.

    Raises what :func:`decode_entity` and :func:`clean` raise.
    """
    html = decode_entity(entity, content_encoding, LARGEST_ENTITY)
    article = clean(html, url, charset=charset, memory=memory, selectors=selectors)
    return article, page_requisites(html, url, article, assets if article.kind in STORY_KINDS else Assets.NONE)
