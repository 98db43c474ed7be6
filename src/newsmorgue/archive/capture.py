"""A capture as the catalogue and CDXJ know it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a URL is to a crawl. Only STORY and LINK are cleaned: LINK was found in a page alone, may lead nowhere.

    SECTION is a page that lists stories and is looked at in each crawl, OLDER a further page of such a list. ASSET is
    what the page of a story shows beside its text: a style sheet, a picture, a font.
    """

    HOME = "home"
    ROBOTS = "robots"
    FEED = "feed"
    SITEMAP = "sitemap"
    SECTION = "section"
    OLDER = "older"
    STORY = "story"
    LINK = "link"
    ASSET = "asset"


class Assets(StrEnum):
    """Which of the files that a story's page shows are kept with it: each setting takes what the one before takes."""

    NONE = "none"
    LEAD = "lead"  # its style sheets, and the picture it leads with
    IMAGES = "images"  # every picture within the story
    ALL = "all"  # every picture of the page, scripts, icons, fonts


class Policy(StrEnum):
    """What is kept of an answer that its site asks not to keep (noarchive) or not to mine (TDM reservation)."""

    NOTHING = "nothing"
    METADATA = "metadata"  # that it is there: the response's head, the story's headline, dates and names
    ALL = "all"


PAGE_ROLES = frozenset({Role.STORY, Role.LINK})
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
UNCLEANED = "uncleaned"
CLEANED = "cleaned"


@dataclass(frozen=True, slots=True)
class Capture:
    """One response (or revisit) record and where it stands.

    ``time`` is exact to the microsecond. ``warc`` is the WARC's name without folder and suffix, ``offset`` and
    ``length`` the record's gzip member in it, in bytes. ``kind`` is ``response`` or ``revisit``; a revisit names the
    capture that has the payload by ``refers_to_url`` and ``refers_to_time``. ``reserved`` is what the site asked of
    archives, miners and AI crawlers for it, as :func:`newsmorgue.capture.policy.spelled` has it.
    """

    surt: str
    time: datetime
    warc: str
    offset: int
    length: int
    source: str
    url: str
    kind: str
    role: str
    status: int
    mime: str | None
    payload_digest: str | None
    refers_to_url: str | None = None
    refers_to_time: datetime | None = None
    truncated: str | None = None
    state: str | None = None
    reserved: str | None = None


def is_cleanable(role: str, status: int, mime: str | None) -> bool:
    """Whether a response is one that the pipelines clean: a page of a story or link, as HTML."""
    return role in PAGE_ROLES and status in (200, 203, 304) and (mime in HTML_TYPES or status == 304)


def first_state(role: str, status: int, mime: str | None, truncated: str | None) -> str | None:
    """A new capture's state. A cut page waits for no cleaning: its URL is due again, and half a text is no version."""
    return UNCLEANED if truncated is None and is_cleanable(role, status, mime) else None
