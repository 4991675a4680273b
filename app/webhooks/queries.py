"""Reads of the inbox that are worth a name. None of them reads payloads, which may be long."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app import apps, checkout, customers, payers
from app.core.db import is_id
from app.core.errors import NotFound
from app.web import keyset
from app.webhooks.models import Event

COUNTED = 10_000  # beyond that, "more than" says enough
UNFINISHED = ("new", "waiting", "dead")
# No parameter, so that a database sees that its index fits.
FROM_BACKFILL: sa.ColumnElement[str] = sa.literal_column("'backfill'")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which events to list. `find` is an id that leads to some: evt_…, cus_…, cs_…, seti_…, pm_… or ours."""

    state: str | None = None
    type: str | None = None
    app_id: str | None = None
    customer_id: str | None = None
    origin: str | None = None
    find: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Received(NamedTuple):
    """An event, and whom it is about as far as that is known."""

    event: Event
    customer_id: str | None
    customer_name: str | None


def page(
    session: Session,
    wanted: Filter,
    *,
    before: keyset.Position | None = None,
    after: keyset.Position | None = None,
    size: int = 50,
) -> keyset.Slice[Received]:
    """The events that fit, the newest first. A position is the time of receipt and the id."""
    query = (
        sa.select(Event, customers.Customer.id, customers.Customer.name)
        .outerjoin(payers.Payer, payers.Payer.id == Event.payer_id)
        .outerjoin(customers.Customer, customers.Customer.id == payers.Payer.customer_id)
        .where(*_fits(wanted))
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


def get(session: Session, app_id: str, event_id: str) -> Received:
    """One event, payload included, and whom it is about. Raises NotFound."""
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
    """How many events are unfinished, by their state; each is counted to COUNTED + 1 at most."""
    return {
        state: session.scalar(
            sa.select(sa.func.count()).select_from(
                sa.select(Event.id).where(Event.state == state).limit(COUNTED + 1).subquery()
            )
        )
        or 0
        for state in UNFINISHED
    }


def oldest(session: Session) -> dict[str, datetime]:
    """When the oldest unfinished event of each state was to be looked at first, which is when it came."""
    found = (
        (state, sa.select(sa.func.min(Event.due_at)).where(Event.state == state)) for state in UNFINISHED
    )
    return {state: due_at for state, query in found if (due_at := session.scalar(query)) is not None}


def newest_dead(session: Session, limit: int) -> list[Received]:
    """The events that failed last."""
    return page(session, Filter(state="dead"), size=limit).rows


def overdue(session: Session, before: datetime, *, most: int, but_of: Collection[str] = ()) -> int:
    """How many events came before an instant and could have been dealt with since, counted to `most`.

    Once it is known whose one is, it is not overdue if the app is one of those that are left out. That its
    customer's next try is yet to come is no excuse: when Stripe answers and tries fail, it may be our fault.
    """
    # Of somebody who was deleted nobody asks any more: a worker at rest closes those.
    is_live = sa.select(payers.Payer.id).where(
        payers.Payer.id == Event.payer_id, payers.Payer.deleted_at.is_(None)
    )
    waits = sa.or_(Event.state == "new", sa.and_(Event.app_id.not_in(but_of), is_live.exists()))
    late = sa.select(Event.id).where(Event.state.in_(("new", "waiting")), Event.due_at < before, waits)
    return session.scalar(sa.select(sa.func.count()).select_from(late.limit(most).subquery())) or 0


def _fits(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    fits: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (Event.state, wanted.state),
        (Event.type, wanted.type),
        (Event.app_id, wanted.app_id),
    ):
        if value is not None:
            fits.append(column == value)
    if wanted.origin is not None:
        fits.append(Event.origin == (FROM_BACKFILL if wanted.origin == "backfill" else wanted.origin))
    if wanted.customer_id is not None:
        fits.append(Event.payer_id.in_(_payers(payers.Payer.customer_id == wanted.customer_id)))
    if wanted.find is not None:
        fits.append(_found(wanted.find))
    if wanted.since is not None:
        fits.append(Event.received_at >= wanted.since)
    if wanted.until is not None:
        fits.append(Event.received_at < wanted.until)
    return fits


def _found(text: str) -> sa.ColumnElement[bool]:
    """The events to which an id leads. The apps are named because every index begins with them."""
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
        known = opened.id if kind == "cs" else opened.setup_intent_id
        return Event.payer_id.in_(sa.select(opened.payer_id).where(known == text))
    return sa.and_(Event.app_id.in_(every_app), Event.id == text)


def _payers(*which: sa.ColumnElement[bool]) -> sa.Select[str]:
    return sa.select(payers.Payer.id).where(*which)
