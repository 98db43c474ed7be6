"""What one site repeats on its stories: learned from stories, taken off the edges of others.

Evidence is only what cleaning let through: a line counts where it stood at the edge of the *text* of several distinct
stories. (Lines of whole pages would not do: a story's first sentence stands as a teaser on a hundred other pages.)
A sentence never counts for being repeated: agencies send one paragraph into many stories, and a site prints one story
under several addresses. So a line must also have the shape of something that is no sentence of a story (a link, a
label, an author's own words on who they are, a colon that nothing follows, a word with the reader about the site's own
services), and stories that share their prose are one story.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import combinations
from math import ceil
from typing import NamedTuple

from newsmorgue.cleaning.article import Article, Block, BlockKind
from newsmorgue.cleaning.wording import letters, word_count

MOST_LINES = 128
_LONGEST_LINE = 400  # characters
_MOST_WORDS = 12  # of a label
# How far from the beginning and the end of a body lines are looked at, in blocks of text.
_HEAD, _TAIL = 3, 8
# The share of a block's letters that stand in links, for the block to be one.
_LINKED = 0.6
# Stories whose sentences are the same by this share (of the shorter one's) are one story.
_SAME_STORY = 0.5
_FEW_STORIES = 6

_LINES = frozenset({BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST})
_BESIDE = frozenset({BlockKind.CAPTION, BlockKind.EMBED})
_LINK = re.compile(r"\[((?:\\.|[^\]\\])*)\]\([^)\s]*\)")
_SENTENCE_END = re.compile(r"[.!?;\u037e…。！？।॥؟۔։።།။៕](?=[\s\"'”’»)\]）」』]|$)")
_QUOTED = re.compile('["“”„«»「」『』]')
_COLON = re.compile(r"[:：]\s*$")
# Words with the reader about the site's services: sentences that have one are boilerplate where they are repeated. In
# lower case, and with one word boundary before all, this is ten times as fast as it would be otherwise.
_SERVICE = re.compile(
    r"\b(?:"
    r"(?:our|your|notre|nos|unser\w*|nuestr\w+|noss\w+|nostr\w+|onze|vår\w*)\b.{0,40}\bnewsletters?\b"
    r"|(?:sign up|subscri\w+|register|abonn\w+|inscri\w+|recevez|erhalten|melde\w*|suscr\w+|recibe|iscri\w+|ricevi"
    r"|assin\w+|receba|prenumer\w+)\b.{0,80}\bnewsletters?\b"
    r"|newsletters?\b.{0,60}\b(?:sign up|subscri\w+|inbox|abonn\w+|inscri\w+|anmelden|suscr\w+|iscri\w+)\b"
    r"|sign(?:ing)? (?:up|in)\b|log in (?:to|or)\b|(?:un)?subscri(?:be|bing) (?:to|now|today|for)\b"
    r"|our (?:website|app|journalism|e-?mail alerts)\b|cookie (?:settings|policy)\b"
    r"|(?:we|our (?:site|partners)|this (?:site|website|page)) uses? cookies\b"
    r"|all rights reserved\b|copyright \d{4}|may not be (?:published|reproduced|redistributed)\b"
    r"|comment(?:s|ing) (?:policy|guidelines|are closed)\b|bookmark (?:this|us|our)\b|click here (?:to|for)\b"
    r"|(?:abonnez|inscrivez|connectez)-vous\b|droits réservés\b|infolettre\b|notre (?:site|appli(?:cation)?)\b"
    r"|abonnieren sie\b|melden sie sich\b|rechte vorbehalten\b|unsere[rn]? (?:app|webseite|website)\b"
    r"|suscríbe(?:te|se)\b|regístrate\b|boletín\b|derechos reservados\b|nuestr[oa] (?:web|sitio|aplicación)\b"
    r"|inscreva-se\b|assine (?:a|o|já|agora)\b|direitos reservados\b|nosso site\b"
    r"|iscriviti (?:alla|al|ai)\b|diritti riservati\b|nostr[oa] (?:sito|app)\b"
    r"|nieuwsbrief\b|meld je aan\b|onze (?:website|app)\b|nyhetsbrev\b|nyhedsbrev\b|uutiskirje\w*"
    r"|zapisz się\b|prawa zastrzeżone\b|подпи(?:шитесь|сывайтесь) на\b|права защищены\b|підписуйтесь\b"
    r"|bültenimize\b|tüm hakları saklıdır\b"
    r")|©|\(c\) ?\d{4}|メールマガジン|無断転載|转载请|版权所有|무단전재|구독|النشرة البريدية|جميع الحقوق"
)  # fmt: skip


class Shape(StrEnum):
    """What a line looks like that is no sentence of a story, the surest first."""

    DANGLING = "dangling"
    LINKED = "linked"
    SERVICE = "service"
    APART = "apart"
    LABEL = "label"
    OPENING = "opening"


# Of how many of a site's distinct stories a line must be: at least, and as a share of those that are known.
_NEEDED = {
    Shape.DANGLING: (2, 0.03),
    Shape.LINKED: (2, 0.05),
    Shape.SERVICE: (3, 0.2),
    Shape.APART: (2, 0.1),
    Shape.LABEL: (3, 0.2),
    Shape.OPENING: (4, 0.4),
}
# What may stand over links that change with every story.
_HEADS_LINKS = frozenset({Shape.DANGLING, Shape.LABEL})
_ENOUGH_OF_FEW = frozenset({Shape.SERVICE, Shape.LABEL})


class Line(NamedTuple):
    """A line as it is remembered: how it looks, the kind of its block, and its text in lower case."""

    shape: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """A snapshot of what a source repeats. ``number`` counts its snapshots; 0 is the empty one.

    ``lines`` are those last learned first, at most :data:`MOST_LINES`. A snapshot never changes: what is learned makes
    the next one, and the number is part of the reading of every text that it had a part in.
    """

    source: str
    number: int = 0
    lines: tuple[Line, ...] = ()

    def __hash__(self) -> int:
        return hash((self.source, self.number))

    def __reduce__(self) -> tuple[Callable[[bytes], "Memory"], tuple[bytes]]:
        """It goes to a worker with every page: packed once there, unpacked once here."""
        return _unpacked, (_packed(self),)


@lru_cache(maxsize=16)
def _packed(memory: Memory) -> bytes:
    return json.dumps([memory.source, memory.number, memory.lines]).encode()


@lru_cache(maxsize=16)
def _unpacked(data: bytes) -> Memory:
    source, number, lines = json.loads(data)
    return Memory(source, number, tuple(Line(*line) for line in lines))


@dataclass(frozen=True, slots=True)
class Sample:
    """A story to learn from: ``story`` tells it from others, ``day`` is when it came out (ISO), if that is known."""

    story: str
    headline: str | None
    day: str | None
    body: tuple[Block, ...]
    authors: tuple[str, ...] = ()


def sample_of(story: str, article: Article) -> Sample:
    """What there is to learn from an article."""
    return Sample(story, article.headline, article.date, article.body, article.authors)


def set_aside(memory: Memory | None, body: tuple[Block, ...]) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The body without what its site repeats, and the lines that were taken off.

    They are taken from the edges inwards, as long as each is known (what speaks of the site's services: anywhere). The
    links under a known heading at the end go with it, whatever they say today. Never is all of the text taken.
    """
    if memory is None or not memory.lines:
        return body, ()
    known = _known(memory)
    gone = _at_the_end(body, known) | _at_the_start(body, known) | _services(body, known)
    if not gone or not any(block.kind in _LINES and at not in gone for at, block in enumerate(body)):
        return body, ()
    kept = tuple(block for at, block in enumerate(body) if at not in gone)
    return kept, tuple(body[at].text for at in sorted(gone))


class _Known(NamedTuple):
    """What a memory knows, to be looked up: its lines, their texts, and which of them speak of services."""

    lines: frozenset[Line]
    texts: frozenset[str]
    services: frozenset[Line]


@lru_cache(maxsize=16)
def _known(memory: Memory) -> _Known:
    services = (line for line in memory.lines if line.shape == Shape.SERVICE)
    return _Known(frozenset(memory.lines), frozenset(line.text for line in memory.lines), frozenset(services))


def _at_the_end(body: Sequence[Block], known: _Known) -> set[int]:
    gone: set[int] = set()
    links: list[int] = []
    is_last = True
    for at in range(len(body) - 1, -1, -1):
        block = body[at]
        if block.kind in _BESIDE:
            is_last = False
            continue
        shapes = _closing_shapes(block, is_last=is_last) if _key(block) in known.texts else []
        if any(_line(shape, block) in known.lines for shape in shapes):
            if links and not _HEADS_LINKS.intersection(shapes):
                break
            gone |= {at, *links}
            links = []
        elif block.kind in _LINES and is_linked(block):
            links.append(at)
        else:
            break
    return gone


def _at_the_start(body: Sequence[Block], known: _Known) -> set[int]:
    gone: set[int] = set()
    for at, block in enumerate(body):
        if block.kind in _BESIDE:
            continue
        if _key(block) not in known.texts or not any(
            _line(shape, block) in known.lines for shape in _opening_shapes(block)
        ):
            break
        gone.add(at)
    return gone


def _services(body: Sequence[Block], known: _Known) -> set[int]:
    if not known.services:
        return set()
    short = ((at, block) for at, block in enumerate(body) if len(block.text) <= _LONGEST_LINE)
    return {at for at, block in short if _line(Shape.SERVICE, block) in known.services}


def _key(block: Block) -> str:
    return block.text.casefold()


def _line(shape: Shape, block: Block) -> Line:
    return Line(shape.value, block.kind.value, _key(block))


# -- what a line looks like ----------------------------------------------------------------------------------------


def _closing_shapes(block: Block, *, is_last: bool) -> list[Shape]:
    """What a block that is at the end of a body may be besides a part of the story. (What a sentence with a colon
    leads to may be an embed, which is no text.)"""
    if block.kind not in _LINES or not letters(block.text) or len(block.text) > _LONGEST_LINE:
        return []
    shapes = [Shape.DANGLING] if is_last and (block.kind is BlockKind.HEADING or _COLON.search(block.text)) else []
    shapes += [Shape.APART] if _is_set_apart(block) else []
    return shapes + _common_shapes(block) + ([Shape.LABEL] if _is_label(block) else [])


def _opening_shapes(block: Block) -> list[Shape]:
    """The same at the beginning, where datelines stand too."""
    if block.kind not in _LINES or not letters(block.text) or len(block.text) > _LONGEST_LINE:
        return []
    return _common_shapes(block) + ([Shape.OPENING] if _is_label(block) else [])


def _common_shapes(block: Block) -> list[Shape]:
    shapes = [Shape.LINKED] if is_linked(block) else []
    return shapes + ([Shape.SERVICE] if _speaks_of_services(block) else [])


def _speaks_of_services(block: Block) -> bool:
    return _is_of_services(block.text)


@lru_cache(maxsize=8192)
def _is_of_services(text: str) -> bool:
    """What stands in quotation marks is said by someone else than the site."""
    return _SERVICE.search(text.lower()) is not None and not _QUOTED.search(text)


def is_linked(block: Block) -> bool:
    """Whether most of a block's letters stand in links."""
    markdown = block.markdown or ""
    if "](" not in markdown:
        return False
    return sum(len(letters(text)) for text in _LINK.findall(markdown)) >= _LINKED * max(1, len(letters(block.text)))


def _is_set_apart(block: Block) -> bool:
    """Whether all of a paragraph is emphasised."""
    markdown = _LINK.sub(r"\1", block.markdown or "")
    if block.kind is not BlockKind.PARAGRAPH or len(markdown) < 3 or markdown[0] != "*" or markdown[-1] != "*":
        return False
    mark = "**" if markdown.startswith("**") else "*"
    return markdown.endswith(mark) and mark not in markdown[len(mark) : -len(mark)]


def _is_label(block: Block) -> bool:
    is_short = block.kind is not BlockKind.LIST and word_count(block.text) <= _MOST_WORDS
    return (
        is_short
        and not _QUOTED.match(block.text)
        and not _SENTENCE_END.search(block.text)
        and not _COLON.search(block.text)
    )


# -- learning ------------------------------------------------------------------------------------------------------


def learn(memory: Memory, samples: Iterable[Sample]) -> Memory:
    """The next snapshot, or ``memory`` itself where these stories say nothing new.

    Two samples of one story count once; so do stories that share their sentences or their headline.
    """
    stories = list({sample.story: sample for sample in samples}.values())
    works = _works(stories)
    seen_in: dict[Line, set[int]] = {}
    days: dict[Line, set[str | None]] = {}
    for work, story in zip(works, stories, strict=True):
        for line in _candidates(story):
            seen_in.setdefault(line, set()).add(work)
            days.setdefault(line, set()).add(story.day)
    total = len(set(works))
    learned = [
        line
        for line, found_in in seen_in.items()
        if len(found_in) >= _needed(Shape(line.shape), total) and _is_lasting(line, days[line])
    ]
    fresh = sorted(set(learned) - set(memory.lines), key=lambda line: (-len(seen_in[line]), line))
    if not fresh:
        return memory
    return replace(memory, number=memory.number + 1, lines=(*fresh, *memory.lines)[:MOST_LINES])


def _needed(shape: Shape, total: int) -> int:
    least, share = _NEEDED[shape]
    if total < _FEW_STORIES and shape in _ENOUGH_OF_FEW:
        least = 2
    return max(least, ceil(share * total))


def _is_lasting(line: Line, days: set[str | None]) -> bool:
    """A sentence must have been there on two days, where the days are known: what is new today may be news."""
    return line.shape not in (Shape.SERVICE, Shape.APART) or len(days) > 1 or days == {None}


def _candidates(story: Sample) -> set[Line]:
    lines = [block for block in story.body if block.kind not in _BESIDE]
    half = len(lines) // 2
    found = {_line(shape, block) for block in lines[: min(_HEAD, half)] for shape in _opening_shapes(block)}
    is_last = bool(story.body) and story.body[-1].kind not in _BESIDE
    for block in reversed(lines[-min(_TAIL, half) :] if half else []):
        shapes = _closing_shapes(block, is_last=is_last)
        found |= {_line(shape, block) for shape in shapes if shape is not Shape.APART or _is_signed(block, story)}
        is_last = is_last and is_linked(block)
    return found | {
        _line(Shape.SERVICE, block)
        for block in lines
        if block.kind in _LINES and len(block.text) <= _LONGEST_LINE and _speaks_of_services(block)
    }


def _is_signed(block: Block, story: Sample) -> bool:
    """Whether a line speaks of who wrote the story. (A sentence set in italics or bold alone says nothing: whole
    leads are, and whole sites.)"""
    said = letters(block.text)
    return any(letters(author) in said for author in story.authors if letters(author))


def _works(stories: list[Sample]) -> list[int]:
    """For each sample the number of the story it tells: those that share sentences or headline tell the same."""
    leads_to = list(range(len(stories)))

    def root(number: int) -> int:
        while leads_to[number] != number:
            number = leads_to[number]
        return number

    prose = [_prose(story.body) for story in stories]
    titles = [letters(story.headline or "") for story in stories]
    for one, other in combinations(range(len(stories)), 2):
        shared = len(prose[one] & prose[other])
        is_same = shared and shared >= _SAME_STORY * min(len(prose[one]), len(prose[other]))
        if is_same or (titles[one] and titles[one] == titles[other]):
            leads_to[root(other)] = root(one)
    return [root(number) for number in range(len(stories))]


def _prose(body: tuple[Block, ...]) -> frozenset[str]:
    """The sentences that a story is told in: not what could be boilerplate, which is never long."""
    return frozenset(
        _key(block)
        for block in body
        if block.kind in (BlockKind.PARAGRAPH, BlockKind.QUOTE)
        and (len(block.text) > _LONGEST_LINE or not (_common_shapes(block) or _is_label(block)))
    )
