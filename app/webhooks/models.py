"""The inbox: every event that Stripe signed, stored once."""

import json
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, partial_index, utcnow

PRUNABLE = "state IN ('done', 'ignored') AND payload <> ''"  # a query in other words would not use its index


class Event(Base):
    """One Stripe event and its outcome.

    `new`: stored, not dispatched. `waiting`: its payer is due for convergence. `done`, `ignored`: finished.
    `dead`: convergence failed too often; a redelivery or an operator retries it.
    """

    __tablename__ = "event"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)  # evt_…
    type: Mapped[str] = mapped_column(sa.String(255))
    origin: Mapped[str] = mapped_column(  # webhook, or backfill: found in Stripe's list only
        sa.String(16), default="webhook", server_default="webhook"
    )
    payload: Mapped[str] = mapped_column(sa.Text)  # the body as Stripe sent it; empty after the retention
    state: Mapped[str] = mapped_column(sa.String(16), default="new")
    reason: Mapped[str | None] = mapped_column(sa.Text)  # why we ignored it, or what failed
    payer_id: Mapped[str | None] = mapped_column(sa.ForeignKey("payer.id"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # when to dispatch a `new` one
    attempts: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.Index(None, "state", "due_at"),
        sa.Index(None, "payer_id", "state"),
        sa.Index(None, "received_at"),
        sa.Index(None, "type", "received_at"),
        partial_index("ix_event_backfilled", "received_at", where="origin = 'backfill'"),
        partial_index("ix_event_prunable", "finished_at", where=PRUNABLE),
    )

    @cached_property
    def body(self) -> dict[str, Any]:
        """The payload as JSON, parsed once. It is empty when the payload is not a JSON object."""
        try:
            body = json.loads(self.payload)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}
