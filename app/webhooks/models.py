"""The inbox: every event that Stripe signed, once."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, utcnow

# Written out, not as parameters, so that a database sees that its index fits.
BACKFILLED = sa.text("origin = 'backfill'")
PRUNABLE = sa.text("state IN ('done', 'ignored') AND payload <> ''")


class Event(Base):
    """One Stripe event and what became of it.

    `new`: stored, nothing done yet. `waiting`: it tells of a payer, who is due to be converged. `done`,
    `ignored`: nothing more will happen. `dead`: convergence failed too often; a redelivery re-arms it.
    """

    __tablename__ = "event"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)  # evt_…
    type: Mapped[str] = mapped_column(sa.String(255))
    origin: Mapped[str] = mapped_column(  # webhook, or backfill: found in Stripe's list and never delivered
        sa.String(16), default="webhook", server_default="webhook"
    )
    payload: Mapped[str] = mapped_column(sa.Text)  # the body as Stripe sent it
    state: Mapped[str] = mapped_column(sa.String(16), default="new")
    reason: Mapped[str | None] = mapped_column(sa.Text)  # why it was ignored, or what failed
    payer_id: Mapped[str | None] = mapped_column(sa.ForeignKey("payer.id"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # when a `new` one is looked at
    attempts: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.Index(None, "state", "due_at"),
        sa.Index(None, "payer_id", "state"),
        sa.Index(None, "received_at"),
        sa.Index(None, "type", "received_at"),
        sa.Index("ix_event_backfilled", "received_at", sqlite_where=BACKFILLED, postgresql_where=BACKFILLED),
        sa.Index("ix_event_prunable", "finished_at", sqlite_where=PRUNABLE, postgresql_where=PRUNABLE),
    )
