"""Characters to a tree (lxml), and what the parser had to drop."""

import re

from lxml import etree

from newsmorgue.cleaning.decode import Decoded
from newsmorgue.errors import CleaningFailed

# Control characters that no HTML text may hold (HTML standard §13.1.4): libxml2 stops or substitutes at some of them.
# In UTF-8 no other character has these bytes.
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\f\r") + b"\x7f"
_OPENED, _CLOSED = re.compile(r"<body\b", re.I), re.compile(r"</(?:html|body)\s*>", re.I)


def parse(page: Decoded) -> tuple[etree._Element, tuple[str, ...]]:
    """The root element and warnings (``markup: …``).

    Raises :class:`CleaningFailed` where there is no element at all: nothing but white space, comments or binary data.
    """
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, collect_ids=False
    )
    try:
        root = etree.fromstring(page.text.encode("utf-8", "replace").translate(None, _CONTROLS), parser)
    except (etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise CleaningFailed(f"the markup cannot be parsed: {error}") from error
    if root is None or not isinstance(root.tag, str):
        raise CleaningFailed("the page is empty: no element in it")
    return root, _losses(page.text, parser)


def _losses(text: str, parser: etree.HTMLParser) -> tuple[str, ...]:
    dropped = [f"markup: {entry.message}" for entry in parser.error_log if "RESOURCE" in entry.type_name]
    if _OPENED.search(text) and not _CLOSED.search(text, max(0, len(text) - 20_000)):
        dropped.append("markup: the page ends before its body does")
    return tuple(dict.fromkeys(dropped))
