"""Since when a payer had too many declined tries, and since when they count.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_code = "0017"  # older code leaves both alone, and opens sessions for whoever asks


def upgrade() -> None:
    """Make room for both."""
    columns.add("payer", sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True))
    columns.add("payer", sa.Column("declines_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("payer", "declines_since")
    op.drop_column("payer", "blocked_at")
