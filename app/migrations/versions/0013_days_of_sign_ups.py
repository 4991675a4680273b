"""The overview reads indexes alone: a payer holds the day of its customer's sign-up, by which it is counted.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns, indexes

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
oldest_code = "0003"

FILL = """
UPDATE payer SET signed_up_on = (SELECT {day} FROM customer WHERE customer.id = payer.customer_id)
WHERE id > :after AND id <= :last AND signed_up_on IS NULL
"""


def upgrade() -> None:
    """Add the day, the index that counts by it, and one that finds who is blocked."""
    columns.add("payer", sa.Column("signed_up_on", sa.Date(), nullable=True))
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    day = "timezone('UTC', customer.created_at)::date" if is_postgresql else "date(customer.created_at)"
    with columns.filling():
        for after, last in columns.batches("payer"):
            op.execute(sa.text(FILL.format(day=day)).bindparams(after=after, last=last))
    indexes.make(
        "ix_payer_signed_up", "payer", ["app_id", "signed_up_on", "status"], where="deleted_at IS NULL"
    )
    indexes.make("ix_payer_blocked", "payer", ["blocked_at"], where="blocked_at IS NOT NULL")


def downgrade() -> None:
    """Take both away."""
    indexes.drop("ix_payer_blocked", "payer")
    indexes.drop("ix_payer_signed_up", "payer")
    with op.batch_alter_table("payer") as batch:
        batch.drop_column("signed_up_on")
