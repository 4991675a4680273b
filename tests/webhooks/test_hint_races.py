"""An event that arrives while we are asking or committing is neither lost nor asked about twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import time_machine

from app.core.db import utcnow
from app.payers import PaymentStatus
from app.simulator import Simulator
from app.webhooks import Event
from tests.support.dashboard import request
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.truth import assert_agrees
from tests.support.world import World
from tests.webhooks.conftest import NOTHING_NEW


def test_that_arrives_during_a_convergence_is_dismissed_afterwards_without_a_call(
    calls: StripeCalls, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    world.lose_events(lambda kind: kind == "setup_intent.succeeded")
    world.simulator.deliver_due()
    completed = next(
        told["id"]
        for told in world.simulator.store.events.snapshot()
        if told["type"] == "checkout.session.completed"
    )

    def another_event_is_sorted_by_another_worker() -> None:
        world.simulator.replay_event(completed)
        world.simulator.deliver_due()
        world.work()
        assert {found.state for found in rows(Event)} == {"waiting"}

    calls.after("GET /v1/checkout/sessions/*", another_event_is_sorted_by_another_worker)
    calls.clear()
    world.work()

    assert len(calls.made) == 2
    assert {(found.state, found.reason) for found in rows(Event)} == {("done", None), ("done", NOTHING_NEW)}
    assert person.payer.due_at is None


def test_that_takes_back_what_a_convergence_is_about_to_write_is_not_lost(
    calls: StripeCalls, world: World, person: Person
) -> None:
    """The default goes from one card to another and back while Stripe's answer is on its way."""
    person.save_card()
    world.settle()
    first, second = str(person.stripe_default), world.attach_card(person)
    world.settle()

    def chosen_back() -> None:
        world.choose_default(person, first)
        world.settle()

    world.choose_default(person, second)
    calls.after("GET /v1/customers/*", chosen_back)
    world.settle()

    assert_agrees(person)


def test_that_is_quicker_than_our_own_commit_is_looked_at_again(
    calls: StripeCalls, clock: time_machine.Traveller, world: World, rows: Rows
) -> None:
    def somebody_renames_the_customer_at_once() -> None:
        [created] = world.simulator.store.customers.snapshot()
        request(world.simulator, "POST", f"/v1/customers/{created['id']}", name="Renamed")
        world.simulator.deliver_due()
        world.work()

    calls.after("POST /v1/customers", somebody_renames_the_customer_at_once)
    person = world.person()

    clock.shift(timedelta(minutes=3))
    world.settle()

    [told] = [found for found in rows(Event) if found.type == "customer.updated"]
    assert (told.state, told.payer_id) == ("done", person.payer.id)


def test_that_bears_our_mark_but_concerns_nobody_is_ignored_in_the_end(
    clock: time_machine.Traveller, world: World, postbox: Postbox, rows: Rows
) -> None:
    marked = {
        "id": "cus_orphan",
        "object": "customer",
        "metadata": {"om_app_id": postbox.path.split("/")[4]},
    }
    postbox.post(event("customer.updated", marked))
    began = utcnow()

    while rows(Event)[0].state == "new":
        clock.shift(1)
        world.work()

    assert timedelta(minutes=3) < utcnow() - began < timedelta(minutes=6)
    assert (rows(Event)[0].state, rows(Event)[0].reason) == ("ignored", "It concerns none of our customers.")


def test_waits_for_the_simulators_retries_when_the_first_tries_are_lost(
    simulator: Simulator, world: World, person: Person
) -> None:
    simulator.fault_settings.drop_first = 2
    person.save_card()

    for _ in range(3):
        world.settle()

    assert person.status == PaymentStatus.SAVED


def test_of_many_are_sorted_by_several_workers_at_once(world: World, postbox: Postbox, rows: Rows) -> None:
    """Two workers get their events in opposite orders; neither may block the other."""
    people = [world.person(), world.person()]
    for batch, order in enumerate((people, people[::-1])):
        for place in range(100):
            whose = order[place // 50]
            setup = world.simulator.store.checkout_sessions[whose.session_id]["setup_intent"]
            failed = {
                "id": setup,
                "object": "setup_intent",
                "customer": whose.stripe_customer_id,
                "status": "requires_action",
            }
            postbox.post(event("setup_intent.requires_action", failed, id=f"evt_{batch}_{place}"))
    together = threading.Barrier(2)

    def work() -> None:
        together.wait()
        world.work()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work) for _ in range(2)]:
            assert done.exception() is None

    assert {found.state for found in rows(Event)} == {"waiting"}
