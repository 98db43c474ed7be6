"""Page requisites: the files that a story's page needs to look like itself. Pure: no network, no clock, no Scrapy."""

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from typing import Any, cast

from lxml import etree

from newsmorgue.archive.capture import Assets
from newsmorgue.cleaning import Article
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.wording import visible
from newsmorgue.spiders.mentions import absolute_address
from newsmorgue.spiders.srcset import chosen, media_holds
from newsmorgue.spiders.stylesheets import Use, references

MOST_IN_A_PAGE = 100
_TELLING = 25
# In the page's order: where a story may begin, its pictures, and every text so long that it tells where it is from.
_LANDMARKS = etree.XPath(
    "//h1 | //article | //img | //amp-img | //body//*[not(self::script or self::style or self::noscript)]"
    f"/text()[string-length(.) >= {_TELLING}]"
)
_SMALLEST_PICTURE = 100  # pixels; what says it is smaller is a portrait, a logo, a counter
_BESIDE_THE_STORY = frozenset({"aside", "nav", "footer", "form"})
_PICTURES = frozenset({"img", "amp-img"})
_LAZY, _LAZY_SET = ("data-src", "data-lazy-src", "data-original"), ("data-srcset", "data-lazy-srcset")
_XLINK = "{http://www.w3.org/1999/xlink}href"


class Kind(StrEnum):
    """What a requisite is to its page; the more it matters, the earlier it stands here."""

    STYLESHEET = "stylesheet"
    LEAD_IMAGE = "lead image"
    STORY_IMAGE = "story image"
    FONT = "font"
    IMAGE = "image"
    ICON = "icon"
    SCRIPT = "script"


_RANKS = {kind: rank for rank, kind in enumerate(Kind)}
_LEAD = frozenset({Kind.STYLESHEET, Kind.LEAD_IMAGE})
_WANTED = {
    Assets.NONE: frozenset[Kind](),
    Assets.LEAD: _LEAD,
    Assets.IMAGES: _LEAD | {Kind.STORY_IMAGE},
    Assets.ALL: frozenset(Kind),
}
_OF_USE = {Use.SHEET: Kind.STYLESHEET, Use.FONT: Kind.FONT, Use.PICTURE: Kind.IMAGE}
_OF_ICON_LINK = frozenset({"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"})
_OF_PRELOAD = {"style": Kind.STYLESHEET, "font": Kind.FONT, "script": Kind.SCRIPT, "image": Kind.IMAGE}


def page_requisites(html: bytes, url: str, article: Article, assets: Assets = Assets.ALL) -> tuple[str, ...]:
    """The URLs of the requisites of the page at ``url`` that a setting takes: absolute, without fragment, each once.

    ``html`` is without content-coding, ``article`` what cleaning read in it. What matters most stands first; at most
    100. Raises :class:`~newsmorgue.errors.CleaningFailed` where cleaning would.
    """
    if assets is Assets.NONE:
        return ()
    root, _ = parse(decode(html, article.charset))
    bases = (absolute_address(element.get("href"), url) for element in root.iter("base"))
    base = next(filter(None, bases), url)
    named = [(article.image, Kind.LEAD_IMAGE), *_of_story(root, article)]
    named += _of_elements(root) if assets is Assets.ALL else _of_sheets(root)
    return _wanted(((absolute_address(raw, base), kind) for raw, kind in named), assets, {url, base})


def css_requisites(css: bytes, url: str, assets: Assets = Assets.ALL) -> tuple[str, ...]:
    """The URLs of the requisites of the style sheet at ``url`` that a setting takes; as :func:`page_requisites`."""
    # Addresses are ASCII in all but name; the encodings of the web agree on that.
    named = references(css.decode("utf-8-sig", "replace"))
    return _wanted(((absolute_address(one.raw, url), _OF_USE[one.use]) for one in named), assets, {url})


def _wanted(found: Iterable[tuple[str | None, Kind]], assets: Assets, but_not: Collection[str]) -> tuple[str, ...]:
    """An empty attribute means the page itself, which is no requisite."""
    kept = [(url, kind) for url, kind in found if url and url not in but_not and kind in _WANTED[assets]]
    return tuple(dict.fromkeys(url for url, _ in sorted(kept, key=_rank)))[:MOST_IN_A_PAGE]


def _rank(found: tuple[str, Kind]) -> int:
    return _RANKS[found[1]]


_Named = Iterator[tuple[str | None, Kind]]  # an attribute's value, and what it is there for


def _of_story(root: etree._Element, article: Article) -> _Named:
    """The pictures within the story: the first leads."""
    kind = Kind.LEAD_IMAGE
    for picture in _story_pictures(root, article):
        sources = [source for source in _picture_sources(picture) if source]
        yield from ((source, kind) for source in sources)
        kind = Kind.STORY_IMAGE if sources else kind


def _story_pictures(root: etree._Element, article: Article) -> Iterator[etree._Element]:
    """Those from where the story begins (its ``article``, else its heading) to its last text, in the page's order."""
    text = visible(article.text)
    landmarks = cast(list[Any], _LANDMARKS(root))
    told = [place for place, one in enumerate(landmarks) if isinstance(one, str) and _tells(one, text)]
    if not told:
        return
    around = next(landmarks[told[0]].getparent().iterancestors("article"), None)
    headings = [place for place in range(told[0]) if _tag(landmarks[place]) == "h1"]
    start = landmarks.index(around) if around is not None else headings[-1] if headings else told[0]
    yield from (one for one in landmarks[start : told[-1]] if _tag(one) in _PICTURES and _is_of_story(one))


def _tells(piece: str, text: str) -> bool:
    line = visible(piece)
    return len(line) >= _TELLING and line in text


def _tag(landmark: Any) -> str:
    return "" if isinstance(landmark, str) else landmark.tag


def _is_of_story(picture: etree._Element) -> bool:
    sizes = (picture.get("width", ""), picture.get("height", ""))
    if any(size.isdigit() and int(size) < _SMALLEST_PICTURE for size in sizes):
        return False
    return not any(above.tag in _BESIDE_THE_STORY for above in picture.iterancestors())


def _of_sheets(root: etree._Element) -> _Named:
    for element in root.iter("link", "style"):
        if element.tag == "link":
            yield from _of_link(element)
        elif "@import" in (element.text or ""):
            yield from _of_style(element)


def _of_elements(root: etree._Element) -> _Named:
    for element in root.iter(etree.Element):
        read = _READERS.get(str(element.tag))
        if read:
            yield from read(element)
        if "url(" in element.get("style", ""):
            yield from _of_css(element.get("style"))
        if element.get("background"):
            yield element.get("background"), Kind.IMAGE


def _of_link(link: etree._Element) -> _Named:
    relations = frozenset(link.get("rel", "").lower().split())
    href = link.get("href")
    if "stylesheet" in relations and "alternate" not in relations:
        # media=print with a script that takes it off is how sheets are loaded without holding up the page.
        if link.get("media", "").strip().lower() != "print" or link.get("onload"):
            yield href, Kind.STYLESHEET
    elif "preload" in relations and (kind := _OF_PRELOAD.get(link.get("as", "").lower())):
        candidate = chosen(link.get("imagesrcset", ""), link.get("imagesizes"))
        yield candidate or href, kind
    elif "modulepreload" in relations:
        yield href, Kind.SCRIPT
    elif relations & _OF_ICON_LINK:
        yield href, Kind.ICON


def _of_picture(picture: etree._Element) -> _Named:
    return ((source, Kind.IMAGE) for source in _picture_sources(picture))


def _picture_sources(picture: etree._Element) -> Iterator[str | None]:
    """What the page would load for a picture, and the address that stands in for it where nothing is chosen."""
    around = _element_around(picture)
    sources = [] if around is None else [one for one in around.iter("source") if media_holds(one.get("media"))]
    sets = ((_first(one, "srcset", *_LAZY_SET), one.get("sizes")) for one in (*sources, picture))
    yield next((url for srcset, sizes in sets if srcset and (url := chosen(srcset, sizes))), None)
    yield _first(picture, "src", *_LAZY)


def _element_around(picture: etree._Element) -> etree._Element | None:
    """The ``picture`` element. libxml2 does not know that a ``source`` is empty, and puts what follows into it."""
    above = next((one for one in picture.iterancestors() if one.tag != "source"), None)
    return above if above is not None and above.tag == "picture" else None


def _first(element: etree._Element, *names: str) -> str | None:
    """The first of these attributes that names a file: scripts put the real one beside a drawn placeholder."""
    values = (element.get(name, "").strip() for name in names)
    return next((value for value in values if value and not value.startswith("data:")), None)


def _of_style(style: etree._Element) -> _Named:
    return _of_css(style.text)


def _of_css(css: str | None) -> _Named:
    return ((one.raw, _OF_USE[one.use]) for one in references(css or ""))


def _of_script(script: etree._Element) -> _Named:
    yield script.get("src"), Kind.SCRIPT


def _of_video(video: etree._Element) -> _Named:
    yield video.get("poster"), Kind.IMAGE


def _of_input(field: etree._Element) -> _Named:
    if field.get("type", "").lower() == "image":
        yield field.get("src"), Kind.IMAGE


def _of_drawing(drawing: etree._Element) -> _Named:
    yield drawing.get("href") or drawing.get("xlink:href") or drawing.get(_XLINK), Kind.IMAGE


_READERS = {
    "link": _of_link,
    "img": _of_picture,
    "amp-img": _of_picture,
    "style": _of_style,
    "script": _of_script,
    "video": _of_video,
    "amp-video": _of_video,
    "input": _of_input,
    "image": _of_drawing,
    "use": _of_drawing,
}
