"""Payment methods without the hosted page, as servers and the CLI use them."""

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


def test_creates_attaches_updates_and_detaches(
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


def test_a_method_belongs_to_one_customer(sdk: stripe.StripeClient, raw: Raw) -> None:
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
def test_creates_a_card_for_each_test_name(name: str, last4: str, sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({})

    one = sdk.v1.payment_methods.attach(name, {"customer": customer.id})
    two = sdk.v1.payment_methods.attach(name, {"customer": customer.id})

    assert one.id != two.id
    assert one.card is not None
    assert one.card.last4 == last4


def test_creates_a_card_from_a_token(sdk: stripe.StripeClient) -> None:
    method = sdk.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})

    assert method.card is not None
    assert method.card.brand == "mastercard"


def test_refuses_to_attach_a_declined_card(simulator: Simulator, sdk: stripe.StripeClient) -> None:
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
def test_refuses_wrong_payment_methods(params: Any, message: str, sdk: stripe.StripeClient) -> None:
    with pytest.raises((stripe.InvalidRequestError, stripe.CardError), match=message):
        sdk.v1.payment_methods.create(params)


def test_creates_and_updates_bank_accounts(sdk: stripe.StripeClient) -> None:
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


def test_stores_no_card_number(simulator: Simulator, open_session: Open, sdk: stripe.StripeClient) -> None:
    session = open_session()
    sdk.v1.payment_methods.create(CARD, {"idempotency_key": "k"})
    simulator.save_card(session.id, "4000000000000002", cvc="987")
    simulator.save_card(session.id, "5555555555554444", cvc="987")
    simulator.save_card(session.id, "4111111111111111")

    for name, collection in simulator.store.collections.items():
        text = str(dict(collection))
        for secret in (
            "4242424242424242",
            "4242 4242",
            "4000000000000002",
            "5555555555554444",
            "411111",
            "987'",
        ):
            assert secret not in text, name
