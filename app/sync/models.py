"""What the worker keeps of each app: how far it has read Stripe's event list, and at what pace it may ask."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, utcnow


class Backfill(Base):
    """How far an app's event list was read.

    A walk goes from the newest event back to `floor`, page by page; `head` and `after` are its first event's
    time and its last event so far, so that it goes on where it was killed. `cursor` moves when it is done.
    """

    __tablename__ = "backfill"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    cursor: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by Stripe's clock: all before is known
    floor: Mapped[datetime | None] = mapped_column(UtcDateTime)
    head: Mapped[datetime | None] = mapped_column(UtcDateTime)
    after: Mapped[str | None] = mapped_column(sa.String(255))  # evt_…
    last_run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when a walk was last begun and done
    next_run_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_error: Mapped[str | None] = mapped_column(sa.Text)
    found: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # events that no webhook had brought by then
    lease: Mapped[str | None] = mapped_column(sa.String(26))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Pace(Base):
    """When and how often the workers, all together, may ask Stripe on behalf of an app."""

    __tablename__ = "pace"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    served_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # whoever waited longest is next
    free_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # when the budget allows another
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_throttled: Mapped[bool] = mapped_column(default=False)  # Stripe itself asked for the pause
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when some were last chosen for it
    drifts: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # changes of which no event ever told
