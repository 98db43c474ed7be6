"""The raw facts of a page that the readers of single fields choose from, collected once."""

from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml import etree

from newsmorgue.cleaning.metadata.jsonld import LinkedData, read_linked_data
from newsmorgue.cleaning.tree import text_within
from newsmorgue.cleaning.wording import plain

_KEY_ATTRIBUTES = ("property", "name", "itemprop", "http-equiv")


@dataclass(frozen=True, slots=True)
class Facts:
    """``metas`` maps a lower-case name to its values in order; ``headings`` are the texts of the h1 elements."""

    root: etree._Element
    url: str
    language: str | None
    title: str
    headings: tuple[str, ...]
    metas: dict[str, list[str]]
    links: dict[str, str]
    linked: LinkedData

    def meta(self, *names: str) -> tuple[str, str] | None:
        """The first value there is, in the order of ``names``, with the name that had it."""
        return next(((name, value) for name in names for value in self.metas.get(name, ())), None)


def read_facts(root: etree._Element, url: str) -> Facts:
    """Collect the facts of a parsed page fetched from ``url``."""
    metas = _metas(root)
    headings = tuple(text for heading in root.iter("h1") if (text := text_within(heading)))
    title = next((text for element in root.iter("title") if (text := plain(element.text or ""))), "")
    hints = (*metas.get("og:title", ())[:1], *headings[:2], title)
    return Facts(root, url, _language(root, metas), title, headings, metas, _links(root), _linked(root, hints))


def absolute(base: str, address: str | None) -> str | None:
    """``address`` as an absolute http(s) URL, or None where it is none.

    >>> absolute("https://example.org/a/b", "../c"), absolute("https://example.org/", "javascript:x()")
    ('https://example.org/c', None)
    """
    try:
        joined = urljoin(base, (address or "").strip())
        parts = urlsplit(joined)
        usable = bool(address) and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return joined if usable and not any(mark in joined for mark in " \n\t\r<>\"'") else None


def _metas(root: etree._Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for element in root.iter("meta"):
        content = plain(element.get("content") or element.get("value") or "")
        if not content:
            continue
        for attribute in _KEY_ATTRIBUTES:
            if name := element.get(attribute):
                found[name.strip().lower()].append(content)
    return dict(found)


def _links(root: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in root.iter("link"):
        for relation in (element.get("rel") or "").lower().split():
            if href := element.get("href"):
                found.setdefault(relation, href.strip())
    return found


def _linked(root: etree._Element, hints: tuple[str, ...]) -> LinkedData:
    scripts = [
        script.text for script in root.iter("script") if script.text and "ld+json" in (script.get("type") or "").lower()
    ]
    return read_linked_data(scripts, hints)


def _language(root: etree._Element, metas: dict[str, list[str]]) -> str | None:
    declared = [root.get("lang"), root.get("{http://www.w3.org/XML/1998/namespace}lang"), root.get("xml:lang")]
    for name in ("og:locale", "content-language", "language", "dc.language", "inlanguage"):
        declared += metas.get(name, [])
    return next((tag for value in declared if (tag := _language_tag(value))), None)


def _language_tag(value: str | None) -> str | None:
    """BCP 47: the primary subtag in lower case, a region in capitals.

    >>> _language_tag("fr_FR"), _language_tag("EN"), _language_tag("{{lang}}")
    ('fr-FR', 'en', None)
    """
    parts = (value or "").split(",")[0].strip().replace("_", "-").split("-")
    if not (parts[0].isalpha() and parts[0].isascii() and 2 <= len(parts[0]) <= 3):
        return None
    region = [part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha() and part.isascii()]
    return "-".join([parts[0].lower(), *region[:1]])
