"""How often lines with a word, and boxes with a name, were the story's: learned once, over many sites."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from newsmorgue.cleaning.lines import Box

_WORD, _ASCII_WORD = re.compile(r"[^\W\d_]{2,}|[©@|]"), re.compile("[a-z]{2,}|[@|]")  # the second is a third faster
_NAME = re.compile(r"[a-z]{2,}")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOST_WORDS = 40
_LEVELS = 4
UNKNOWN = -1.0


def words_of(text: str) -> list[str]:
    """The words of a line that the lexicon knows lines by, each once."""
    pattern = _ASCII_WORD if text.isascii() else _WORD
    return list(dict.fromkeys(pattern.findall(text.lower())))


def names_of(names: str) -> tuple[str, ...]:
    """The words of a box's class and id."""
    return tuple(dict.fromkeys(_NAME.findall(_HUMPS.sub("-", names).lower())))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Shares from 0 (always something else) to 1 (always the story's).

    ``words`` are those of words, ``starts`` those of a line's first two words together, ``names`` those of class and
    id names.
    """

    words: Mapping[str, float] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, float] = field(default_factory=dict)
    _ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    def of_text(self, text: str, count: int) -> tuple[float, ...]:
        """The least share of a line's words, the mean, how many are known, the first one's, and that of the start."""
        if count > _MOST_WORDS:
            return _NOTHING
        words = words_of(text)
        shares = [share for share in map(self.words.get, words) if share is not None]
        start = self.starts.get(" ".join(words[:2]), UNKNOWN) if words else UNKNOWN
        if not shares:
            return (UNKNOWN, UNKNOWN, 0.0, UNKNOWN, start)
        return (min(shares), sum(shares) / len(shares), len(shares) / len(words), shares[0], start)

    def of_boxes(self, box: Box) -> tuple[float, ...]:
        """The least share of the box's own names, least and greatest of it and three around, least of these three."""
        own = least = most = around = UNKNOWN
        for level, above in enumerate(box.above()):
            if level == _LEVELS:
                break
            if not above.names:
                continue
            low, high = self._range(above.names)
            if low < 0:
                continue
            if level == 0:
                own = low
            else:
                around = low if around < 0 else min(around, low)
            least = low if least < 0 else min(least, low)
            most = max(most, high)
        return (own, least, most, around)

    def _range(self, names: str) -> tuple[float, float]:
        known = self._ranges.get(names)
        if known is None:
            shares = [share for name in names_of(names) if (share := self.names.get(name)) is not None]
            known = (min(shares), max(shares)) if shares else (UNKNOWN, UNKNOWN)
            if len(self._ranges) > 20_000:
                self._ranges.clear()
            self._ranges[names] = known
        return known


_NOTHING = (UNKNOWN, UNKNOWN, 0.0, UNKNOWN, UNKNOWN)
