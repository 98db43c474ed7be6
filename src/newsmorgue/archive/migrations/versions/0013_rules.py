"""Since when a host has the rules that it has, so that what they allow again is fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column."""
    op.add_column("robots", sa.Column("changed_at", sa.BigInteger(), nullable=True))
