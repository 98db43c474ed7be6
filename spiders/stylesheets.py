"""What a style sheet loads: other style sheets by ``@import``, fonts and pictures by ``url()``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# CSS Syntax 3, as far as it tells where an address stands. Each alternative ends at its end mark or where the standard
# ends a broken one, so that none is searched for twice.
_TOKEN = re.compile(
    r"""
      /\*.*?(?:\*/|\Z)
    | @(?P<rule>[\w-]++)
    | (?<![\w-])url\(\s*+
      (?:"(?P<double>(?:[^"\\\n]|\\.)*+)"|'(?P<single>(?:[^'\\\n]|\\.)*+)'|(?P<bare>(?:[^)"'\s(\\]|\\.)*+))
      \s*+\)
    | "(?P<text>(?:[^"\\\n]|\\.)*+)(?:"|(?=\n)|\\?\Z)
    | '(?P<other>(?:[^'\\\n]|\\.)*+)(?:'|(?=\n)|\\?\Z)
    | (?P<mark>[;{}])
    """,
    re.S | re.I | re.X,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(\n)|(.))", re.I | re.S)
# What names no file: XML namespaces, and the pages that a sheet is for.
_NO_FILES = frozenset({"namespace", "document", "-moz-document"})
_SMALLEST_FONT = re.compile(r"\.woff2(?:[?#]|$)", re.I)


class Use(StrEnum):
    """What a style sheet loads something as."""

    SHEET = "sheet"
    FONT = "font"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Reference:
    """An address as a style sheet spells it, its escapes undone, and what it is there for."""

    raw: str
    use: Use


def references(css: str) -> Iterator[Reference]:
    """What a style sheet loads, in its order. Of a font in several formats only the smallest, as browsers do.

    >>> [one.raw for one in references('@import "a.css"; p { background: url(b.png) } @namespace url(http://x/);')]
    ['a.css', 'b.png']
    """
    rule, is_font, fonts = "", False, list[Reference]()
    for token in _TOKEN.finditer(css):
        if token["rule"]:
            rule = token["rule"].lower()
        elif token["mark"] == ";":
            rule = ""
        elif token["mark"]:
            yield from _loaded(fonts)
            rule, is_font, fonts = "", token["mark"] == "{" and rule == "font-face", []
        elif (raw := _address(token, rule)) and rule not in _NO_FILES:
            if is_font:
                fonts.append(Reference(raw, Use.FONT))
            else:
                yield Reference(raw, Use.SHEET if rule == "import" else Use.PICTURE)
                rule = "" if rule == "import" else rule
    yield from _loaded(fonts)


def _address(token: re.Match[str], rule: str) -> str | None:
    """A token's address: ``url()``, or a string right behind ``@import``."""
    raw = token["double"] or token["single"] or token["bare"]
    if raw is None and rule == "import":
        raw = token["text"] or token["other"]
    return _ESCAPE.sub(_unescaped, raw).strip() if raw else None


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        code = int(escape[1], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return escape[3] or ""


def _loaded(fonts: list[Reference]) -> list[Reference]:
    return [font for font in fonts if _SMALLEST_FONT.search(font.raw)] or fonts
