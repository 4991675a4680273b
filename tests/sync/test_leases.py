"""A payer is converged by one worker at a time, and by another when that one has died or is too slow."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import time_machine
from flask import Flask

from app import sync, webhooks
from app.core import db
from app.payers import PaymentStatus
from app.sync import Outcome, payer_leases
from app.sync.payer_leases import LEASE_DURATION
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World

ALMOST, OVER = LEASE_DURATION.total_seconds() - 5, LEASE_DURATION.total_seconds() + 1


def claimed(app: Flask, payer_id: str) -> Any:
    """Take the lease as a worker does that is never heard of again."""
    with app.app_context():
        return sync.claim(db.session(), payer_id)


def test_is_held_by_one_at_a_time(app: Flask, person: Person) -> None:
    first, second = claimed(app, person.payer.id), claimed(app, person.payer.id)

    assert first is not None
    assert second is None


def test_is_given_back_after_a_convergence(app: Flask, world: World, person: Person) -> None:
    person.save_card()
    world.settle()

    assert (person.payer.lease, person.payer.leased_until) == (None, None)
    assert claimed(app, person.payer.id) is not None


def test_is_given_back_after_a_failure(app: Flask, world: World, person: Person) -> None:
    person.save_card()
    world.simulator.faults.add("429")
    world.settle()

    assert person.payer.attempts == 1
    assert (person.payer.lease, person.payer.leased_until) == (None, None)


def test_of_a_dead_worker_is_waited_for(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    claimed(app, person.payer.id)
    calls.clear()

    world.settle()
    clock.shift(ALMOST)
    world.settle()

    assert calls.made == []
    assert person.status == PaymentStatus.IN_PROGRESS


def test_of_a_dead_worker_is_taken_over_when_it_has_run_out(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.save_card()
    claimed(app, person.payer.id)
    world.settle()

    clock.shift(OVER)
    world.settle()

    assert_agrees(person)


def test_lets_twenty_workers_at_once_converge_a_payer_once(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    calls.clear()
    together = threading.Barrier(20)

    def work() -> None:
        together.wait()
        world.work()

    with ThreadPoolExecutor(20) as pool:
        for future in [pool.submit(work) for _ in range(20)]:
            future.result()
    world.settle()

    assert len(calls.made) == 2
    assert_agrees(person)


def test_lets_many_workers_share_many_payers(world: World, calls: StripeCalls, rows: Rows) -> None:
    people = [world.person() for _ in range(12)]
    for person in people:
        person.save_card()
    world.simulator.deliver_due()
    calls.clear()

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(world.work) for _ in range(4)]:
            future.result()
    world.settle()

    assert len(calls.made) == 2 * len(people)
    assert {found.state for found in rows(Event)} == {"done"}
    for person in people:
        assert_agrees(person)


def test_that_ran_out_keeps_a_slow_worker_from_writing(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    """It asked before the card was saved, was held up, and wakes when another has long written the truth."""

    def held_up() -> None:
        person.save_card()
        clock.shift(OVER)
        world.settle()
        assert person.status == PaymentStatus.SAVED

    lease = claimed(app, person.payer.id)
    calls.after("GET /v1/checkout/sessions/*", held_up)
    with app.app_context():
        outcome = sync.converge(db.session(), lease)

    assert outcome is Outcome.SUPERSEDED
    assert person.status == PaymentStatus.SAVED
    assert_agrees(person)


def test_that_ran_out_keeps_a_slow_worker_from_noting_its_failure(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    def held_up() -> None:
        person.save_card()
        clock.shift(OVER)
        world.settle()
        world.simulator.faults.add("429")

    lease = claimed(app, person.payer.id)
    calls.before("GET /v1/checkout/sessions/*", held_up)
    with app.app_context():
        outcome = sync.converge(db.session(), lease)

    assert outcome is Outcome.SUPERSEDED
    assert (person.payer.attempts, person.payer.last_error) == (0, None)
    assert_agrees(person)


def test_that_ran_out_keeps_a_slow_worker_from_dismissing_events(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person
) -> None:
    lease = claimed(app, person.payer.id)
    clock.shift(OVER)
    later = claimed(app, person.payer.id)

    with app.app_context():
        sync.converge_many(db.session(), [lease])

    assert person.payer.lease == later.token


def test_that_ran_out_is_not_given_back_for_another(
    app: Flask, clock: time_machine.Traveller, person: Person
) -> None:
    lease = claimed(app, person.payer.id)
    clock.shift(OVER)
    later = claimed(app, person.payer.id)

    with app.app_context():
        payer_leases.release(db.session(), lease)

    assert person.payer.lease == later.token


def test_is_followed_by_another_look_when_something_is_hinted_at_meanwhile(
    world: World, person: Person, calls: StripeCalls
) -> None:
    """The page is read as open, and completed before the answer is written."""
    person.save_card("4000000000000002")

    def card_is_saved_meanwhile() -> None:
        person.save_card()
        world.settle()

    calls.after("GET /v1/checkout/sessions/*", card_is_saved_meanwhile)
    person.return_to_portal()
    assert person.methods == []
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert_agrees(person)


def test_is_followed_by_another_look_when_a_page_is_opened_meanwhile(
    world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    calls.after("GET /v1/checkout/sessions/*", person.open_another_session)

    person.return_to_portal()

    assert {page.status for page in person.checkout_sessions} == {"complete", "open"}
    assert person.payer.due_at is not None
    assert person.status == PaymentStatus.SAVED


def test_of_a_worker_whom_stripe_answers_slowly_is_kept(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    """Each answer takes most of a lease; all of them together take far longer."""
    person.save_card()
    others: list[Any] = []

    def takes_long() -> None:
        clock.shift(ALMOST)
        others.append(claimed(app, person.payer.id))

    lease = claimed(app, person.payer.id)
    calls.before("GET /v1/checkout/sessions/*", takes_long)
    calls.before("POST /v1/customers/*", takes_long)
    with app.app_context():
        outcome = sync.converge(db.session(), lease)

    assert others == [None, None]
    assert outcome is Outcome.CURRENT
    assert_agrees(person)


def test_that_was_lost_under_way_ends_the_questions(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    lease = claimed(app, person.payer.id)
    calls.clear()

    def another_takes_over() -> None:
        clock.shift(OVER)
        assert claimed(app, person.payer.id) is not None

    calls.before("GET /v1/checkout/sessions/*", another_takes_over)
    with app.app_context():
        outcome = sync.converge(db.session(), lease)

    assert outcome is Outcome.SUPERSEDED
    assert calls.made == [f"GET /v1/checkout/sessions/{person.session_id}"]


def test_goes_first_to_whom_an_event_wants_looked_at(
    clock: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    for _ in range(5):
        world.person()
    world.settle()
    clock.shift(600)  # the time of all pages has come
    person = world.person()
    person.save_card()
    world.simulator.deliver_due()
    calls.clear()
    clock.shift(2)  # the budget is as full as it can be

    with world.app.app_context():
        sync.run_once(most=1)

    assert any(person.session_id in call for call in calls.made)
    assert person.status == PaymentStatus.SAVED


def test_goes_to_whoever_was_looked_at_as_to_all_others_again(world: World, person: Person) -> None:
    assert not person.payer.is_priority
    person.save_card()
    world.simulator.deliver_due()
    with world.app.app_context():
        webhooks.dispatch(db.session())
    was_wanted = person.payer.is_priority

    world.work()

    assert was_wanted
    assert not person.payer.is_priority


def test_goes_to_who_has_waited_longest(app: Flask, world: World) -> None:
    people = [world.person() for _ in range(3)]
    for person in reversed(people):
        person.save_card()
        while world.simulator.deliver_due():
            continue
        with app.app_context():
            webhooks.dispatch(db.session())

    with app.app_context():
        leases = sync.claim_due(db.session(), most=1)

    assert [lease.payer_id for lease in leases] == [people[-1].payer.id]
