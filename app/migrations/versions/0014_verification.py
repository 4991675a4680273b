"""Where a customer confirms a bank account: Stripe's page for the amounts or the code of a test payment.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
oldest_code = "0013"  # which leaves it empty


def upgrade() -> None:
    """Keep the address of that page. Those who wait for their bank now get it when Stripe is asked next."""
    columns.add("checkout_session", sa.Column("verification_url", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("checkout_session", "verification_url")
