"""The raw facts of a page that the readers of single fields choose from, collected in one pass over the tree."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urljoin, urlsplit

from lxml import etree

from newsmorgue.cleaning.metadata.jsonld import LinkedData, read_linked_data
from newsmorgue.cleaning.tree import text_within
from newsmorgue.cleaning.wording import plain

_WANTED = ("meta", "link", "title", "script", "h1", "h2", "time", "base")
_KEY_ATTRIBUTES = ("property", "name", "itemprop", "http-equiv")
# Beyond so many elements of the wanted kinds a page is hostile or broken; no real one comes near.
_MOST_ELEMENTS = 20_000
# What needs no joining: scheme, a host of plain characters, and nothing after it that is not allowed in an address.
_ABSOLUTE = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:[/?#][^\s<>\"'\[\]]*)?")
# Longer values and more headings describe no story.
_MOST_HEADINGS, _LONGEST_HEADING, _LONGEST_VALUE = 12, 400, 5000
_MOST_OF_ONE_NAME = 100
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Facts:
    """``metas`` maps a lower-case name to its values as written, in order; ``headings`` are the texts of the h1
    elements, ``h1s`` these elements, ``h2s`` and ``times`` the elements of those names; ``declared_language``
    says how the language was found, and what stands there; ``canonical`` is the first
    ``link rel=canonical``, ``picture`` the first ``link`` to a picture of the page. ``base`` is what addresses are
    relative to: ``url``, unless a ``base`` element says otherwise (HTML standard §4.2.3)."""

    root: etree._Element
    url: str
    language: str | None = None
    declared_language: tuple[str, str] = ("", "")
    title: str = ""
    headings: tuple[str, ...] = ()
    h1s: tuple[etree._Element, ...] = ()
    h2s: tuple[etree._Element, ...] = ()
    times: tuple[etree._Element, ...] = ()
    metas: dict[str, list[str]] = field(default_factory=dict)
    canonical: str | None = None
    picture: str | None = None
    base: str = ""
    linked: LinkedData = field(default_factory=LinkedData)

    def meta(self, *names: str) -> tuple[str, str] | None:
        """The first value there is, in the order of ``names``, as text, with the name that had it."""
        for name in names:
            for value in self.metas.get(name, ()):
                if text := plain(value[:_LONGEST_VALUE]):
                    return name, text
        return None

    def values(self, name: str) -> list[str]:
        """All values of one name, as text."""
        return [text for value in self.metas.get(name, ()) if (text := plain(value[:_LONGEST_VALUE]))]


def read_facts(root: etree._Element, url: str) -> Facts:
    """Collect the facts of a parsed page fetched from ``url``."""
    found: dict[str, list[etree._Element]] = {tag: [] for tag in _WANTED}
    for element in islice(root.iter(*_WANTED), _MOST_ELEMENTS):
        found[element.tag].append(element)
    metas = _metas(found["meta"])
    language = _language(root, metas)
    headed = [(h1, text) for h1 in found["h1"][:_MOST_HEADINGS] if (text := text_within(h1)[:_LONGEST_HEADING])]
    headings = tuple(text for _, text in headed)
    title = next((text for element in found["title"] if (text := plain((element.text or "")[:_LONGEST_VALUE]))), "")
    hints = (*metas.get("og:title", ())[:1], *headings[:2], title)
    return Facts(
        root,
        url,
        language=language[0] if language else None,
        declared_language=language[1:] if language else ("", ""),
        title=title,
        headings=headings,
        h1s=tuple(h1 for h1, _ in headed),
        h2s=tuple(found["h2"]),
        times=tuple(found["time"]),
        metas=metas,
        canonical=_link_to(found["link"], "canonical"),
        picture=_link_to(found["link"], "image_src") or _link_to(found["link"], "image", "itemprop"),
        base=next((base for element in found["base"][:1] if (base := absolute(url, element.get("href")))), url),
        linked=_linked(found["script"], hints),
    )


def absolute(base: str, address: str | None) -> str | None:
    """``address`` as an absolute http(s) URL, or None where it is none.

    >>> absolute("https://example.org/a/b", "../c"), absolute("https://example.org/", "javascript:x()")
    ('https://example.org/c', None)
    >>> absolute("https://example.org/", "a b.html")
    'https://example.org/a%20b.html'
    """
    if address and _ABSOLUTE.fullmatch(address):
        return address
    try:
        joined = urljoin(base, (address or "").strip())
        parts = urlsplit(joined)
        usable = bool(address) and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    if usable and " " in joined and " " not in parts.netloc:
        joined = joined.replace(" ", "%20")  # as browsers do
    return joined if usable and not any(mark in joined for mark in " \n\t\r<>\"'") else None


def _metas(elements: list[etree._Element]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for element in elements:
        content = element.get("content") or element.get("value")
        if not content:
            continue
        for attribute in _KEY_ATTRIBUTES:
            name = element.get(attribute)
            if name and len(values := found[name.strip().lower()]) < _MOST_OF_ONE_NAME:
                values.append(content)
    return dict(found)


def _link_to(elements: list[etree._Element], relation: str, attribute: str = "rel") -> str | None:
    for element in elements:
        if relation in (element.get(attribute) or "").lower().split() and (href := element.get("href")):
            return href.strip()
    return None


def _linked(elements: list[etree._Element], hints: tuple[str, ...]) -> LinkedData:
    scripts = [
        text for element in elements if "ld+json" in (element.get("type") or "").lower() and (text := element.text)
    ]
    return read_linked_data(scripts, hints)


def _language(root: etree._Element, metas: dict[str, list[str]]) -> tuple[str, str, str] | None:
    """The language, how it was found, and how it is written there."""
    declared = [("html", root.get(name)) for name in ("lang", _XML_LANGUAGE, "xml:lang")]
    for name in ("og:locale", "content-language", "language", "dc.language", "inlanguage"):
        declared += [("og" if name == "og:locale" else "meta", value) for value in metas.get(name, [])[:1]]
    return next(((tag, how, value) for how, value in declared if value and (tag := language_tag(value))), None)


def language_tag(value: str | None) -> str | None:
    """BCP 47: the primary subtag in lower case, a region in capitals.

    >>> language_tag("fr_FR"), language_tag("EN"), language_tag("{{lang}}")
    ('fr-FR', 'en', None)
    """
    parts = (value or "").split(",")[0].strip().replace("_", "-").split("-")
    if not (parts[0].isalpha() and parts[0].isascii() and 2 <= len(parts[0]) <= 3):
        return None
    region = [part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha() and part.isascii()]
    return "-".join([parts[0].lower(), *region[:1]])
