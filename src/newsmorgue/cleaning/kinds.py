"""What kind of page this is: a story of some form, a list of stories, a wall in front of one, an error, or else.

A story that is taken for something else is lost, so whatever says that it is an article is believed, unless nothing of
an article is there; and signs in the wording count only for pages that have little text.
"""

import re
from urllib.parse import SplitResult, urlsplit

from newsmorgue.cleaning.article import Block, BlockKind, PageKind
from newsmorgue.cleaning.metadata import Metadata
from newsmorgue.cleaning.metadata.jsonld import ARTICLE_TYPES, types_of
from newsmorgue.cleaning.page_wording import ERROR_TITLE, WALL_TEXT, WALL_TITLE
from newsmorgue.cleaning.wording import word_count

_LIVE = re.compile(
    r"/(?:live|direct|en-direct|en-vivo|diretta|ticker)/|(?:live-?blog|live-updates?|live-?ticker|minuto-a-minuto|minute-par-minute)",
    re.I,
)
_GALLERY = re.compile(
    r"/(?:galler(?:y|ies|ia)|photos?|diaporamas?|slideshows?|fotos?|bildergalerien?|fotostrecken?"
    r"|photo-galler(?:y|ies)|fotogalerias?|en-images)(?:[/-]|$)",
    re.I,
)
_VIDEO = re.compile(r"/(?:videos?|watch|vod|mediathek)(?:[/-]|$)", re.I)
_LISTING_PATH = re.compile(
    r"^/(?:[a-z]{2}/)?(?:tags?|categor(?:y|ies|ie|ia|ias)|author|authors|auteur|autor(?:es)?|search|suche|recherche|buscar"
    r"|page/\d+)(?:/|$)|/page/\d+/?$",
    re.I,
)
# Sections that hold stories too: a list only where no story's name follows.
_SECTION_PATH = re.compile(r"^/(?:topics?|themen?|thema|sections?|archives?|archiv|rubriques?|dossiers?)(?:/|$)", re.I)
_STORY_NAME = re.compile(r"(?:[^/_-]+[_-]){3,}[^/]+$|\d{5,}[^/]*$|\.html?$|/\d{4}/\d{1,2}/[^/]*[a-z]{3}", re.I)
_STORY_QUERY = re.compile(r"(?:^|&)(?:p|id|nid|aid|sid|post|page_id|(?:art|article|story|news|doc)\w*)=[^&]*\d", re.I)
_VIDEO_TYPES = frozenset({"VideoObject"})
_GALLERY_TYPES = frozenset({"ImageGallery", "MediaGallery"})
_LISTING_TYPES = frozenset({"CollectionPage", "SearchResultsPage", "ItemList"})
_TEXT = frozenset({BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.LIST, BlockKind.TABLE})
# Words of prose below which a page without any other sign is no story.
_SHORT, _FEW = 60, 15
_MOST_ERROR_WORDS = 250
_ENOUGH = 1_500
_TEASERS = 4
_DATA = frozenset({"json-ld", "meta", "og", "microdata"})
_SECTION_DEPTH = 2  # levels of an address; what lies deeper is not the section itself


def kind_of(url: str, metadata: Metadata, blocks: tuple[Block, ...], teasers: int = 0) -> PageKind:
    """Tell the kind of a page from what was read of it. ``teasers`` is the number of headings that are links."""
    words = _words(blocks)
    is_article, is_dated = _is_article(metadata), _declares_date(metadata)
    most = _MOST_ERROR_WORDS if not is_article and not is_dated else _FEW
    if words < most and not (is_article and is_dated) and _has_error_title(metadata):
        return PageKind.ERROR
    if words < max(most, _SHORT) and not is_dated and _is_wall(metadata, blocks, is_article):
        return PageKind.WALL
    return _form(url, metadata, words) if is_article else _undeclared(url, metadata, words, teasers)


def _words(blocks: tuple[Block, ...]) -> int:
    """How many words of text there are; above :data:`_ENOUGH` it is not said how many."""
    words = 0
    for block in blocks:
        if block.kind in _TEXT:
            words += word_count(block.text)
        if words > _ENOUGH:
            break
    return words


def _has_error_title(metadata: Metadata) -> bool:
    return any(map(ERROR_TITLE.search, (metadata.headline or "", *metadata.headings)))


def _is_wall(metadata: Metadata, blocks: tuple[Block, ...], is_article: bool) -> bool:
    """An article that has no more to show than a wall's words is one too; its own headline is not looked at."""
    if any(WALL_TEXT.search(block.text) for block in blocks[:6]):
        return True
    return not is_article and bool(WALL_TITLE.search(metadata.headline or ""))


def _declares_date(metadata: Metadata) -> bool:
    """Whether the page's data has a day of publication. (A date that readers see may be today's.)"""
    found = metadata.found.get("published")
    return found is not None and found.how in _DATA


def _is_article(metadata: Metadata) -> bool:
    return bool(types_of(metadata.linked.story) & ARTICLE_TYPES) or metadata.og_type in (
        "article",
        "news",
        "newsarticle",
        "blog",
    )


def _form(url: str, metadata: Metadata, words: int) -> PageKind:
    """The form of a page that says it is an article. A home page that says so needs more to be believed."""
    path = _parts(url).path
    is_story = _declares_date(metadata) and words >= _SHORT
    if _is_list(url, may_be_section=not is_story) or (_is_front(url) and not _names_itself(metadata, words)):
        return PageKind.LISTING
    types = types_of(metadata.linked.story)
    if "LiveBlogPosting" in types | metadata.linked.types or _LIVE.search(path):
        return PageKind.LIVE_BLOG
    if words < _SHORT and (types & _GALLERY_TYPES or _GALLERY.search(path)):
        return PageKind.GALLERY
    if words < _SHORT and (types & _VIDEO_TYPES or _VIDEO.search(path)):
        return PageKind.VIDEO
    return PageKind.ARTICLE if words >= 1 or metadata.headline else PageKind.OTHER


def _names_itself(metadata: Metadata, words: int) -> bool:
    """Whether the article that a page's JSON-LD describes is the page: its headline heads a text of some length."""
    headline = metadata.linked.story.get("headline")
    return isinstance(headline, str) and headline.strip() in metadata.headings and words >= _MOST_ERROR_WORDS


def _undeclared(url: str, metadata: Metadata, words: int, teasers: int) -> PageKind:
    path, types = _parts(url).path, metadata.linked.types
    if _is_front(url) or _is_list(url) or types & _LISTING_TYPES or _has_teasers(teasers, words):
        return PageKind.LISTING
    if (metadata.og_type or "").startswith("video") or types & _VIDEO_TYPES:
        return PageKind.VIDEO if words < 4 * _SHORT else PageKind.ARTICLE
    if types & _GALLERY_TYPES:
        return PageKind.GALLERY
    dated, named = metadata.published is not None, _has_story_name(path)
    if words >= (_FEW if dated and metadata.authors else _SHORT if dated or named else 3 * _SHORT):
        return PageKind.ARTICLE
    return PageKind.OTHER


def _has_teasers(teasers: int, words: int) -> bool:
    """Whether headings are links to elsewhere: a list of stories with a word on each."""
    return teasers >= _TEASERS and words < _SHORT * teasers


def _is_front(url: str) -> bool:
    """A home page; an address that names a story in its query is none, nor is one that is no address."""
    parts = _parts(url)
    return bool(parts.netloc) and not parts.path.strip("/") and not _STORY_QUERY.search(parts.query)


def _is_list(url: str, *, may_be_section: bool = True) -> bool:
    path = _parts(url).path
    if _LISTING_PATH.search(path):
        return True
    is_shallow = path.strip("/").count("/") < _SECTION_DEPTH
    return may_be_section and is_shallow and bool(_SECTION_PATH.search(path)) and not _has_story_name(path)


def _has_story_name(path: str) -> bool:
    return bool(_STORY_NAME.search(path.rstrip("/")))


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")
