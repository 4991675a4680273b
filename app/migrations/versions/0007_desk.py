"""Since when a payment status holds; which workers run; indexes with which the desk reads.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

import app.core.db
from app.migrations import columns, indexes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_code = "0007"

TROUBLED = (
    "deleted_at IS NULL AND status IN"
    " ('failed', 'abandoned', 'expiring', 'expired', 'removed', 'customer_gone')"
)
BACKFILLED = "origin = 'backfill'"
PRUNABLE = "state IN ('done', 'ignored') AND payload <> ''"

INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("ix_payer_troubled", "payer", ["app_id", "status", "status_since"], TROUBLED),
    ("ix_journal_entry_kind_id", "journal_entry", ["kind", "id"], None),
    ("ix_journal_entry_actor_id", "journal_entry", ["actor", "id"], None),
    ("ix_journal_entry_kind_actor_id", "journal_entry", ["kind", "actor", "id"], None),
    ("ix_journal_entry_app_id_id", "journal_entry", ["app_id", "id"], None),
    ("ix_event_type_received_at", "event", ["type", "received_at"], None),
    ("ix_event_backfilled", "event", ["received_at"], BACKFILLED),
    ("ix_event_prunable", "event", ["finished_at"], PRUNABLE),
)


def upgrade() -> None:
    """Make what is new."""
    columns.add("payer", sa.Column("status_since", app.core.db.UtcDateTime(timezone=True), nullable=True))
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("started_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", app.core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        if_not_exists=True,
    )
    for name, table, indexed, which in INDEXES:
        indexes.make(name, table, indexed, where=which)


def downgrade() -> None:
    """Take it away again."""
    for name, table, _, _ in INDEXES:
        indexes.drop(name, table)
    op.drop_table("worker")
    op.drop_column("payer", "status_since")
