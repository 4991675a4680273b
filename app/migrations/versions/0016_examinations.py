"""When each Stripe app is examined next, unasked.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

import app.core.db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_code = "0015"  # which does not look at the new table


def upgrade() -> None:
    """Make room for it."""
    op.create_table(
        "examination_schedule",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("due_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("signs", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_examination_schedule_app_id_app")),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_examination_schedule")),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("examination_schedule")
