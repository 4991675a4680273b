"""An operator keeps when it was logged out in every browser.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Add the time."""
    columns.add("operator", sa.Column("signed_out_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("operator") as batch:
        batch.drop_column("signed_out_at")
