"""The hand-written stories in ``content/``, one file for each state a story is put into.

``NAME.EDITION.txt`` holds what changes about story NAME in that edition: ``key: value`` lines, an empty
line, and the body, whose blocks are parted by empty lines. What a later file leaves out stays as it was;
``again: 0`` brings back the text of edition 0. Blocks begin with ``##`` (sub-heading), ``>`` (quote), ``-
`` or ``1. `` (list), or are paragraphs, where ``*emphasis*``, ``**importance**`` and ``[links](/path/)``
may be used.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

CONTENT = Path(__file__).parent / "content"
EVERYWHERE = "feed, sitemap, section"
_ITEM = re.compile(r"(?:-|\d+\.) +")
INLINE = re.compile(r"\[(?P<words>[^]]+)\]\((?P<path>[^)]+)\)|\*\*(?P<strong>[^*]+)\*\*|\*(?P<emphasis>[^*]+)\*")


class Kind(StrEnum):
    """The kinds of block that the authors of the demo stories use."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    QUOTE = "quote"
    BULLETS = "bullets"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a body as written: ``source`` has the inline marks, a list's entries are its ``items``."""

    kind: Kind
    source: str
    items: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The words alone; a list's entries on lines of their own."""
        return "\n".join(map(plain, self.items)) if self.items else plain(self.source)


@dataclass(frozen=True, slots=True)
class Text:
    """What makes a version: two states with equal texts are the same version."""

    headline: str
    summary: str
    body: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class State:
    """A story as one edition has it. ``path`` is its address there, ``aliases`` answer 301 to it."""

    name: str
    path: str
    language: str
    section: str
    authors: tuple[str, ...]
    published: datetime
    modified: datetime | None
    tags: tuple[str, ...]
    caption: str
    credit: str
    text: Text
    aliases: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()
    metadata: str = "ld"
    policy: str | None = None
    gone: bool = False

    @property
    def touched(self) -> datetime:
        """When the newsroom says that it last changed the story."""
        return self.modified or self.published


@dataclass(frozen=True, slots=True)
class Story:
    """A story over time: the states it is put into, each with the edition that begins it."""

    name: str
    states: tuple[tuple[int, State], ...]

    def at(self, edition: int) -> State | None:
        """The state that an edition shows; None before the story was published."""
        return next((state for start, state in reversed(self.states) if start <= edition), None)


def plain(source: str) -> str:
    """A line of a story without its inline marks.

    >>> plain("the *old* [bridge](/world/bridge/) is **closed**")
    'the old bridge is closed'
    """
    return INLINE.sub(lambda match: match["words"] or match["strong"] or match["emphasis"], source)


@cache
def load_stories() -> tuple[Story, ...]:
    """All stories of ``content/``, by name."""
    names = sorted({path.name.partition(".")[0] for path in CONTENT.glob("*.*.txt")})
    return tuple(Story(name, tuple(_states(name))) for name in names)


def _states(name: str) -> Iterator[tuple[int, State]]:
    fields: dict[str, str] = {}
    texts: dict[int, Text] = {}
    body: tuple[Part, ...] = ()
    for path in sorted(CONTENT.glob(f"{name}.*.txt")):
        edition = int(path.name.split(".")[1])
        head, _, written = path.read_text(encoding="utf-8").partition("\n\n")
        changes = dict(line.split(": ", 1) for line in head.strip().splitlines())
        fields |= changes
        body = tuple(_parts(written)) or body
        texts[edition] = Text(fields["headline"], fields["summary"], body)
        if "again" in changes:
            texts[edition] = texts[int(changes["again"])]
        yield edition, _state(name, fields, texts[edition])


def _state(name: str, fields: dict[str, str], text: Text) -> State:
    caption, _, credit = fields["photo"].partition(" | ")
    modified = fields.get("modified")
    return State(
        name=name,
        path=fields["path"],
        language=fields["language"],
        section=fields["section"],
        authors=_split(fields["authors"], "; "),
        published=datetime.fromisoformat(fields["published"]),
        modified=datetime.fromisoformat(modified) if modified else None,
        tags=_split(fields["tags"], "; "),
        caption=caption,
        credit=credit,
        text=text,
        aliases=_split(fields.get("aliases", ""), "; "),
        listed=frozenset(_split(fields.get("listed", EVERYWHERE), ", ")),
        metadata=fields.get("metadata", "ld"),
        policy=fields.get("policy"),
        gone="gone" in fields,
    )


def _split(text: str, mark: str) -> tuple[str, ...]:
    return tuple(text.split(mark)) if text else ()


def _parts(written: str) -> Iterator[Part]:
    for block in filter(None, map(str.strip, re.split(r"\n{2,}", written))):
        yield _part(block)


def _part(block: str) -> Part:
    if block.startswith("## "):
        return Part(Kind.HEADING, _joined(block[3:]))
    if block.startswith("> "):
        return Part(Kind.QUOTE, _joined(block[2:]))
    if _ITEM.match(block):
        kind = Kind.BULLETS if block.startswith("-") else Kind.NUMBERS
        return Part(kind, "", tuple(_ITEM.sub("", line, count=1) for line in block.splitlines()))
    return Part(Kind.PARAGRAPH, _joined(block))


def _joined(block: str) -> str:
    return " ".join(block.split())
