"""The worker's side of cleaning: runs in a process of its own, which is killed when it takes too long.

Imported by the worker processes alone: keep Scrapy and the catalogue out of here.
"""

import ctypes
import resource
import signal

from newsmorgue.capture.entity import decode_entity
from newsmorgue.cleaning import Article, clean

LARGEST_ENTITY = 64 << 20
_MEMORY = 3 << 30
_PR_SET_PDEATHSIG = 1


def prepare() -> None:
    """Limit this process: in memory, and in life to its parent's; Ctrl-C is for the parent to act on."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def clean_entity(entity: bytes, content_encoding: str | None, charset: str | None, url: str) -> Article:
    """Undo the content-coding and clean. Raises what :func:`decode_entity` and :func:`clean` raise."""
    return clean(decode_entity(entity, content_encoding, LARGEST_ENTITY), url, charset=charset)
