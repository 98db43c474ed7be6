"""The sources the archive knows."""

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.errors import UnknownSource


def home_of(archive: Archive, slug: str) -> str | None:
    """A source's home as it was last crawled, or None where the archive does not know it."""
    with archive.catalogue.read() as connection:
        return connection.execute(sa.select(schema.sources.c.home).where(schema.sources.c.slug == slug)).scalar()


def require_source(archive: Archive, slug: str) -> None:
    """Raise :class:`UnknownSource` where the archive does not know it."""
    if home_of(archive, slug) is None:
        raise UnknownSource(f"'{slug}' is no source of this archive; 'morgue sources' lists them")
