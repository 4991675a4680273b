"""Bank debits: their mandates and their micro-deposits."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.simulator import Open


@pytest.mark.parametrize(
    ("currency", "kind", "shown"),
    [
        ("usd", "us_bank_account", {"bank_name": "STRIPE TEST BANK", "last4": "6789"}),
        ("eur", "sepa_debit", {"bank_code": "37040044", "country": "DE", "last4": "3000"}),
        ("gbp", "bacs_debit", {"sort_code": "108800", "last4": "2345"}),
    ],
)
def test_bank_debits_have_a_mandate(
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


def test_the_bank_settles_a_mandate_later(simulator: Simulator, open_session: Open, inbox: Any) -> None:
    session = open_session(currency="gbp")
    simulator.pay_by_bank(session.id, "bacs_debit")
    (mandate,) = simulator.store.mandates

    simulator.settle_mandate(mandate, "active")
    simulator.settle_mandate(mandate, "active")
    simulator.settle_mandate(mandate, "inactive")
    simulator.deliver_due()

    updates = [event for event in inbox.events if event["type"] == "mandate.updated"]
    assert [event["data"]["object"]["status"] for event in updates] == ["active", "inactive"]
    assert [event["data"]["previous_attributes"]["status"] for event in updates] == ["pending", "active"]


def test_revokes_a_sepa_mandate(simulator: Simulator, open_session: Open) -> None:
    session = open_session(currency="eur")
    simulator.pay_by_bank(session.id, "sepa_debit")
    (mandate,) = simulator.store.mandates

    simulator.settle_mandate(mandate, "inactive")

    assert simulator.store.mandates[mandate]["status"] == "inactive"


@pytest.mark.parametrize("ok", [True, False])
def test_a_session_completes_before_its_micro_deposits(
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
