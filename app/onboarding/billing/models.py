"""The one-time codes that were sent, and the ways in to the billing page."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, utcnow


class Way(StrEnum):
    """What let a browser in."""

    SIGNUP = "signup"  # it signed the customer up
    LINK = "link"  # it opened an onboarding link, which may have been forwarded
    CODE = "code"  # somebody there received a code at a stored address
    INVITATION = "invitation"  # it opened the invitation of a person
    HANDOVER = "handover"  # the company's app vouches for the person


class BillingCode(Base):
    """The current code of one email address in one browser, so that strangers end no code of its owner.

    An address that nobody has gets a row too, and no message.

    Neither the address nor the code can be read here: both are hashed with the installation's secret key.
    """

    __tablename__ = "billing_code"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    address_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)  # with the browser: codes/stored.py
    browser_hash: Mapped[str] = mapped_column(sa.String(64))  # only the browser that asked may use it
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
