"""Reads everything about one customer, for its page.

The statements are made once: to put one together takes as long as to run it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app import apps, audit, checkout, customers, doctor, payers, webhooks
from app.console.common import actors
from app.console.customer.account import Account, webhook_findings
from app.console.customer.view import View
from app.core.db import UtcDateTime, utcnow
from app.core.values import frozen
from app.onboarding import links
from app.onboarding.links import OnboardingLink

MAX_ENTRIES = 25  # the audit log page has the rest
MAX_CHECKOUT_SESSIONS = 10
MAX_EVENTS = 10
TURNING_POINTS = (  # the diagnosis needs these, however old they are
    "checkout.refused",
    "customer.deleted",
    "default_method.changed",
    "default_method.unanswered",
    "payment_method.detach_unanswered",
    "payment_method.detached",
    "payment_method.removed",
    "stripe_customer.deleted",
    "sync.drift",
    "sync.untold",
)
CUSTOMER_ID: sa.BindParameter[str] = sa.bindparam("customer_id")


def _select_places(*known: sa.ColumnElement[bool]) -> sa.Select[apps.App, payers.Payer, doctor.Examination]:
    """Select the apps that are installed or that have the customer, with its payers that meet conditions."""
    app, payer, examination = apps.App, payers.Payer, doctor.Examination
    return (
        sa.select(app, payer, examination)
        .outerjoin(payer, sa.and_(payer.app_id == app.id, payer.customer_id == CUSTOMER_ID, *known))
        .outerjoin(examination, examination.app_id == app.id)
        .where(sa.or_(app.deleted_at.is_(None), payer.id.is_not(None)))
        .options(joinedload(payer.methods))
        .order_by(app.id)
    )


LIVE_PLACES = _select_places(payers.Payer.deleted_at.is_(None))
# The payers that ended with a deleted customer. Restoring it brings them back.
ENDED_PLACES = _select_places(payers.Payer.deleted_at >= sa.bindparam("deleted_at", type_=UtcDateTime))
CHECKOUT_SESSIONS = (
    sa.select(checkout.CheckoutSession)
    .where(
        checkout.CheckoutSession.payer_id == sa.bindparam("payer_id"),
        checkout.CheckoutSession.stripe_session_id.is_not(None),
    )
    .order_by(checkout.CheckoutSession.created_at.desc(), checkout.CheckoutSession.id)
    .limit(MAX_CHECKOUT_SESSIONS)
)
OLDER_POINTS = (
    sa.select(audit.Entry)
    .where(audit.Entry.customer_id == CUSTOMER_ID, audit.Entry.kind.in_(TURNING_POINTS))
    .order_by(audit.Entry.id.desc())
    .limit(100)
)


@frozen
class Place:
    """An app, perhaps with the customer in it."""

    app: apps.App
    payer: payers.Payer | None
    examination: doctor.Examination | None


def read(session: Session, customer: customers.Customer) -> View:
    """Read the page of a customer in a few short queries. Stripe is not asked."""
    found = _places(session, customer)
    installed = list({place.app.id: place.app for place in found if place.app.deleted_at is None}.values())
    entries = audit.newest_of_customer(session, customer.id, MAX_ENTRIES + 1)
    has_more = len(entries) > MAX_ENTRIES
    points = _turning_points(session, customer.id) if has_more else _points_among(entries)
    given = links.of_customer(session, customer.id)
    mentioned = [entry.actor for entry in (*entries, *points)] + [link.created_by for link in given]
    names = actors.names(session, mentioned)
    return View(
        customer=customer,
        installed=installed,
        accounts=[
            _account(session, place, points, names=names, given=_leading_to(place.app, given))
            for place in _shown(found, {link.app_id for link in given})
        ],
        links=given,
        events=webhooks.newest_of_customer(session, customer.id, MAX_EVENTS),
        entries=entries[:MAX_ENTRIES],
        has_more=has_more,
        names=names,
        deletion=next((point for point in points if point.kind == "customer.deleted"), None),
        now=utcnow(),
    )


def _places(session: Session, customer: customers.Customer) -> list[Place]:
    """The installed apps, and those that have the customer."""
    statement = LIVE_PLACES
    values: dict[str, Any] = {"customer_id": customer.id}
    if customer.deleted_at is not None:
        statement = ENDED_PLACES
        values["deleted_at"] = customer.deleted_at
    return [Place(*row) for row in session.execute(statement, values).unique()]


def _shown(places: Iterable[Place], linked: set[str | None]) -> list[Place]:
    """The apps to show: the default app, then those with the customer, then those with a link for it."""
    shown = [place for place in places if place.payer or place.app.is_default or place.app.id in linked]
    return sorted(shown, key=lambda place: (not place.app.is_default, place.payer.id if place.payer else "~"))


def _leading_to(app: apps.App, given: Sequence[OnboardingLink]) -> list[OnboardingLink]:
    return [link for link in given if link.app_id == app.id or (link.app_id is None and app.is_default)]


def _account(
    session: Session,
    place: Place,
    points: list[audit.Entry],
    *,
    names: dict[str, str],
    given: list[OnboardingLink],
) -> Account:
    app, payer = place.app, place.payer
    opened = list(session.scalars(CHECKOUT_SESSIONS, {"payer_id": payer.id})) if payer else []
    return Account(
        app=app,
        payer=payer,
        checkout_sessions=opened,
        status=checkout.payment_status(payer, opened[0] if opened else None),
        turning_points=[entry for entry in points if entry.app_id in {None, app.id}],
        rejected_since=_rejected_since(session, app) if app.status == "unauthorized" else None,
        examination=place.examination,
        last_delivery=_last_delivery(session, place),
        links=given,
        names=names,
        now=utcnow(),
    )


def _last_delivery(session: Session, place: Place) -> datetime | None:
    """When the app's webhook last brought an event. Only asked where the webhook is in doubt."""
    if place.examination is None or not webhook_findings(place.examination):
        return None
    event = webhooks.Event
    brought = sa.select(event.received_at).where(event.app_id == place.app.id, event.origin == "webhook")
    return session.scalar(brought.order_by(event.received_at.desc()).limit(1))


def _rejected_since(session: Session, app: apps.App) -> datetime | None:
    entry = audit.Entry
    query = sa.select(entry.at).where(entry.app_id == app.id, entry.kind == "app.unauthorized")
    return session.scalar(query.order_by(entry.id.desc()).limit(1))


def _points_among(entries: Sequence[audit.Entry]) -> list[audit.Entry]:
    return [entry for entry in entries if entry.kind in TURNING_POINTS]


def _turning_points(session: Session, customer_id: str) -> list[audit.Entry]:
    found = session.scalars(OLDER_POINTS, {"customer_id": customer_id})
    return sorted(found, key=lambda point: (point.at, point.id), reverse=True)
