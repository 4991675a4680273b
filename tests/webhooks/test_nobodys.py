"""An event that concerns no customer here is finished where it is stored. The worker looks at all others."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from flask import Flask

from app import apps, customers, payers
from app.core import db
from app.sync import Worker
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

NOBODY = "It concerns none of our customers."

Thing = Callable[[Person], dict[str, Any]]


def customer(id: str | None, **marks: str | None) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "object": "customer", "metadata": {f"om_{name}": mark for name, mark in marks.items()}}


CONCERNS_NOBODY: dict[str, Thing] = {
    "a customer": lambda _: customer("cus_foreign"),
    "a card of a customer": lambda _: {"id": "pm_1", "object": "payment_method", "customer": "cus_foreign"},
    "a setup of a customer": lambda _: {
        "id": "seti_1",
        "object": "setup_intent",
        "customer": {"id": "cus_foreign", "object": "customer"},
    },
    "the metadata of another app": lambda person: customer(
        "cus_foreign", app_id="another", customer_id=person.payer.customer_id
    ),
    "our metadata, for a customer with another Stripe customer": lambda person: customer(
        "cus_orphan", app_id=person.payer.app_id, customer_id=person.payer.customer_id
    ),
}
MAY_CONCERN_A_CUSTOMER: dict[str, Thing] = {
    "our customer": lambda person: customer(person.stripe_customer_id),
    "our customer, with our metadata": lambda person: customer(
        person.stripe_customer_id, app_id=person.payer.app_id, customer_id=person.payer.customer_id
    ),
    "a card of our customer": lambda person: {
        "id": "pm_1",
        "object": "payment_method",
        "customer": person.stripe_customer_id,
    },
    "our metadata without a customer": lambda person: customer("cus_soon", app_id=person.payer.app_id),
    "a setup without a customer": lambda _: {"id": "seti_1", "object": "setup_intent", "customer": None},
    "a mandate": lambda _: {"id": "mandate_1", "object": "mandate", "payment_method": "pm_1"},
}


@pytest.fixture
def worker(app: Flask) -> Worker:
    """The worker of the web process. It does not run."""
    found = app.extensions["gangway.worker"]
    assert isinstance(found, Worker)
    return found


@pytest.fixture
def warm(frozen: time_machine.Traveller, person: Person, postbox: Postbox, worker: Worker) -> Postbox:
    """The webhook of a process that has read the secret. Its worker sleeps."""
    postbox.post(event(id="evt_first"))
    worker._wake.clear()
    return postbox


def stored(rows: Rows) -> Event:
    [found] = [row for row in rows(Event) if row.id == "evt_second"]
    assert isinstance(found, Event)
    return found


@pytest.mark.parametrize("thing", CONCERNS_NOBODY.values(), ids=CONCERNS_NOBODY)
def test_finishes_at_once_what_concerns_nobody(
    thing: Thing, person: Person, warm: Postbox, worker: Worker, rows: Rows
) -> None:
    answer = warm.post(event("customer.updated", thing(person), id="evt_second"))

    found = stored(rows)
    assert (found.state, found.reason, found.payer_id) == ("ignored", NOBODY, None)
    assert found.finished_at == found.received_at
    assert answer.get_json()["message"] == f"Stored, and ignored. {NOBODY}"
    assert not worker._wake.is_set()


@pytest.mark.parametrize("thing", MAY_CONCERN_A_CUSTOMER.values(), ids=MAY_CONCERN_A_CUSTOMER)
def test_leaves_what_may_concern_a_customer_to_the_worker(
    thing: Thing, person: Person, warm: Postbox, worker: Worker, rows: Rows
) -> None:
    answer = warm.post(event("customer.updated", thing(person), id="evt_second"))

    found = stored(rows)
    assert (found.state, found.reason, found.finished_at) == ("new", None, None)
    assert answer.get_json()["message"] == "Stored."
    assert worker._wake.is_set()


def test_waits_for_the_customer_that_is_being_created(
    calls: StripeCalls, world: World, warm: Postbox, rows: Rows
) -> None:
    """Stripe may be quicker than our own commit of the Stripe customer's id."""

    def somebody_changes_the_customer_at_once() -> None:
        created = world.simulator.store.customers.snapshot()[-1]
        warm.post(event("customer.updated", created, id="evt_second"))

    calls.after("POST /v1/customers", somebody_changes_the_customer_at_once)
    world.person()

    assert stored(rows).state == "new"


def test_is_about_nobody_once_the_customer_is_deleted(
    app: Flask, person: Person, warm: Postbox, rows: Rows
) -> None:
    thing = MAY_CONCERN_A_CUSTOMER["our customer, with our metadata"](person)
    with app.app_context():
        session = db.session()
        gone = customers.get(session, person.payer.customer_id)
        payers.delete_customer(session, gone, actor="test")
        session.commit()

    warm.post(event("customer.updated", thing, id="evt_second"))

    assert stored(rows).state == "ignored"


def test_a_customer_of_another_app_is_nobody_here(
    app: Flask, person: Person, warm: Postbox, second_app: str, rows: Rows
) -> None:
    path = f"/api/v1/apps/{second_app}/stripe/webhook"
    with app.app_context():
        secret = apps.signing_secrets(db.session(), apps.by_id(db.session(), second_app))[0]
    warm.post(event(id="evt_third"), path=path, secret=secret)
    ours = MAY_CONCERN_A_CUSTOMER["our customer"](person)

    warm.post(event("customer.updated", ours, id="evt_second"), path=path, secret=secret)

    assert stored(rows).state == "ignored"
