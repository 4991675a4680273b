"""Columns of payers get plain names.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

from app.migrations import indexes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
oldest_code = "0003"

NAMES = {
    "gone_at": "stripe_deleted_at",
    "hints": "generation",
    "is_wanted": "is_priority",
    "due_for": "due_reason",
}


def upgrade() -> None:
    """Rename them; both databases follow in the indexes that mention them."""
    for old, new in NAMES.items():
        op.execute(f"ALTER TABLE payer RENAME COLUMN {old} TO {new}")
    indexes.make(
        "ix_payer_priority", "payer", ["app_id", "due_at"], where="is_priority AND due_at IS NOT NULL"
    )
    indexes.drop("ix_payer_wanted", "payer")


def downgrade() -> None:
    """Give them their old names."""
    for old, new in NAMES.items():
        op.execute(f"ALTER TABLE payer RENAME COLUMN {new} TO {old}")
    indexes.make("ix_payer_wanted", "payer", ["app_id", "due_at"], where="is_wanted AND due_at IS NOT NULL")
    indexes.drop("ix_payer_priority", "payer")
