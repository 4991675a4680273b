"""Which browser may see which customer."""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, utcnow
from app.payers import PaymentMethod

SIGNED_UP = sa.text("link_id IS NULL")


class Signup(Base):
    """One browser that goes the way of one customer: the one that signed it up, or one that came by a link.

    The browser holds a random nonce in its session cookie; we store only its hash. It lets a returning
    customer see its own state, and nobody else's. Anybody may have received a forwarded link, so a browser
    that opened one sees less: `is_guest`.
    """

    __tablename__ = "signup"

    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True
    )
    browser_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True, index=True)
    form_id: Mapped[str | None] = mapped_column(sa.String(26))  # None for one that came by a link
    details_hash: Mapped[str | None] = mapped_column(sa.String(64))  # of details without a key of any kind
    link_id: Mapped[str | None] = mapped_column(
        sa.String(26), sa.ForeignKey("onboarding_link.id", ondelete="CASCADE")
    )
    profile: Mapped[str | None] = mapped_column(sa.String(40))  # of the portal; None: the default one
    return_url: Mapped[str | None] = mapped_column(sa.String(2000))  # where a hand-over sends it afterwards
    return_label: Mapped[str | None] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    __table_args__ = (
        # One form makes one customer, in one browser.
        sa.Index("uq_signup_form_id", "form_id", unique=True),
        # Two forms of one browser with exactly the same details are one sign-up, too.
        sa.Index("uq_signup_details", "browser_hash", "details_hash", unique=True),
        sa.Index(
            "uq_signup_form", "customer_id", unique=True, sqlite_where=SIGNED_UP, postgresql_where=SIGNED_UP
        ),
    )

    @property
    def is_guest(self) -> bool:
        """Did this browser come by a link?"""
        return self.link_id is not None

    def sees(self, method: PaymentMethod) -> bool:
        """May this browser be shown a method? A guest sees none that was there before it came."""
        return not self.is_guest or method.created_at >= self.created_at


def browser_hash(nonce: str) -> str:
    """What is stored of a browser's nonce. It is random and long, so a plain hash can't be guessed back."""
    return hashlib.sha256(nonce.encode()).hexdigest()
