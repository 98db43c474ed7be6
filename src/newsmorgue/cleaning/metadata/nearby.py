"""What is printed around the headline: who wrote the story and when, as a reader sees it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from lxml import etree

from newsmorgue.cleaning.tree import short_text
from newsmorgue.cleaning.wording import visible, word_set

# Words that classes and ids of news sites are made of, each a whole word.
_AUTHOR_WORDS = word_set(
    "byline bylines author authors auteur auteurs autor autores autoren autore writer writers contributor contributors"
    " reporter reporters creator journalist forfatter skribent yazar redakteur schreiber firma authored authorname"
    " authornames autorenzeile autorzeile"
)
# What each of these words has in it, in either case of its first letter: quicker than taking a name apart.
_AUTHOR_PARTS = ("uthor", "yline", "y-line", "uteur", "utor", "riter", "eporter", "ontributor", "ournalist")
_NAMING_TAGS = ("a", "span", "p", "address", "div", "strong", "b", "cite", "dd", "section")
_NO_AUTHOR_WORDS = word_set("bio biography image avatar photo desc description social follow twitter popup tooltip")
_DATE_WORDS = word_set(
    "date time datetime timestamp published publish pubdate posted datum fecha dateline meta data publication"
    " datepublished tarih articledate postdate"
)
# The date of the day of reading, in the head of the page.
_TODAY_WORDS = word_set("today jour heute hoy current clock topbar ticker weather copyright calendar")
_COMMENT_WORDS = word_set(
    "comment comments commentlist commentform commentary commenter respond reply replies disqus kommentar kommentare"
    " kommentarer commentaire commentaires comentario comentarios"
)
_OTHER_WORDS = word_set(
    "related relateds recirc recirculation trending teaser teasers recommended recommendations recommendation popular"
    " outbrain taboola mostread"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_AUTHOR_PAGE = re.compile(
    r"/(?:authors?|auteurs?|autor(?:es|en|i|e)?|writers?|by|profiles?|profil|people|person(?:en)?|staff|our-team|team"
    r"|contributors?|columnists?|journalistes?|journalists?|reporters?|toireporter|users?|members?|experts?"
    r"|correspondents?|skribent|yazar(?:lar)?|redaktoer|redakteure?|opinion/authors?|meet-the-team|bio|bios)/[^/#?]",
    re.I,
)
_SKIPPED = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "nav",
        "form",
        "iframe",
        "video",
        "select",
        "figure",
        "picture",
        "button",
    }
)
_YEAR = re.compile(r"(?:19|20|25)\d\d|\d{1,2}[./]\d{1,2}[./]\d\d(?!\d)|২০|٢٠|२०")
_CLOCK = re.compile(r"\d[:.h]\d\d")
# How far to look, in elements and in texts as long as a paragraph: a standfirst and the beginning of the body.
_REACH, _BEFORE, _PARAGRAPH, _MOST_PARAGRAPHS = 220, 60, 180, 3
_LONGEST_LINE, _LONGEST_DATE, _MOST_LINES, _LEVELS_ABOVE = 150, 60, 60, 4
_REACH_OF_CLOCKS, _MOST_ELEMENTS = 100, 4000
_WITHOUT_HEADLINE, _LEVELS, _LONGEST_NAMES = 400, 8, 300


@dataclass(frozen=True, slots=True)
class Marks:
    """What the names of an element say it is for."""

    author: bool
    date: bool
    today: bool
    comments: bool
    others: bool


@dataclass(frozen=True, slots=True)
class Nearby:
    """What is printed around the headline, in the page's order.

    ``authors`` are elements marked as naming the author, with how; ``dates`` are (how, raw) of what is marked or worded
    as a date; ``lines`` the short texts.
    """

    authors: list[tuple[str, etree._Element]] = field(default_factory=list)
    dates: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class Around:
    """What is printed around a headline, read when it is first asked for."""

    def __init__(self, root: etree._Element, headline: etree._Element | None) -> None:
        self._root, self._headline = root, headline
        self._nearby: Nearby | None = None

    def everything(self) -> Nearby:
        """:func:`look_around`, done at most once."""
        if self._nearby is None:
            self._nearby = look_around(self._root, self._headline)
        return self._nearby

    def clocks(self) -> list[str]:
        """The lines behind the headline that tell a time of day: what is needed of dates where the data have them."""
        if self._nearby is not None:
            return [raw for _, raw in self._nearby.dates]
        return list(_clocks(self._headline)) if self._headline is not None else []


def look_around(root: etree._Element, headline: etree._Element | None) -> Nearby:
    """Read what stands behind the headline, then what stands in the same box before it."""
    nearby = Nearby()
    if headline is None:
        _read(following(root, _WITHOUT_HEADLINE, inside=True), nearby)
        return nearby
    _read(following(headline, _REACH), nearby)
    _read(_before(headline), nearby)
    return nearby


def _clocks(headline: etree._Element) -> Iterator[str]:
    for element in following(headline, _REACH_OF_CLOCKS):
        for text in (element.text, element.tail):
            if text and len(text) < 2 * _LONGEST_LINE and _CLOCK.search(text):
                line = visible(text)
                above = element.getparent()
                yield line if _YEAR.search(line) or above is None else short_text(above, _LONGEST_DATE)


def names_of(element: etree._Element) -> str:
    """Class and id of an element, parted by a space."""
    named, known = element.get("class"), element.get("id")
    return f"{named or ''} {known or ''}"[:_LONGEST_NAMES] if named or known else ""


@lru_cache(maxsize=16384)
def marks_of(names: str) -> Marks:
    """What a class and id say of an element, whatever the case and however its words are joined.

    >>> marks_of("c-postAuthor__name").author, marks_of("author-bio").author, marks_of("updatedDate").date
    (True, False, True)
    """
    words = {word.lower() for word in _WORD.findall(names)}
    return Marks(
        author=(not words.isdisjoint(_AUTHOR_WORDS) and words.isdisjoint(_NO_AUTHOR_WORDS)) or {"by", "line"} <= words,
        date=not words.isdisjoint(_DATE_WORDS) and words.isdisjoint(_TODAY_WORDS),
        today=not words.isdisjoint(_TODAY_WORDS),
        comments=not words.isdisjoint(_COMMENT_WORDS),
        others=not words.isdisjoint(_OTHER_WORDS),
    )


def stands_in_comments(element: etree._Element) -> bool:
    """Whether an element belongs to readers' comments, or to other stories."""
    for depth, above in enumerate((element, *islice(element.iterancestors(), _LEVELS))):
        if above.tag in ("body", "html"):
            return False
        if (names := names_of(above)) and ((marks := marks_of(names)).comments or (depth and marks.others)):
            return True
    return False


def author_mark(element: etree._Element, names: str) -> str | None:
    """How an element with these ``names`` is marked as naming the author, or None."""
    if element.get("itemprop") in ("author", "creator"):
        return "microdata"
    if element.tag == "a" and "author" in (element.get("rel") or ""):
        return "rel"
    return "byline" if names and marks_of(names).author else None


def author_marks(root: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The elements of a page that are marked as naming an author, with how: those at hand, most are not."""
    for element in islice(root.iter(*_NAMING_TAGS), _MOST_ELEMENTS):
        named = element.get("class")
        likely = named and any(part in named for part in _AUTHOR_PARTS)
        if (likely or element.get("itemprop") or element.get("rel")) and (
            mark := author_mark(element, names_of(element))
        ):
            yield mark, element


def leads_to_author(element: etree._Element) -> bool:
    """Whether an element is a link to a page that lists what someone wrote."""
    return element.tag == "a" and bool(_AUTHOR_PAGE.search((element.get("href") or "")[:_LONGEST_NAMES]))


def _read(elements: Iterator[etree._Element], nearby: Nearby) -> None:
    long_texts = 0
    for element in elements:
        names = names_of(element)
        if mark := author_mark(element, names):
            nearby.authors.append((mark, element))
        elif leads_to_author(element):
            nearby.authors.append(("link", element))
        if element.tag == "time":
            _read_time(element, nearby)
        elif (element.get("itemprop") or "").lower() in ("datepublished", "datecreated"):
            if not stands_in_comments(element):
                nearby.dates.append(("microdata", element.get("content") or short_text(element, _LONGEST_LINE)))
        elif names and marks_of(names).date:
            _note_date(short_text(element, _LONGEST_LINE), element, nearby, _LONGEST_LINE)
        for text, box in ((element.text, element), (element.tail, element.getparent())):
            if text and not text.isspace():
                long_texts += len(text) > _PARAGRAPH
                _note(text, box, nearby)
        if long_texts >= _MOST_PARAGRAPHS:
            return


def _read_time(element: etree._Element, nearby: Nearby) -> None:
    if stands_in_comments(element):
        return
    moment, printed = element.get("datetime"), short_text(element, _LONGEST_LINE)
    nearby.dates.append(("time", moment or printed))
    if moment and printed:
        nearby.dates.append(("printed", printed))


def _note(text: str, box: etree._Element | None, nearby: Nearby) -> None:
    if len(text) < 3 * _LONGEST_LINE and len(line := visible(text)) <= _LONGEST_LINE:
        nearby.lines.append(line)
        _note_date(line, box, nearby, _LONGEST_DATE)


def _note_date(text: str, box: etree._Element | None, nearby: Nearby, longest: int) -> None:
    """``box`` is the element that ``text`` stands in: dates of readers' comments are none of the story's."""
    if len(text) > longest or not _YEAR.search(text) or ("printed", text) in nearby.dates:
        return
    if box is None or not stands_in_comments(box):
        nearby.dates.append(("printed", text))


def following(start: etree._Element, most: int, inside: bool = False) -> Iterator[etree._Element]:
    """The elements behind ``start`` in the page's order, without those that show no text of the story."""
    element = _next(start, inside)
    for _ in range(most):
        if element is None:
            return
        skipped = element.tag in _SKIPPED
        if not skipped:
            yield element
        element = _next(element, not skipped)


def _next(element: etree._Element, inside: bool) -> etree._Element | None:
    if inside and len(element):
        return element[0]
    current: etree._Element | None = element
    while current is not None:
        following = current.getnext()
        if following is not None:
            return following
        current = current.getparent()
    return None


def _before(headline: etree._Element) -> Iterator[etree._Element]:
    """The elements before the headline within the boxes closest around it."""
    box = headline
    for _ in range(_LEVELS_ABOVE):
        above = box.getparent()
        if above is None or above.tag in ("body", "html", "main"):
            break
        box = above
    if box is headline:
        return
    elements: list[etree._Element] = []
    for element in following(box, _BEFORE, inside=True):
        if element is headline:
            yield from elements
            return
        elements.append(element)
