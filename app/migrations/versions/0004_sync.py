"""What the engine keeps: the listed payment status, backfill cursors, each app's pace, mandates.

Revision ID: 0004
Revises: 0003
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import app.core.db
from app.migrations import columns, indexes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_code = "0004"

LIVE = "deleted_at IS NULL"
LONG_AGO = sa.text("'1970-01-01 00:00:00.000000'")  # so the worker states and verifies every row, bit by bit

INDEXES = (
    ("ix_payer_live_status", "payer", ["status", "app_id", "customer_id"], LIVE),
    ("ix_payer_live_status_until", "payer", ["status_until"], LIVE),
    ("ix_payer_due", "payer", ["app_id", "due_at"], "due_at IS NOT NULL"),
    ("ix_payer_verify", "payer", ["app_id", "verify_at"], "deleted_at IS NULL AND gone_at IS NULL"),
    ("ix_payer_drift", "payer", ["verified_at"], "drift IS NOT NULL"),
    ("ix_event_received_at", "event", ["received_at"], None),
)


def upgrade() -> None:
    """Make what is new. Old rows are not touched: the worker fills them in batches."""
    may_be_there = op.get_bind().dialect.name == "postgresql"  # this step's indexes are made outside of it
    op.create_table(
        "backfill",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("cursor", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("floor", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("head", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("after", sa.String(length=255), nullable=True),
        sa.Column("last_run_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("next_run_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(length=26), nullable=True),
        sa.Column("leased_until", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_backfill_app_id_app")),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_backfill")),
        if_not_exists=may_be_there,
    )
    op.create_table(
        "pace",
        sa.Column("app_id", sa.String(length=26), nullable=False),
        sa.Column("served_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("free_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_throttled", sa.Boolean(), nullable=False),
        sa.Column("verified_at", app.core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("drifts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_pace_app_id_app")),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_pace")),
        if_not_exists=may_be_there,
    )
    for table, added in columns_of_old_tables().items():
        for column in added:
            columns.add(table, column)
    for name, table, indexed, where in INDEXES:
        indexes.make(name, table, indexed, where=where)
    indexes.drop("ix_payer_due_at", "payer")


def downgrade() -> None:
    """Take it away again."""
    indexes.make("ix_payer_due_at", "payer", ["due_at"])
    for name, table, _, _ in INDEXES:
        indexes.drop(name, table)
    for table, added in columns_of_old_tables().items():
        for column in added:
            op.drop_column(table, column.name)
    op.drop_table("pace")
    op.drop_table("backfill")


def columns_of_old_tables() -> dict[str, list[sa.Column[Any]]]:
    """What is added to tables that may be large: nothing for which their rows would have to be rewritten."""
    instant = app.core.db.UtcDateTime(timezone=True)
    return {
        "payer": [
            sa.Column("status", sa.String(length=16), nullable=True),
            sa.Column("status_until", instant, server_default=LONG_AGO, nullable=True),
            sa.Column("due_for", sa.String(length=16), nullable=True),
            sa.Column("verify_at", instant, server_default=LONG_AGO, nullable=True),
            sa.Column("drift", sa.Text(), nullable=True),
        ],
        "payment_method": [
            sa.Column("mandate_id", sa.String(length=255), nullable=True),
            sa.Column("mandate_status", sa.String(length=16), nullable=True),
        ],
        "event": [
            sa.Column("origin", sa.String(length=16), server_default="webhook", nullable=False),
        ],
    }
