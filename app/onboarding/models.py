"""Who signed up in which browser, who may see the billing page, and what customers agreed to."""

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, partial_index, utcnow
from app.payers import PaymentMethod

FORGOTTEN = "forgotten:"  # how the hash of a browser begins that is none


class Signup(Base):
    """One browser on the way of one customer: the one that signed it up, or one that opened a link.

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
    return_url: Mapped[str | None] = mapped_column(sa.String(2000))  # where it goes afterwards
    return_label: Mapped[str | None] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    __table_args__ = (
        # One form makes one customer, in one browser.
        sa.Index("uq_signup_form_id", "form_id", unique=True),
        # Two forms of one browser with exactly the same details are one sign-up, too.
        sa.Index("uq_signup_details", "browser_hash", "details_hash", unique=True),
        partial_index("uq_signup_form", "customer_id", unique=True, where="link_id IS NULL"),
    )

    @property
    def is_guest(self) -> bool:
        """Did this browser open a link?"""
        return self.link_id is not None

    def sees(self, method: PaymentMethod) -> bool:
        """May this browser be shown a method? A guest sees none that was there before it came."""
        return not self.is_guest or method.created_at >= self.created_at


class BillingPerson(Base):
    """Somebody who was invited to a customer's billing page. Removing the person ends all their access.

    The invitation link is shown once and works once; here is only a hash of its token.
    """

    __tablename__ = "billing_person"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(sa.String(254), index=True)  # in lower case
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    invited_by: Mapped[str] = mapped_column(sa.String(80))  # an actor, as in the audit log
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the invitation
    joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        partial_index(
            "uq_billing_person_live", "customer_id", "email", unique=True, where="removed_at IS NULL"
        ),
    )


class BillingAccess(Base):
    """One browser that may open a customer's billing page by something better than a link."""

    __tablename__ = "billing_access"

    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True
    )
    browser_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True, index=True)
    way: Mapped[str] = mapped_column(sa.String(16))  # code, invitation or handover
    person_id: Mapped[str | None] = mapped_column(  # None: the customer's first person
        sa.String(26), sa.ForeignKey("billing_person.id", ondelete="CASCADE"), index=True
    )
    profile: Mapped[str | None] = mapped_column(sa.String(40))  # of the portal; None: the default one
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


def no_browser_hash() -> str:
    """What is stored instead once a browser is forgotten. No nonce has this hash, and no other row."""
    return f"{FORGOTTEN}{secrets.token_urlsafe(24)}"


def browser_hash(nonce: str) -> str:
    """The hash that we store of a browser's nonce. It is long and random, so nobody can guess it back."""
    return hashlib.sha256(nonce.encode()).hexdigest()


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
