"""What names a reading: texts are compared only where it is the same."""

import bs4
from lxml import etree

from newsmorgue.cleaning.memory import Memory
from newsmorgue.cleaning.model import shipped_name
from newsmorgue.cleaning.selectors import Selectors

# Raise it with every change that can alter the text, headline or summary of any page: rules, names, labels, worths.
RULES_VERSION = 7


def reading(memory: Memory | None = None, selectors: Selectors | None = None) -> str:
    """What makes a text: the version of the rules here, the model, the libraries that parse, what the site is known
    for, and what its operator says of its pages.

    >>> reading().startswith("rules-7 model-")
    True
    """
    learned = f" memory-{memory.source}-{memory.number}" if memory and memory.number else ""
    libxml = ".".join(map(str, etree.LIBXML_VERSION))
    chosen = f" {selectors.name}" if selectors and selectors.name else ""
    parsers = f"lxml-{etree.__version__} libxml2-{libxml} bs4-{bs4.__version__}"
    return f"rules-{RULES_VERSION} {shipped_name()} {parsers}{learned}{chosen}"


# Where nothing is known of the site. Versions are told apart only within one reading.
READING = reading()
