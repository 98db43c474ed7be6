"""Whether two pages tell the same story: what must hold before one page's word on another's address is believed."""

from newsmorgue.cleaning import Article
from newsmorgue.stories.versions import normal_form

_SHINGLE = 4
_ENOUGH = 0.4


def tell_the_same(one: Article, other: Article) -> bool:
    """Equal headlines, or texts of which the shorter shares at least 40 % of its word 4-grams with the longer."""
    headlines = (normal_form(one.headline).casefold(), normal_form(other.headline).casefold())
    if headlines[0] and headlines[0] == headlines[1]:
        return True
    return containment(one.text, other.text) >= _ENOUGH


def containment(one: str, other: str) -> float:
    """The share of the shorter text's word 4-grams that stand in the other (Broder 1997), from 0 to 1.

    >>> containment("a b c d e", "x a b c d e y")
    1.0
    """
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = normal_form(text).casefold().split()
    return (
        {tuple(words[start : start + _SHINGLE]) for start in range(max(1, len(words) - _SHINGLE + 1))}
        if words
        else set()
    )
