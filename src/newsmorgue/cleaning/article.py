"""What cleaning yields: the Article, its blocks, and where each value was found.

Field names follow schema.org/NewsArticle; ``docs/reference.md`` has the table to zyte-common-items' Article.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class BlockKind(StrEnum):
    """The kinds of block a body is made of. Captions and embeds are kept but are not part of ``text``."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST = "list"
    QUOTE = "quote"
    TABLE = "table"
    CAPTION = "caption"
    EMBED = "embed"


class PageKind(StrEnum):
    """What a page is. Only ARTICLE, LIVE_BLOG, GALLERY and VIDEO are stories."""

    ARTICLE = "article"
    LIVE_BLOG = "live_blog"
    GALLERY = "gallery"
    VIDEO = "video"
    LISTING = "listing"
    WALL = "wall"
    ERROR = "error"
    OTHER = "other"


STORY_KINDS = frozenset({PageKind.ARTICLE, PageKind.LIVE_BLOG, PageKind.GALLERY, PageKind.VIDEO})


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the body.

    ``text`` is plain text without line breaks inside paragraphs. ``items`` are a list's entries or a table's rows
    (cells joined by a tab). ``level`` is 1 to 6 for headings and 0 otherwise. ``url`` is an embed's address.
    ``markdown`` is the safe inline form of ``text`` (links and emphasis), or None where it would be the same.
    """

    kind: BlockKind
    text: str
    items: tuple[str, ...] = ()
    level: int = 0
    url: str | None = None
    ordered: bool = False
    markdown: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A value's origin: ``how`` names the place (``json-ld``, ``og``, ``meta``, ``h1``, …), ``raw`` the value there."""

    how: str
    raw: str


@dataclass(frozen=True, slots=True)
class Article:
    """A page as cleaning reads it. Absent is None (or an empty tuple), never an empty string.

    ``text`` is the body alone, without headline and summary: paragraphs parted by one empty line. ``repeated`` are
    lines that were taken off the body because the site repeats them on its stories. ``published`` and
    ``modified`` are ISO 8601 as precise as the page is (a date, or a time with the page's own offset where it gave
    one). ``published_on`` is the day of publication where the page's address or print counts days otherwise than
    ``published`` does (the data are in UTC, the publisher is not). ``canonical`` is the absolute URL the page claims,
    believed or not. ``language`` is a BCP 47 tag in lower case for the primary subtag. ``found`` maps a field's name to
    its :class:`Found`. ``charset`` is the encoding the bytes were read as. ``warnings`` name what was noticed (a cut
    page, nesting too deep, a broken charset).
    """

    url: str
    kind: PageKind
    headline: str | None = None
    summary: str | None = None
    body: tuple[Block, ...] = ()
    text: str = ""
    markdown: str = ""
    repeated: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: str | None = None
    published_on: str | None = None
    modified: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    canonical: str | None = None
    image: str | None = None
    site_name: str | None = None
    is_accessible_for_free: bool | None = None
    charset: str = "utf-8"
    found: dict[str, Found] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def date(self) -> str | None:
        """The day of publication as ``YYYY-MM-DD``, as the publisher counts days, or None."""
        return self.published_on or (self.published[:10] if self.published else None)

    @property
    def published_at(self) -> datetime | None:
        """``published`` as a datetime, or None where the page gave only a day or nothing."""
        return datetime.fromisoformat(self.published) if self.published and "T" in self.published else None
