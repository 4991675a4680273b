"""Checkout from the outside: what a payer does, and what Stripe's objects and events say of it."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Open

OUTCOMES = {
    "4242424242424242": ("visa", None),
    "5555555555554444": ("mastercard", None),
    "378282246310005": ("amex", None),
    "4000056655665556": ("visa", None),
    "4000000000000341": ("visa", None),
    "4000003800000446": ("visa", None),
    "4000000000000002": ("visa", ("card_declined", "generic_decline")),
    "4000000000009995": ("visa", ("card_declined", "insufficient_funds")),
    "4000000000009987": ("visa", ("card_declined", "lost_card")),
    "4000000000009979": ("visa", ("card_declined", "stolen_card")),
    "4000000000000069": ("visa", ("expired_card", None)),
    "4000000000000127": ("visa", ("incorrect_cvc", None)),
    "4000000000000119": ("visa", ("processing_error", None)),
}


@pytest.mark.parametrize("number", OUTCOMES)
def test_cards_do_what_stripe_documents(
    number: str, simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    brand, error = OUTCOMES[number]
    session = open_session()

    outcome = simulator.save_card(session.id, number)

    intent = sdk.v1.setup_intents.retrieve(session.setup_intent, {"expand": ["latest_attempt"]})
    if error is None:
        assert outcome == "succeeded"
        assert intent.status == "succeeded"
        card = simulator.store.payment_methods[str(intent.payment_method)]["card"]
        assert (card["brand"], card["last4"]) == (brand, number[-4:])
        assert simulator.store.checkout_sessions[session.id]["status"] == "complete"
    else:
        assert outcome == "declined"
        assert intent.last_setup_error is not None
        told = intent.last_setup_error.to_dict()
        assert (told["code"], told.get("decline_code")) == error
        assert told["type"] == "card_error"
        assert intent.status == "requires_payment_method"
        assert intent.payment_method is None
        assert intent.latest_attempt.status == "failed"  # type: ignore[union-attr]
        assert simulator.store.checkout_sessions[session.id]["status"] == "open"


@pytest.mark.parametrize(
    "number",
    ["4000002500003155", "4000002760003184", "4000000000003220", "4000008260003178"],
)
def test_three_d_secure_comes_first(number: str, simulator: Simulator, open_session: Open) -> None:
    session = open_session()

    assert simulator.save_card(session.id, number) == "requires_action"
    waiting = dict(simulator.store.setup_intents[session.setup_intent])
    assert simulator.authenticate(session.id, ok=False) == "declined"
    failed = dict(simulator.store.setup_intents[session.setup_intent])
    assert simulator.save_card(session.id, number) == "requires_action"
    assert simulator.authenticate(session.id) == "succeeded"

    assert (waiting["status"], waiting["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    assert failed["last_setup_error"]["code"] == "setup_intent_authentication_failure"
    assert failed["status"] == "requires_payment_method"
    assert simulator.store.setup_intents[session.setup_intent]["status"] == "succeeded"
    tried = [attempt["status"] for attempt in simulator.store.setup_attempts.values()]
    assert tried == ["failed", "succeeded"]


def test_a_card_can_be_declined_after_three_d_secure(simulator: Simulator, open_session: Open) -> None:
    session = open_session()

    assert simulator.save_card(session.id, "4000008400001629") == "requires_action"
    assert simulator.authenticate(session.id) == "declined"

    intent = simulator.store.setup_intents[session.setup_intent]
    assert intent["last_setup_error"]["decline_code"] == "generic_decline"
    assert simulator.save_card(session.id) == "succeeded"


def test_a_new_card_may_replace_one_that_waits_for_its_bank(simulator: Simulator, open_session: Open) -> None:
    session = open_session()
    simulator.save_card(session.id, "4000000000003220")

    assert simulator.save_card(session.id) == "succeeded"

    statuses = [attempt["status"] for attempt in simulator.store.setup_attempts.values()]
    assert statuses == ["requires_action", "succeeded"]
    assert simulator.authenticate(session.id) == "closed"


@for_each(
    ("typed", "field"),
    [
        ({"number": "4242424242424241"}, "number"),
        ({"number": "4242"}, "number"),
        ({"number": "4111111111111111"}, "not a test card"),
        ({"expiry": "12/20"}, "past"),
        ({"expiry": "13/30"}, "month"),
        ({"expiry": "soon"}, "nothing"),
        ({"expiry": "12/2099"}, "far"),
        ({"cvc": "1234"}, "cvc"),
        ({"number": "378282246310005", "cvc": "123"}, "amex"),
    ],
)
def test_the_form_refuses_without_an_attempt(
    typed: dict[str, Any], field: str, simulator: Simulator, open_session: Open
) -> None:
    session = open_session()

    assert simulator.save_card(session.id, **typed) == "invalid"

    assert not simulator.store.setup_attempts
    assert not simulator.store.payment_methods


@pytest.mark.parametrize("expiry", ["1234", "12/34", "12 / 34", "12/2034", "12-34"])
def test_takes_an_expiry_in_any_spelling(expiry: str, simulator: Simulator, open_session: Open) -> None:
    session = open_session()

    assert simulator.save_card(session.id, expiry=expiry) == "succeeded"

    (method,) = simulator.store.payment_methods.values()
    assert (method["card"]["exp_month"], method["card"]["exp_year"]) == (12, 2034)


def test_a_good_setup_tells_its_story_in_events(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open, inbox: Any
) -> None:
    session = open_session(metadata={"om": "1"}, setup_intent_data={"metadata": {"om": "2"}})
    simulator.save_card(session.id, "4000000000000002")
    simulator.save_card(session.id)
    intent = sdk.v1.setup_intents.retrieve(session.setup_intent)
    settings: Any = {"invoice_settings": {"default_payment_method": intent.payment_method}}
    sdk.v1.customers.update(session.customer, settings)

    simulator.deliver_due()

    assert inbox.types() == [
        "customer.created",
        "setup_intent.created",
        "setup_intent.setup_failed",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
        "customer.updated",
    ]
    by_type = {event["type"]: event for event in inbox.events}
    assert by_type["setup_intent.succeeded"]["data"]["object"]["metadata"] == {"om": "2"}
    assert by_type["checkout.session.completed"]["data"]["object"]["metadata"] == {"om": "1"}
    assert by_type["setup_intent.succeeded"]["request"] == {"id": None, "idempotency_key": None}
    assert by_type["customer.updated"]["request"]["id"].startswith("req_")
    assert by_type["customer.updated"]["data"]["previous_attributes"] == {
        "invoice_settings": {"default_payment_method": None}
    }


def test_reads_whole_with_the_expansions_the_product_uses(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()
    simulator.save_card(session.id)
    method = str(sdk.v1.setup_intents.retrieve(session.setup_intent).payment_method)
    default: Any = {"invoice_settings": {"default_payment_method": method}}
    sdk.v1.customers.update(session.customer, default)

    paths = ["setup_intent.payment_method", "customer.invoice_settings.default_payment_method"]
    whole: Any = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": paths})

    assert whole.status == "complete"
    assert whole.url is None
    assert whole.setup_intent.payment_method.customer == session.customer
    assert whole.customer.invoice_settings.default_payment_method.card.last4 == "4242"
    assert whole.customer_details.to_dict()["tax_ids"] == []


@pytest.mark.parametrize(
    ("currency", "kind", "shown"),
    [
        ("usd", "us_bank_account", {"bank_name": "STRIPE TEST BANK", "last4": "6789"}),
        ("eur", "sepa_debit", {"bank_code": "37040044", "country": "DE", "last4": "3000"}),
        ("gbp", "bacs_debit", {"sort_code": "108800", "last4": "2345"}),
    ],
)
def test_bank_debits_come_with_a_mandate(
    *,
    currency: str,
    kind: str,
    shown: dict[str, str],
    simulator: Simulator,
    sdk: stripe.StripeClient,
    open_session: Open,
) -> None:
    session = open_session(currency=currency)

    assert session.payment_method_types == ["card", kind]
    assert simulator.pay_by_bank(session.id, kind) == "succeeded"

    paths = ["payment_method", "mandate.payment_method", "latest_attempt"]
    intent: Any = sdk.v1.setup_intents.retrieve(session.setup_intent, {"expand": paths})
    assert shown.items() <= intent.payment_method[kind].to_dict().items()
    assert intent.mandate.status == ("pending" if kind == "bacs_debit" else "active")
    assert sdk.v1.mandates.retrieve(intent.mandate.id).payment_method == intent.payment_method.id


def test_mandates_are_settled_later(simulator: Simulator, open_session: Open, inbox: Any) -> None:
    session = open_session(currency="gbp")
    simulator.pay_by_bank(session.id, "bacs_debit")
    (mandate,) = simulator.store.mandates

    simulator.settle_mandate(mandate, "active")
    simulator.settle_mandate(mandate, "active")
    simulator.settle_mandate(mandate, "inactive")
    simulator.deliver_due()

    told = [event for event in inbox.events if event["type"] == "mandate.updated"]
    assert [event["data"]["object"]["status"] for event in told] == ["active", "inactive"]
    assert [event["data"]["previous_attributes"]["status"] for event in told] == ["pending", "active"]


def test_a_sepa_mandate_may_be_taken_back(simulator: Simulator, open_session: Open) -> None:
    session = open_session(currency="eur")
    simulator.pay_by_bank(session.id, "sepa_debit")
    (mandate,) = simulator.store.mandates

    simulator.settle_mandate(mandate, "inactive")

    assert simulator.store.mandates[mandate]["status"] == "inactive"


@pytest.mark.parametrize("ok", [True, False])
def test_micro_deposits_complete_the_session_long_before_the_intent(
    *, ok: bool, simulator: Simulator, open_session: Open, inbox: Any
) -> None:
    session = open_session()

    assert simulator.pay_by_bank(session.id, verify="later") == "requires_action"
    waiting = simulator.store.setup_intents[session.setup_intent]
    assert simulator.store.checkout_sessions[session.id]["status"] == "complete"
    assert simulator.verify_microdeposits(session.id, ok=ok) == ("succeeded" if ok else "declined")
    assert simulator.verify_microdeposits(session.id, ok=ok) == "closed"
    simulator.deliver_due()

    assert waiting["next_action"]["type"] == "verify_with_microdeposits"
    intent = simulator.store.setup_intents[session.setup_intent]
    assert intent["status"] == ("succeeded" if ok else "requires_payment_method")
    assert inbox.types()[-1] == ("setup_intent.succeeded" if ok else "setup_intent.setup_failed")


def test_asks_for_an_email_it_does_not_know(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    customer = sdk.v1.customers.create({})
    session = open_session(customer=customer.id, customer_update={"name": "auto", "address": "auto"})

    assert session.customer_details is None
    assert simulator.save_card(session.id) == "succeeded"

    after = sdk.v1.customers.retrieve(customer.id)
    assert (after.email, after.name) == ("jenny@example.com", "Jenny Rosen")
    assert after.address is not None
    assert after.address.country == "US"


def test_makes_the_customer_at_the_end_when_that_is_wanted(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    wanted = open_session(customer_creation="always", customer_email="new@example.com")
    unwanted = open_session(customer_email="nobody@example.com")

    simulator.save_card(wanted.id)
    simulator.save_card(unwanted.id)

    session = sdk.v1.checkout.sessions.retrieve(wanted.id, {"expand": ["customer"]})
    customer: Any = session.customer
    assert customer.email == "new@example.com"
    (method,) = sdk.v1.payment_methods.list({"customer": customer.id}).data
    assert method.customer == customer.id
    other = sdk.v1.checkout.sessions.retrieve(unwanted.id, {"expand": ["setup_intent.payment_method"]})
    assert other.customer is None
    assert other.setup_intent.payment_method.customer is None  # type: ignore[union-attr]


def test_sessions_expire_by_the_clock(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open, inbox: Any
) -> None:
    session = open_session()
    challenged = open_session()
    simulator.save_card(challenged.id, "4000000000003220")

    simulator.advance(24 * 3600 - 60)
    assert sdk.v1.checkout.sessions.retrieve(session.id).status == "open"
    simulator.advance(61)
    simulator.deliver_due()

    expired = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (expired.status, expired.url) == ("expired", None)
    assert expired.setup_intent.cancellation_reason == "abandoned"  # type: ignore[union-attr]
    assert simulator.save_card(session.id) == "closed"
    assert simulator.authenticate(challenged.id) == "closed"
    assert inbox.types().count("checkout.session.expired") == 2
    assert inbox.types().count("setup_intent.canceled") == 2
    told = next(e for e in inbox.events if e["type"] == "checkout.session.expired")
    assert told["request"] == {"id": None, "idempotency_key": None}


def test_what_is_old_is_forgotten(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k"})
    simulator.deliver_due()
    sdk.v1.customers.update(customer.id, {"name": "Eve"})

    simulator.advance(31 * 24 * 3600)
    simulator.deliver_due()

    assert not simulator.store.events
    assert not simulator.store.idempotency
    assert [one["error"] for one in simulator.store.tries.values()] == ["The endpoint is gone."]
    assert inbox.types() == ["customer.created"]
    assert len(simulator.store.customers) == 1


def test_expiring_by_hand_is_for_open_sessions(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    session, done = open_session(), open_session()
    simulator.save_card(done.id)

    assert sdk.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions with a status in"):
        sdk.v1.checkout.sessions.expire(done.id)
    simulator.expire_session(done.id)

    assert simulator.store.checkout_sessions[done.id]["status"] == "complete"


def test_a_deleted_customer_closes_the_page(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()

    simulator.delete_customer(session.customer)
    simulator.delete_customer(session.customer)

    assert simulator.save_card(session.id) == "closed"
    assert simulator.save_card("cs_test_none") == "closed"
    assert sdk.v1.customers.retrieve(session.customer).to_dict() == {
        "id": session.customer,
        "object": "customer",
        "deleted": True,
    }
    again: Any = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert again.customer.deleted is True


def test_what_happens_at_the_dashboard_is_told(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open, inbox: Any
) -> None:
    session = open_session()
    simulator.save_card(session.id)
    method = str(sdk.v1.setup_intents.retrieve(session.setup_intent).payment_method)
    default: Any = {"invoice_settings": {"default_payment_method": method}}
    sdk.v1.customers.update(session.customer, default)
    simulator.deliver_due()
    inbox.events.clear()

    simulator.renew_card(method, month=3, year=2041)
    simulator.detach_payment_method(method)
    simulator.detach_payment_method(method)
    simulator.deliver_due()

    assert inbox.types() == [
        "payment_method.automatically_updated",
        "payment_method.detached",
        "customer.updated",
    ]
    renewed, detached, updated = (event["data"] for event in inbox.events)
    assert renewed["previous_attributes"] == {"card": {"exp_month": 12, "exp_year": 2034}}
    assert detached["object"]["customer"] is None
    assert detached["previous_attributes"] == {"customer": session.customer}
    settings = updated["previous_attributes"]["invoice_settings"]
    assert settings == {"default_payment_method": method}
