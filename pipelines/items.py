"""What passes between the spider and the stages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from newsmorgue.archive.capture import Assets
from newsmorgue.cleaning import Article, Memory, Selectors
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.lists import ListPage
from newsmorgue.stories.filing import Visit


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page as captured: its entity as received (usually compressed), and what the header says of it.

    ``assets`` says which of the files that it shows are to be kept with it, if it is a story; ``selectors`` are those
    of its source. With ``metadata_only`` its text must not be kept.
    """

    visit: Visit
    entity: bytes = field(repr=False)  # a log is no place for it
    content_encoding: str | None
    charset: str | None
    assets: Assets = Assets.NONE
    selectors: Selectors | None = None
    metadata_only: bool = False


@dataclass(frozen=True, slots=True)
class FetchedList:
    """A home page, section, feed or sitemap as captured.

    ``read`` makes what it says into intents; the last of them, or a :class:`FetchedPage` in its place, ends the visit.
    """

    visit: Visit
    page: ListPage
    read: Callable[[Iterator[Found]], Iterator[Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CleanedPage:
    """A page that cleaning could read, and the URLs of the files to be kept with it.

    ``memory`` is what was known of its site, ``selectors`` what its operator said: the page is compared with others
    read so.
    """

    visit: Visit
    article: Article
    memory: Memory
    assets: tuple[str, ...] = ()
    selectors: Selectors | None = None
    metadata_only: bool = False
