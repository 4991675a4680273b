"""The audit log's table and the budget of calls get plain names.

On PostgreSQL, code of before 0009 goes on under the old names: each is a view that takes every statement.
So processes can restart one by one. SQLite's views can't do that, so there older code must stop.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_code = {"postgresql": "0003", "sqlite": "0009"}

TABLES = {"journal_entry": "audit_entry", "pace": "rate_budget"}
INDEXED = (["actor", "id"], ["app_id", "id"], ["customer_id", "id"], ["kind", "actor", "id"], ["kind", "id"])


def upgrade() -> None:
    """Rename the tables."""
    for old, new in TABLES.items():
        _rename(old, new)
        if _is_postgresql():
            op.execute(f"CREATE VIEW {old} AS SELECT * FROM {new}")  # noqa: S608 (our own names)


def downgrade() -> None:
    """Give them their old names."""
    for old, new in TABLES.items():
        if _is_postgresql():
            op.execute(f"DROP VIEW {old}")
        _rename(new, old)


def _rename(old: str, new: str) -> None:
    """Rename a table, with its indexes and constraints."""
    op.rename_table(old, new)
    if _is_postgresql():
        names = sa.inspect(op.get_bind())
        for index in names.get_indexes(new):
            op.execute(f"ALTER INDEX {index['name']} RENAME TO {_named(index['name'], old, new)}")
        constraints = [names.get_pk_constraint(new), *names.get_foreign_keys(new)]
        for name in (str(constraint["name"]) for constraint in constraints):
            op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT {name} TO {_named(name, old, new)}")
    elif "journal_entry" in {old, new}:
        for columns in INDEXED:
            op.drop_index(f"ix_{old}_{'_'.join(columns)}", new)
            op.create_index(f"ix_{new}_{'_'.join(columns)}", new, columns)


def _named(name: str | None, old: str, new: str) -> str:
    return str(name).replace(f"_{old}", f"_{new}", 1)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
