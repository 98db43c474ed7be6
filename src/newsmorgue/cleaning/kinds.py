"""What kind of page this is: a story of some form, a list of stories, a wall in front of one, an error, or else."""

import re
from urllib.parse import urlsplit

from newsmorgue.cleaning.article import Block, BlockKind, PageKind
from newsmorgue.cleaning.metadata import Metadata
from newsmorgue.cleaning.metadata.jsonld import ARTICLE_TYPES, types_of
from newsmorgue.cleaning.wording import word_count

_ERROR_TITLE = re.compile(
    r"^(?:error )?(?:404|410|403|500|502|503)\b|\b(?:404|410)(?: error| not found|:| -|$)|page (?:not found"
    r"|introuvable|non trouvée|no encontrada|nicht gefunden|unavailable|does(?:n[’']t| not) exist)"
    r"|(?:seite|página|pagina|страница) (?:nicht gefunden|no encontrada|não encontrada|non trovata"
    r"|niet gevonden|не найдена)|(?:cette|la) page n[’']existe (?:pas|plus)|oops!? .{0,30}(?:page|wrong)"
    r"|^not found$|^access denied$|^forbidden$|service unavailable|sidan (?:hittades|finns) inte"
    r"|siden (?:findes|finnes) ikke|stránka nenalezena|strona nie (?:istnieje|została znaleziona)"
    r"|ページが見つかりません|页面不存在",
    re.I,
)
_WALL_TITLE = re.compile(
    r"^(?:just a moment|attention required|are you (?:a )?(?:robot|human)"
    r"|access (?:to this page )?(?:has been )?denied|security check|verify(?:ing)? you are|please verify"
    r"|checking your browser|un instant|nur einen moment|un momento|human verification|captcha"
    r"|before you continue|avant de continuer|bevor sie fortfahren)",
    re.I,
)
_WALL_TEXT = re.compile(
    r"enable (?:javascript|js) and (?:disable|cookies)|verify (?:that )?you are (?:a )?human"
    r"|unusual (?:traffic|activity)|activez (?:le )?javascript|checking if the site connection is secure"
    r"|you need to enable javascript",
    re.I,
)
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
    r"^/(?:tags?|categor(?:y|ies|ie)|topics?|themen?|author|authors|auteur|sections?|search|archives?"
    r"|page/\d+|rubriques?|thema)(?:/|$)",
    re.I,
)
_VIDEO_TYPES = frozenset({"VideoObject"})
_GALLERY_TYPES = frozenset({"ImageGallery", "MediaGallery"})
_LISTING_TYPES = frozenset({"CollectionPage", "SearchResultsPage", "ItemList"})
# Words of prose below which a page without any other sign is no story.
_SHORT, _FEW = 60, 15
_MOST_ERROR_WORDS = 250


def kind_of(url: str, metadata: Metadata, blocks: tuple[Block, ...]) -> PageKind:
    """Tell the kind of a page from what was read of it."""
    words = sum(
        word_count(block.text)
        for block in blocks
        if block.kind in (BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.LIST)
    )
    title = metadata.headline or ""
    if (
        (_ERROR_TITLE.search(title) or any(map(_ERROR_TITLE.search, metadata.headings)))
        and words < _MOST_ERROR_WORDS
        and not _is_article(metadata)
    ):
        return PageKind.ERROR
    if words < _MOST_ERROR_WORDS and (
        _WALL_TITLE.search(title) or any(_WALL_TEXT.search(block.text) for block in blocks[:6])
    ):
        return PageKind.WALL
    return _form(url, metadata, words) if _is_article(metadata) else _undeclared(url, metadata, words)


def _is_article(metadata: Metadata) -> bool:
    return bool(types_of(metadata.linked.story) & ARTICLE_TYPES) or metadata.og_type in (
        "article",
        "news",
        "newsarticle",
        "blog",
    )


def _form(url: str, metadata: Metadata, words: int) -> PageKind:
    """The form of a page that says it is an article. A home page that says so needs more to be believed."""
    path = _path(url)
    if _LISTING_PATH.search(path) or (not path.strip("/") and not _names_itself(metadata, words)):
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


def _undeclared(url: str, metadata: Metadata, words: int) -> PageKind:
    path, types = _path(url), metadata.linked.types
    if not path.strip("/") or _LISTING_PATH.search(path) or types & _LISTING_TYPES:
        return PageKind.LISTING
    if (metadata.og_type or "").startswith("video") or types & _VIDEO_TYPES:
        return PageKind.VIDEO if words < 4 * _SHORT else PageKind.ARTICLE
    if types & _GALLERY_TYPES:
        return PageKind.GALLERY
    dated = metadata.published is not None
    if words >= (_FEW if dated and metadata.authors else _SHORT if dated else 3 * _SHORT):
        return PageKind.ARTICLE
    return PageKind.OTHER


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
