"""Reads everything about one customer, for its page."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app import apps, audit, checkout, customers, doctor, payers, webhooks
from app.console.common import actors
from app.console.customer.account import Account
from app.console.customer.view import View
from app.core.db import utcnow
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


def read(session: Session, customer: customers.Customer) -> View:
    """Read the page of a customer in a dozen short queries. Stripe is not asked."""
    installed = apps.installed(session)
    entries = _entries(session, customer.id)
    has_more = len(entries) > MAX_ENTRIES
    points = _turning_points(session, customer.id) if has_more else _points_among(entries)
    given = links.of_customer(session, customer.id)
    mentioned = [entry.actor for entry in (*entries, *points)] + [link.created_by for link in given]
    names = actors.names(session, mentioned)
    known = _ended(session, customer) if customer.deleted_at else payers.all_of_customer(session, customer.id)
    places = _places(installed, known, {link.app_id for link in given})
    events = webhooks.list_events(session, webhooks.Filter(customer_id=customer.id), size=MAX_EVENTS)
    return View(
        customer=customer,
        installed=installed,
        accounts=[
            _account(session, app, payer, points, names=names, given=_leading_to(app, given))
            for app, payer in places
        ],
        links=given,
        events=[received.event for received in events.rows],
        entries=entries[:MAX_ENTRIES],
        has_more=has_more,
        names=names,
        deletion=next((point for point in points if point.kind == "customer.deleted"), None),
        now=utcnow(),
    )


def _ended(session: Session, customer: customers.Customer) -> list[payers.Payer]:
    """The payers that ended with a deleted customer. Restoring it brings them back."""
    payer = payers.Payer
    query = sa.select(payer).where(payer.customer_id == customer.id, payer.deleted_at >= customer.deleted_at)
    return list(session.scalars(query.options(joinedload(payer.app)).order_by(payer.id)))


def _places(
    installed: Sequence[apps.App], found: Sequence[payers.Payer], linked: set[str | None]
) -> list[tuple[apps.App, payers.Payer | None]]:
    """The apps to show: those with the customer, those with a link for it, and the default app."""
    places: list[tuple[apps.App, payers.Payer | None]] = [(payer.app, payer) for payer in found]
    known = {app.id for app, _ in places}
    others = [app for app in installed if app.id not in known and (app.is_default or app.id in linked)]
    return sorted([*places, *((app, None) for app in others)], key=lambda place: not place[0].is_default)


def _leading_to(app: apps.App, given: Sequence[OnboardingLink]) -> list[OnboardingLink]:
    return [link for link in given if link.app_id == app.id or (link.app_id is None and app.is_default)]


def _account(
    session: Session,
    app: apps.App,
    payer: payers.Payer | None,
    points: list[audit.Entry],
    *,
    names: dict[str, str],
    given: list[OnboardingLink],
) -> Account:
    now = utcnow()
    opened = _checkout_sessions(session, payer) if payer else []
    return Account(
        app=app,
        payer=payer,
        checkout_sessions=opened,
        status=checkout.payment_status(payer, opened[0] if opened else None),
        turning_points=[entry for entry in points if entry.app_id in {None, app.id}],
        rejected_since=_rejected_since(session, app) if app.status == "unauthorized" else None,
        examination=session.get(doctor.Examination, app.id),
        last_delivery=_last_delivery(session, app.id),
        links=given,
        names=names,
        now=now,
    )


def _last_delivery(session: Session, app_id: str) -> datetime | None:
    event = webhooks.Event
    brought = sa.select(event.received_at).where(event.app_id == app_id, event.origin == "webhook")
    return session.scalar(brought.order_by(event.received_at.desc()).limit(1))


def _checkout_sessions(session: Session, payer: payers.Payer) -> list[checkout.CheckoutSession]:
    opened = checkout.CheckoutSession
    query = sa.select(opened).where(opened.payer_id == payer.id, opened.stripe_session_id.is_not(None))
    return list(
        session.scalars(query.order_by(opened.created_at.desc(), opened.id).limit(MAX_CHECKOUT_SESSIONS))
    )


def _rejected_since(session: Session, app: apps.App) -> datetime | None:
    entry = audit.Entry
    query = sa.select(entry.at).where(entry.app_id == app.id, entry.kind == "app.unauthorized")
    return session.scalar(query.order_by(entry.id.desc()).limit(1))


def _entries(session: Session, customer_id: str) -> list[audit.Entry]:
    """The newest entries, and one more if there are more. Ids of one millisecond have no order."""
    found = audit.page(session, audit.Filter(customer_id=customer_id), size=MAX_ENTRIES + 1).rows
    return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)


def _points_among(entries: Sequence[audit.Entry]) -> list[audit.Entry]:
    return [entry for entry in entries if entry.kind in TURNING_POINTS]


def _turning_points(session: Session, customer_id: str) -> list[audit.Entry]:
    entry = audit.Entry
    query = sa.select(entry).where(entry.customer_id == customer_id, entry.kind.in_(TURNING_POINTS))
    found = session.scalars(query.order_by(entry.id.desc()).limit(100))
    return sorted(found, key=lambda point: (point.at, point.id), reverse=True)
