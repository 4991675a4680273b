"""Where an onboarding link leads after saving.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_code = "0003"

LENGTHS = {"return_url": 2000, "return_label": 80}


def upgrade() -> None:
    """Add the address and its name."""
    for name, length in LENGTHS.items():
        columns.add("onboarding_link", sa.Column(name, sa.String(length=length), nullable=True))


def downgrade() -> None:
    """Forget them."""
    with op.batch_alter_table("onboarding_link") as batch:
        for name in LENGTHS:
            batch.drop_column(name)
