"""A customer keeps what a hand-over locked.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Add the names of the details."""
    columns.add("customer", sa.Column("locked", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Forget them."""
    with op.batch_alter_table("customer") as batch:
        batch.drop_column("locked")
