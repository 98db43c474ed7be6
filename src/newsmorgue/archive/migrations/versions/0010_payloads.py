"""Every response can be found by its payload, not assets alone."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Another index instead of that of assets."""
    response = sa.text("kind = 'response'")
    op.drop_index("captures_assets", "captures")
    op.create_index(
        "captures_payload",
        "captures",
        ["source", "payload_digest"],
        sqlite_where=response,
        postgresql_where=response,
    )
