"""What passes between the spider and the stages."""

from dataclasses import dataclass

from newsmorgue.cleaning import Article
from newsmorgue.stories.filing import Visit


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A page as captured: its entity as received (usually compressed), and what the header says of it."""

    visit: Visit
    entity: bytes
    content_encoding: str | None
    charset: str | None


@dataclass(frozen=True, slots=True)
class CleanedPage:
    """A page that cleaning could read."""

    visit: Visit
    article: Article
