"""What changed between two texts: sentence by sentence, and within a changed sentence word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache

from newsmorgue.cleaning import Article
from newsmorgue.stories.versions import normal_form

# A sentence ends at . ! ? … with closing quotes (a French one after a space), before white space and something that can
# begin a sentence. Abbreviations split a sentence in two, which costs a diff nothing.
_SENTENCE_END = re.compile(r"([.!?…](?:[\"'»”’“‘«)\]]|\s»(?=\s))*)\s+(?=[\"'«»“„‘‚(\[¿¡—–-]*\s*[^\W_a-zß-öø-ÿ])")
# Chinese and Japanese write no white space, neither between sentences nor between words.
_FULL_WIDTH_END = re.compile(r"([。！？][」』”’）]*)\s*(?=\S)")
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]|\s+")
_LIKE = 0.4  # below it two sentences are an old one gone and a new one come, not one changed


class Change(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters with one fate."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the diff. ``part`` is ``headline``, ``summary`` or ``body``; a changed sentence has pieces of
    more than one kind.
    """

    part: str
    pieces: tuple[Piece, ...]

    @property
    def is_changed(self) -> bool:
        """Whether anything in the sentence differs."""
        return any(piece.change != Change.KEPT for piece in self.pieces)


def diff_articles(old: Article, new: Article) -> list[Line]:
    """Headline, summary and body, kept sentences included, in the new text's order with removals where they stood."""
    lines = list(_diff("headline", [normal_form(old.headline)], [normal_form(new.headline)]))
    lines += _diff("summary", sentences(old.summary or ""), sentences(new.summary or ""))
    return lines + list(_diff("body", sentences(old.text), sentences(new.text)))


def sentences(text: str) -> list[str]:
    """The sentences of a text, paragraph by paragraph, in normal form.

    >>> sentences("One. Two “quoted.” Three!\\n\\nFour")
    ['One.', 'Two “quoted.”', 'Three!', 'Four']
    """
    paragraphs = (normal_form(paragraph) for paragraph in re.split(r"\n\s*\n|\n", text))
    return [sentence for paragraph in paragraphs if paragraph for sentence in _split(paragraph)]


def _split(paragraph: str) -> list[str]:
    marked = _FULL_WIDTH_END.sub(r"\1\n", _SENTENCE_END.sub(r"\1\n", paragraph))
    return marked.split("\n")


def _diff(part: str, old: list[str], new: list[str]) -> Iterator[Line]:
    old, new = [text for text in old if text], [text for text in new if text]
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (_whole(part, Change.KEPT, text) for text in new[new_start:new_end])
        else:
            yield from _changed(part, old[old_start:old_end], new[new_start:new_end])


def _changed(part: str, old: list[str], new: list[str]) -> Iterator[Line]:
    """Pair each new sentence with the next old one it is like; what finds no partner was removed or added.

    Between two pairs the removed come before the added, as readers of diffs expect.
    """
    waiting, added = list(old), list[Line]()
    for text in new:
        like = _first_like(text, waiting)
        if like is None:
            added.append(_whole(part, Change.ADDED, text))
            continue
        yield from (_whole(part, Change.REMOVED, other) for other in waiting[:like])
        yield from added
        yield Line(part, tuple(_words(waiting[like], text)))
        waiting, added = waiting[like + 1 :], []
    yield from (_whole(part, Change.REMOVED, other) for other in waiting)
    yield from added


def _first_like(text: str, others: list[str]) -> int | None:
    """Of words, not of the white space between them. The quick ratios are upper bounds, and spare most of the work."""
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(_words_of(text))
    for index, other in enumerate(others):
        matcher.set_seq1(_words_of(other))
        if matcher.real_quick_ratio() >= _LIKE and matcher.quick_ratio() >= _LIKE and matcher.ratio() >= _LIKE:
            return index
    return None


@lru_cache(maxsize=4096)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(word for word in _WORD.findall(text) if not word.isspace())


def _words(old: str, new: str) -> Iterator[Piece]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece(Change.KEPT, "".join(after[c:d]))
            continue
        if a < b:
            yield Piece(Change.REMOVED, "".join(before[a:b]))
        if c < d:
            yield Piece(Change.ADDED, "".join(after[c:d]))


def _whole(part: str, change: Change, text: str) -> Line:
    return Line(part, (Piece(change, text),))
