"""Where the DOM of rendered pages is."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "renderings",
        sa.Column("warc", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dom_warc", sa.Text(), nullable=False),
        sa.Column("dom_offset", sa.BigInteger(), nullable=False),
        sa.Column("dom_length", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("warc", "offset"),
    )
    op.create_index("renderings_dom", "renderings", ["dom_warc"])
