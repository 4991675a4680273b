"""Sessions expire, and old events, answers and notes go."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.simulator import Open


def test_sessions_expire(
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
    expiry = next(e for e in inbox.events if e["type"] == "checkout.session.expired")
    assert expiry["request"] == {"id": None, "idempotency_key": None}


def test_deletes_old_events_and_answers(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
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


def test_expires_only_open_sessions(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    session, done = open_session(), open_session()
    simulator.save_card(done.id)

    assert sdk.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions with a status in"):
        sdk.v1.checkout.sessions.expire(done.id)
    simulator.expire_session(done.id)

    assert simulator.store.checkout_sessions[done.id]["status"] == "complete"


def test_deletes_the_notes_of_old_events(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    simulator.fault_settings.change({"event_lag": 1})
    sdk.v1.customers.create({"name": "Ada"})
    simulator.deliver_due()
    (old,) = simulator.store.events

    simulator.advance(31 * 24 * 3600)
    sdk.v1.customers.create({"name": "Eve"})

    assert not [key for key in simulator.store.notes if key.startswith(old)]
    assert any(key.startswith("evt_") for key in simulator.store.notes)
