"""Which default our policy chose, and whether a choice of somebody else may have been undone by it.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
oldest_code = "0012"  # which leaves both as they are


def upgrade() -> None:
    """Note both beside the default. What was chosen before is not known."""
    columns.add("payer", sa.Column("policy_method_id", sa.String(length=255), nullable=True))
    columns.add("payer", sa.Column("is_choice_due", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("payer", "is_choice_due")
    op.drop_column("payer", "policy_method_id")
