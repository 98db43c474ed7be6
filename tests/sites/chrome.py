"""What surrounds a story and differs at each request: adverts, related stories, comments, the date."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha1
from html import escape

from tests.sites.stories import State
from tests.sites.words import ADVERTS, COMMENTERS, REMARKS, SECTIONS, WORDS, Words

_FRENCH_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_ENGLISH_MONTHS = "January February March April May June July August September October November December"
_MONTHS = {"fr": _FRENCH_MONTHS.split(), "en": _ENGLISH_MONTHS.split()}
_NETWORKS = ("Facebook", "Bluesky", "WhatsApp", "LinkedIn", "Mastodon")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: the site's address (no last slash), number, day, and the stories the theme may link to."""

    base: str
    number: int
    day: date
    stories: tuple[State, ...]

    @property
    def nonce(self) -> str:
        """Ten hexadecimal digits that no other request gets."""
        return sha1(str(self.number).encode()).hexdigest()[:10]

    def others(self, state: State | None, count: int, salt: int) -> Sequence[State]:
        """``count`` stories besides the one that is read, other ones at another request."""
        choice = [other for other in self.stories if state is None or other.name != state.name]
        start = (self.number * 3 + salt) % max(1, len(choice))
        return (choice + choice)[start : start + min(count, len(choice))]


def words_of(language: str) -> Words:
    """The theme's words in a language."""
    return WORDS[language]


def furniture(language: str, visit: Visit) -> dict[str, str]:
    """The fields of the templates that do not depend on the story, all escaped."""
    today = visit.day + timedelta(days=visit.number % 3)
    return _said(language, visit.number) | {
        "base": visit.base,
        "nonce": visit.nonce,
        "number": str(visit.number),
        "today": day_words(today, language),
        "today_iso": today.isoformat(),
        "weather": str(7 + visit.number % 9),
        "menu": _menu(visit.base),
        "advert_top": _pick(ADVERTS, visit.number),
        "advert_side": _pick(ADVERTS, visit.number + 3),
        "share": _share(words_of(language)),
        "shares": str(140 + visit.number * 7),
        "most_read": "".join(_line(state, visit.base) for state in visit.others(None, 5, salt=2)),
        "comments": _comments(words_of(language), visit.number),
    }


def teaser(state: State, base: str, *, with_summary: bool = False) -> str:
    """A card that leads to a story."""
    summary = f"<p>{escape(state.text.summary)}</p>" if with_summary else ""
    return (
        f'<div class="card"><a href="{base}{state.path}">'
        f'<img src="{base}/wp-content/uploads/{state.name}.svg" alt="" width="400" height="225">'
        f"<h3>{escape(state.text.headline)}</h3></a>{summary}</div>"
    )


def slug(words: str) -> str:
    """Words as WordPress puts them into an address.

    >>> slug("Zélie d'Orvane")
    'zelie-d-orvane'
    """
    ascii_only = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")


def day_words(day: date, language: str) -> str:
    """A day as a reader of the language sees it.

    >>> day_words(date(2026, 3, 16), "fr")
    '16 mars 2026'
    """
    return f"{day.day} {_MONTHS[language][day.month - 1]} {day.year}"


def date_words(moment: datetime, language: str) -> str:
    """A time as a reader of the language sees it, in the moment's own offset."""
    clock = f"à {moment.hour} h {moment.minute:02}" if language == "fr" else f"at {moment.hour}:{moment.minute:02}"
    return f"{day_words(moment.date(), language)} {clock}"


def _said(language: str, number: int) -> dict[str, str]:
    counts = {
        "reading_time": 3 + number % 4,
        "newsletter_text": 41_000 + number,
        "comments": 12 + number,
        "consent": 800 + number,
    }
    return {
        f"w_{name}": escape(text.replace("{n}", str(counts.get(name, number))))
        for name, text in _all_words(language).items()
    }


@cache
def _all_words(language: str) -> dict[str, str]:
    return asdict(words_of(language))


def _menu(base: str) -> str:
    return "".join(f'<li class="menu-item"><a href="{base}/{key}/">{name}</a></li>' for key, name in SECTIONS.items())


def _share(words: Words) -> str:
    links = (f'<li><a href="#" rel="nofollow">{words.share_on} {network}</a></li>' for network in _NETWORKS)
    return "".join(links) + f'<li><button type="button">{words.copy_link}</button></li>'


def _line(state: State, base: str) -> str:
    return f'<li><a href="{base}{state.path}">{escape(state.text.headline)}</a></li>'


def _comments(words: Words, number: int) -> str:
    return "".join(_comment(words, number, position) for position in range(3 + number % 2))


def _comment(words: Words, number: int, position: int) -> str:
    ago = words.ago.replace("{n}", str(2 + (number * 5 + position * 11) % 57))
    who, what = _pick(COMMENTERS, number + position * 3), _pick(REMARKS, number + position * 2)
    return (
        f'<li id="comment-{number * 10 + position}" class="comment"><article class="comment-body">'
        f'<footer><b class="fn">{who}</b> <span>{ago}</span></footer><p>{what}</p>'
        f'<a class="comment-reply-link" href="#respond">{words.reply}</a></article></li>'
    )


def _pick(choice: Sequence[str], number: int) -> str:
    return escape(choice[number % len(choice)])
