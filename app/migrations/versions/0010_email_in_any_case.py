"""Find customers by their email address in any letter case.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import indexes

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_code = "0003"

NAME = "ix_customer_live_email"


def upgrade() -> None:
    """Replace the index by one without letter case."""
    indexes.drop(NAME, "customer")
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    folded = sa.text("lower(primary_email)" if is_postgresql else "primary_email COLLATE NOCASE")
    indexes.make(NAME, "customer", [folded], where="deleted_at IS NULL")


def downgrade() -> None:
    """Make it with letter case."""
    indexes.drop(NAME, "customer")
    indexes.make(NAME, "customer", ["primary_email"], where="deleted_at IS NULL")
