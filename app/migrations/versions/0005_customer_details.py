"""Store invoice details, approvals and consents of customers, and send Stripe more of them.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import columns, indexes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_code = "0003"

WAITS = "approval = 'waiting' AND deleted_at IS NULL"


def upgrade() -> None:
    """Add them. Code of the release before neither reads nor writes them."""
    columns.add("customer", sa.Column("invoice_details", sa.JSON(), nullable=True))
    columns.add("customer", sa.Column("approval", sa.String(length=16), nullable=True))
    columns.add(
        "payer", sa.Column("are_details_due", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    columns.add("payer", sa.Column("told_tax_id", sa.JSON(), nullable=True))
    op.create_table(
        "consent",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("terms_url", sa.Text(), nullable=True),
        sa.Column("privacy_url", sa.Text(), nullable=True),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_consent_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        if_not_exists=True,
    )
    op.create_index("ix_consent_customer_id", "consent", ["customer_id"], if_not_exists=True)
    indexes.make("ix_customer_waiting", "customer", ["created_at", "id"], where=WAITS)


def downgrade() -> None:
    """Take them away, with the evidence of consents."""
    indexes.drop("ix_customer_waiting", "customer")
    op.drop_table("consent")
    with op.batch_alter_table("payer") as payer:
        payer.drop_column("told_tax_id")
        payer.drop_column("are_details_due")
    with op.batch_alter_table("customer") as customer:
        customer.drop_column("approval")
        customer.drop_column("invoice_details")
