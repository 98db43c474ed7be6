"""What all crawls know of a host."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.Column("latency", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("host"),
    )
    op.create_table(
        "robots",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("authority"),
    )
