"""What a site asked of archives, miners and AI crawlers for a capture."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column."""
    op.add_column("captures", sa.Column("reserved", sa.Text(), nullable=True))
