"""Which form a sign-up came from.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from app.migrations import columns, indexes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_code = "0008"


def upgrade() -> None:
    """Name the form of each sign-up. Until now a form and its customer had one id."""
    columns.add("signup", sa.Column("form_id", sa.String(length=26), nullable=True))
    # In one statement: nobody changes the sign-up of a form, so hardly anybody waits for these rows.
    with columns.filling():
        op.execute("UPDATE signup SET form_id = customer_id WHERE link_id IS NULL AND form_id IS NULL")
    indexes.make("uq_signup_form_id", "signup", ["form_id"], unique=True)


def downgrade() -> None:
    """Take it away again."""
    indexes.drop("uq_signup_form_id", "signup")
    op.drop_column("signup", "form_id")
