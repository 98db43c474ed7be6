"""HTML bytes to an :class:`Article`: pure functions, no network, no clock.

A page goes through ``decode`` → ``parse`` → ``metadata`` → ``lines`` (every text on a line of its own) →
``features``, ``lexicon`` and ``model`` (what each line is like, and whether it is the story's) → ``finder`` (the chosen
lines, and what is kept with them) → ``standfirst`` → ``fragment`` and ``rules`` (what among them is not the story; by
role, in BeautifulSoup) → ``blocks`` → ``memory`` (what the site repeats on its stories) → ``render`` and ``kinds``.
"""

from newsmorgue.cleaning.article import STORY_KINDS, Article, Block, BlockKind, Found, PageKind
from newsmorgue.cleaning.clean import clean
from newsmorgue.cleaning.json_form import article_from_json, article_to_json
from newsmorgue.cleaning.memory import Memory, Sample, learn, sample_of
from newsmorgue.cleaning.reading import reading
from newsmorgue.cleaning.selectors import Selectors

# Names what makes a text (rules, parsers) where nothing is known of the site: see :func:`reading`. Versions are told
# apart only within one reading.
READING = reading()

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
