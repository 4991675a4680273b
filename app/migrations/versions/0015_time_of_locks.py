"""A customer keeps when the hand-over was made that locked its details.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Add the time. Without one, the next hand-over unlocks nothing, and is compared with from then on."""
    columns.add("customer", sa.Column("locked_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("customer") as batch:
        batch.drop_column("locked_at")
