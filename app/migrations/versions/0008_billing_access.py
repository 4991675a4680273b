"""Who gets in to a customer's billing page: by a code, by an invitation, by a hand-over.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import indexes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Make the tables, and find customers by their email address."""
    indexes.make("ix_customer_live_email", "customer", ["primary_email"], where="deleted_at IS NULL")
    op.create_table(
        "billing_code",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_billing_code"),
        sa.UniqueConstraint("address_hash", name="uq_billing_code_address_hash"),
    )
    op.create_index("ix_billing_code_expires_at", "billing_code", ["expires_at"])
    op.create_table(
        "billing_person",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=True),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name="fk_billing_person_customer_id_customer",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billing_person"),
        sa.UniqueConstraint("token_hash", name="uq_billing_person_token_hash"),
    )
    op.create_index("ix_billing_person_customer_id", "billing_person", ["customer_id"])
    op.create_index("ix_billing_person_email", "billing_person", ["email"])
    stays = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_billing_person_live",
        "billing_person",
        ["customer_id", "email"],
        unique=True,
        sqlite_where=stays,
        postgresql_where=stays,
    )
    op.create_table(
        "billing_access",
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=True),
        sa.Column("profile", sa.String(length=40), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name="fk_billing_access_customer_id_customer",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["billing_person.id"],
            name="fk_billing_access_person_id_billing_person",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "browser_hash", name="pk_billing_access"),
    )
    op.create_index("ix_billing_access_browser_hash", "billing_access", ["browser_hash"])
    op.create_index("ix_billing_access_person_id", "billing_access", ["person_id"])


def downgrade() -> None:
    """Let nobody in by these ways."""
    indexes.drop("ix_customer_live_email", "customer")
    op.drop_table("billing_access")
    op.drop_table("billing_person")
    op.drop_table("billing_code")
