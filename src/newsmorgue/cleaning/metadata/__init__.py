"""What a page says of its story outside the body: JSON-LD, OpenGraph, meta, microdata, visible byline and date."""

from newsmorgue.cleaning.metadata.read import Metadata, read_metadata

__all__ = ["Metadata", "read_metadata"]
