"""What the worker stores for each app: how far it has read Stripe's events, and its budget of calls."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, utcnow


class Backfill(Base):
    """How far we have read an app's event list.

    A run reads from the newest event back to `floor`, page by page. `head` is the time of its first event and
    `after` its last event so far, so an interrupted run continues there. `cursor` moves when the run ends.
    """

    __tablename__ = "backfill"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    cursor: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # by Stripe's clock: we know all earlier events
    floor: Mapped[datetime | None] = mapped_column(UtcDateTime)
    head: Mapped[datetime | None] = mapped_column(UtcDateTime)
    after: Mapped[str | None] = mapped_column(sa.String(255))  # evt_…
    last_run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when a run last ended
    next_run_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_error: Mapped[str | None] = mapped_column(sa.Text)
    found: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # events that no webhook had delivered
    lease: Mapped[str | None] = mapped_column(sa.String(26))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RateBudget(Base):
    """When and how often all workers together may call Stripe for an app."""

    __tablename__ = "rate_budget"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    served_at: Mapped[datetime] = mapped_column(
        UtcDateTime, default=utcnow
    )  # the app that waited longest is next
    free_at: Mapped[datetime] = mapped_column(
        UtcDateTime, default=utcnow
    )  # when the budget allows another call
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_throttled: Mapped[bool] = mapped_column(default=False)  # Stripe asked for the pause
    verified_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # when a worker last chose payers to verify
    drifts: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # changes without an event
