"""SetupIntents without the hosted page, as servers and the CLI use them."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.simulator import Open, Raw


def test_confirms_with_a_card(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    customer = sdk.v1.customers.create({})

    waiting = sdk.v1.setup_intents.create(
        {"customer": customer.id, "description": "ours", "usage": "on_session"}
    )
    ready: Any = sdk.v1.setup_intents.update(
        waiting.id,
        {
            "payment_method": "pm_card_visa",
            "metadata": {"a": "b"},
            "description": "",
            "excluded_payment_method_types": ["sepa_debit"],
        },
    )
    done: Any = sdk.v1.setup_intents.confirm(
        waiting.id, {"expand": ["payment_method", "latest_attempt", "customer"]}
    )
    simulator.deliver_due()

    assert (waiting.status, ready.status) == ("requires_payment_method", "requires_confirmation")
    assert ready.metadata.to_dict() == {"a": "b"}
    assert (done.status, done.usage) == ("succeeded", "on_session")
    assert done.payment_method.customer == customer.id
    assert done.latest_attempt.status == "succeeded"
    assert inbox.types()[-2:] == ["payment_method.attached", "setup_intent.succeeded"]
    assert inbox.events[-1]["request"]["id"].startswith("req_")
    (attempt,) = sdk.v1.setup_attempts.list({"setup_intent": done.id}).data
    assert attempt.id == done.latest_attempt.id
    only_metadata: Any = sdk.v1.setup_intents.update(done.id, {"metadata": {"a": ""}})
    assert only_metadata.metadata.to_dict() == {}


def test_confirms_with_a_card_in_the_same_call(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.setup_intents.create({})

    assert sdk.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"


def test_a_decline_changes_the_setup_intent(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        sdk.v1.setup_intents.create(
            {"payment_method": "pm_card_chargeDeclinedInsufficientFunds", "confirm": True}
        )
    simulator.deliver_due()

    assert refused.value.error is not None
    assert refused.value.error.decline_code == "insufficient_funds"
    intent: Any = refused.value.error.setup_intent
    assert sdk.v1.setup_intents.retrieve(intent.id).status == "requires_payment_method"
    assert inbox.types() == ["setup_intent.created", "setup_intent.setup_failed"]


def test_three_d_secure_requires_action(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.setup_intents.create(
        {"payment_method": "pm_card_authenticationRequired", "confirm": True}
    )

    assert intent.status == "requires_action"
    assert sdk.v1.setup_intents.cancel(intent.id).status == "canceled"


def test_accepts_payment_method_data_and_filters(sdk: stripe.StripeClient) -> None:
    data: Any = {
        "type": "us_bank_account",
        "us_bank_account": {"account_number": "000123456789", "routing_number": "110000000"},
    }
    intent = sdk.v1.setup_intents.create(
        {
            "payment_method_data": data,
            "confirm": True,
            "return_url": "https://x.example/",
            "allowed_payment_method_types": ["us_bank_account", "klarna"],
        }
    )

    assert intent.payment_method_types == ["us_bank_account"]
    assert intent.allowed_payment_method_types == ["us_bank_account", "klarna"]
    assert intent.status == "requires_action"
    by_customer = sdk.v1.setup_intents.list({"payment_method": str(intent.payment_method)})
    assert [found.id for found in by_customer.data] == [intent.id]


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"descriptor_code": "SM11AA"}, "succeeded", None),
        ({"amounts": [32, 45]}, "succeeded", None),
        ({"descriptor_code": "SMXXXX"}, "requires_action", "descriptor_code_mismatch"),
        ({"amounts": [1, 2]}, "requires_action", "amounts_mismatch"),
        ({"amounts": [10, 11]}, "requires_payment_method", "attempts_exceeded"),
        ({"descriptor_code": "SM33CC"}, "requires_payment_method", "attempts_exceeded"),
        ({}, "requires_action", None),
    ],
)
def test_verifies_micro_deposits(
    *,
    given: Any,
    status: str,
    error: str | None,
    simulator: Simulator,
    sdk: stripe.StripeClient,
    open_session: Open,
) -> None:
    session = open_session()
    simulator.pay_by_bank(session.id, verify="later")

    if status == "succeeded":
        sdk.v1.setup_intents.verify_microdeposits(session.setup_intent, given)
        with pytest.raises(stripe.InvalidRequestError, match="does not wait"):
            sdk.v1.setup_intents.verify_microdeposits(session.setup_intent, given)
    else:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            sdk.v1.setup_intents.verify_microdeposits(session.setup_intent, given)
        assert str(refused.value.code).endswith(str(error))

    assert sdk.v1.setup_intents.retrieve(session.setup_intent).status == status


def test_refuses_to_confirm_the_intent_of_a_session(sdk: stripe.StripeClient, open_session: Open) -> None:
    session = open_session()

    for verb in ("confirm", "cancel"):
        with pytest.raises(stripe.InvalidRequestError, match=f"cannot {verb} this SetupIntent") as refused:
            getattr(sdk.v1.setup_intents, verb)(session.setup_intent)
        assert refused.value.code == "setup_intent_unexpected_state"


def test_refuses_late_and_wrong_calls(sdk: stripe.StripeClient, raw: Raw) -> None:
    done = sdk.v1.setup_intents.create({"payment_method": "pm_card_visa", "confirm": True})
    empty = sdk.v1.setup_intents.create({})
    other = sdk.v1.customers.create({})

    refusals: list[tuple[Callable[[], Any], str]] = [
        (lambda: sdk.v1.setup_intents.confirm(done.id), "status of succeeded"),
        (lambda: sdk.v1.setup_intents.cancel(done.id), "may be canceled"),
        (lambda: sdk.v1.setup_intents.update(done.id, {"customer": other.id}), "only its metadata"),
        (lambda: sdk.v1.setup_intents.confirm(empty.id), "Missing required param: payment_method"),
        (lambda: sdk.v1.setup_intents.create({"return_url": "https://x.example/"}), "return_url"),
        (
            lambda: sdk.v1.setup_intents.create(
                {"allowed_payment_method_types": ["card"], "excluded_payment_method_types": ["klarna"]}
            ),
            "only specify one",
        ),
        (
            lambda: sdk.v1.setup_intents.create({"allowed_payment_method_types": ["klarna"]}),
            "No valid payment method types",
        ),
        (
            lambda: sdk.v1.setup_intents.create(
                {
                    "allowed_payment_method_types": ["sepa_debit"],
                    "payment_method": "pm_card_visa",
                    "confirm": True,
                }
            ),
            "not allowed here",
        ),
        (lambda: sdk.v1.setup_attempts.list({"setup_intent": "seti_nope"}), "No such setupintent"),
    ]
    for attempt, message in refusals:
        with pytest.raises(stripe.InvalidRequestError, match=message):
            attempt()
    owned = sdk.v1.setup_intents.update(empty.id, {"customer": other.id})

    assert owned.customer == other.id
    assert [found.id for found in sdk.v1.setup_intents.list({"customer": other.id}).data] == [empty.id]
