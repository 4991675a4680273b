"""The oracle: says where the portal holds something else than Stripe.

Stripe's side is the simulator's store: one mapping for each kind of object, from ids to objects. It comes
from a simulator in this process, or from the control page of one in another process. What a status should
be, the oracle derives from that store alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, checkout, payers
from app.checkout import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.payers import Payer, PaymentMethod, PaymentStatus
from app.webhooks import Event
from tests.support.people import Person

JSON = dict[str, Any]
Collection = Mapping[str, JSON]

FINISHED = {"done", "ignored"}


class Store(Protocol):
    """What Stripe holds."""

    @property
    def customers(self) -> Collection: ...
    @property
    def checkout_sessions(self) -> Collection: ...
    @property
    def setup_intents(self) -> Collection: ...
    @property
    def payment_methods(self) -> Collection: ...
    @property
    def mandates(self) -> Collection: ...


@dataclass
class Verdict:
    """The result of a comparison. It is true when only `agreeing` is other than empty."""

    agreeing: int  # the number of payers for which the portal and Stripe hold the same
    wrong: list[str]  # payers for which they hold different things, with the difference
    doubled: list[str]  # customers with several Stripe customers, without those that were unbound
    orphans: list[str]  # Stripe customers that the portal made and has no row for
    unfinished: list[str]  # events that still wait, or that failed

    def __bool__(self) -> bool:
        return not (self.wrong or self.doubled or self.orphans or self.unfinished)

    def __str__(self) -> str:
        parts = {name: value for name, value in vars(self).items() if value}
        return "; ".join(f"{name}: {value}" for name, value in parts.items())


def assert_agrees(person: Person) -> None:
    """Assert that the portal holds about a person what Stripe holds: status, default, methods, sessions."""
    payer_id = person.payer.id
    with person.app.app_context():
        session = db.session()
        found = list(differences(session, person.simulator.store, payers.fresh(session, payer_id)))
        session.rollback()
    assert not found, found


def compare(session: Session, store: Store) -> Verdict:
    """Compare all live payers, all Stripe customers that carry our metadata, and all events.

    Ends the session's transaction.
    """
    installed = list(session.scalars(sa.select(apps.App.id)))
    rows = list(session.scalars(sa.select(Payer).order_by(Payer.id)))
    live = [payer for payer in rows if payer.deleted_at is None]
    wrong = [difference for payer in live for difference in differences(session, store, payer)]
    unfinished = [
        f"{event.id} {event.type} is {event.state}: {event.reason}"
        for event in session.scalars(sa.select(Event).where(Event.state.not_in(FINISHED)))
    ]
    session.commit()
    marked = [
        customer
        for customer in store.customers.values()
        if not customer.get("deleted") and customer["metadata"].get("om_app_id") in installed
    ]
    known = {payer.stripe_customer_id for payer in rows}
    unbound = known - {payer.stripe_customer_id for payer in live}
    owners = Counter(
        customer["metadata"]["om_customer_id"] for customer in marked if customer["id"] not in unbound
    )
    return Verdict(
        agreeing=len(live) - len({words.partition(":")[0] for words in wrong}),
        wrong=wrong,
        doubled=[owner for owner, number in owners.items() if number > 1],
        orphans=[customer["id"] for customer in marked if customer["id"] not in known],
        unfinished=unfinished,
    )


def differences(session: Session, store: Store, payer: Payer) -> Iterator[str]:
    """Say where our rows about a payer differ from Stripe's store."""
    name = f"{payer.customer_id} ({payer.stripe_customer_id})"
    customer = store.customers.get(payer.stripe_customer_id or "")
    if customer is None:
        yield f"{name}: Stripe has no such customer"
        return
    for what, ours, theirs in _pairs(session, store, payer, customer):
        if ours != theirs:
            yield f"{name}: {what} is {ours!r} here and {theirs!r} at Stripe"


def _pairs(
    session: Session, store: Store, payer: Payer, customer: JSON
) -> Iterator[tuple[str, object, object]]:
    yield "deleted", payer.stripe_deleted_at is not None, bool(customer.get("deleted"))
    yield "the default", payer.default_method_id, _default(customer)
    ours = {row.id: _shown(row) for row in payer.methods if row.detached_at is None}
    yield "the methods", ours, attached(store, payer.stripe_id)
    opened = sa.select(CheckoutSession).where(
        CheckoutSession.payer_id == payer.id, CheckoutSession.stripe_session_id.is_not(None)
    )
    for row in session.scalars(opened):
        yield f"checkout session {row.id}", _session(row), _session_at_stripe(store, row.stripe_id)
    latest = checkout.latest(session, payer)
    status = checkout.payment_status(payer, latest)
    yield "the status", status, true_status(store, customer, latest.stripe_id if latest else None, utcnow())
    yield "the stored status", payer.status, status.value
    yield "the dead worker's lease", _dead_lease(payer), None


def _dead_lease(payer: Payer) -> str | None:
    """The lease of the payer, if it has run out. One that has not belongs to a worker that is busy now."""
    return payer.lease if payer.leased_until is not None and payer.leased_until < utcnow() else None


def _default(customer: JSON) -> str | None:
    default: str | None = customer.get("invoice_settings", {}).get("default_payment_method")
    return default


def _shown(row: PaymentMethod) -> tuple[object, ...]:
    return (row.type, row.brand, row.last4, row.exp_month, row.exp_year)


def attached(store: Store, stripe_customer_id: str) -> dict[str, tuple[object, ...]]:
    """The methods of a Stripe customer, with the fields that the portal shows."""
    return {
        method["id"]: (
            method["type"],
            *(method[method["type"]].get(name) for name in ("brand", "last4", "exp_month", "exp_year")),
        )
        for method in store.payment_methods.values()
        if method["customer"] == stripe_customer_id
    }


def _session(row: CheckoutSession) -> tuple[object, ...]:
    return (row.status, row.setup_status, row.error_code, row.decline_code)


def _session_at_stripe(store: Store, session_id: str) -> tuple[object, ...]:
    intent = _intent(store, session_id)
    error = intent["last_setup_error"] or {}
    status = store.checkout_sessions[session_id]["status"]
    return (status, intent["status"], error.get("code"), error.get("decline_code"))


def _intent(store: Store, session_id: str) -> JSON:
    return store.setup_intents[store.checkout_sessions[session_id]["setup_intent"]]


def true_status(store: Store, customer: JSON, session_id: str | None, now: datetime) -> PaymentStatus:
    """The status that somebody who reads Stripe's store would give."""
    if customer.get("deleted"):
        return PaymentStatus.CUSTOMER_GONE
    default = _default(customer)
    if default is not None:
        return _status_of_method(store, store.payment_methods[default], now)
    if session_id is None:
        return PaymentStatus.NONE
    return _status_of_session(store.checkout_sessions[session_id], _intent(store, session_id))


def _status_of_session(session: JSON, intent: JSON) -> PaymentStatus:
    if intent["status"] == "succeeded":
        return PaymentStatus.REMOVED
    if session["status"] == "complete":
        return PaymentStatus.FAILED if intent["last_setup_error"] else PaymentStatus.PROCESSING
    if session["status"] == "expired":
        return PaymentStatus.ABANDONED
    if intent["last_setup_error"]:
        return PaymentStatus.FAILED
    is_challenged = intent["status"] == "requires_action"
    return PaymentStatus.NEEDS_ACTION if is_challenged else PaymentStatus.IN_PROGRESS


def _status_of_method(store: Store, method: JSON, now: datetime) -> PaymentStatus:
    mandate = next((m for m in store.mandates.values() if m["payment_method"] == method["id"]), None)
    if mandate is not None and mandate["status"] != "active":
        return PaymentStatus.PROCESSING if mandate["status"] == "pending" else PaymentStatus.FAILED
    card = method.get("card")
    if card is None:
        return PaymentStatus.SAVED
    years, months = divmod(card["exp_month"], 12)
    end = datetime(card["exp_year"] + years, months + 1, 1, tzinfo=UTC)
    if now >= end:
        return PaymentStatus.EXPIRED
    return PaymentStatus.EXPIRING if now >= end - timedelta(days=30) else PaymentStatus.SAVED
