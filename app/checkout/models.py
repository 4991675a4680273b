"""The hosted pages that were opened, and the Stripe customers that are expected."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, DisplayText, UtcDateTime, utcnow
from app.payers import Payer


class CheckoutSession(Base):
    """One hosted Stripe page opened for one payer, and what became of it as far as we know."""

    __tablename__ = "checkout_session"

    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)  # Stripe's, cs_…
    payer_id: Mapped[str] = mapped_column(sa.ForeignKey("payer.id"), index=True)
    setup_intent_id: Mapped[str] = mapped_column(sa.String(255), unique=True)  # Stripe's, seti_…
    url: Mapped[str | None] = mapped_column(
        sa.Text
    )  # whole: Stripe's page needs the fragment; embedded has none
    currency: Mapped[str | None] = mapped_column(DisplayText(3))
    status: Mapped[str] = mapped_column(DisplayText(16), default="open")  # Stripe's: open, complete, expired
    setup_status: Mapped[str] = mapped_column(DisplayText(32), default="requires_payment_method")
    next_action: Mapped[str | None] = mapped_column(DisplayText(64))
    verification_url: Mapped[str | None] = mapped_column(sa.Text)  # Stripe's page to confirm a bank account
    payment_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…
    error_code: Mapped[str | None] = mapped_column(DisplayText(64))
    decline_code: Mapped[str | None] = mapped_column(DisplayText(64))
    error_message: Mapped[str | None] = mapped_column(DisplayText)  # Stripe's own words
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # nothing more will come of it

    payer: Mapped[Payer] = relationship()

    @property
    def is_final(self) -> bool:
        """Will Stripe say nothing new of it?"""
        return self.settled_at is not None


class Expected(Base):
    """A Stripe customer that Stripe was asked to make and that no payer of ours has yet.

    It may be there all the same: the process may have died, or given up, before it was recorded. Then nothing
    else of ours may know of it, not even a customer, whose id this is.
    """

    __tablename__ = "expected_stripe_customer"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    customer_id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    first_asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    contact: Mapped[str] = mapped_column(  # a digest of the name and address for it; empty when several were
        sa.String(16), default="", server_default=""
    )
