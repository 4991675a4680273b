"""One API token for each name, until it is revoked.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import indexes

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
oldest_code = "0017"  # which works, and only says less clearly that a name is taken

TOKENS = sa.table("api_token", sa.column("id"), sa.column("name"), sa.column("revoked_at"))
LONGEST = 256


def upgrade() -> None:
    """Give those that share a name a number, then let the database watch over it."""
    connection = op.get_bind()
    live = sa.select(TOKENS.c.id, TOKENS.c.name).where(TOKENS.c.revoked_at.is_(None))
    taken: set[str] = set()
    for row in connection.execute(live.order_by(TOKENS.c.id)).all():
        name, number = row.name, 1
        while name in taken:
            number += 1
            end = f" ({number})"
            name = row.name[: LONGEST - len(end)] + end
        taken.add(name)
        if name != row.name:
            connection.execute(sa.update(TOKENS).where(TOKENS.c.id == row.id).values(name=name))
    indexes.make("uq_api_token_name_live", "api_token", ["name"], unique=True, where="revoked_at IS NULL")


def downgrade() -> None:
    """Let several have a name again."""
    indexes.drop("uq_api_token_name_live", "api_token")
