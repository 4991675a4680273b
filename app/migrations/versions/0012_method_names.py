"""Which card a payment method is made of, and how a custom one is called.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_code = "0011"  # which does not know these columns, and leaves them empty

NAMES = ("fingerprint", "display_name", "handle")


def upgrade() -> None:
    """Keep what tells two methods apart. Stripe says it the next time it is asked about each."""
    for name in NAMES:
        columns.add("payment_method", sa.Column(name, sa.String(length=255), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    for name in reversed(NAMES):
        op.drop_column("payment_method", name)
