"""The portal's settings are in the database, and sign-ups and links keep their profile.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from app.core.db import UtcDateTime
from app.migrations import columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Make room for versions and the draft. Everybody has come by the default profile so far."""
    op.create_table(
        "portal_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_portal_version"),
    )
    op.create_table(
        "portal_draft",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_portal_draft"),
    )
    columns.add("signup", sa.Column("profile", sa.String(length=40), nullable=True))
    columns.add("onboarding_link", sa.Column("profile", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Go back. The settings are lost: export them before."""
    with op.batch_alter_table("onboarding_link") as link:
        link.drop_column("profile")
    with op.batch_alter_table("signup") as signup:
        signup.drop_column("profile")
    op.drop_table("portal_draft")
    op.drop_table("portal_version")
