"""The Checkout Sessions that the simulator opens and refuses, as Stripe does."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Open, Raw

BASE = "mode=setup&currency=usd&success_url=https://x.example/"


def test_a_new_session_looks_like_stripes(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session(client_reference_id="ref", metadata={"a": "b"})

    intent = sdk.v1.setup_intents.retrieve(session.setup_intent)
    assert session.id.startswith("cs_test_a1")
    assert len(session.id) == 66
    assert session.url.startswith(f"{simulator.public_url}/c/pay/{session.id}#fid")
    assert session.status == "open"
    assert session.payment_status == "no_payment_required"
    assert session.expires_at - session.created == 24 * 3600
    assert session.customer_details.email == "ada@example.com"
    assert intent.created == session.created
    assert intent.metadata is not None
    assert intent.metadata.to_dict() == {}


@for_each(
    ("form", "param", "message"),
    [
        (BASE.replace("mode=setup&", ""), "mode", "Missing required param: mode."),
        (BASE.replace("setup", "subscription"), "mode", "only opens sessions in setup mode"),
        (BASE.replace("setup", "payment"), "line_items", "Missing required param: line_items."),
        (BASE + "&ui_mode=elements", "ui_mode", "hosted and embedded"),
        (BASE + "&ui_mode=embedded_page", "success_url", "You can not pass"),
        (BASE + "&ui_mode=hosted", "ui_mode", "must be one of"),
        ("mode=setup&currency=usd", "success_url", "Missing required param: success_url."),
        ("mode=setup&success_url=https://x.example/", "currency", "Missing required param: currency."),
        (BASE + "&success_url=done", "success_url", "Not a valid URL"),
        (BASE + "&cancel_url=http://[", "cancel_url", "Not a valid URL"),
        (BASE + "&customer=cus_nope", "customer", "No such customer: 'cus_nope'"),
        (BASE + "&customer=cus_a&customer_email=a@b.c", "customer", "customer, customer_email."),
        (BASE + "&customer=cus_a&customer_creation=always", "customer", "customer, customer_creation."),
        (BASE + "&customer_update[name]=auto", "customer_update", "only be used with `customer`"),
        (BASE + "&line_items[0][price]=price_1", "line_items", "in `setup` mode"),
        (BASE + "&submit_type=book", "submit_type", "in `setup` mode"),
        (BASE + "&payment_method_collection=always", "payment_method_collection", "in `setup` mode"),
        (BASE + "&return_url=https://x.example/", "return_url", "`hosted_page`"),
        (BASE + "&automatic_tax[enabled]=true", "automatic_tax[enabled]", "does not know"),
        (BASE + "&shipping_options[0][shipping_rate]=s", "shipping_options", "does not know"),
        (
            BASE + "&consent_collection[terms_of_service]=required",
            "consent_collection[terms_of_service]",
            "terms of service unless a URL is set",
        ),
        (BASE + "&expires_at=1", "expires_at", "at least 30 minutes"),
        (BASE + "&expires_at=99999999999", "expires_at", "less than 24 hours"),
        (BASE + f"&client_reference_id={'x' * 201}", "client_reference_id", "at most 200"),
        (
            BASE + "&allowed_payment_method_types[]=card&payment_method_configuration=pmc_1",
            "allowed_payment_method_types",
            "only specify one",
        ),
        (
            BASE + f"&setup_intent_data[metadata][{'k' * 41}]=v",
            "setup_intent_data[metadata]",
            "up to 40 characters",
        ),
    ],
)
def test_refuses(form: str, param: str, message: str, raw: Raw) -> None:
    answer = raw("POST", "/v1/checkout/sessions", form)

    error = answer.get_json()["error"]
    assert answer.status_code == 400
    assert error["param"] == param
    assert message in error["message"]


def test_filters_choose_the_payment_method_types(open_session: Open) -> None:
    assert open_session(currency="usd").payment_method_types == ["card", "us_bank_account"]
    assert open_session(currency="sek").payment_method_types == ["card"]
    only = open_session(currency="usd", allowed_payment_method_types=["card", "klarna"])
    assert only.payment_method_types == ["card"]
    less = open_session(currency="eur", excluded_payment_method_types=["card"])
    assert less.payment_method_types == ["sepa_debit"]
    assert less.excluded_payment_method_types == ["card"]


def test_accepts_options_without_effect(simulator: Simulator, open_session: Open) -> None:
    simulator.fault_settings.terms_url = True
    now = simulator.clock.now()

    session = open_session(
        expires_at=now + 3600,
        tax_id_collection={"enabled": False},
        automatic_tax={"enabled": False},
        consent_collection={"terms_of_service": "required"},
        custom_text={"submit": {"message": "Hello"}, "after_submit": ""},
        locale="de",
    )

    assert session.expires_at == now + 3600
    assert session.consent_collection.terms_of_service == "required"
    assert session.custom_text.submit.message == "Hello"
    assert session.custom_text.after_submit is None
    assert simulator.save_card(session.id) == "succeeded"
    done = simulator.store.checkout_sessions[session.id]
    assert done["consent"]["terms_of_service"] == "accepted"


def test_updates_and_lists_sessions(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    one, two = open_session(), open_session()
    simulator.save_card(one.id)

    changed = sdk.v1.checkout.sessions.update(two.id, {"metadata": {"a": "b"}})

    def found(**params: Any) -> list[str]:
        return [session.id for session in sdk.v1.checkout.sessions.list(params).data]  # type: ignore[arg-type]

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "b"}
    assert found() == [two.id, one.id]
    assert found(status="complete") == [one.id]
    assert found(customer=two.customer) == [two.id]
    assert found(customer_details={"email": "eve@example.com"}) == []
    assert sdk.v1.checkout.sessions.line_items.list(one.id).data == []
    with pytest.raises(stripe.InvalidRequestError, match="cannot be updated"):
        sdk.v1.checkout.sessions.update(two.id, {"shipping_options": ""})


def test_opens_embedded_pages(sdk: stripe.StripeClient) -> None:
    opened = sdk.v1.checkout.sessions.create(
        params={
            "mode": "setup",
            "currency": "usd",
            "ui_mode": "embedded_page",
            "return_url": "https://example.com/back",
        }
    )

    assert opened.url is None
    assert opened.client_secret is not None
    assert opened.return_url == "https://example.com/back"


def test_an_embedded_page_without_redirect_needs_no_return_url(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    opened = sdk.v1.checkout.sessions.create(
        params={
            "mode": "setup",
            "currency": "usd",
            "ui_mode": "embedded_page",
            "redirect_on_completion": "never",
        }
    )

    assert simulator.save_card(opened.id) == "succeeded"


def test_an_embedded_page_needs_a_return_url(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        sdk.v1.checkout.sessions.create(
            params={"mode": "setup", "currency": "usd", "ui_mode": "embedded_page"}
        )
