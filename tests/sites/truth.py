"""What a perfect archive would know of the demo newsroom, taken from the hand-written stories alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.sites.stories import Kind, Part, State, Story, Text

_NOT_KEPT = {
    "noarchive-meta": "noarchive meta",
    "noarchive-header": "noarchive header",
    "tdm-header": "tdm-reservation header",
}


@dataclass(frozen=True, slots=True)
class StoryTruth:
    """A story as a reader of one edition knows it.

    ``path`` is its address and ``aliases`` those that answer 301 to it. ``versions`` are its distinct texts
    in the order they first appeared, ``shown`` the number (from 1) of the version in each edition so far,
    None where the story was not yet published or already gone: a text that returns gives ``(1, 2, 1)``.
    ``listed`` says what leads to it: ``feed``, ``sitemap``, ``section``. ``status`` is what ``path``
    answers: 200, or 410 once the story is gone, whose fields are then those last shown. ``kept`` is False
    where a default policy forbids to fetch or to keep it, and ``why`` says by which rule: ``robots.txt``,
    ``noarchive meta``, ``noarchive header``, ``tdm-reservation header``; otherwise ``public`` or ``gone``.
    """

    name: str
    path: str
    aliases: tuple[str, ...]
    status: int
    language: str
    section: str
    headline: str
    summary: str
    body: tuple[Part, ...]
    caption: str
    authors: tuple[str, ...]
    published: datetime
    modified: datetime | None
    tags: tuple[str, ...]
    listed: frozenset[str]
    versions: tuple[Text, ...]
    shown: tuple[int | None, ...]
    kept: bool
    why: str

    @property
    def versions_so_far(self) -> int:
        """How many distinct texts a reader of every edition has seen."""
        return len(self.versions)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The paragraphs alone: no sub-headings, quotes or lists."""
        return tuple(part.text for part in self.body if part.kind is Kind.PARAGRAPH)

    @property
    def blocks(self) -> tuple[str, ...]:
        """All blocks in order, sub-headings, quotes and list entries (one each) with them."""
        return tuple(line for part in self.body for line in part.text.split("\n"))

    @property
    def text(self) -> str:
        """The body's blocks, parted by empty lines."""
        return "\n\n".join(part.text for part in self.body)


def story_truth(story: Story, edition: int) -> StoryTruth | None:
    """What is to be known of a story in an edition; None before it was published."""
    state = story.at(edition)
    if state is None:
        return None
    versions, shown = _history(story, edition)
    why = _why(state)
    return StoryTruth(
        name=story.name,
        path=state.path,
        aliases=state.aliases,
        status=410 if state.gone else 200,
        language=state.language,
        section=state.section,
        headline=state.text.headline,
        summary=state.text.summary,
        body=state.text.body,
        caption=state.caption,
        authors=state.authors,
        published=state.published,
        modified=state.modified,
        tags=state.tags,
        listed=state.listed,
        versions=versions,
        shown=shown,
        kept=why in ("public", "gone"),
        why=why,
    )


def _history(story: Story, edition: int) -> tuple[tuple[Text, ...], tuple[int | None, ...]]:
    texts = tuple(_texts(story, edition))
    versions = tuple(dict.fromkeys(text for text in texts if text))
    return versions, tuple(versions.index(text) + 1 if text else None for text in texts)


def _texts(story: Story, edition: int) -> Iterator[Text | None]:
    for number in range(edition + 1):
        state = story.at(number)
        yield state.text if state and not state.gone else None


def _why(state: State) -> str:
    if state.path.startswith("/private/"):
        return "robots.txt"
    if state.policy:
        return _NOT_KEPT[state.policy]
    return "gone" if state.gone else "public"
