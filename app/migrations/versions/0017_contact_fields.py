"""Which of name and email Stripe is to be told, until when others may tell it, and why it refused.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
oldest_code = "0016"  # which names neither, so that both are due


def upgrade() -> None:
    """Note them beside the mark that something is due. Where neither is named, both are."""
    columns.add("payer", sa.Column("is_name_due", sa.Boolean(), server_default=sa.false(), nullable=False))
    columns.add("payer", sa.Column("is_email_due", sa.Boolean(), server_default=sa.false(), nullable=False))
    columns.add("payer", sa.Column("contact_until", sa.DateTime(timezone=True), nullable=True))
    columns.add("payer", sa.Column("contact_refusal", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    for name in ("contact_refusal", "contact_until", "is_email_due", "is_name_due"):
        op.drop_column("payer", name)
