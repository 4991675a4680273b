"""The onboarding links that were given out."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, UtcDateTime, new_id, utcnow
from app.customers import Customer


class LinkState(StrEnum):
    """How far a link has come. With the last two it no longer works."""

    OPEN = "open"
    OPENED = "opened"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


class OnboardingLink(Base):
    """One link for one customer. Its token is shown once; only its hash is stored. `opened_at` and `used_at`
    are about people: a program that fetches the page sets neither.
    """

    __tablename__ = "onboarding_link"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(sa.String(26), sa.ForeignKey("customer.id"), index=True)
    app_id: Mapped[str | None] = mapped_column(
        sa.String(26)
    )  # what it was made for; None: no app was installed
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_by: Mapped[str] = mapped_column(sa.String(80))  # an actor, as in the audit log
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    renewed_by: Mapped[str | None] = mapped_column(
        sa.String(26), sa.ForeignKey("onboarding_link.id")
    )  # the link that took its place
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when its button was pressed first
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    uses: Mapped[int] = mapped_column(default=0)
    profile: Mapped[str | None] = mapped_column(sa.String(40))  # of the portal; None: the default one
    return_url: Mapped[str | None] = mapped_column(sa.String(2000))  # where customers go after saving
    return_label: Mapped[str | None] = mapped_column(sa.String(80))

    customer: Mapped[Customer] = relationship()

    @property
    def state(self) -> LinkState:
        """How far it has come; a link that no longer works says so, whatever was done with it."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        if self.expires_at <= utcnow():
            return LinkState.EXPIRED
        if self.used_at is not None:
            return LinkState.USED
        return LinkState.OPEN if self.opened_at is None else LinkState.OPENED

    @property
    def works(self) -> bool:
        """Does it lead anywhere?"""
        return self.state not in {LinkState.EXPIRED, LinkState.REVOKED}
