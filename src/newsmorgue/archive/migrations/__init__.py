"""The catalogue's schema over time, as Alembic revisions. A new one: ``versions/NNNN_what.py``, and the number in
``archive.catalogue.REVISION``."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from newsmorgue.errors import CatalogueUnavailable


def upgrade(connection: sa.Connection, current: str | None, to: str = "head") -> None:
    """Bring a catalogue to this program's revision, or to one before it.

    Raises :class:`CatalogueUnavailable` where it is newer.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise CatalogueUnavailable(
            f"catalogue {connection.engine.url.render_as_string()} has schema {current}, which this newsmorgue does "
            "not know; use the newer newsmorgue that made it"
        )
    config.attributes["connection"] = connection
    command.upgrade(config, to)
