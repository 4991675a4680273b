"""The messages that are not sent yet."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, new_id, utcnow
from app.core.secrets.sealing import SEALED


class OutboxMessage(Base):
    """One message. Its content is sealed, because it may contain a code or a link."""

    __tablename__ = "outbox_message"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(sa.String(40))  # decides who writes it
    sealed: Mapped[str] = mapped_column(sa.Text, info=SEALED)  # JSON: a message, or its draft
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # afterwards it is of no use
