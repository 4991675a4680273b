"""Queries of the inbox. Only `get` reads payloads, which may be long."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app import apps, checkout, customers, payers
from app.core.db import is_id
from app.core.errors import NotFound
from app.core.values import frozen
from app.web import keyset
from app.webhooks.models import Event

MAX_COUNT = 10_000  # pages say "more than" beyond it
UNFINISHED = ("new", "waiting", "dead")
# A literal, not a parameter, so that the database can use the partial index.
FROM_BACKFILL: sa.ColumnElement[str] = sa.literal_column("'backfill'")

NEWEST_OF_CUSTOMER = (
    sa.select(Event)
    .where(
        Event.payer_id.in_(
            sa.select(payers.Payer.id).where(payers.Payer.customer_id == sa.bindparam("customer_id"))
        )
    )
    .order_by(Event.received_at.desc(), Event.id.desc())
    .limit(sa.bindparam("size", type_=sa.Integer))
    .options(defer(Event.payload, raiseload=True))
)


@frozen(kw_only=True)
class Filter:
    """Which events to list. `find` is an event's or related id: evt_…, cus_…, cs_…, seti_…, pm_… or ours."""

    state: str | None = None
    type: str | None = None
    app_id: str | None = None
    customer_id: str | None = None
    origin: str | None = None
    find: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Received(NamedTuple):
    """An event, and its customer if we know it."""

    event: Event
    customer_id: str | None
    customer_name: str | None


def list_events(
    session: Session,
    criteria: Filter,
    *,
    before: keyset.Position | None = None,
    after: keyset.Position | None = None,
    size: int = 50,
) -> keyset.Slice[Received]:
    """List matching events, the newest first. A position is the time of receipt and the id."""
    query = (
        sa.select(Event, customers.Customer.id, customers.Customer.name)
        .outerjoin(payers.Payer, payers.Payer.id == Event.payer_id)
        .outerjoin(customers.Customer, customers.Customer.id == payers.Payer.customer_id)
        .where(*_fits(criteria))
        .options(defer(Event.payload, raiseload=True))
    )
    found = keyset.newest_first(
        session,
        query,
        (Event.received_at, Event.id),
        lambda row: (row[0].received_at, row[0].id),
        before=before,
        after=after,
        size=size,
    )
    return keyset.Slice([Received(*row) for row in found.rows], found.newer, found.older)


def newest_of_customer(session: Session, customer_id: str, size: int) -> list[Event]:
    """Return the newest events about a customer, without payloads."""
    return list(session.scalars(NEWEST_OF_CUSTOMER, {"customer_id": customer_id, "size": size}))


def get(session: Session, app_id: str, event_id: str) -> Received:
    """Return one event, with its payload and its customer. Raises NotFound."""
    row = session.execute(
        sa.select(Event, customers.Customer.id, customers.Customer.name)
        .outerjoin(payers.Payer, payers.Payer.id == Event.payer_id)
        .outerjoin(customers.Customer, customers.Customer.id == payers.Payer.customer_id)
        .where(Event.app_id == app_id, Event.id == event_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such event.")
    return Received(*row)


def counts(session: Session) -> dict[str, int]:
    """Count unfinished events by state, each up to MAX_COUNT + 1."""
    return {
        state: session.scalar(
            sa.select(sa.func.count()).select_from(
                sa.select(Event.id).where(Event.state == state).limit(MAX_COUNT + 1).subquery()
            )
        )
        or 0
        for state in UNFINISHED
    }


def oldest(session: Session) -> dict[str, datetime]:
    """Return the first due time of the oldest unfinished event of each state."""
    found = (
        (state, sa.select(sa.func.min(Event.due_at)).where(Event.state == state)) for state in UNFINISHED
    )
    return {state: due_at for state, query in found if (due_at := session.scalar(query)) is not None}


def newest_failed(session: Session, limit: int) -> list[Received]:
    """Return the latest failed events."""
    return list_events(session, Filter(state="dead"), size=limit).rows


def overdue(session: Session, before: datetime, *, most: int, except_apps: Collection[str] = ()) -> int:
    """Count events from before an instant that a worker could have finished since, up to `most`.

    Once we know an event's payer, leave it out if its app is one of `except_apps`. Count it even while its
    payer waits for a retry: when Stripe answers and attempts fail, the fault may be ours.
    """
    # Nobody asks about a deleted payer: an idle worker closes these events.
    is_live = sa.select(payers.Payer.id).where(
        payers.Payer.id == Event.payer_id, payers.Payer.deleted_at.is_(None)
    )
    waits = sa.or_(Event.state == "new", sa.and_(Event.app_id.not_in(except_apps), is_live.exists()))
    late = sa.select(Event.id).where(Event.state.in_(("new", "waiting")), Event.due_at < before, waits)
    return session.scalar(sa.select(sa.func.count()).select_from(late.limit(most).subquery())) or 0


def _fits(criteria: Filter) -> list[sa.ColumnElement[bool]]:
    fits: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (Event.state, criteria.state),
        (Event.type, criteria.type),
        (Event.app_id, criteria.app_id),
    ):
        if value is not None:
            fits.append(column == value)
    if criteria.origin is not None:
        fits.append(Event.origin == (FROM_BACKFILL if criteria.origin == "backfill" else criteria.origin))
    if criteria.customer_id is not None:
        fits.append(Event.payer_id.in_(_payers(payers.Payer.customer_id == criteria.customer_id)))
    if criteria.find is not None:
        fits.append(_found(criteria.find))
    if criteria.since is not None:
        fits.append(Event.received_at >= criteria.since)
    if criteria.until is not None:
        fits.append(Event.received_at < criteria.until)
    return fits


def _found(text: str) -> sa.ColumnElement[bool]:
    """Match the events of an id. Name the apps, because every index begins with them."""
    every_app = sa.select(apps.App.id)
    kind = text.partition("_")[0]
    if is_id(text.upper()):
        ours = text.upper()
        return Event.payer_id.in_(_payers(sa.or_(payers.Payer.customer_id == ours, payers.Payer.id == ours)))
    if kind == "cus":
        return Event.payer_id.in_(
            _payers(payers.Payer.app_id.in_(every_app), payers.Payer.stripe_customer_id == text)
        )
    if kind == "pm":
        method = payers.PaymentMethod
        return Event.payer_id.in_(
            sa.select(method.payer_id).where(method.app_id.in_(every_app), method.id == text)
        )
    if kind in {"cs", "seti"}:
        opened = checkout.CheckoutSession
        known = opened.stripe_session_id if kind == "cs" else opened.setup_intent_id
        return Event.payer_id.in_(sa.select(opened.payer_id).where(known == text))
    return sa.and_(Event.app_id.in_(every_app), Event.id == text)


def _payers(*which: sa.ColumnElement[bool]) -> sa.Select[str]:
    return sa.select(payers.Payer.id).where(*which)
