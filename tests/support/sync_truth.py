"""What is true of a person by Stripe's books alone, to be compared with what the portal says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.payers import PaymentStatus
from tests.support.sync_people import Person


def true_status(person: Person, now: datetime) -> PaymentStatus:
    """The status that a person reading Stripe's books would give; DESIGN section 5."""
    books = person.simulator.books
    if books.customers[person.stripe_id].get("deleted"):
        return PaymentStatus.CUSTOMER_GONE
    if person.stripe_default is not None:
        return _of_card(books.payment_methods[person.stripe_default].get("card"), now)
    page = books.checkout_sessions[person.page_id]
    intent = books.setup_intents[page["setup_intent"]]
    if intent["status"] == "succeeded":
        return PaymentStatus.REMOVED
    return _of_unfinished(page, intent)


def attached_methods(person: Person) -> dict[str, tuple[str | None, int | None]]:
    """The methods of a person's Stripe customer, with last four digits and year of expiry."""
    return {
        method["id"]: (method[method["type"]]["last4"], method[method["type"]].get("exp_year"))
        for method in person.simulator.books.payment_methods.snapshot()
        if method["customer"] == person.stripe_id
    }


def assert_equal_to_stripe(person: Person) -> None:
    """The status, the default and the methods stand in our database as they stand in Stripe's books."""
    assert person.status == true_status(person, datetime.now(UTC))
    assert person.payer.default_method_id == person.stripe_default
    known = {method.id: (method.last4, method.exp_year) for method in person.methods}
    assert known == attached_methods(person)


def _of_unfinished(page: dict[str, Any], intent: dict[str, Any]) -> PaymentStatus:
    if page["status"] == "expired":
        return PaymentStatus.ABANDONED
    if intent["last_setup_error"] is not None:
        return PaymentStatus.FAILED
    if page["status"] == "complete":
        return PaymentStatus.PROCESSING
    is_challenged = intent["status"] == "requires_action"
    return PaymentStatus.NEEDS_ACTION if is_challenged else PaymentStatus.IN_PROGRESS


def _of_card(card: dict[str, Any] | None, now: datetime) -> PaymentStatus:
    if card is None:
        return PaymentStatus.SAVED
    years, months = divmod(card["exp_month"], 12)
    end = datetime(card["exp_year"] + years, months + 1, 1, tzinfo=UTC)
    if now >= end:
        return PaymentStatus.EXPIRED
    return PaymentStatus.EXPIRING if now >= end - timedelta(days=30) else PaymentStatus.SAVED
