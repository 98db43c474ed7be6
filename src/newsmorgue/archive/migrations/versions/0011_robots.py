"""What a robots.txt is asked for with, so that it is sent only if it changed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns."""
    for name in ("located", "etag", "last_modified"):
        op.add_column("robots", sa.Column(name, sa.Text(), nullable=True))
