"""What people do in Stripe's Dashboard, with its objects, events and deliveries."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from app.simulator.protocol.deliveries.signatures import signature
from tests.support.simulator import Open

Change = Callable[[Simulator, dict[str, str]], object]

TWO_SECRETS = 3  # parts of the header: the timestamp and two signatures


@pytest.fixture
def endpoint(inbox: Any, simulator: Simulator) -> str:
    """The id of the inbox's endpoint."""
    (known,) = simulator.store.webhook_endpoints
    return known


@pytest.fixture
def saved(simulator: Simulator, open_session: Open, inbox: Any) -> dict[str, str]:
    """A customer with a card, after the delivery of its events."""
    session = open_session()
    simulator.save_card(session.id)
    simulator.deliver_due()
    inbox.events.clear()
    method = simulator.store.setup_intents[session.setup_intent]["payment_method"]
    return {"customer": session.customer, "method": method}


def deliver(simulator: Simulator, inbox: Any) -> list[str]:
    """Make the due deliveries and return the types of the events."""
    simulator.deliver_due()
    return list(inbox.types())


def test_creates_a_customer(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    created = simulator.create_customer("Ada")

    assert sdk.v1.customers.retrieve(created).name == "Ada"
    assert deliver(simulator, inbox) == ["customer.created"]


def test_attaches_a_card_as_the_default(
    simulator: Simulator, sdk: stripe.StripeClient, saved: dict[str, str], inbox: Any
) -> None:
    added = simulator.attach_card(saved["customer"], "5555 5555 5555 4444", month=1, year=2031, default=True)

    card: Any = sdk.v1.payment_methods.retrieve(added).card
    customer: Any = sdk.v1.customers.retrieve(saved["customer"])
    assert (card.brand, card.exp_month, card.exp_year) == ("mastercard", 1, 2031)
    assert customer.invoice_settings.default_payment_method == added
    assert deliver(simulator, inbox) == ["payment_method.attached", "customer.updated"]


def test_attaching_a_card_leaves_the_default_alone(simulator: Simulator, saved: dict[str, str]) -> None:
    simulator.attach_card(saved["customer"])

    customer = simulator.store.customers[saved["customer"]]
    assert customer["invoice_settings"]["default_payment_method"] is None


def test_sets_and_clears_the_default(simulator: Simulator, saved: dict[str, str], inbox: Any) -> None:
    simulator.choose_default(saved["customer"], saved["method"])
    simulator.choose_default(saved["customer"], saved["method"])
    simulator.choose_default(saved["customer"], None)

    assert deliver(simulator, inbox) == ["customer.updated"] * 2
    before = [event["data"]["previous_attributes"]["invoice_settings"] for event in inbox.events]
    assert before == [{"default_payment_method": None}, {"default_payment_method": saved["method"]}]


def test_the_card_network_updates_a_card(
    simulator: Simulator, sdk: stripe.StripeClient, saved: dict[str, str], inbox: Any
) -> None:
    simulator.renew_card(saved["method"], month=5, year=2041, last4="1881")
    simulator.renew_card(saved["method"], month=5, year=2041, last4="1881")

    card: Any = sdk.v1.payment_methods.retrieve(saved["method"]).card
    assert (card.exp_month, card.exp_year, card.last4) == (5, 2041, "1881")
    assert deliver(simulator, inbox) == ["payment_method.automatically_updated"]
    assert inbox.events[0]["data"]["previous_attributes"]["card"]["last4"] == "4242"


def test_makes_a_card_expire(simulator: Simulator, saved: dict[str, str], inbox: Any) -> None:
    simulator.age_card(saved["method"])
    card = simulator.store.payment_methods[saved["method"]]["card"]
    today = datetime.fromtimestamp(simulator.clock.now(), UTC)
    months_ago = (today.year - card["exp_year"]) * 12 + today.month - card["exp_month"]

    simulator.age_card(saved["method"], month=2, year=2032)

    assert months_ago == 1
    aged = simulator.store.payment_methods[saved["method"]]["card"]
    assert (aged["exp_month"], aged["exp_year"]) == (2, 2032)
    assert deliver(simulator, inbox) == ["payment_method.updated"] * 2


def test_settles_a_mandate(simulator: Simulator, open_session: Open, inbox: Any) -> None:
    simulator.pay_by_bank(open_session(currency="gbp").id, "bacs_debit")
    (mandate,) = simulator.store.mandates
    simulator.deliver_due()
    inbox.events.clear()

    for status in ("active", "inactive", "pending"):
        simulator.settle_mandate(mandate, status)

    assert deliver(simulator, inbox) == ["mandate.updated"] * 3
    assert [event["data"]["object"]["status"] for event in inbox.events] == ["active", "inactive", "pending"]


def test_a_disabled_endpoint_misses_events(
    simulator: Simulator, sdk: stripe.StripeClient, endpoint: str, inbox: Any
) -> None:
    sdk.v1.customers.create({"name": "queued already"})
    simulator.change_endpoint(endpoint, enabled=False)
    sdk.v1.customers.create({"name": "meanwhile"})
    simulator.deliver_due()
    status = sdk.v1.webhook_endpoints.retrieve(endpoint).status
    simulator.change_endpoint(endpoint, enabled=True)
    sdk.v1.customers.create({"name": "afterwards"})

    simulator.deliver_due()

    assert status == "disabled"
    assert [event["data"]["object"]["name"] for event in inbox.events] == ["afterwards"]
    missed = sdk.v1.events.list({"delivery_success": False}).data
    assert [event.data.object.name for event in missed] == ["queued already"]


def test_changes_an_endpoint(
    simulator: Simulator, sdk: stripe.StripeClient, endpoint: str, inbox: Any
) -> None:
    simulator.change_endpoint(endpoint, url="https://elsewhere.example.com/hook", events=["customer.deleted"])
    sdk.v1.customers.create({"name": "Ada"})

    changed = sdk.v1.webhook_endpoints.retrieve(endpoint)

    assert (changed.url, changed.enabled_events) == (
        "https://elsewhere.example.com/hook",
        ["customer.deleted"],
    )
    assert simulator.deliver_due() == 0


def test_deletes_an_endpoint(
    simulator: Simulator, sdk: stripe.StripeClient, endpoint: str, inbox: Any
) -> None:
    sdk.v1.customers.create({"name": "Ada"})

    simulator.delete_endpoint(endpoint)

    simulator.deliver_due()
    assert inbox.events == []
    assert sdk.v1.webhook_endpoints.list().data == []


def test_rolls_a_secret_at_once(
    simulator: Simulator, sdk: stripe.StripeClient, endpoint: str, inbox: Any
) -> None:
    new = simulator.roll_secret(endpoint)
    sdk.v1.customers.create({"name": "Ada"})
    simulator.deliver_due()

    assert not inbox.is_signed()
    inbox.secret = new
    assert inbox.is_signed()


def test_signs_with_both_secrets_during_a_roll(
    simulator: Simulator, sdk: stripe.StripeClient, endpoint: str, inbox: Any
) -> None:
    old, inbox.secret = inbox.secret, simulator.roll_secret(endpoint, overlap=3600)

    sdk.v1.customers.create({"name": "within the hour"})
    simulator.deliver_due()
    parts = inbox.headers[-1]["Stripe-Signature"].split(",")
    both = [inbox.is_signed(), signature(old, int(parts[0][2:]), _last_body(inbox)) in parts[2]]
    simulator.advance(3601)
    sdk.v1.customers.create({"name": "after it"})
    simulator.deliver_due()

    assert len(parts) == TWO_SECRETS
    assert both == [True, True]
    assert inbox.is_signed()
    assert len(inbox.headers[-1]["Stripe-Signature"].split(",")) == TWO_SECRETS - 1


def _last_body(inbox: Any) -> bytes:
    return json.dumps(inbox.events[-1], indent=2).encode()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda simulator, saved: simulator.attach_card(saved["customer"], "1234"),
            "1234 is not a test card",
        ),
        (
            lambda simulator, _: simulator.choose_default(_add_customer_without_card(simulator), _["method"]),
            "not attached to",
        ),
        (lambda simulator, _: simulator.renew_card(_add_bank_account(simulator)), "is not a card"),
        (lambda simulator, _: simulator.settle_mandate("mandate_x", "lost"), "active, inactive or pending"),
        (lambda simulator, _: simulator.roll_secret("we_x", overlap=90000), "24 hours at most"),
        (lambda simulator, _: simulator.attach_card(_add_deleted_customer(simulator)), "was deleted"),
    ],
)
def test_explains_impossible_changes(
    change: Change, problem: str, simulator: Simulator, saved: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=problem):
        change(simulator, saved)


def _add_customer_without_card(simulator: Simulator) -> str:
    """Add a customer without a card."""
    key = "cus_WithoutACard01"
    customer = dict(next(iter(simulator.store.customers.values())))
    simulator.store.customers[key] = customer | {"id": key}
    return key


def _add_deleted_customer(simulator: Simulator) -> str:
    key = _add_customer_without_card(simulator)
    simulator.delete_customer(key)
    simulator.delete_customer(key)
    return key


def _add_bank_account(simulator: Simulator) -> str:
    simulator.store.payment_methods["pm_bank"] = {"id": "pm_bank", "type": "us_bank_account"}
    return "pm_bank"
