"""Who can be billed."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import NULLABLE_JSON, Base, UtcDateTime, new_id, partial_index, utcnow

LIVE = "deleted_at IS NULL"
DELETED = "deleted_at IS NOT NULL"
WAITING = "waiting"
APPROVED = "approved"
DECLINED = "declined"
NOT_APPROVED = frozenset({WAITING, DECLINED})


class Customer(Base):
    """A customer, with the fields and the uniqueness of OpenMeter's. Deleting one only marks it."""

    __tablename__ = "customer"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True, default=new_id)
    key: Mapped[str | None] = mapped_column(sa.String(256))  # the company's own id for it
    name: Mapped[str] = mapped_column(sa.String(256))
    description: Mapped[str | None] = mapped_column(sa.String(1024))
    primary_email: Mapped[str | None] = mapped_column(sa.Text)
    currency: Mapped[str | None] = mapped_column(sa.String(3))  # ISO 4217
    billing_address: Mapped[dict[str, str] | None]  # by the names of the API, such as postalCode
    # Of `details.ADOPTABLE`: what was filled with Stripe's value.
    adopted: Mapped[list[str] | None] = mapped_column(NULLABLE_JSON)
    extra: Mapped[dict[str, str] | None] = mapped_column("metadata")  # `metadata` is SQLAlchemy's own word
    # As `details.InvoiceDetails` stores them.
    invoice_details: Mapped[dict[str, str] | None] = mapped_column(NULLABLE_JSON)
    # Fields of the form that no browser changes: the company's app said so in a hand-over.
    locked: Mapped[list[str] | None] = mapped_column(NULLABLE_JSON)
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when that hand-over was made
    approval: Mapped[str | None] = mapped_column(sa.String(16))  # of a sign-up: None: nobody was asked
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, onupdate=utcnow)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    search_text: Mapped[str | None] = mapped_column(sa.Text, deferred=True)  # `search.search_text` makes it

    subjects: Mapped[list["SubjectKey"]] = relationship(
        order_by="SubjectKey.key", cascade="all, delete-orphan", lazy="selectin"
    )

    __table_args__ = (
        partial_index("uq_customer_key_live", "key", unique=True, where=LIVE),
        # For lists: a page is found in these alone, without a look at the rows before it.
        partial_index("ix_customer_live_name", "name", "id", where=LIVE),
        partial_index("ix_customer_live_created", "created_at", "id", where=LIVE),
        partial_index("ix_customer_live_id", "id", where=LIVE),
        partial_index("ix_customer_deleted_name", "name", "id", where=DELETED),
        partial_index("ix_customer_deleted_created", "created_at", "id", where=DELETED),
        partial_index("ix_customer_waiting", "created_at", "id", where=f"approval = 'waiting' AND {LIVE}"),
        # On PostgreSQL a migration adds ix_customer_search where the server has pg_trgm. Another one adds
        # ix_customer_live_email, which finds an address in any letter case.
    )

    @property
    def subject_keys(self) -> list[str]:
        """The names under which this customer's usage arrives, sorted."""
        return sorted(subject.key for subject in self.subjects)


class CustomerCount(Base):
    """How many customers there are, in shards, so that concurrent changes seldom wait for one another.

    Counting a million rows takes a tenth of a second; adding these up takes none.
    """

    __tablename__ = "customer_count"

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    live: Mapped[int] = mapped_column(sa.BigInteger)


class SubjectKey(Base):
    """One name under which usage of one customer arrives; no two live customers share one."""

    __tablename__ = "subject_key"

    customer_id: Mapped[str] = mapped_column(
        sa.String(26), sa.ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(sa.String(256), primary_key=True)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (partial_index("uq_subject_key_live", "key", unique=True, where=LIVE),)
