"""The Stripe app that an onboarding link was made for.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
oldest_code = "0015"  # older code would lead a link for another app to the default app

DEFAULT_APP = "(SELECT id FROM app WHERE is_default AND deleted_at IS NULL)"


def upgrade() -> None:
    """Note it. The links that are there lead to the default app, so that is theirs."""
    columns.add("onboarding_link", sa.Column("app_id", sa.String(length=26), nullable=True))
    op.execute(f"UPDATE onboarding_link SET app_id = {DEFAULT_APP} WHERE app_id IS NULL")  # noqa: S608


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("onboarding_link", "app_id")
