"""An event that is malformed or in another API version harms nothing and holds up no other event."""

import pytest
import sqlalchemy as sa

from app.core import db
from app.gateway import API_VERSION
from app.payers import PaymentStatus
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.truth import assert_agrees
from tests.support.world import World

MALFORMED: dict[str, dict[str, object]] = {
    "setup without status": {"id": "seti_1", "object": "setup_intent"},
    "setup with a word for an error": {
        "id": "seti_1",
        "object": "setup_intent",
        "status": "succeeded",
        "last_setup_error": "declined",
    },
    "setup with a list for a method": {
        "id": "seti_1",
        "object": "setup_intent",
        "status": "succeeded",
        "payment_method": ["pm_1"],
    },
    "method without type": {"id": "pm_1", "object": "payment_method"},
    "method with a number for a type": {"id": "pm_1", "object": "payment_method", "type": 5},
    "method with a list for a type": {"id": "pm_1", "object": "payment_method", "type": []},
    "method with a word for a card": {"id": "pm_1", "object": "payment_method", "type": "card", "card": "x"},
    "customer with a list for settings": {"object": "customer", "invoice_settings": [1]},
    "customer with a word for settings": {"object": "customer", "invoice_settings": "x"},
    "page without status": {"id": "cs_1", "object": "checkout.session"},
    "of a kind that is a list": {"id": "x_1", "object": []},
    "of a kind that nobody knows": {"id": "x_1", "object": "surprise"},
}


OLD = "2019-12-03"  # we can be sure of its ids, and nothing else


@pytest.mark.parametrize("api_version", [API_VERSION, OLD])
@pytest.mark.parametrize("case_name", MALFORMED)
def test_about_one_of_ours_that_is_malformed_harms_nothing(
    case_name: str, api_version: str, world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    person.save_card()
    world.settle()
    thing = {"id": person.stripe_customer_id, "customer": person.stripe_customer_id, **MALFORMED[case_name]}

    answer = postbox.post(event("customer.updated", thing, id="evt_malformed", api_version=api_version))
    world.work()
    later = world.person()
    later.save_card()
    world.settle()

    assert answer.status_code == 200
    assert {found.state for found in rows(Event)} == {"done"}
    assert (person.status, later.status) == (PaymentStatus.SAVED, PaymentStatus.SAVED)
    assert_agrees(person)


def test_in_another_api_version_is_news_whatever_it_seems_to_say(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls
) -> None:
    person.save_card()
    world.settle()
    card = world.simulator.store.payment_methods[str(person.stripe_default)]
    calls.clear()

    postbox.post(event("payment_method.updated", card, api_version=OLD))
    world.work()

    assert len(calls.made) == 2


@pytest.mark.parametrize("kind", ["setup_intent.succeeded", "checkout.session.completed"])
def test_in_another_api_version_is_no_news_of_a_page_that_is_done_with(
    kind: str, world: World, person: Person, postbox: Postbox, calls: StripeCalls, rows: Rows
) -> None:
    person.save_card()
    world.settle()
    page = world.simulator.store.checkout_sessions[person.session_id]
    intent = world.simulator.store.setup_intents[page["setup_intent"]]
    calls.clear()

    postbox.post(event(kind, intent if "intent" in kind else page, id="evt_old", api_version=OLD))
    world.work()

    assert calls.made == []
    assert [found.state for found in rows(Event) if found.id == "evt_old"] == ["done"]


def test_that_turns_out_to_be_none_does_not_hold_up_the_others(
    world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    postbox.post(event(id="evt_odd"))
    with world.app.app_context():
        db.session().execute(sa.update(Event).values(payload="[]"))
        db.session().commit()
    person.save_card()
    world.simulator.deliver_due()

    world.work()

    assert_agrees(person)
    assert [(found.state, found.reason) for found in rows(Event) if found.id == "evt_odd"] == [
        ("ignored", "It is not a JSON object, so not an event.")
    ]
