"""The last examination of each app, and the time of the next one."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.apps import App
from app.core.db import Base, UtcDateTime, utcnow


class Examination(Base):
    """The last examination of one app, so pages can show it without asking Stripe."""

    __tablename__ = "examination"

    app_id: Mapped[str] = mapped_column(sa.ForeignKey(App.id), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    actor: Mapped[str] = mapped_column(sa.String(80))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)


class ExaminationSchedule(Base):
    """When to examine an app next, and the signs of trouble at the last examination."""

    __tablename__ = "examination_schedule"

    app_id: Mapped[str] = mapped_column(sa.String(26), sa.ForeignKey(App.id), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signs: Mapped[str] = mapped_column(sa.String(255))
