"""What names a reading: texts are compared only where it is the same."""

import bs4
from lxml import etree

# Raise it with every change that can alter the text, headline or summary of any page: rules, names, labels, worths.
RULES_VERSION = 1


def reading() -> str:
    """What makes a text: the version of the rules here, and of the libraries that parse.

    >>> reading().startswith("rules-1 lxml-")
    True
    """
    libxml = ".".join(map(str, etree.LIBXML_VERSION))
    return f"rules-{RULES_VERSION} lxml-{etree.__version__} libxml2-{libxml} bs4-{bs4.__version__}"
