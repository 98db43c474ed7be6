"""Characters to a tree (lxml), and what the parser had to drop."""

import re
from collections.abc import Iterator

from lxml import etree

from newsmorgue.cleaning.decode import Decoded
from newsmorgue.cleaning.tree import INLINE
from newsmorgue.errors import CleaningFailed

# Control characters that no HTML text may hold (HTML standard §13.1.4): libxml2 stops or substitutes at some of them.
# In UTF-8 no other character has these bytes.
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\f\r") + b"\x7f"
# libxml2 drops all that stands deeper than 2,048 elements: where a page nests so deep, elements below this depth are
# left out and their text kept. (A third of it, since elements whose end tags may be left out are not counted: a table
# has rows and cells.)
_DEEPEST = 600
_LOOK_BACK = 64  # open elements among which an end tag looks for its start
_SKIPPED = r"<!--.*?-->|<(?:script|style|textarea)\b.*?</(?:script|style|textarea)\s*>"
_TAG = re.compile(rf"{_SKIPPED}|<(/?)([a-z][a-z0-9:-]*)[^<>]*>", re.I | re.S)
# Elements without an end, and those whose end tag may be left out (HTML standard §13.1.2).
_NEVER_OPEN = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "colgroup", "rt", "rp",
    "html", "head", "body",
})  # fmt: skip
_IN_HEAD = frozenset(
    {"title", "meta", "link", "script", "style", "noscript", "base", "template", "basefont", "bgsound", "noframes"}
)
_OPENED, _CLOSED = re.compile(rb"<body\b", re.I), re.compile(rb"</(?:html|body)\s*>", re.I)


def parse(page: Decoded) -> tuple[etree._Element, tuple[str, ...]]:
    """The root element and warnings (``markup: …``).

    Raises :class:`CleaningFailed` where there is no element at all: nothing but white space, comments or binary data;
    MemoryError where there is not enough of it: libxml2 gives no half of a tree then.
    """
    markup = page.utf8
    root, messages = _tree(markup)
    dropped = [f"markup: {message}" for message in messages]
    if any("depth" in message for message in messages):
        root, messages = _tree(_flattened(page.text).encode("utf-8", "replace"))
        dropped = [f"markup: nested too deep: elements below a depth of {_DEEPEST} left out, their text kept"]
        dropped += [f"markup: {message}" for message in messages]
    _close_head(root)
    return root, tuple(dict.fromkeys(dropped + _cuts(markup)))


def _close_head(root: etree._Element) -> None:
    """What is no metadata stands in the body, where its tag may be left out (HTML standard §13.2.6.4.4).

    libxml2 knows that of the elements of HTML 4 alone: after a title it takes an ``<article>`` for a part of the head.
    """
    head = root.find("head")
    strays = [child for child in head if child.tag not in _IN_HEAD] if head is not None else []
    if head is None or not strays:
        return
    body = root.find("body")
    if body is None:
        body = etree.SubElement(root, "body")
    for at, stray in enumerate(strays):
        body.insert(at, stray)


def _tree(markup: bytes) -> tuple[etree._Element, list[str]]:
    """The root, and what the parser says of limits that it came to."""
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, collect_ids=False
    )
    try:
        root = etree.fromstring(markup.translate(None, _CONTROLS), parser)
    except (etree.XMLSyntaxError, ValueError, AssertionError) as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise CleaningFailed(f"the markup cannot be parsed: {error}") from error
    if root is None or not isinstance(root.tag, str):
        raise CleaningFailed("the page is empty: no element in it")
    return root, [entry.message for entry in parser.error_log if "RESOURCE" in entry.type_name]


def _flattened(text: str) -> str:
    """The markup without the tags of elements that are nested too deep; where they part paragraphs, breaks do."""
    open_tags: list[str] = []
    pieces: list[str] = []
    done = 0
    for match in _TAG.finditer(text):
        is_end, name = match[1], (match[2] or "").lower()
        if not name or name in _NEVER_OPEN:
            continue
        if is_end:
            at = _start_of(name, open_tags)
            is_dropped = len(open_tags) > _DEEPEST
            if at is not None:
                del open_tags[at:]
        else:
            open_tags.append(name)
            is_dropped = len(open_tags) > _DEEPEST
        if is_dropped:
            between = text[done : match.start()]
            if between.strip() or not pieces or (pieces[-1] == " " and name not in INLINE):
                pieces += [between, " " if name in INLINE else "<br><br>"]
            done = match.end()
    return "".join([*pieces, text[done:]])


def _start_of(name: str, open_tags: list[str]) -> int | None:
    """Where the element that an end tag closes stands among the open ones, the innermost of its name."""
    for at in range(len(open_tags) - 1, max(-1, len(open_tags) - 1 - _LOOK_BACK), -1):
        if open_tags[at] == name:
            return at
    return None


def _swallowing(markup: bytes) -> Iterator[str]:
    """What shows nothing of all that follows, where its end is missing (HTML standard §13.2.5)."""
    for name, start, end in (
        ("script", _last(markup, b"<script"), b"</script"),
        ("style", _last(markup, b"<style"), b"</style"),
        ("title", markup.find(b"<title"), b"</title"),  # there is one, at the beginning
        ("comment", markup.rfind(b"<!--"), b"-->"),
    ):
        # (What stands in a script may be a string.)
        if start >= 0 and markup.find(end, start) < 0 and markup.find(b"</script", start) < 0:
            yield name


def _last(markup: bytes, tag: bytes) -> int:
    """Where the last element of a name begins, or -1; b"<style" begins no "<styled-box>"."""
    at = markup.rfind(tag)
    while at >= 0 and (markup[at + len(tag) : at + len(tag) + 1].isalnum() or markup.startswith(b"-", at + len(tag))):
        at = markup.rfind(tag, 0, at)
    return at


def _cuts(markup: bytes) -> list[str]:
    cuts = [
        f"markup: a {name} never ends: what stands behind its beginning is not shown" for name in _swallowing(markup)
    ]
    end = markup[-20_000:]
    if not (b"</body>" in end or b"</html>" in end or _CLOSED.search(end)) and _OPENED.search(markup):
        cuts.append("markup: the page ends before its body does")
    return cuts
