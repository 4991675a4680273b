"""Payment methods and SetupIntents without the hosted page, as servers and the CLI use them."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Open, Raw

CARD: Any = {
    "type": "card",
    "card": {"number": "4242 4242 4242 4242", "exp_month": 3, "exp_year": 2035, "cvc": "123"},
    "billing_details": {"name": "Ada", "address": {"country": "US"}},
    "metadata": {"a": "b"},
}


def test_is_made_attached_changed_and_detached(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    customer = sdk.v1.customers.create({})
    method = sdk.v1.payment_methods.create(CARD)
    with pytest.raises(stripe.InvalidRequestError, match="must save this PaymentMethod"):
        sdk.v1.payment_methods.update(method.id, {"metadata": {"a": ""}})
    attached = sdk.v1.payment_methods.attach(method.id, {"customer": customer.id})
    sdk.v1.payment_methods.attach(method.id, {"customer": customer.id})
    default: Any = {"invoice_settings": {"default_payment_method": method.id}}
    sdk.v1.customers.update(customer.id, default)

    changes: Any = {
        "metadata": {"a": ""},
        "allow_redisplay": "always",
        "billing_details": {"name": "Ada L", "email": ""},
        "card": {"exp_year": 2036, "networks": {"preferred": "visa"}},
    }
    changed: Any = sdk.v1.payment_methods.update(method.id, changes)
    sdk.v1.payment_methods.update(method.id, {"allow_redisplay": "always"})
    detached = sdk.v1.payment_methods.detach(method.id)
    simulator.deliver_due()

    assert (method.customer, attached.customer, detached.customer) == (None, customer.id, None)
    assert changed.card.exp_year == 2036
    assert changed.card.networks.preferred == "visa"
    assert changed.billing_details.name == "Ada L"
    assert changed.billing_details.address.country == "US"
    assert changed.metadata.to_dict() == {}
    assert simulator.store.customers[customer.id]["invoice_settings"]["default_payment_method"] is None
    assert inbox.types() == [
        "customer.created",
        "payment_method.attached",
        "customer.updated",
        "payment_method.updated",
        "payment_method.detached",
        "customer.updated",
    ]
    assert inbox.events[3]["data"]["previous_attributes"]["card"]["exp_year"] == 2035
    for attempt in (
        lambda: sdk.v1.payment_methods.attach(method.id, {"customer": customer.id}),
        lambda: sdk.v1.customers.create({"payment_method": method.id}),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
            attempt()
    with pytest.raises(stripe.InvalidRequestError, match="detachment is impossible"):
        sdk.v1.payment_methods.detach(method.id)


def test_belongs_to_one_customer(sdk: stripe.StripeClient, raw: Raw) -> None:
    one, other = sdk.v1.customers.create({}), sdk.v1.customers.create({})
    method = sdk.v1.payment_methods.create({"payment_method": "pm_card_visa"})
    sdk.v1.payment_methods.attach(method.id, {"customer": one.id})

    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        sdk.v1.payment_methods.attach(method.id, {"customer": other.id})
    with pytest.raises(stripe.InvalidRequestError, match="belongs to another customer"):
        sdk.v1.setup_intents.create({"customer": other.id, "payment_method": method.id})
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        sdk.v1.customers.payment_methods.retrieve(other.id, method.id)

    assert raw("POST", f"/v1/payment_methods/{method.id}/attach").status_code == 400
    assert sdk.v1.customers.payment_methods.retrieve(one.id, method.id).id == method.id
    assert [m.id for m in sdk.v1.payment_methods.list({"customer": one.id, "type": "card"}).data] == [
        method.id
    ]
    assert sdk.v1.customers.payment_methods.list(one.id, {"type": "sepa_debit"}).data == []
    assert [m.id for m in sdk.v1.payment_methods.list().data] == [method.id]


@pytest.mark.parametrize(
    ("name", "last4"),
    [("pm_card_visa", "4242"), ("pm_card_amex", "0005"), ("pm_card_authenticationRequired", "3184")],
)
def test_names_make_new_cards(name: str, last4: str, sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({})

    one = sdk.v1.payment_methods.attach(name, {"customer": customer.id})
    two = sdk.v1.payment_methods.attach(name, {"customer": customer.id})

    assert one.id != two.id
    assert one.card is not None
    assert one.card.last4 == last4


def test_tokens_make_cards_too(sdk: stripe.StripeClient) -> None:
    method = sdk.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})

    assert method.card is not None
    assert method.card.brand == "mastercard"


def test_a_declined_card_is_not_attached(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({})

    with pytest.raises(stripe.CardError) as refused:
        sdk.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})

    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert sdk.v1.customers.payment_methods.list(customer.id).data == []


@for_each(
    ("params", "message"),
    [
        ({}, "Missing required param: type"),
        ({"type": "card"}, "Missing required param: card"),
        ({"type": "card", "card": {"number": "4242424242424242"}}, "card\\[exp_month\\]"),
        ({"card": {"number": "4242424242424241", "exp_month": 1, "exp_year": 2040}}, "number is incorrect"),
        ({"card": {"number": "4111111111111111", "exp_month": 1, "exp_year": 2040}}, "non test card"),
        ({"card": {"token": "tok_nope"}}, "No such token"),
        ({"card": {"token": "nope"}}, "No such token"),
        ({"type": "klarna"}, "has no payment methods of type klarna"),
        ({"type": "sepa_debit"}, "Missing required param: sepa_debit"),
        ({"payment_method": "pm_nope"}, "No such PaymentMethod"),
    ],
)
def test_refuses_to_make(params: Any, message: str, sdk: stripe.StripeClient) -> None:
    with pytest.raises((stripe.InvalidRequestError, stripe.CardError), match=message):
        sdk.v1.payment_methods.create(params)


def test_bank_accounts_are_made_and_changed(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({})
    account: Any = {"account_number": "000123456789", "routing_number": "110000000"}
    made = sdk.v1.payment_methods.create(
        {"type": "us_bank_account", "us_bank_account": account | {"account_holder_type": "company"}}
    )
    sdk.v1.payment_methods.attach(made.id, {"customer": customer.id})

    changed = sdk.v1.payment_methods.update(made.id, {"us_bank_account": {"account_type": "savings"}})

    assert changed.us_bank_account is not None
    assert changed.us_bank_account.account_type == "savings"
    assert changed.us_bank_account.account_holder_type == "company"
    with pytest.raises(stripe.InvalidRequestError, match="not of type card"):
        sdk.v1.payment_methods.update(made.id, {"card": {"exp_month": 1}})


def test_no_card_number_is_kept(simulator: Simulator, open_session: Open, sdk: stripe.StripeClient) -> None:
    session = open_session()
    sdk.v1.payment_methods.create(CARD, {"idempotency_key": "k"})
    simulator.save_card(session.id, "4000000000000002", cvc="987")
    simulator.save_card(session.id, "5555555555554444", cvc="987")
    simulator.save_card(session.id, "4111111111111111")

    for name, collection in simulator.store.collections.items():
        text = str(dict(collection))
        for secret in ("4242424242424242", "4242 4242", "4000000000000002", "5555555555554444", "987'"):
            assert secret not in text, name
        assert "4111" not in text


# SetupIntents


def test_is_confirmed_with_a_card(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
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


def test_is_confirmed_with_a_card_named_then(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.setup_intents.create({})

    assert sdk.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"


def test_a_decline_is_answered_and_kept(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    with pytest.raises(stripe.CardError) as refused:
        sdk.v1.setup_intents.create(
            {"payment_method": "pm_card_chargeDeclinedInsufficientFunds", "confirm": True}
        )
    simulator.deliver_due()

    assert refused.value.error is not None
    assert refused.value.error.decline_code == "insufficient_funds"
    told: Any = refused.value.error.setup_intent
    assert sdk.v1.setup_intents.retrieve(told.id).status == "requires_payment_method"
    assert inbox.types() == ["setup_intent.created", "setup_intent.setup_failed"]


def test_three_d_secure_leaves_it_waiting(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.setup_intents.create(
        {"payment_method": "pm_card_authenticationRequired", "confirm": True}
    )

    assert intent.status == "requires_action"
    assert sdk.v1.setup_intents.cancel(intent.id).status == "canceled"


def test_takes_payment_method_data_and_filters(sdk: stripe.StripeClient) -> None:
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
def test_micro_deposits_are_verified(
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


def test_a_sessions_intent_is_left_to_the_page(sdk: stripe.StripeClient, open_session: Open) -> None:
    session = open_session()

    for verb in ("confirm", "cancel"):
        with pytest.raises(stripe.InvalidRequestError, match=f"cannot {verb} this SetupIntent") as refused:
            getattr(sdk.v1.setup_intents, verb)(session.setup_intent)
        assert refused.value.code == "setup_intent_unexpected_state"


def test_refuses_what_comes_too_late_or_is_wrong(sdk: stripe.StripeClient, raw: Raw) -> None:
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
