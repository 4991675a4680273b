"""The events and objects of a checkout, as Stripe shows them."""

from typing import Any

import stripe

from app.simulator import Simulator
from tests.support.simulator import Open


def test_a_setup_emits_its_events_in_order(
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


def test_expands_the_paths_that_the_portal_uses(
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


def test_dashboard_changes_emit_events(
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
