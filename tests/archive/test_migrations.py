"""The schema made at once, and the schema made by all revisions one after another, are the same."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from newsmorgue.archive import schema
from newsmorgue.archive.catalogue import REVISION, Catalogue
from newsmorgue.archive.migrations import upgrade


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def test_the_revisions_lead_to_the_schema(catalogue_url: str) -> None:
    engine = sa.create_engine(catalogue_url)
    with engine.begin() as connection:
        upgrade(connection, None)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert _revision(connection) == REVISION
    engine.dispose()


def test_a_catalogue_made_at_once_is_at_the_same_revision(catalogue_url: str) -> None:
    catalogue = Catalogue(catalogue_url)
    with catalogue.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert _revision(connection) == REVISION
    catalogue.close()


def test_a_catalogue_at_an_earlier_revision_is_brought_up_to_date(catalogue_url: str) -> None:
    engine = sa.create_engine(catalogue_url)
    with engine.begin() as connection:
        upgrade(connection, None, "0001")
        assert _revision(connection) == "0001"
    engine.dispose()
    catalogue = Catalogue(catalogue_url)
    with catalogue.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    catalogue.close()
