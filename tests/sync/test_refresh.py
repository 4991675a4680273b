"""A person who waits is shown Stripe's word of just now, and one look serves everybody who waits."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
import time_machine
from flask import Response

from app import payers, sync
from app.core import db
from app.gateway.transport import time_budget
from app.payers import Payer, PaymentStatus
from app.simulator import Simulator
from tests.support.people import Person
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World


def refreshed(person: Person, *, force: bool = False) -> bool:
    """Look at Stripe as a page does that somebody waits for."""
    with person.app.app_context():
        return sync.refresh(db.session(), person.payer.id, force=force)


def test_asks_stripe_about_what_is_unfinished(person: Person, calls: StripeCalls) -> None:
    person.save_card()

    assert refreshed(person) is True
    assert_agrees(person)


def test_asks_nothing_when_the_record_is_final_and_fresh(person: Person, calls: StripeCalls) -> None:
    person.save_card()
    refreshed(person)
    calls.clear()

    assert refreshed(person) is True
    assert calls.made == []


def test_asks_again_about_a_final_record_after_a_while(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.save_card()
    refreshed(person)
    world.simulator.detach_payment_method(str(person.stripe_default))
    clock.shift(61)

    assert refreshed(person) is True
    assert person.status == PaymentStatus.REMOVED


def test_says_so_when_stripe_does_not_answer(person: Person, world: World) -> None:
    person.save_card()
    world.simulator.faults.add("timeout", times=10)

    assert refreshed(person) is False
    assert person.status == PaymentStatus.IN_PROGRESS


@pytest.mark.parametrize("looks", [0, 1])
def test_reads_the_record_when_the_page_has_no_time_to_ask_stripe(
    person: Person, calls: StripeCalls, looks: int
) -> None:
    person.save_card()
    for _ in range(looks):
        refreshed(person)
    calls.clear()
    with person.app.app_context():
        session = db.session()
        payer = payers.fresh(session, person.payer.id)
        db.end_read(session)
        with db.engine().begin() as another:
            another.execute(sa.update(Payer).values(last_error="written meanwhile"))
        time_budget.set_budget(1.0)
        try:
            answer = sync.refresh(session, payer.id)
        finally:
            time_budget.clear_budget()

    assert answer is (looks > 0)
    assert payer.last_error == "written meanwhile"
    assert calls.made == []


def test_shares_one_look_among_all_who_wait(person: Person, world: World, calls: StripeCalls) -> None:
    person.save_card()
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
    assert_agrees(person)


@pytest.mark.parametrize("age", [2, 25])
def test_takes_over_from_somebody_who_gives_no_sign_of_life(
    age: int, person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.save_card()
    with world.app.app_context():
        session = db.session()
        lease = sync.claim(session, person.payer.id)
    assert lease is not None
    clock.shift(age)

    assert refreshed(person) is True
    assert_agrees(person)
    with world.app.app_context():
        assert sync.converge(db.session(), lease) is sync.Outcome.SUPERSEDED


def test_takes_over_from_somebody_who_died(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.save_card()
    with world.app.app_context():
        sync.claim(db.session(), person.payer.id)
    clock.shift(100)

    assert refreshed(person) is True
    assert_agrees(person)


def test_is_shared_by_the_worker_and_the_returning_person(
    person: Person, world: World, calls: StripeCalls
) -> None:
    person.save_card()
    calls.clear()
    world.simulator.deliver_due()

    with ThreadPoolExecutor(2) as pool:
        worker, visitor = pool.submit(world.work), pool.submit(person.return_to_portal)
    assert worker.exception() is visitor.exception() is None
    world.settle()

    assert len(calls.made) == 2
    assert_agrees(person)


def test_asks_by_force_though_all_is_final_and_fresh(person: Person, calls: StripeCalls) -> None:
    person.save_card()
    refreshed(person)
    person.simulator.detach_payment_method(str(person.stripe_default))
    calls.clear()

    assert refreshed(person, force=True) is True
    assert len(calls.made) == 2
    assert person.status == PaymentStatus.REMOVED


def test_by_force_takes_what_another_was_told_since(person: Person, calls: StripeCalls) -> None:
    person.save_card()
    refreshed(person)
    calls.clear()
    looking = ThreadPoolExecutor(1)
    looks = []

    def another_looks() -> None:
        looks.append(looking.submit(refreshed, person, force=True))
        while person.payer.lease is None:
            continue

    calls.before("GET /v1/customers/*", another_looks)
    assert refreshed(person, force=True) is True

    assert looks[0].result() is True
    assert len(calls.made) in {2, 4}  # the other's wish may be a moment younger than the answer
    looking.shutdown()


def test_by_force_does_not_take_what_another_was_told_before(person: Person, calls: StripeCalls) -> None:
    """The other one writes its answer afterwards, as if it were of then."""
    person.save_card()
    refreshed(person)
    looking = ThreadPoolExecutor(1)
    looks: list[Future[bool]] = []

    def a_card_is_detached_and_somebody_looks() -> None:
        person.simulator.detach_payment_method(str(person.stripe_default))
        looks.append(looking.submit(refreshed, person, force=True))
        time.sleep(0.3)  # until that look waits for ours

    calls.after("GET /v1/customers/*/payment_methods", a_card_is_detached_and_somebody_looks)
    refreshed(person, force=True)

    assert looks[0].result() is True
    assert person.status == PaymentStatus.REMOVED
    looking.shutdown()


@pytest.fixture
def _slow_down(simulator: Simulator) -> None:
    """Stripe says for how long it wants to be left alone."""

    @simulator.wsgi.after_request
    def _say(answer: Response) -> Response:
        if answer.status_code == 429:
            answer.headers["Retry-After"] = "120"
        return answer


@pytest.mark.usefixtures("_slow_down")
def test_leaves_stripe_alone_while_stripe_asks_for_it(
    person: Person, world: World, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.simulator.faults.add("429", "GET *")
    first = refreshed(person)
    calls.clear()

    clock.shift(60)
    second, asked = refreshed(person), len(calls.made)
    clock.shift(61)
    third = refreshed(person)

    assert (first, second, third) == (False, False, True)
    assert asked == 0
    assert_agrees(person)


def test_by_somebody_who_reloads_during_an_outage_does_not_use_the_tries_up(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.simulator.fault_settings.outage = "503"
    for _ in range(20):
        refreshed(person)
    tries, due_at = person.payer.attempts, person.payer.due_at
    world.simulator.fault_settings.outage = ""

    clock.shift(20)
    world.work()

    assert tries <= 4  # one whenever it is time for one
    assert due_at is not None
    assert_agrees(person)
