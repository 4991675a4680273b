"""What is only shown of a method, however long or odd, never keeps us from knowing that it is saved."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.apps import App
from app.audit import Entry
from app.checkout import CheckoutSession
from app.core.db import DisplayText
from app.payers import Payer, PaymentMethod
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

LONG = "x" * 5000
METHODS: dict[str, dict[str, Any]] = {
    "a long type": {"type": LONG},
    "an address for last4": {"type": "upi", "upi": {"last4": "person@upibank"}},
    "a country of three letters": {
        "type": "card",
        "card": {"brand": "visa", "last4": "4242", "country": "EUR"},
    },
    "a long bank": {"type": "acss_debit", "acss_debit": {"last4": "6789", "bank_name": LONG}},
    "long texts": {"type": "card", "card": {"brand": LONG, "wallet": {"type": LONG}, "email": LONG}},
    "what no database takes": {"type": "card", "card": {"brand": "v\x00i\ud800sa", "last4": "\x00"}},
    "huge numbers": {"type": "card", "card": {"exp_month": 12, "exp_year": 10**18}, "created": 10**18},
    "negative numbers": {"type": "card", "card": {"exp_month": -1, "exp_year": -1}, "created": -(10**18)},
    "the year after the last": {"type": "card", "card": {"exp_month": 12, "exp_year": 9999}},
    "numbers for texts": {
        "type": "card",
        "card": {"brand": 5, "last4": 4242, "exp_month": "x", "wallet": "y"},
    },
    "a text for the card": {"type": "card", "card": "visa"},
}
OURS = {  # columns that hold our own words, or ids, which Stripe limits to 255 characters
    ("app", name)
    for name in ("id", "name", "status", "stripe_account_id", "masked_api_key", "webhook_endpoint_id")
} | {
    *(
        ("checkout_session", name)
        for name in ("id", "payer_id", "profile", "stripe_session_id", "idempotency_key")
    ),
    *(("checkout_session", name) for name in ("setup_intent_id", "payment_method_id")),
    *(("event", name) for name in ("app_id", "id", "type", "origin", "state", "payer_id")),
    *(("payer", name) for name in ("id", "app_id", "customer_id", "stripe_customer_id", "default_method_id")),
    *(("payer", name) for name in ("chosen_method_id", "policy_method_id", "status", "due_reason", "lease")),
    *(("payment_method", name) for name in ("app_id", "id", "payer_id", "mandate_id")),
}


@pytest.mark.parametrize("case", METHODS)
def test_of_a_method_with(case: str, world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    store = world.simulator.store
    saved = store.payment_methods.snapshot()[0]
    with store.transaction():
        store.payment_methods[saved["id"]] = saved | METHODS[case]

    world.settle()
    person.return_to_portal()
    page = person.client.get("/return")

    assert person.status == "saved"
    assert (person.payer.attempts, person.payer.last_error) == (0, None)
    assert page.status_code == 200
    assert {row.state for row in rows(Event)} == {"done"}


def test_reports_no_change_as_long_as_stripe_says_the_same(
    world: World, person: Person, rows: Rows, clock: Any
) -> None:
    person.save_card()
    store = world.simulator.store
    saved = store.payment_methods.snapshot()[0]
    with store.transaction():
        store.payment_methods[saved["id"]] = saved | {"type": "acss_debit", "acss_debit": {"bank_name": LONG}}
    world.settle()

    clock.shift(3600)
    person.return_to_portal()

    assert [entry.kind for entry in rows(Entry) if entry.kind == "payment_method.updated"] == []


def test_of_an_event_with_numbers_beyond_all_calendars_ends_in_convergence(
    world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    person.save_card()
    world.lose_events()
    card = world.simulator.store.payment_methods[
        str(world.simulator.store.payment_methods.snapshot()[0]["id"])
    ]
    odd = card | {"created": 10**18, "card": card["card"] | {"exp_year": 10**18, "exp_month": 10**18}}

    answer = postbox.post(event("payment_method.updated", odd, created=10**18))
    world.work()

    assert answer.status_code == 200
    assert person.status == "saved"
    assert {row.state for row in rows(Event)} == {"done"}


def test_every_limited_text_that_stripe_fills_is_cut_to_its_column() -> None:
    tables = [model.__table__ for model in (App, CheckoutSession, Event, Payer, PaymentMethod)]

    limited = {
        (str(column.table), column.name): column
        for table in tables
        for column in table.columns
        if isinstance(column.type, sa.String | DisplayText) and getattr(column.type, "length", None)
    }

    assert {place for place, column in limited.items() if not isinstance(column.type, DisplayText)} == OURS
