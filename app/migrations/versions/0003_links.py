"""Onboarding links, and several browsers for one customer.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import app.core.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    """Make the links, and let a customer have more than one browser. Sign-ups that are there stay."""
    op.create_table(
        "onboarding_link",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("customer_id", sa.String(length=26), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("renewed_by", sa.String(length=26), nullable=True),
        sa.Column("opened_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("used_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_onboarding_link_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["renewed_by"], ["onboarding_link.id"], name=op.f("fk_onboarding_link_renewed_by_onboarding_link")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onboarding_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_onboarding_link_token_hash")),
    )
    op.create_index("ix_onboarding_link_customer_id", "onboarding_link", ["customer_id"], unique=False)
    # In one transaction, so that no moment is without a unique rule; a million rows take about two seconds.
    with op.batch_alter_table("signup") as signup:
        signup.add_column(sa.Column("link_id", sa.String(length=26), nullable=True))
        signup.create_foreign_key(
            op.f("fk_signup_link_id_onboarding_link"),
            "onboarding_link",
            ["link_id"],
            ["id"],
            ondelete="CASCADE",
        )
        signup.drop_constraint(op.f("pk_signup"), type_="primary")
        signup.create_primary_key(op.f("pk_signup"), ["customer_id", "browser_hash"])
    op.create_index(
        "uq_signup_form",
        "signup",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("link_id IS NULL"),
        postgresql_where=sa.text("link_id IS NULL"),
    )


def downgrade() -> None:
    """Take the links away again, and with them the browsers that came by one."""
    op.execute(sa.text("DELETE FROM signup WHERE link_id IS NOT NULL"))
    op.drop_index("uq_signup_form", table_name="signup")
    with op.batch_alter_table("signup") as signup:
        signup.drop_constraint(op.f("fk_signup_link_id_onboarding_link"), type_="foreignkey")
        signup.drop_constraint(op.f("pk_signup"), type_="primary")
        signup.create_primary_key(op.f("pk_signup"), ["customer_id"])
        signup.drop_column("link_id")
    op.drop_index("ix_onboarding_link_customer_id", table_name="onboarding_link")
    op.drop_table("onboarding_link")
