"""How Stripe says a payer can be reached, and what a customer has from there.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
oldest_code = "0017"  # older code leaves both alone


def upgrade() -> None:
    """Make room for both. The next look at Stripe fills them."""
    columns.add("payer", sa.Column("stripe_contact", sa.JSON(), nullable=True))
    columns.add("customer", sa.Column("adopted", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("customer", "adopted")
    op.drop_column("payer", "stripe_contact")
