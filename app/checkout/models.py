"""The Checkout Sessions that were opened for payers."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, DisplayText, Flag, UtcDateTime, new_id, partial_index, utcnow
from app.payers import Payer

MICRODEPOSITS = "verify_with_microdeposits"  # Stripe's next_action: the bank statement shows a code
LIFETIME = timedelta(hours=24)  # Stripe's own, until it has told us


TERMS = (  # the options that a profile and the reader's language decide
    "billing_address_collection",
    "consent_collection",
    "custom_text",
    "locale",
    "payment_method_types",
    "phone_number_collection",
    "tax_id_collection",
)


class CheckoutSession(Base):
    """One Stripe Checkout Session for one payer: we reserve the row, then open it at Stripe under our id."""

    __tablename__ = "checkout_session"

    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True, default=new_id)  # the idempotency key
    payer_id: Mapped[str] = mapped_column(sa.ForeignKey("payer.id"), index=True)
    stripe_session_id: Mapped[str | None] = mapped_column(sa.String(255))  # cs_…; None: reserved
    setup_intent_id: Mapped[str | None] = mapped_column(sa.String(255), unique=True)  # seti_…
    url: Mapped[str | None] = mapped_column(sa.Text)  # with its fragment; an embedded session has none
    # A retry sends the same.
    options: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict, server_default="{}")
    idempotency_key: Mapped[str | None] = mapped_column(sa.String(300))  # the caller's, with its token
    is_current: Mapped[Flag]  # the one that our own pages lead to
    profile: Mapped[str | None] = mapped_column(sa.String(40))  # of the portal; None: the default one
    currency: Mapped[str | None] = mapped_column(DisplayText(3))
    status: Mapped[str] = mapped_column(DisplayText(16), default="reserved")  # then open, complete or expired
    setup_status: Mapped[str] = mapped_column(DisplayText(32), default="requires_payment_method")
    next_action: Mapped[str | None] = mapped_column(DisplayText(64))
    verification_url: Mapped[str | None] = mapped_column(sa.Text)  # Stripe's page to confirm a bank account
    payment_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…
    error_code: Mapped[str | None] = mapped_column(DisplayText(64))
    decline_code: Mapped[str | None] = mapped_column(DisplayText(64))
    error_message: Mapped[str | None] = mapped_column(DisplayText)  # Stripe's own words
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, default=lambda: utcnow() + LIFETIME)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)  # reserved, then opened
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # Stripe will say nothing new about it

    payer: Mapped[Payer] = relationship()

    __table_args__ = (
        # However many tabs and devices ask at once, our own pages lead to one session.
        partial_index("uq_checkout_session_current", "payer_id", unique=True, where="is_current"),
        sa.Index("uq_checkout_session_stripe_session", "stripe_session_id", unique=True),
        sa.Index("uq_checkout_session_key", "payer_id", "idempotency_key", unique=True),
    )

    @property
    def is_final(self) -> bool:
        """Will Stripe say nothing new about it?"""
        return self.settled_at is not None

    def has_terms(self, options: dict[str, Any], *, profile: str | None) -> bool:
        """Is it of this profile, and does Stripe's page say and ask what these options do?

        Without a language it follows the browser. It may lack what Stripe has refused.
        """
        return (
            self.profile == profile
            and self.currency == options["currency"]
            and all(_fits(self.options.get(name), options[name]) for name in TERMS)
        )

    @property
    def awaits_microdeposits(self) -> bool:
        """Must the customer confirm a bank account, with what its statement shows?"""
        return self.next_action == MICRODEPOSITS

    @property
    def microdeposit_url(self) -> str | None:
        """Stripe's page to confirm that bank account, if Stripe gave one."""
        url = self.verification_url or ""
        return url if self.awaits_microdeposits and url.startswith(("https://", "http://")) else None

    @property
    def stripe_id(self) -> str:
        """The id at Stripe (cs_…) of a session that was opened."""
        assert self.stripe_session_id is not None
        return self.stripe_session_id


def _fits(held: Any, wanted: Any) -> bool:
    """Is what was asked of Stripe wanted still? What was not asked counts as right."""
    if isinstance(held, dict):
        return all(_fits(text, (wanted or {}).get(place)) for place, text in held.items())
    if isinstance(held, list | tuple):
        return not held or [*held] == [*wanted]
    return held is None or held == wanted
