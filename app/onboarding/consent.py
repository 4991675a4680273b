"""The evidence that somebody agreed to the company's terms."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, utcnow


class Consent(Base):
    """One consent of a customer: which version, when, and what the page linked to. Never changed."""

    __tablename__ = "consent"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(sa.String(16))  # sentence or checkbox
    version: Mapped[str] = mapped_column(sa.String(40))
    language: Mapped[str] = mapped_column(sa.String(16))  # of the page
    terms_url: Mapped[str | None] = mapped_column(sa.Text)
    privacy_url: Mapped[str | None] = mapped_column(sa.Text)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
