"""The table of the audit log."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, utcnow


class Entry(Base):
    """One thing that happened. Its id sorts by time."""

    __tablename__ = "audit_entry"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    kind: Mapped[str] = mapped_column(sa.String(64))  # such as payment_method.saved
    actor: Mapped[str] = mapped_column(
        sa.String(80)
    )  # visitor, stripe, worker, command, operator:… or token:…
    customer_id: Mapped[str | None] = mapped_column(sa.String(26))
    app_id: Mapped[str | None] = mapped_column(sa.String(26))
    facts: Mapped[dict[str, str]]  # ids and words of Stripe; never a secret

    # Each ends in the id, so that whatever is filtered by comes out sorted by time.
    __table_args__ = (
        sa.Index(None, "customer_id", "id"),
        sa.Index(None, "kind", "id"),
        sa.Index(None, "actor", "id"),
        sa.Index(None, "kind", "actor", "id"),  # each may be frequent, and both together never
        sa.Index(None, "app_id", "id"),
    )
