"""Which runs ask a host, so that they share what it bears at once."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "askers",
        sa.Column("host", sa.Text(), primary_key=True),
        sa.Column("asker", sa.Text(), primary_key=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
