"""The summary a reader sees between headline and body (standfirst, dek, chapô, Vorspann)."""

from lxml import etree

from newsmorgue.cleaning.article import Found
from newsmorgue.cleaning.metadata import Metadata


def read_standfirst(root: etree._Element, story: etree._Element | None, metadata: Metadata) -> tuple[str, Found] | None:
    return None
