"""The secrets that hand-overs are signed with, and the single-use hand-overs that were used."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, partial_index, utcnow
from app.core.secrets.sealing import SEALED

MAX_LIVE_SECRETS = 5  # a token that names no secret is tried with each


class HandoverSecret(Base):
    """One secret that the company's app and we share. It is sealed, because we must compute with it."""

    __tablename__ = "handover_secret"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(sa.String(80))
    sealed: Mapped[str] = mapped_column(sa.Text, info=SEALED)  # empty once it is revoked
    created_by: Mapped[str] = mapped_column(sa.String(80))  # an actor, as in the audit log
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        partial_index("uq_handover_secret_name_live", "name", unique=True, where="revoked_at IS NULL"),
    )


class HandoverUse(Base):
    """A single-use hand-over that was used. The primary key decides which of two uses was first."""

    __tablename__ = "handover_use"

    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)  # of what was signed
    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True
    )
    browser_hash: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
