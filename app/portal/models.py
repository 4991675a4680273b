"""The published versions of the portal's settings, and the draft of the next one."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, UtcDateTime, utcnow


class PortalVersion(Base):
    """The settings as they were published once. The version with the highest number is in force.

    Its number is one more than the version's that it replaces, so the primary key decides which of two
    editors was first.
    """

    __tablename__ = "portal_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    actor: Mapped[str] = mapped_column(sa.String(80))  # as in the audit log
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class PortalDraft(Base):
    """What will be published next. There is one row or none."""

    __tablename__ = "portal_draft"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    document: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    based_on: Mapped[int]  # the version that it was made from; 0: none was published
    revision: Mapped[int] = mapped_column(default=1)  # counts the changes
    actor: Mapped[str] = mapped_column(sa.String(80))  # who changed it last
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
