"""HTML bytes to an :class:`Article`: pure functions, no network, no clock.

A page goes through ``decode`` → ``parse`` → ``metadata`` → ``lines`` (every text on a line of its own) →
``features``, ``lexicon`` and ``model`` (what each line is like, and whether it is the story's) → ``finder`` (the chosen
lines, and what is kept with them) → ``standfirst`` → ``fragment`` and ``rules`` (what among them is not the story; by
role, in BeautifulSoup) → ``blocks`` → ``memory`` (what the site repeats on its stories) → ``render`` and ``kinds``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from newsmorgue.cleaning.article import STORY_KINDS, Article, Block, BlockKind, Found, PageKind
from newsmorgue.cleaning.json_form import article_from_json, article_to_json
from newsmorgue.cleaning.memory import Memory, Sample, learn, sample_of
from newsmorgue.cleaning.selectors import Selectors

if TYPE_CHECKING:
    from newsmorgue.cleaning.cleaner import clean
    from newsmorgue.cleaning.readings import READING, reading
else:
    # Parsers, rules and model take a quarter of a second to load. Who reads stories that were cleaned needs none of it,
    # so it is loaded when one of these is first asked for.
    _LOADED_LATER = {"clean": "cleaner", "READING": "readings", "reading": "readings"}

    def __getattr__(name: str) -> Any:
        if name not in _LOADED_LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_LOADED_LATER[name]}"), name)


__all__ = [
    "READING",
    "STORY_KINDS",
    "Article",
    "Block",
    "BlockKind",
    "Found",
    "Memory",
    "PageKind",
    "Sample",
    "Selectors",
    "article_from_json",
    "article_to_json",
    "clean",
    "learn",
    "reading",
    "sample_of",
]
