"""What customers ask for on their billing page, and the profile of each checkout session.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_code = "0003"

NAMES = ("removal_asked_at", "declined_as_default_at")


def upgrade() -> None:
    """Note when a customer asked to remove a method or kept another default, and each session's profile."""
    for name in NAMES:
        columns.add("payment_method", sa.Column(name, UtcDateTime(), nullable=True))
    columns.add("checkout_session", sa.Column("profile", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("payment_method") as batch:
        for name in NAMES:
            batch.drop_column(name)
    with op.batch_alter_table("checkout_session") as batch:
        batch.drop_column("profile")
