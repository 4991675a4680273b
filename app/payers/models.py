"""A customer as Stripe knows it."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.apps import App
from app.core.db import NULLABLE_JSON, Base, DisplayText, Flag, UtcDateTime, new_id, partial_index, utcnow
from app.customers import Customer
from app.payers import method_names
from app.web.languages import translated

LIVE = "deleted_at IS NULL"
TROUBLED = (  # the states that somebody should do something about
    "deleted_at IS NULL AND status IN"
    " ('failed', 'abandoned', 'expiring', 'expired', 'removed', 'customer_gone')"
)
BLOCK_DURATION = timedelta(days=1)
EXPIRING = timedelta(days=30)  # before a card expires, people are warned
SETTLE_DELAY = timedelta(seconds=30)  # by then a request that Stripe did not answer has taken effect
LONG_AGO = sa.text("'1970-01-01 00:00:00.000000'")  # rows that are older than a column get their turn soon


class Payer(Base):
    """One customer in one app: its Stripe customer, its methods, and when Stripe was last asked.

    The row is reserved before Stripe is asked to create a customer, and its id is part of the idempotency key
    and the metadata.
    `due_at` and `generation` are the queue of convergences. A payer is due at `due_at`, and every hint of a
    change raises `generation`. `due_reason` says why Stripe is asked even if no event brings news. Payers
    that an event or a person made due (`is_priority`) come before those that a timer made due. The lease
    says which worker is converging the payer.
    """

    __tablename__ = "payer"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"))
    customer_id: Mapped[str] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    stripe_customer_id: Mapped[str | None] = mapped_column(sa.String(255))  # cus_…; None: reserved
    attempt: Mapped[int] = mapped_column(default=1, server_default="1")  # of creating it; part of the key
    request: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)  # Stripe's parameters for it
    default_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…, what Stripe charges
    chosen_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…, what a program asked for
    policy_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…, what our policy chose last
    is_choice_due: Mapped[Flag]  # a program or operator has chosen, and no look followed yet
    stripe_deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # deleted at Stripe
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when Stripe last told us
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # with its customer, or unbound
    signed_up_on: Mapped[date | None]  # its customer's first day (UTC), for counts; older code left it out

    # For lists and counts, written by `checkout.restate`; `checkout.payment_status` says what is true.
    status: Mapped[str | None] = mapped_column(sa.String(16))  # None: not stated yet
    status_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status_until: Mapped[datetime | None] = mapped_column(  # when the clock alone changes it
        UtcDateTime, default=utcnow, server_default=LONG_AGO
    )

    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_reason: Mapped[str | None] = mapped_column(sa.String(16))
    is_priority: Mapped[Flag]
    generation: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)  # failed ones since the last success
    last_error: Mapped[str | None] = mapped_column(sa.Text)
    lease: Mapped[str | None] = mapped_column(sa.String(26))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verify_at: Mapped[datetime | None] = mapped_column(  # when to ask again though nothing was heard
        UtcDateTime, default=lambda: utcnow() + timedelta(days=1), server_default=LONG_AGO
    )
    is_contact_due: Mapped[Flag]  # Stripe may have other details than we
    is_name_due: Mapped[Flag]  # which of them; none means name and email
    is_email_due: Mapped[Flag]
    are_details_due: Mapped[Flag]  # phone, address, tax id and the like
    told_tax_id: Mapped[dict[str, str] | None] = mapped_column(NULLABLE_JSON)  # as Stripe has it from us
    # Unused. To drop it stops older processes, so a step that does so anyway takes it along.
    contact_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contact_refusal: Mapped[str | None] = mapped_column(DisplayText)  # Stripe's words against what we told it
    blocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # too many tries were declined
    declines_since: Mapped[datetime | None] = mapped_column(UtcDateTime)  # an operator allowed more then
    # As `differences.remember_contact` writes it.
    stripe_contact: Mapped[dict[str, Any] | None] = mapped_column(NULLABLE_JSON)
    drift: Mapped[str | None] = mapped_column(sa.Text)  # what a timer found, until an event reports it

    app: Mapped[App] = relationship()
    customer: Mapped[Customer] = relationship()
    methods: Mapped[list["PaymentMethod"]] = relationship(
        back_populates="payer", order_by="(PaymentMethod.created_at, PaymentMethod.id)", lazy="selectin"
    )

    __table_args__ = (
        partial_index("uq_payer_customer_live", "app_id", "customer_id", unique=True, where=LIVE),
        partial_index(
            "uq_payer_stripe_customer_live", "app_id", "stripe_customer_id", unique=True, where=LIVE
        ),
        partial_index("ix_payer_live_status", "status", "app_id", "customer_id", where=LIVE),
        partial_index("ix_payer_signed_up", "app_id", "signed_up_on", "status", where=LIVE),
        partial_index("ix_payer_troubled", "app_id", "status", "status_since", where=TROUBLED),
        sa.Index("ix_payer_stripe_customer_id", "stripe_customer_id"),  # of whichever app, deleted ones too
        # Who is not among these has not begun.
        partial_index("ix_payer_begun", "customer_id", where=f"{LIVE} AND status <> 'none'"),
        partial_index("ix_payer_live_status_until", "status_until", where=LIVE),
        partial_index("ix_payer_due", "app_id", "due_at", where="due_at IS NOT NULL"),
        partial_index("ix_payer_priority", "app_id", "due_at", where="is_priority AND due_at IS NOT NULL"),
        partial_index(
            "ix_payer_verify", "app_id", "verify_at", where=f"{LIVE} AND stripe_deleted_at IS NULL"
        ),
        partial_index("ix_payer_drift", "verified_at", where="drift IS NOT NULL"),
        partial_index("ix_payer_blocked", "blocked_at", where="blocked_at IS NOT NULL"),
    )

    @property
    def stripe_id(self) -> str:
        """The Stripe customer (cus_…). The payer must not be merely reserved."""
        assert self.stripe_customer_id is not None
        return self.stripe_customer_id

    @property
    def attached_methods(self) -> list["PaymentMethod"]:
        """The methods that are attached at Stripe, the oldest first."""
        return [method for method in self.methods if method.detached_at is None]

    @property
    def default_method(self) -> "PaymentMethod | None":
        """The method that Stripe charges, if it is attached."""
        return next((method for method in self.attached_methods if method.id == self.default_method_id), None)

    def is_blocked(self, now: datetime) -> bool:
        """Were so many attempts declined that we open no checkout session for now?"""
        return self.blocked_at is not None and now < self.blocked_at + BLOCK_DURATION

    @property
    def tax_ids(self) -> list[str]:
        """The tax ids that Checkout collected, such as `DE123456789 (eu_vat)`."""
        return list((self.stripe_contact or {}).get("collected", {}).get("tax_ids", []))


class PaymentMethod(Base):
    """What may be shown of one payment method of a payer. A detached method is kept as history."""

    __tablename__ = "payment_method"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)  # pm_…
    payer_id: Mapped[str] = mapped_column(sa.ForeignKey("payer.id"), index=True)
    type: Mapped[str] = mapped_column(DisplayText(64))  # card, us_bank_account, … ; Stripe adds more
    brand: Mapped[str | None] = mapped_column(DisplayText(64))
    last4: Mapped[str | None] = mapped_column(DisplayText(8))
    exp_month: Mapped[int | None]
    exp_year: Mapped[int | None]
    country: Mapped[str | None] = mapped_column(DisplayText(2))
    bank_name: Mapped[str | None] = mapped_column(DisplayText(255))
    email: Mapped[str | None] = mapped_column(DisplayText)
    wallet: Mapped[str | None] = mapped_column(DisplayText(64))
    fingerprint: Mapped[str | None] = mapped_column(DisplayText(255))  # one card, one fingerprint
    display_name: Mapped[str | None] = mapped_column(DisplayText(255))  # of a custom type
    handle: Mapped[str | None] = mapped_column(DisplayText(255))  # such as a cashtag
    mandate_id: Mapped[str | None] = mapped_column(sa.String(255))  # mandate_…, of a bank debit
    mandate_status: Mapped[str | None] = mapped_column(DisplayText(16))  # Stripe's: pending, active, inactive
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    detached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # By the customer, before Stripe is.
    removal_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The customer kept another default then.
    declined_as_default_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    payer: Mapped[Payer] = relationship(back_populates="methods")

    @property
    def details(self) -> method_names.MethodDetails:
        """What its name is made from."""
        return method_names.MethodDetails(
            *(getattr(self, field) for field in method_names.MethodDetails._fields)
        )

    @property
    def name(self) -> str:
        """What it is, in one or two words: the bank, the brand or the type."""
        return self.details.name

    @property
    def title(self) -> str:
        """The method in a few words, such as `Visa •••• 4242, Apple Pay`. Unknown types have a title, too."""
        return self.details.title

    @property
    def local_title(self) -> str:
        """The title in the reader's language. Its dots stay on one line with the digits."""
        title = self.details.titled(translated(self.name))
        return title.replace("•••• ", "••••\N{NO-BREAK SPACE}")

    @property
    def kind(self) -> str:
        """Its type, as people call it."""
        return method_names.type_name(self.type)

    @property
    def wallet_name(self) -> str | None:
        """The wallet that a card was saved from."""
        return method_names.wallet_name(self.wallet) if self.wallet else None

    @property
    def is_being_removed(self) -> bool:
        """Did the customer ask to remove it, and has Stripe not answered yet?"""
        if self.removal_asked_at is None or self.detached_at is not None:
            return False
        verified_at = self.payer.verified_at
        return verified_at is None or verified_at < self.removal_asked_at + SETTLE_DELAY

    @property
    def is_card(self) -> bool:
        """Is it a card, whatever Stripe calls its type?"""
        return self.type in method_names.CARD_TYPES

    @property
    def is_bank_debit(self) -> bool:
        """Is it a bank account that is debited, which banks confirm in days?"""
        return self.type in method_names.BANK_DEBITS

    @property
    def expiry(self) -> str | None:
        """Month and year, such as `12/2030`, if it expires."""
        return f"{self.exp_month:02}/{self.exp_year}" if self.exp_month and self.exp_year else None

    @property
    def expires_at(self) -> datetime | None:
        """The instant at which a card stops being valid: the end of the last day of its month, UTC."""
        if not self.exp_month or not self.exp_year:
            return None
        last_day = monthrange(self.exp_year, self.exp_month)[1]
        return datetime(self.exp_year, self.exp_month, last_day, tzinfo=UTC) + timedelta(days=1)

    def is_same_as(self, other: "PaymentMethod") -> bool:
        """Are both the same card or account, saved twice?"""
        is_one_number = self.fingerprint is not None and self.fingerprint == other.fingerprint
        return is_one_number and self.type == other.type and self.id != other.id
