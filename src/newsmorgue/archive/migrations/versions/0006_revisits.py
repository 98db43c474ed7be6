"""What revisits go by: when a URL showed its story last and another text of it; kind and date of each text."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns. Those of texts that are there already stay empty until a reindex."""
    op.add_column("urls", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("urls", sa.Column("edits", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("urls", sa.Column("edited_at", sa.BigInteger(), nullable=True))
    op.create_index("urls_seen", "urls", ["source", "seen_at"])
    op.add_column("texts", sa.Column("kind", sa.Text(), nullable=True))
    op.add_column("texts", sa.Column("published", sa.Text(), nullable=True))
    op.execute("UPDATE urls SET seen_at = outcome_at WHERE outcome IN ('stored', 'unchanged')")
