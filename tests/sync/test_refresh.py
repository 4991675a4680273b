"""A person who waits is shown Stripe's word of just now, and one look serves everybody who waits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import time_machine

from app import db, sync
from app.payers import PaymentStatus
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe


def refreshed(person: Person) -> bool:
    """Look at Stripe as a page does that somebody waits for."""
    with person.app.app_context():
        return sync.refresh(db.session(), person.payer.id)


def test_asks_stripe_about_what_is_unfinished(person: Person, calls: StripeCalls) -> None:
    person.saves()

    assert refreshed(person) is True
    assert_equal_to_stripe(person)


def test_asks_nothing_when_the_record_is_final_and_fresh(person: Person, calls: StripeCalls) -> None:
    person.saves()
    refreshed(person)
    calls.clear()

    assert refreshed(person) is True
    assert calls.made == []


def test_asks_again_about_a_final_record_after_a_while(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.saves()
    refreshed(person)
    world.simulator.detach_payment_method(str(person.stripe_default))
    clock.shift(61)

    assert refreshed(person) is True
    assert person.status == PaymentStatus.REMOVED


def test_says_so_when_stripe_does_not_answer(person: Person, world: World) -> None:
    person.saves()
    world.simulator.faults.add("timeout", times=10)

    assert refreshed(person) is False
    assert person.status == PaymentStatus.IN_PROGRESS


def test_shares_one_look_among_all_who_wait(person: Person, world: World, calls: StripeCalls) -> None:
    person.saves()
    calls.clear()
    world.simulator.faults.add("slow", "GET /v1/checkout/sessions/*", seconds=0.5)
    together = threading.Barrier(8)

    def look() -> bool:
        together.wait()
        return refreshed(person)

    with ThreadPoolExecutor(8) as pool:
        looks = [future.result() for future in [pool.submit(look) for _ in range(8)]]

    assert looks == [True] * 8
    assert len(calls.made) == 2
    assert_equal_to_stripe(person)


def test_gives_up_waiting_for_somebody_who_does_not_come_back(
    person: Person, world: World, calls: StripeCalls
) -> None:
    with world.app.app_context():
        sync.claim(db.session(), person.payer.id)
    calls.clear()

    assert refreshed(person) is False
    assert calls.made == []


def test_takes_over_from_somebody_who_died(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.saves()
    with world.app.app_context():
        sync.claim(db.session(), person.payer.id)
    clock.shift(100)

    assert refreshed(person) is True
    assert_equal_to_stripe(person)


def test_is_shared_by_the_worker_and_the_returning_person(
    person: Person, world: World, calls: StripeCalls
) -> None:
    person.saves()
    calls.clear()
    world.simulator.deliver_due()

    with ThreadPoolExecutor(2) as pool:
        worker, visitor = pool.submit(world.work), pool.submit(person.returns)
    assert worker.exception() is visitor.exception() is None
    world.settle()

    assert len(calls.made) == 2
    assert_equal_to_stripe(person)
