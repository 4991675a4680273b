"""Which browser signed up whom."""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, UtcDateTime, utcnow


class Signup(Base):
    """One sign-up: the customer it made, and the browser it belongs to.

    The browser holds a random nonce in its session cookie; here stands only its hash. It is what lets
    a returning customer see its own state, and nobody else's.
    """

    __tablename__ = "signup"

    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True
    )
    browser_hash: Mapped[str] = mapped_column(sa.String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


def browser_hash(nonce: str) -> str:
    """What is stored of a browser's nonce. It is random and long, so a plain hash can't be guessed back."""
    return hashlib.sha256(nonce.encode()).hexdigest()
