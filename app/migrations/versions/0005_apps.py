"""Signing secrets that are rolled, installations between two steps, and what the doctor found.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

import app.core.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_code = "0005"


def upgrade() -> None:
    """Make what is new. Only small tables are changed."""
    op.add_column(
        "app", sa.Column("webhook_changed_at", app.core.db.UtcDateTime(timezone=True), nullable=True)
    )
    op.add_column("signing_secret", sa.Column("endpoint_id", sa.String(length=255), nullable=True))
    op.add_column(
        "signing_secret", sa.Column("retire_at", app.core.db.UtcDateTime(timezone=True), nullable=True)
    )
    op.execute(
        "UPDATE signing_secret SET endpoint_id ="
        " (SELECT app.webhook_endpoint_id FROM app WHERE app.id = signing_secret.app_id)"
    )
    op.create_table(
        "pending_install",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("browser", sa.String(length=26), nullable=False),
        sa.Column("api_key_sealed", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("expires_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_install")),
    )
    op.create_table(
        "examination",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_examination_app_id_app")),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_examination")),
    )


def downgrade() -> None:
    """Take it away again. Not in batch mode, which would drop a table to which others refer."""
    op.drop_table("examination")
    op.drop_table("pending_install")
    op.drop_column("signing_secret", "retire_at")
    op.drop_column("signing_secret", "endpoint_id")
    op.drop_column("app", "webhook_changed_at")
