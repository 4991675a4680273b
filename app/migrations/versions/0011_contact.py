"""Whether Stripe may have another name or email address of a customer than we.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_code = "0011"


def upgrade() -> None:
    """Note it where it is told, and where it is made."""
    columns.add("payer", sa.Column("is_contact_due", sa.Boolean(), server_default=sa.false(), nullable=False))
    columns.add(
        "expected_stripe_customer",
        sa.Column("contact", sa.String(length=16), server_default="", nullable=False),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("expected_stripe_customer", "contact")
    op.drop_column("payer", "is_contact_due")
