"""Cleaning workers that never come to their page, or never to its end, on every machine: in the place of
:func:`newsmorgue.pipelines.worker.read_page`."""

import os
import time
from typing import Any, NoReturn

from newsmorgue.pipelines import worker

# In a page: no time is enough for it.
HEAVY = b"<!-- heavy -->"
# A part of the address of the page that :func:`read_others` never comes to.
HELD = "HURRIED_HELD"


def read_page(*_page: Any) -> NoReturn:
    """No page is come to."""
    while True:
        time.sleep(3600)


def read_light_page(entity: bytes, *others: Any) -> Any:
    """A page that is :data:`HEAVY` takes all of the processor's time."""
    while HEAVY in entity:
        pass
    return worker.read_page(entity, *others)


def read_others(*page: Any) -> Any:
    """One page is not come to; all others are read."""
    url = page[3]
    return read_page() if os.environ[HELD] in url else worker.read_page(*page)
