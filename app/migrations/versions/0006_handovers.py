"""The company's app hands customers over, and says where they go afterwards.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Make the tables. Nobody has come by a hand-over so far."""
    op.create_table(
        "handover_secret",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_handover_secret"),
    )
    op.create_index(
        "uq_handover_secret_name_live",
        "handover_secret",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "handover_use",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name="fk_handover_use_customer_id_customer", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_handover_use"),
    )
    op.create_index("ix_handover_use_customer_id", "handover_use", ["customer_id"])
    columns.add("signup", sa.Column("return_url", sa.String(length=2000), nullable=True))
    columns.add("signup", sa.Column("return_label", sa.String(length=80), nullable=True))


def downgrade() -> None:
    """Go back. The secrets are lost."""
    with op.batch_alter_table("signup") as signup:
        signup.drop_column("return_label")
        signup.drop_column("return_url")
    op.drop_table("handover_use")
    op.drop_table("handover_secret")
