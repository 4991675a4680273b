"""Reads of the audit log."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from ulid import ULID

from app.audit.models import Entry
from app.core.values import frozen
from app.web import keyset

NEWEST_OF_CUSTOMER = (
    sa.select(Entry)
    .where(Entry.customer_id == sa.bindparam("customer_id"))
    .order_by(Entry.id.desc())
    .limit(sa.bindparam("size", type_=sa.Integer))
)


@frozen(kw_only=True)
class Filter:
    """Which entries to list."""

    kind: str | None = None
    actor: str | None = None
    customer_id: str | None = None
    app_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def page(
    session: Session,
    wanted: Filter,
    *,
    before: keyset.Position | None = None,
    after: keyset.Position | None = None,
    size: int = 50,
) -> keyset.Slice[Entry]:
    """The matching entries, the newest first. A position is an id."""
    found = keyset.newest_first(
        session,
        sa.select(Entry).where(*_fits(wanted)),
        (Entry.id,),
        lambda row: (row[0].id,),
        before=before,
        after=after,
        size=size,
    )
    # Ids of one millisecond are in no order; entries of one commit keep their order.
    entries = sorted((row[0] for row in found.rows), key=lambda entry: (entry.at, entry.id), reverse=True)
    return keyset.Slice(entries, found.newer, found.older)


def newest_of_customer(session: Session, customer_id: str, size: int) -> list[Entry]:
    """The newest entries of a customer, the newest first."""
    found = session.scalars(NEWEST_OF_CUSTOMER, {"customer_id": customer_id, "size": size})
    return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)


def _fits(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    fits: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (Entry.kind, wanted.kind),
        (Entry.actor, wanted.actor),
        (Entry.customer_id, wanted.customer_id),
        (Entry.app_id, wanted.app_id),
    ):
        if value is not None:
            fits.append(column == value)
    # By the id, which begins with the time and stands second in every index, so that a span costs no sort.
    if wanted.since is not None:
        fits.append(Entry.id >= _first_id(wanted.since))
    if wanted.until is not None:
        fits.append(Entry.id < _first_id(wanted.until))
    return fits


def _first_id(instant: datetime) -> str:
    """The smallest id that an entry of this instant can have. Ids count from 1970, and no entry is older."""
    return str(ULID.from_int(max(0, int(instant.timestamp() * 1000)) << 80))
