"""What only readers are told of a story: its section, its tags and its lead picture, where no data have them."""

from itertools import islice
from typing import cast

from lxml import etree

from newsmorgue.cleaning.metadata.nearby import marks_of, names_of, stands_in_comments
from newsmorgue.cleaning.tree import short_text

_RELATED = etree.XPath("descendant::a[@rel]")
_LONGEST, _MOST_LINKS, _MOST_LISTS, _MOST_BEHIND = 60, 200, 400, 120
_MOST_WORDS = 4
_SMALL = 200  # pixels: smaller pictures are faces and signs
_SOURCES = ("src", "data-src", "data-lazy-src", "data-original")
_OTHER = frozenset({"nav", "aside", "footer", "form"})


class Shown:
    """The links of a page that say what they are to the story, looked for when they are first asked for."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._links: list[tuple[list[str], etree._Element]] | None = None

    def section(self) -> str | None:
        """What a link marked as the story's category says (``rel=category``), or the last of breadcrumbs but home."""
        for relations, link in self._related():
            if "category" in relations and not _is_of_others(link):
                return short_text(link, _LONGEST) or None
        for trail in islice(self._root.iter("nav", "ol", "ul"), _MOST_LISTS):
            if "readcrumb" in names_of(trail) or "readcrumb" in (trail.get("aria-label") or ""):
                return _last_section(trail)
        return None

    def tags(self) -> list[str]:
        """What links marked as tags say (``rel=tag``; HTML standard §4.6.6.23), but those of other stories."""
        links = (link for relations, link in self._related() if relations == ["tag"] and not _is_of_others(link))
        return [text for link in links if (text := short_text(link, _LONGEST).lstrip("#"))]

    def _related(self) -> list[tuple[list[str], etree._Element]]:
        if self._links is None:
            links = cast("list[etree._Element]", _RELATED(self._root))
            related = ((link.get("rel") or "", link) for link in links)
            self._links = [(rel.split(), link) for rel, link in related if "tag" in rel or "category" in rel]
        return self._links[:_MOST_LINKS]


def _last_section(trail: etree._Element) -> str | None:
    links = [link for link in islice(trail.iter("a"), 12) if link.get("href", "#") != "#"]
    texts = [text for link in links[1:] if (text := short_text(link, _LONGEST))]
    named = [text for text in texts if text.count(" ") < _MOST_WORDS]  # not the story itself
    return named[-1] if named else None


def picture_shown(heading: etree._Element | None) -> str | None:
    """The address of the picture that the story leads with: the first of some size soon behind its headline."""
    if heading is None:
        return None
    article = next((box for box in heading.iterancestors() if box.tag in ("article", "main", "body")), None)
    if article is None:
        return None
    behind = False
    for element in islice(article.iter(), 4 * _MOST_BEHIND):
        if element is heading:
            behind = True
        elif behind and element.tag == "img" and not _is_small(element) and not _is_of_others(element):
            return next((source for name in _SOURCES if _is_address(source := element.get(name) or "")), None)
        elif behind and element.tag == "p" and len("".join(map(str, islice(element.itertext(), 8)))) > 8 * _LONGEST:
            return None
    return None


def _is_address(source: str) -> bool:
    return bool(source) and not source.lower().startswith("data:")


def _is_small(picture: etree._Element) -> bool:
    sizes = [picture.get(name) or "" for name in ("width", "height")]
    return any(size.isdigit() and int(size) < _SMALL for size in sizes) or "avatar" in names_of(picture)


def _is_of_others(element: etree._Element) -> bool:
    """Whether an element stands with other stories, with readers' comments or in the page's frame."""
    if stands_in_comments(element):
        return True
    return any(box.tag in _OTHER or marks_of(names_of(box)).author for box in islice(element.iterancestors(), 8))
