"""What Stripe was asked to make and has not been recorded yet.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

import app.core.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_code = "0010"


def upgrade() -> None:
    """Make room for it."""
    op.create_table(
        "expected_stripe_customer",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("first_asked_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_asked_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_expected_stripe_customer_app_id_app")),
        sa.PrimaryKeyConstraint("app_id", "customer_id", name=op.f("pk_expected_stripe_customer")),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("expected_stripe_customer")
