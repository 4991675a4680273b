"""Everything that we hold, compared with everything that Stripe holds; what differs is said in words.

Stripe's side is the books of the simulator, in process or as its control page tells them: for each kind, the
objects by their ids.
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
from app.db import utcnow
from app.payers import Payer, PaymentMethod, PaymentStatus
from app.webhooks import Event

JSON = dict[str, Any]
Collection = Mapping[str, JSON]

FINISHED = {"done", "ignored"}


class Books(Protocol):
    """Stripe's truth."""

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
    """What came of a comparison. Only `agreeing` may be other than empty or zero."""

    agreeing: int
    wrong: list[str]  # payers of whom we hold something else than Stripe
    doubled: list[str]  # customers for whom several Stripe customers stand, those let go of aside
    orphans: list[str]  # Stripe customers that we made and have no row of
    unfinished: list[str]  # events that nobody will look at any more, or not yet

    def __bool__(self) -> bool:
        return not (self.wrong or self.doubled or self.orphans or self.unfinished)

    def __str__(self) -> str:
        parts = {name: value for name, value in vars(self).items() if value}
        return "; ".join(f"{name}: {value}" for name, value in parts.items())


def compare(session: Session, books: Books) -> Verdict:
    """Compare all live payers, all Stripe customers with our mark, and all events. Ends its reading."""
    installed = list(session.scalars(sa.select(apps.App.id)))
    rows = list(session.scalars(sa.select(Payer).order_by(Payer.id)))
    live = [payer for payer in rows if payer.deleted_at is None]
    wrong = [difference for payer in live for difference in differences(session, books, payer)]
    unfinished = [
        f"{event.id} {event.type} is {event.state}: {event.reason}"
        for event in session.scalars(sa.select(Event).where(Event.state.not_in(FINISHED)))
    ]
    session.commit()
    marked = [
        customer
        for customer in books.customers.values()
        if not customer.get("deleted") and customer["metadata"].get("om_app_id") in installed
    ]
    known = {payer.stripe_customer_id for payer in rows}
    let_go = known - {payer.stripe_customer_id for payer in live}
    owners = Counter(
        customer["metadata"]["om_customer_id"] for customer in marked if customer["id"] not in let_go
    )
    return Verdict(
        agreeing=len(live) - len({words.partition(":")[0] for words in wrong}),
        wrong=wrong,
        doubled=[owner for owner, number in owners.items() if number > 1],
        orphans=[customer["id"] for customer in marked if customer["id"] not in known],
        unfinished=unfinished,
    )


def differences(session: Session, books: Books, payer: Payer) -> Iterator[str]:
    """Where our record of a payer is not what Stripe's books say."""
    name = f"{payer.customer_id} ({payer.stripe_customer_id})"
    customer = books.customers.get(payer.stripe_customer_id)
    if customer is None:
        yield f"{name}: Stripe knows no such customer"
        return
    for what, ours, theirs in _pairs(session, books, payer, customer):
        if ours != theirs:
            yield f"{name}: {what} is {ours!r} here and {theirs!r} at Stripe"


def _pairs(
    session: Session, books: Books, payer: Payer, customer: JSON
) -> Iterator[tuple[str, object, object]]:
    is_gone = bool(customer.get("deleted"))
    yield "deleted", payer.gone_at is not None, is_gone
    yield "the default", payer.default_method_id, _default(customer)
    ours = {row.id: _shown(row) for row in payer.methods if row.detached_at is None}
    yield "the methods", ours, attached(books, payer.stripe_customer_id)
    pages = list(session.scalars(sa.select(CheckoutSession).where(CheckoutSession.payer_id == payer.id)))
    for page in pages:
        yield f"page {page.id}", _page(page), _page_at_stripe(books, page.id)
    latest = checkout.latest(session, payer.id)
    status = payers.payment_status(payer, latest, utcnow())
    yield "the status", status, true_status(books, customer, latest.id if latest else None, utcnow())
    yield "the stored status", payer.status, status.value
    yield "the dead worker's lease", _dead_lease(payer), None


def _dead_lease(payer: Payer) -> str | None:
    """One that has run out. One that has not is a worker's who is looking just now."""
    return payer.lease if payer.leased_until is not None and payer.leased_until < utcnow() else None


def _default(customer: JSON) -> str | None:
    default: str | None = customer.get("invoice_settings", {}).get("default_payment_method")
    return default


def _shown(row: PaymentMethod) -> tuple[object, ...]:
    return (row.type, row.brand, row.last4, row.exp_month, row.exp_year)


def attached(books: Books, stripe_customer_id: str) -> dict[str, tuple[object, ...]]:
    """The methods of a Stripe customer, as far as they are shown."""
    return {
        method["id"]: (
            method["type"],
            *(method[method["type"]].get(name) for name in ("brand", "last4", "exp_month", "exp_year")),
        )
        for method in books.payment_methods.values()
        if method["customer"] == stripe_customer_id
    }


def _page(page: CheckoutSession) -> tuple[object, ...]:
    return (page.status, page.setup_status, page.error_code, page.decline_code)


def _page_at_stripe(books: Books, page_id: str) -> tuple[object, ...]:
    intent = _intent(books, page_id)
    error = intent["last_setup_error"] or {}
    status = books.checkout_sessions[page_id]["status"]
    return (status, intent["status"], error.get("code"), error.get("decline_code"))


def _intent(books: Books, page_id: str) -> JSON:
    return books.setup_intents[books.checkout_sessions[page_id]["setup_intent"]]


def true_status(books: Books, customer: JSON, page_id: str | None, now: datetime) -> PaymentStatus:
    """The status that a person reading Stripe's books would give."""
    if customer.get("deleted"):
        return PaymentStatus.CUSTOMER_GONE
    default = _default(customer)
    if default is not None:
        return _of_method(books, books.payment_methods[default], now)
    if page_id is None:
        return PaymentStatus.NONE
    return _of_page(books.checkout_sessions[page_id], _intent(books, page_id))


def _of_page(page: JSON, intent: JSON) -> PaymentStatus:
    if intent["status"] == "succeeded":
        return PaymentStatus.REMOVED
    if page["status"] == "complete":
        return PaymentStatus.FAILED if intent["last_setup_error"] else PaymentStatus.PROCESSING
    if page["status"] == "expired":
        return PaymentStatus.ABANDONED
    if intent["last_setup_error"]:
        return PaymentStatus.FAILED
    is_challenged = intent["status"] == "requires_action"
    return PaymentStatus.NEEDS_ACTION if is_challenged else PaymentStatus.IN_PROGRESS


def _of_method(books: Books, method: JSON, now: datetime) -> PaymentStatus:
    mandate = next((m for m in books.mandates.values() if m["payment_method"] == method["id"]), None)
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
