"""The sources the archive knows."""

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive


def home_of(archive: Archive, slug: str) -> str | None:
    """A source's home as it was last crawled, or None where the archive does not know it."""
    with archive.catalogue.read() as connection:
        return connection.execute(sa.select(schema.sources.c.home).where(schema.sources.c.slug == slug)).scalar()
