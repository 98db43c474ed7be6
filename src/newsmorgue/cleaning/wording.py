"""Text as a reader sees it: entities resolved, tags gone, white space collapsed, nothing invisible."""

import html
import re
import unicodedata

# Zero-width and soft characters, and direction marks: they change nothing a reader sees, and come and go. Control
# characters, which a page can write as references ("&#27;"), make a terminal act.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f\u00ad\u200b\u200e\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
# Joiners, selectors of a variant and blanks, which shape what they stand by and show nothing where they are alone:
# editors of pages put them into empty paragraphs.
_BLANK = " \u034f\u061c\u180e\u200c\u200d\u2800\u3164\ufe0e\ufe0f"
_BREAKABLE = re.compile(r"\s*[^\S\u00a0\u202f]\s*|\s{2,}")
_TAG = re.compile(r"<[/!a-zA-Z][^<>]{0,2000}>")
_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
# Scripts without spaces between words: each character weighs about half a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def visible(text: str) -> str:
    """One line of text in Unicode's NFC form, without invisible characters, white space collapsed and trimmed.

    >>> visible("  a\\u00a0b\\n c\\u200b "), visible("\\u200d")
    ('a b c', '')
    """
    if text.isascii():
        return _printable(" ".join(text.split()))
    line = " ".join(_INVISIBLE.sub("", text).split())
    return unicodedata.normalize("NFC", line) if line.strip(_BLANK) else ""


def _printable(line: str) -> str:
    return line if line.isprintable() else " ".join(_INVISIBLE.sub("", line).split())


def typeset(text: str) -> str:
    """As :func:`visible`, but a no-break space that stands alone is kept: it is part of how a text is set.

    >>> typeset(" «\\u00a0oui\\u00a0» ,  non ")
    '«\\xa0oui\\xa0» , non'
    """
    if text.isascii():
        return _printable(" ".join(text.split()))
    text = _INVISIBLE.sub("", text)
    if "\u00a0" not in text and "\u202f" not in text:
        return unicodedata.normalize("NFC", " ".join(text.split()))
    return unicodedata.normalize("NFC", _BREAKABLE.sub(" ", text)).strip()


def plain(text: str) -> str:
    """A metadata value as text: entities resolved (also doubly escaped ones), tags dropped, as :func:`visible`.

    >>> plain("Q&amp;amp;A: <b>caf&eacute;</b> ")
    'Q&A: café'
    """
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    return visible(text)


def letters(text: str) -> str:
    """Only letters and digits, case folded: what two spellings of one text have in common.

    >>> letters("L’été — enfin!") == letters("l'ÉTÉ enfin")
    True
    """
    if text.isascii():
        return text.lower().encode().translate(None, _SIGNS).decode()
    return "".join(filter(str.isalnum, text.casefold()))


def word_set(text: str) -> frozenset[str]:
    """The words of ``text``: how lists of them are written here."""
    return frozenset(text.split())


def word_count(text: str) -> int:
    """Words, where scripts without spaces (Chinese, Japanese, Thai, …) count two characters as one word."""
    spaced = len(text.split())
    return spaced if text.isascii() else spaced + len(_UNSPACED.findall(text)) // 2


def weight(text: str) -> int:
    """Characters, where those of scripts without spaces count twice: they say as much as two letters and more."""
    return len(text) if text.isascii() else len(text) + len(_UNSPACED.findall(text))
