"""What the doctor found last."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.apps import App
from app.db import Base, UtcDateTime, utcnow


class Examination(Base):
    """The last examination of one app, so that it can be read without asking Stripe again."""

    __tablename__ = "examination"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey(App.id), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    actor: Mapped[str] = mapped_column(sa.String(80))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
