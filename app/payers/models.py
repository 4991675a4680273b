"""A customer as Stripe knows it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.apps import App
from app.customers import Customer
from app.db import Base, UtcDateTime, new_id, utcnow

LIVE = sa.text("deleted_at IS NULL")


class Payer(Base):
    """One customer in one app: its Stripe customer, its methods, and when we last heard the truth.

    `due_at` and `hints` are the queue of convergences: a payer is due when that time has come, and every
    hint that something changed adds one. The lease says which worker converges it now.
    """

    __tablename__ = "payer"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"))
    customer_id: Mapped[str] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    stripe_customer_id: Mapped[str] = mapped_column(sa.String(255))  # cus_…
    default_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…, what Stripe charges
    chosen_method_id: Mapped[str | None] = mapped_column(sa.String(255))  # pm_…, what a program asked for
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # deleted at Stripe
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when Stripe last told us
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # with its customer, or unbound

    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    hints: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)  # failed ones since the last success
    last_error: Mapped[str | None] = mapped_column(sa.Text)
    lease: Mapped[str | None] = mapped_column(sa.String(26))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    app: Mapped[App] = relationship()
    customer: Mapped[Customer] = relationship()
    methods: Mapped[list["PaymentMethod"]] = relationship(
        back_populates="payer", order_by="PaymentMethod.created_at", lazy="selectin"
    )

    __table_args__ = (
        sa.Index(
            "uq_payer_customer_live",
            "app_id",
            "customer_id",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        sa.Index(
            "uq_payer_stripe_customer_live",
            "app_id",
            "stripe_customer_id",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
    )

    @property
    def default_method(self) -> "PaymentMethod | None":
        """The method that Stripe charges, while it is attached."""
        return next(
            (m for m in self.methods if m.id == self.default_method_id and m.detached_at is None), None
        )


class PaymentMethod(Base):
    """One payment method of a payer: what may be shown of it. A detached one stays, as history."""

    __tablename__ = "payment_method"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id"), primary_key=True)
    id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)  # pm_…
    payer_id: Mapped[str] = mapped_column(sa.ForeignKey("payer.id"), index=True)
    type: Mapped[str] = mapped_column(sa.String(64))  # card, us_bank_account, … ; Stripe adds more
    brand: Mapped[str | None] = mapped_column(sa.String(64))
    last4: Mapped[str | None] = mapped_column(sa.String(8))
    exp_month: Mapped[int | None]
    exp_year: Mapped[int | None]
    country: Mapped[str | None] = mapped_column(sa.String(2))
    bank_name: Mapped[str | None] = mapped_column(sa.String(255))
    email: Mapped[str | None] = mapped_column(sa.Text)
    wallet: Mapped[str | None] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    detached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    payer: Mapped[Payer] = relationship(back_populates="methods")

    @property
    def title(self) -> str:
        """The method in a few words, such as `Visa •••• 4242`; right for types yet unknown, too."""
        name = self.bank_name or BRANDS.get(self.brand or "") or BRANDS.get(self.type) or self._plain_name()
        return f"{name} •••• {self.last4}" if self.last4 else f"{name} {self.email}" if self.email else name

    @property
    def expiry(self) -> str | None:
        """Month and year, such as `12/2030`, for what expires."""
        return f"{self.exp_month:02}/{self.exp_year}" if self.exp_month and self.exp_year else None

    def _plain_name(self) -> str:
        return (self.brand or self.type).replace("_", " ").capitalize()


BRANDS = {
    "amex": "American Express",
    "american_express": "American Express",
    "bacs_debit": "Bacs Direct Debit",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "diners_club": "Diners Club",
    "discover": "Discover",
    "eftpos_australia": "eftpos",
    "jcb": "JCB",
    "link": "Link",
    "mastercard": "Mastercard",
    "sepa_debit": "SEPA Direct Debit",
    "unionpay": "UnionPay",
    "us_bank_account": "US bank account",
    "visa": "Visa",
}
