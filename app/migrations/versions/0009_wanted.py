"""Who is looked at first: those whom an event or a person wants looked at.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns, indexes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_code = "0009"


def upgrade() -> None:
    """Tell them apart. Of those who are due by then nobody knows why: they keep their order."""
    columns.add("payer", sa.Column("is_wanted", sa.Boolean(), server_default=sa.false(), nullable=False))
    indexes.make("ix_payer_wanted", "payer", ["app_id", "due_at"], where="is_wanted AND due_at IS NOT NULL")


def downgrade() -> None:
    """Take it away again."""
    indexes.drop("ix_payer_wanted", "payer")
    op.drop_column("payer", "is_wanted")
