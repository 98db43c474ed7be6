"""The summary a reader sees between headline and body (standfirst, dek, chapô, Vorspann, entradilla).

It is the first text behind the headline that is named as one, or that stands alone there: neither a byline, a label or
a caption, nor the first of a row of paragraphs.
"""

import re
from functools import lru_cache
from itertools import islice

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.bylines import is_biography, is_byline
from newsmorgue.cleaning.labels import role_of_label
from newsmorgue.cleaning.metadata import Metadata
from newsmorgue.cleaning.metadata.dates import read_date
from newsmorgue.cleaning.metadata.jsonld import text_of
from newsmorgue.cleaning.metadata.names import is_by
from newsmorgue.cleaning.metadata.nearby import following
from newsmorgue.cleaning.roles import role_of_name
from newsmorgue.cleaning.tree import INLINE, short_text, text_within
from newsmorgue.cleaning.wording import letters, weight, word_count, word_set

# What is called so stands over the body.
_STANDFIRST_NAMES = word_set(
    "standfirst dek deck subdeck chapo chapeau subtitle subtitulo subheadline subheading subhead vorspann bajada"
    " entradilla copete volanta sottotitolo catenaccio tagline strapline underrubrik gravata"
)
# What is called so does, or opens the body.
_OPENING_NAMES = word_set(
    "lead leadin lede leadtext intro introduction summary excerpt abstract sommario ingress manchet preamble lid perex"
    " anons spot description resumo articlesummary articleintro teasertext"
)
_STANDFIRST_PAIRS = (
    {"sub", "title"},
    {"sub", "headline"},
    {"sub", "heading"},
    {"sub", "head"},
    {"linha", "fina"},
)
_OPENING_PAIRS = ({"teaser", "text"}, {"lead", "text"})
_OF_PICTURES = word_set("caption image photo picture media gallery video bild credit author byline player")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# A box for any of these holds no standfirst; one for sharing or the date often does.
_OTHER_ROLES = frozenset(
    [
        "related",
        "comments",
        "newsletter",
        "consent",
        "advert",
        "navigation",
        "overlay",
        "account",
        "author box",
        "credit",
    ]
)
_FOREIGN_ROLES = frozenset(["related", "comments", "newsletter"])
_OTHER_TAGS = frozenset({"figure", "figcaption", "nav", "footer", "aside", "blockquote"})
_TEXT_TAGS = frozenset({"p", "h2", "h3", "h4", "h5", "div", "span", "strong", "b", "em", "section", "li"})
_STANDING_TAGS = frozenset({"p", "div", "h2", "h3", "h4", "h5"})
_EMPHASES = frozenset({"b", "strong"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5"})
_SENTENCE_END = re.compile(r"[.?!…。！？؟।](?:[\"'”’»)\]]*)$")
# Thai, Lao, Burmese and Khmer end sentences with a space or nothing.
_ENDLESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]$")
_FEWEST_ALONE, _MOST_WORDS, _SENTENCE_WORDS, _PARAGRAPH_WORDS = 4, 110, 6, 14
_LONGEST_BYLINE, _FEWEST_LETTERS, _TEXT, _LONGEST_DESCRIPTION = 16, 10, 60, 600
# How far behind the headline to look, in elements: for what is named, and for what only stands there.
_REACH, _REACH_ALONE, _SIBLINGS, _LEVELS = 200, 30, 4, 3
_ENOUGH_LETTERS = 40


def read_standfirst(root: etree._Element, story: etree._Element | None, metadata: Metadata) -> tuple[str, Found] | None:
    """The standfirst and its origin: ``standfirst`` where it is named as one, ``opening`` where its name may be that
    of the body's first paragraph (lead, introduction, excerpt), ``description`` where the page's head describes itself
    so, ``position`` where it stands alone behind the headline.

    ``story`` is the element of the story, for pages whose headline is in no element of its own.
    """
    start = metadata.heading
    if start is None:
        start = story if story is not None else root
    titles = [letters(title) for title in (metadata.headline or "", *metadata.headings, *metadata.titles) if title]
    described = [
        letters(text[:_LONGEST_DESCRIPTION]) for text in (metadata.description, _linked_description(metadata)) if text
    ]
    alone = metadata.heading is not None
    for number, element in enumerate(following(start, _REACH, inside=start is not metadata.heading)):
        stands = element.tag in _STANDING_TAGS or (element.tag in _EMPHASES and _has_own_line(element))
        if not (stands or (element.tag in _TEXT_TAGS and element.get("class"))) or not _is_one_line(element):
            continue
        named = _named(element)
        if not (named or stands):
            continue
        text = text_within(element)
        words = word_count(text)
        if words > _MOST_WORDS:
            return None
        key = letters(text)
        if len(key) < _FEWEST_LETTERS or _repeats(key, titles) or _is_byline(text, words, metadata):
            continue
        if not named and _opens_body(element, words):
            return None
        how = named or _position(element, text, key, described, alone and number < _REACH_ALONE)
        if how and not _is_linked(element, words) and not _says_who(text, words, metadata):
            return (text, Found(how, text)) if _is_followed(element) else None
        alone = alone and element.tag not in _HEADINGS
    return None


def _position(element: etree._Element, text: str, key: str, described: list[str], alone: bool) -> str | None:
    """How an unnamed line is known as the standfirst, or None."""
    words = word_count(text)
    if words < _FEWEST_ALONE:
        return None
    is_described = any(_alike(key, other) for other in described)
    if not is_described and not (alone and _stands_alone(element, text, words)):
        return None
    return None if _is_of_other(element, text) else "description" if is_described else "position"


def _linked_description(metadata: Metadata) -> str | None:
    return text_of(metadata.linked.story.get("description"))


def _repeats(key: str, titles: list[str]) -> bool:
    return any(key == title or (len(key) > _FEWEST_LETTERS and key in title) or _nearly(title, key) for title in titles)


def _nearly(title: str, key: str) -> bool:
    return len(title) > 0.7 * len(key) and title in key


def _is_one_line(element: etree._Element) -> bool:
    """Whether an element has text and no blocks in it."""
    return all(inner.tag in INLINE or inner.tag == "br" for inner in islice(element.iterdescendants(), 24))


def _is_byline(text: str, words: int, metadata: Metadata) -> bool:
    return words <= 2 * _LONGEST_BYLINE and is_byline(text, metadata.authors)


def _has_own_line(element: etree._Element) -> bool:
    """Whether nothing stands beside an inline element, and breaks part it from what follows."""
    before, behind, box = element.getprevious(), element.getnext(), element.getparent()
    text_before = before.tail if before is not None else box.text if box is not None else None
    if (element.tail or "").strip() or (text_before or "").strip() or behind is None or behind.tag != "br":
        return False
    return before is None or before.tag == "br" or before.tag not in INLINE


def _says_who(text: str, words: int, metadata: Metadata) -> bool:
    """Whether a line is no part of the story: who wrote it and when, or what sites print beside it."""
    if is_biography(text, metadata.authors) or role_of_label(text) is not None:
        return True
    if words > _LONGEST_BYLINE:
        return False
    names_author, is_sentence = is_by(text), _SENTENCE_END.search(text) is not None
    if names_author == is_sentence:
        # "18 March 2026", "Reviewed by Ann Doe on 3 May 2024."; but not "By May all ships will sail again."
        return read_date(text) is not None
    return names_author


def _named(element: etree._Element) -> str | None:
    """What the names of an element, or of a box around it alone, say of it; None if they say something else too."""
    for number, box in enumerate((element, *islice(element.iterancestors(), _LEVELS - 1))):
        named = _name_standfirst(_names(box))
        if not named and box.get("itemprop") in ("description", "alternativeHeadline"):
            named = "opening"
        if named:
            return named if (not number or _holds_one_text(box)) and not _is_foreign(element, box) else None
    return None


def _holds_one_text(box: etree._Element) -> bool:
    return sum(1 for _ in islice(box.iter("p", "h2"), 2)) <= 1


def _is_foreign(element: etree._Element, box: etree._Element) -> bool:
    """Whether what is named as a standfirst is one of a picture or of another story."""
    inner: etree._Element | None = element
    while inner is not None and inner is not box.getparent():
        if _is_of_pictures(_names(inner)):
            return True
        inner = inner.getparent()
    return inner is not None and role_of_name(_names(inner)) in _FOREIGN_ROLES


def _names(element: etree._Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"[:300]


@lru_cache(maxsize=8192)
def _name_standfirst(names: str) -> str | None:
    words = {word.lower() for word in _WORD.findall(names)}
    if not words.isdisjoint(_STANDFIRST_NAMES) or any(pair <= words for pair in _STANDFIRST_PAIRS):
        return "standfirst"
    if not words.isdisjoint(_OPENING_NAMES) or any(pair <= words for pair in _OPENING_PAIRS):
        return "opening"
    return None


@lru_cache(maxsize=8192)
def _is_of_pictures(names: str) -> bool:
    return not {word.lower() for word in _WORD.findall(names)}.isdisjoint(_OF_PICTURES)


def _is_of_other(element: etree._Element, text: str) -> bool:
    """Whether an element, or a box around it, is named as something else than the story, or is a picture with it."""
    box = element.getparent()
    if box is not None and element.tag not in _HEADINGS and short_text(box, len(text)) and _shows_picture(box):
        return True
    for box in (element, *islice(element.iterancestors(), _LEVELS - 1)):
        names = _names(box)
        if box.tag in _OTHER_TAGS or _is_of_pictures(names) or role_of_name(names) in _OTHER_ROLES:
            return True
    return False


def _shows_picture(box: etree._Element) -> bool:
    return next(box.iter("img", "picture"), None) is not None


def _opens_body(element: etree._Element, words: int) -> bool:
    """Whether an element is a paragraph that others follow."""
    if element.tag != "p" or words < _PARAGRAPH_WORDS:
        return False
    return any(
        sibling.tag == "p" and word_count(_own_text(sibling)) >= _PARAGRAPH_WORDS
        for sibling in islice(element.itersiblings(), _SIBLINGS)
    )


def _is_followed(element: etree._Element) -> bool:
    """Whether a text comes behind an element: what stands there alone is the story itself."""
    return any(
        max(map(weight, (_own_text(behind),) if behind.tag == "p" else (behind.text or "", behind.tail or ""))) > _TEXT
        for behind in following(element, _REACH)
        if behind.tag not in _HEADINGS
    )


def _own_text(paragraph: etree._Element) -> str:
    return "".join(map(str, islice(paragraph.itertext(), 12)))


def _stands_alone(element: etree._Element, text: str, words: int) -> bool:
    """Whether an element reads as a sentence, and is not the heading of what follows it."""
    if element.tag in _HEADINGS:
        heads = any(sibling.tag in ("p", "ul") for sibling in islice(element.itersiblings(), 2))
        return words >= _SENTENCE_WORDS and (not heads or _follows_h1(element))
    notes = len(element) == 1 and element[0].tag in ("em", "i") and not (element.text or "").strip()
    if element.tag not in ("p", "div", *_EMPHASES) or notes:
        return False
    return bool(_SENTENCE_END.search(text) or _ENDLESS.search(text)) or (
        _follows_h1(element) and words > _SENTENCE_WORDS
    )


def _follows_h1(element: etree._Element) -> bool:
    before = element.getprevious()
    return before is not None and before.tag == "h1"


def _is_linked(element: etree._Element, words: int) -> bool:
    links = list(islice(element.iter("a"), 8))
    return bool(links) and sum(word_count(text_within(link)) for link in links) * 2 > words


def _alike(text: str, description: str) -> bool:
    shorter = min(len(text), len(description))
    return text == description or (shorter >= _ENOUGH_LETTERS and text[:shorter] == description[:shorter])
