"""What a payer does on the hosted page, and its outcome."""

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
def test_cards_behave_as_documented(
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
        error_object = intent.last_setup_error.to_dict()
        assert (error_object["code"], error_object.get("decline_code")) == error
        assert error_object["type"] == "card_error"
        assert intent.status == "requires_payment_method"
        assert intent.payment_method is None
        assert intent.latest_attempt.status == "failed"  # type: ignore[union-attr]
        assert simulator.store.checkout_sessions[session.id]["status"] == "open"


@pytest.mark.parametrize(
    "number",
    ["4000002500003155", "4000002760003184", "4000000000003220", "4000008260003178"],
)
def test_some_cards_require_three_d_secure(number: str, simulator: Simulator, open_session: Open) -> None:
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
    statuses = [attempt["status"] for attempt in simulator.store.setup_attempts.values()]
    assert statuses == ["failed", "succeeded"]


def test_declines_a_card_after_three_d_secure(simulator: Simulator, open_session: Open) -> None:
    session = open_session()

    assert simulator.save_card(session.id, "4000008400001629") == "requires_action"
    assert simulator.authenticate(session.id) == "declined"

    intent = simulator.store.setup_intents[session.setup_intent]
    assert intent["last_setup_error"]["decline_code"] == "generic_decline"
    assert simulator.save_card(session.id) == "succeeded"


def test_another_card_replaces_one_with_an_open_challenge(simulator: Simulator, open_session: Open) -> None:
    session = open_session()
    simulator.save_card(session.id, "4000000000003220")

    assert simulator.save_card(session.id) == "succeeded"

    statuses = [attempt["status"] for attempt in simulator.store.setup_attempts.values()]
    assert statuses == ["requires_action", "succeeded"]
    assert simulator.authenticate(session.id) == "closed"


@for_each(
    ("entered", "reason"),
    [
        ({"number": "4242424242424241"}, "number"),
        ({"number": "4242"}, "number"),
        ({"number": "4111111111111111"}, "not a test card"),
        ({"expiry": "12/20"}, "past"),
        ({"expiry": "13/30"}, "month"),
        ({"expiry": "soon"}, "no date"),
        ({"expiry": "12/2099"}, "far"),
        ({"cvc": "1234"}, "cvc"),
        ({"number": "378282246310005", "cvc": "123"}, "amex"),
    ],
)
def test_form_errors_make_no_attempt(
    entered: dict[str, Any], reason: str, simulator: Simulator, open_session: Open
) -> None:
    session = open_session()

    assert simulator.save_card(session.id, **entered) == "invalid"

    assert not simulator.store.setup_attempts
    assert not simulator.store.payment_methods


@pytest.mark.parametrize("expiry", ["1234", "12/34", "12 / 34", "12/2034", "12-34"])
def test_accepts_an_expiry_in_any_notation(expiry: str, simulator: Simulator, open_session: Open) -> None:
    session = open_session()

    assert simulator.save_card(session.id, expiry=expiry) == "succeeded"

    (method,) = simulator.store.payment_methods.values()
    assert (method["card"]["exp_month"], method["card"]["exp_year"]) == (12, 2034)


def test_asks_for_a_missing_email_address(
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


def test_creates_a_customer_at_the_end_on_request(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    creates = open_session(customer_creation="always", customer_email="new@example.com")
    creates_none = open_session(customer_email="nobody@example.com")

    simulator.save_card(creates.id)
    simulator.save_card(creates_none.id)

    session = sdk.v1.checkout.sessions.retrieve(creates.id, {"expand": ["customer"]})
    customer: Any = session.customer
    assert customer.email == "new@example.com"
    (method,) = sdk.v1.payment_methods.list({"customer": customer.id}).data
    assert method.customer == customer.id
    other = sdk.v1.checkout.sessions.retrieve(creates_none.id, {"expand": ["setup_intent.payment_method"]})
    assert other.customer is None
    assert other.setup_intent.payment_method.customer is None  # type: ignore[union-attr]


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
