"""The worker's side of cleaning: runs in a process of its own, which is killed when it takes too long.

Imported by the worker processes alone: keep Scrapy and the catalogue out of here.
"""

import ctypes
import resource
import signal

from newsmorgue.archive.capture import Assets
from newsmorgue.capture.entity import decode_entity
from newsmorgue.cleaning import STORY_KINDS, Article, Memory, Selectors, clean
from newsmorgue.spiders.lists import read_list
from newsmorgue.spiders.requisites import page_requisites

__all__ = ["prepare", "read_list", "read_page"]
LARGEST_ENTITY = 64 << 20
_MEMORY = 1 << 30
_PR_SET_PDEATHSIG = 1


def prepare() -> None:
    """Limit this process: in memory, and in life to its parent's; Ctrl-C is for the parent to act on."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
