"""What health is judged by, and what of it was told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, the column, and the indexes for the newest of a source."""
    op.create_table(
        "health",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("telling_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source"),
    )
    op.add_column("texts", sa.Column("characters", sa.Integer(), nullable=True))
    op.create_index("runs_source", "runs", ["source", "started_at"])
    op.drop_index("stories_source", "stories")
    op.create_index("stories_source", "stories", ["source", "created_at"])
