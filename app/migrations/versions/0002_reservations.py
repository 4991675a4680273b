"""Payers and checkout sessions are reserved before Stripe is asked.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns, indexes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
oldest_code = "0002"

RESERVED = "(SELECT id FROM payer WHERE stripe_customer_id IS NULL)"


def upgrade() -> None:
    """Make room for what is reserved. A session that is there keeps its id, which is Stripe's."""
    columns.add("payer", sa.Column("attempt", sa.Integer(), server_default="1", nullable=False))
    columns.add("payer", sa.Column("request", sa.JSON(), nullable=True))
    columns.add("signup", sa.Column("details_hash", sa.String(length=64), nullable=True))
    columns.add("checkout_session", sa.Column("stripe_session_id", sa.String(length=255), nullable=True))
    columns.add("checkout_session", sa.Column("options", sa.JSON(), server_default="{}", nullable=False))
    columns.add("checkout_session", sa.Column("idempotency_key", sa.String(length=300), nullable=True))
    columns.add(
        "checkout_session", sa.Column("is_current", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    with op.batch_alter_table("payer") as payer:
        payer.alter_column("stripe_customer_id", existing_type=sa.String(length=255), nullable=True)
    with op.batch_alter_table("checkout_session") as session:
        session.alter_column("setup_intent_id", existing_type=sa.String(length=255), nullable=True)
    with columns.filling():
        op.execute("UPDATE checkout_session SET stripe_session_id = id WHERE stripe_session_id IS NULL")
    indexes.make("uq_checkout_session_stripe_session", "checkout_session", ["stripe_session_id"], unique=True)
    indexes.make(
        "uq_checkout_session_current", "checkout_session", ["payer_id"], where="is_current", unique=True
    )
    indexes.make("uq_checkout_session_key", "checkout_session", ["payer_id", "idempotency_key"], unique=True)
    indexes.make("uq_signup_details", "signup", ["browser_hash", "details_hash"], unique=True)
    op.execute("UPDATE journal_entry SET actor = 'login page' WHERE actor = 'door'")
    op.drop_table("expected_stripe_customer")


def downgrade() -> None:
    """Go back. What is only reserved is lost; a session that was opened gets Stripe's id again."""
    op.create_table(
        "expected_stripe_customer",
        sa.Column("app_id", sa.String(length=26), sa.ForeignKey("app.id"), primary_key=True),
        sa.Column("customer_id", sa.String(length=26), primary_key=True),
        sa.Column("first_asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact", sa.String(length=16), server_default="", nullable=False),
    )
    op.execute(f"DELETE FROM checkout_session WHERE stripe_session_id IS NULL OR payer_id IN {RESERVED}")  # noqa: S608
    op.execute(f"UPDATE event SET payer_id = NULL WHERE payer_id IN {RESERVED}")  # noqa: S608
    op.execute("DELETE FROM payer WHERE stripe_customer_id IS NULL")
    op.execute("UPDATE checkout_session SET id = stripe_session_id")
    indexes.drop("uq_signup_details", "signup")
    for name in ("key", "current", "stripe_session"):
        indexes.drop(f"uq_checkout_session_{name}", "checkout_session")
    with op.batch_alter_table("checkout_session") as session:
        session.alter_column("setup_intent_id", existing_type=sa.String(length=255), nullable=False)
        for name in ("is_current", "idempotency_key", "options", "stripe_session_id"):
            session.drop_column(name)
    with op.batch_alter_table("payer") as payer:
        payer.alter_column("stripe_customer_id", existing_type=sa.String(length=255), nullable=False)
        payer.drop_column("request")
        payer.drop_column("attempt")
    op.drop_column("signup", "details_hash")
