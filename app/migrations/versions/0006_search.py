"""The text in which customers are searched, and the indexes of the desk's list of them.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from app import customers
from app.migrations import columns, indexes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_code = "0006"

BATCH = 2_000
DELETED = "deleted_at IS NOT NULL"
INDEXES = (
    ("ix_customer_deleted_name", "customer", ["name", "id"], DELETED),
    ("ix_customer_deleted_created", "customer", ["created_at", "id"], DELETED),
    ("ix_payer_stripe_customer_id", "payer", ["stripe_customer_id"], None),
    ("ix_payer_begun", "payer", ["customer_id"], "deleted_at IS NULL AND status <> 'none'"),
)

CUSTOMER = sa.table("customer", *map(sa.column, ("id", "name", "key", "primary_email", "search_text")))
SUBJECT = sa.table("subject_key", *map(sa.column, ("customer_id", "key")))


def upgrade() -> None:
    """Make what is new. On PostgreSQL that holds up nobody who writes meanwhile.

    SQLite lets one write at a time: there others wait, for some fifteen seconds with a million customers.
    """
    columns.add("customer", sa.Column("search_text", sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        # So that the planner knows a name of one in a thousand from one of one in a hundred.
        op.execute("ALTER TABLE customer ALTER COLUMN search_text SET STATISTICS 1000")
    with columns.filling():
        _fill()
    for name, table, indexed, where in INDEXES:
        indexes.make(name, table, indexed, where=where)


def downgrade() -> None:
    """Take it away again. On PostgreSQL the column takes the index of the search with it."""
    for name, table, _, _ in INDEXES:
        indexes.drop(name, table)
    op.drop_column("customer", "search_text")


def _fill() -> None:
    """Give every customer that is there its text, a batch at a time."""
    connection, last = op.get_bind(), ""
    while True:
        batch = connection.execute(
            sa.select(CUSTOMER)
            .where(CUSTOMER.c.id > last, CUSTOMER.c.search_text.is_(None))
            .order_by(CUSTOMER.c.id)
            .limit(BATCH)
        ).all()
        if not batch:
            return
        first, last = batch[0].id, batch[-1].id
        subjects: dict[str, list[str]] = {}
        held = sa.select(SUBJECT).where(SUBJECT.c.customer_id.between(first, last))
        for customer_id, key in connection.execute(held):
            subjects.setdefault(customer_id, []).append(key)
        texts = [
            {
                "customer": row.id,
                "text": customers.search_text(row.name, row.key, row.primary_email, subjects.get(row.id, [])),
            }
            for row in batch
        ]
        fill = sa.update(CUSTOMER).where(CUSTOMER.c.id == sa.bindparam("customer"))
        connection.execute(fill.values(search_text=sa.bindparam("text")), texts)
