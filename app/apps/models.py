"""The installed Stripe apps and their secrets."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, partial_index, utcnow
from app.core.secrets.sealing import SEALED

LIVE = "deleted_at IS NULL"


class App(Base):
    """One Stripe account in one mode, and its API key. The secrets are sealed."""

    __tablename__ = "app"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(sa.String(256))
    description: Mapped[str | None] = mapped_column(sa.Text)
    extra: Mapped[dict[str, str] | None] = mapped_column("metadata")  # `metadata` is SQLAlchemy's own word
    status: Mapped[str] = mapped_column(sa.String(16), default="ready")  # or unauthorized
    stripe_account_id: Mapped[str] = mapped_column(sa.String(255))  # acct_…
    livemode: Mapped[bool]
    api_key_sealed: Mapped[str] = mapped_column(sa.Text, info=SEALED)  # empty once the app is uninstalled
    masked_api_key: Mapped[str] = mapped_column(sa.String(32))
    webhook_endpoint_id: Mapped[str] = mapped_column(sa.String(255))  # we_…; empty while there is none
    webhook_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # created, rolled or repaired
    is_default: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, onupdate=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        partial_index("uq_app_account_live", "stripe_account_id", "livemode", unique=True, where=LIVE),
        partial_index("uq_app_default", "is_default", unique=True, where=f"is_default AND {LIVE}"),
    )


class SigningSecret(Base):
    """A secret with which Stripe signs one app's events. There are two during an overlap."""

    __tablename__ = "signing_secret"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    app_id: Mapped[str] = mapped_column(sa.ForeignKey("app.id", ondelete="CASCADE"), index=True)
    endpoint_id: Mapped[str | None] = mapped_column(sa.String(255))  # we_…, which signs with it
    sealed: Mapped[str] = mapped_column(sa.Text, info=SEALED)  # empty once it is retired
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    retire_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # accepted until then, after rolling
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PendingInstall(Base):
    """A sealed key that an operator has inspected and not installed yet."""

    __tablename__ = "pending_install"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    browser: Mapped[str] = mapped_column(sa.String(26))  # the id of the operator's session
    api_key_sealed: Mapped[str] = mapped_column(sa.Text, info=SEALED)
    found: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # an Inspection
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
