"""The table of answers that a repeated request gets again."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime


class IdempotentRequest(Base):
    """One POST with a caller's Idempotency-Key: running, or with its answer."""

    __tablename__ = "idempotent_request"

    token_id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))  # of route and body
    status: Mapped[int | None]  # None while it is running
    body: Mapped[str | None] = mapped_column(sa.Text)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
