"""An event about a mandate, a card or a page is news only if it can change what we know about our
customers."""

import time_machine

from app.payers import PaymentStatus
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.truth import assert_agrees
from tests.support.world import World
from tests.webhooks.conftest import NOTHING_NEW


def test_of_a_mandate_leads_to_a_look_at_it(
    world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    world.simulator.pay_by_bank(person.session_id, "bacs_debit")
    world.settle()
    calls.clear()
    mandate = world.simulator.store.mandates.snapshot()[0]["id"]

    world.simulator.settle_mandate(mandate, "active")
    world.settle()

    assert f"GET /v1/mandates/{mandate}" in calls.made
    assert person.status == PaymentStatus.SAVED
    assert [found.state for found in rows(Event) if found.type == "mandate.updated"] == ["done"]


def test_of_a_mandate_that_is_known_costs_no_call(
    world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    world.simulator.pay_by_bank(person.session_id, "bacs_debit")
    world.simulator.settle_mandate(world.simulator.store.mandates.snapshot()[0]["id"], "active")
    person.return_to_portal()
    calls.clear()

    world.settle()

    assert calls.made == []
    assert [found.state for found in rows(Event) if found.type == "mandate.updated"] == ["done"]


def test_of_a_mandate_of_someone_else_is_ignored_after_some_minutes(
    world: World, postbox: Postbox, rows: Rows, clock: time_machine.Traveller
) -> None:
    postbox.post(event("mandate.updated", {"id": "mandate_1", "object": "mandate", "payment_method": "pm_1"}))
    world.work()
    assert [found.state for found in rows(Event)] == ["new"]

    for _ in range(8):
        clock.shift(130)
        world.work()

    assert [found.state for found in rows(Event)] == ["ignored"]


def test_of_a_mandate_waits_for_its_method_to_be_known(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    world.simulator.pay_by_bank(person.session_id, "bacs_debit")
    world.simulator.settle_mandate(world.simulator.store.mandates.snapshot()[0]["id"], "inactive")
    world.lose_events(lambda kind: kind == "mandate.updated")
    world.simulator.deliver_due()
    world.work()
    assert {found.state for found in rows(Event)} == {"new"}

    person.return_to_portal()
    clock.shift(2)
    world.work()

    assert [found.state for found in rows(Event) if found.type == "mandate.updated"] == ["done"]


def test_of_a_card_saved_elsewhere_for_the_same_customer_is_news(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.settle()
    world.stripe(
        "POST",
        "/v1/setup_intents",
        customer=person.stripe_customer_id,
        payment_method="pm_card_mastercard",
        confirm="true",
        **{
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
        },
    )
    world.lose_events(lambda kind: kind == "setup_intent.succeeded")

    world.settle()

    assert [method.brand for method in person.methods] == ["visa", "mastercard"]
    assert_agrees(person)


def test_of_an_attempt_elsewhere_that_failed_is_no_news(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls, rows: Rows
) -> None:
    failed = {
        "id": "seti_elsewhere",
        "object": "setup_intent",
        "customer": person.stripe_customer_id,
        "status": "requires_payment_method",
        "last_setup_error": {"code": "card_declined"},
    }
    calls.clear()

    postbox.post(event("setup_intent.setup_failed", failed))
    world.work()

    assert calls.made == []
    assert [(found.state, found.reason) for found in rows(Event)] == [("done", NOTHING_NEW)]


def test_of_a_page_that_we_did_not_open_is_no_news(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls, rows: Rows
) -> None:
    elsewhere = {
        "id": "cs_elsewhere",
        "object": "checkout.session",
        "customer": person.stripe_customer_id,
        "status": "complete",
    }
    calls.clear()

    postbox.post(event("checkout.session.completed", elsewhere))
    world.work()

    assert calls.made == []
    assert [(found.state, found.reason) for found in rows(Event)] == [("done", NOTHING_NEW)]


def test_of_a_detached_card_that_we_never_knew_is_no_news(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls, rows: Rows
) -> None:
    detached = {
        "id": "pm_unknown",
        "object": "payment_method",
        "type": "card",
        "created": 1,
        "customer": None,
    }
    calls.clear()

    postbox.post(
        event(
            "payment_method.detached",
            data={"object": detached, "previous_attributes": {"customer": person.stripe_customer_id}},
        )
    )
    world.work()

    assert calls.made == []
    assert [(found.state, found.reason) for found in rows(Event)] == [("done", NOTHING_NEW)]


def test_finds_its_customer_when_the_customer_comes_whole(
    world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    whole = {
        "id": "pm_1",
        "object": "payment_method",
        "type": "card",
        "customer": {"id": person.stripe_customer_id},
    }

    postbox.post(event("payment_method.attached", whole))
    world.work()

    assert rows(Event)[0].payer_id == person.payer.id


def test_of_a_decline_for_another_reason_is_news(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card("4000000000000002")
    person.return_to_portal()
    world.lose_events()

    person.save_card("4000000000009995")
    world.settle()
    clock.shift(10)
    world.settle()

    assert person.checkout_sessions[0].decline_code == "insufficient_funds"
