"""What Stripe may be asked in a second is asked by nobody twice, however many calls somebody takes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, Response

from app import sync, webhooks
from app.core import db
from app.core.config import Settings
from app.gateway.client import NETWORK_RETRIES
from app.simulator import Simulator
from app.sync import Lease, RateBudget
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World

TRIES = 1 + NETWORK_RETRIES  # of one call that gets no answer


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Four calls a second."""
    return make_settings(database_url=database_url, stripe_rate=4)


@pytest.fixture
def waits(simulator: Simulator) -> list[str]:
    """The seconds for which Stripe asks to be left alone, one for each answer that says so."""
    seconds: list[str] = []

    @simulator.wsgi.after_request
    def _say(answer: Response) -> Response:
        if answer.status_code == 429 and seconds:
            answer.headers["Retry-After"] = seconds.pop(0)
        return answer

    return seconds


def saved(world: World, number: int) -> list[Person]:
    """So many people who have saved a card."""
    people = [world.person() for _ in range(number)]
    for person in people:
        person.save_card()
    return people


def takes(app: Flask) -> Lease | None:
    """Take the lease of a payer that is due, as a worker does."""
    with app.app_context():
        return next(iter(sync.claim_due(db.session(), most=1)), None)


def after_the_look(app: Flask, action: Callable[[], Any]) -> list[Any]:
    """Do something once, after a worker has chosen a payer and before it takes its lease."""
    done: list[Any] = []

    def _between(_connection: sa.Connection) -> None:
        if not done:
            done.append(None)
            with ThreadPoolExecutor(1) as thread:
                done[0] = thread.submit(action).result()

    with app.app_context():
        sa.event.listen(db.engine(), "commit", _between)
    return done


def test_whoever_takes_many_calls_lets_the_others_wait_for_longer(
    frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    person, other = world.person(), world.person()
    person.save_card()
    for _ in range(8):
        person.open_another_session()
    world.simulator.deliver_due()
    calls.clear()

    world.work()
    at_first = list(calls.made)
    other.save_card()
    world.simulator.deliver_due()
    calls.clear()
    frozen.shift(1)
    world.work()
    within_a_second = list(calls.made)
    frozen.shift(2)
    world.settle()

    assert len(at_first) > 8
    assert within_a_second == []
    assert_agrees(other)


def test_many_who_are_due_are_not_taken_at_once_beyond_it(
    app: Flask, frozen: time_machine.Traveller, world: World
) -> None:
    saved(world, 8)
    world.simulator.deliver_due()
    with app.app_context():
        webhooks.dispatch(db.session())
        leases = sync.claim_due(db.session(), most=8)
        more = sync.claim_due(db.session(), most=8)

    assert 1 <= len(leases) < 8
    assert more == []


def test_people_who_wait_for_an_answer_are_counted_too(
    frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    *people, last = saved(world, 5)
    world.simulator.deliver_due()
    calls.clear()
    for person in people:
        person.return_to_portal()
    asked = len(calls.made)

    world.work()
    waited = len(calls.made) == asked
    frozen.shift(2)
    world.settle()

    assert asked == 8
    assert waited
    assert_agrees(last)


def test_pages_of_the_list_are_counted_too(
    frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    person = world.person()
    for _ in range(130):
        person.save_card("4000000000000002")
    world.lose_events()
    calls.clear()

    world.run_maintenance()
    at_once = len(calls.made)
    frozen.shift(1)
    world.run_maintenance()

    assert at_once == 1
    assert calls.made == ["GET /v1/events"] * 2


def test_what_was_not_asked_for_long_is_not_made_up_for_at_once(
    frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    saved(world, 1)
    world.settle()
    frozen.shift(60)
    people = saved(world, 8)
    world.simulator.deliver_due()
    calls.clear()

    world.work()

    assert 0 < len(calls.made) <= 8
    for _ in range(6):
        frozen.shift(1)
        world.settle()
    for person in people:
        assert_agrees(person)


def test_of_two_workers_who_see_the_last_of_it_one_takes_it(
    app: Flask, frozen: time_machine.Traveller, world: World
) -> None:
    saved(world, 8)
    world.simulator.deliver_due()
    with app.app_context():
        webhooks.dispatch(db.session())
    while takes(app):
        frozen.shift(0.1)
    frozen.shift(0.5)
    others = after_the_look(app, lambda: takes(app))

    mine = takes(app)

    assert [lease is not None for lease in others] == [True]
    assert mine is None


@pytest.mark.usefixtures("frozen")
def test_nobody_begins_who_has_not_yet_seen_that_stripe_wants_to_be_left_alone(
    waits: list[str], app: Flask, world: World
) -> None:
    person, _other = saved(world, 2)
    world.simulator.deliver_due()
    with app.app_context():
        webhooks.dispatch(db.session())
    waits += ["120"] * TRIES
    world.simulator.faults.add("429", "GET *")
    after_the_look(app, person.return_to_portal)

    assert takes(app) is None


def test_the_longer_one_of_two_pauses_counts(
    waits: list[str], frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    first, second, third = saved(world, 3)

    def another_is_told_to_wait_for_longer() -> None:
        waits.append("120")
        world.simulator.faults.add("429", "GET *")
        with ThreadPoolExecutor(1) as thread:
            thread.submit(second.return_to_portal).result()
        waits.append("5")
        world.simulator.faults.add("429", "POST *")

    calls.before("POST /v1/customers/*", another_is_told_to_wait_for_longer)
    first.return_to_portal()
    calls.clear()
    frozen.shift(60)
    world.settle()
    asked_meanwhile = list(calls.made)
    frozen.shift(61)
    for _ in range(3):
        world.settle()
        frozen.shift(2)

    assert asked_meanwhile == []
    assert_agrees(third)


def test_a_pause_that_stripe_asks_for_while_its_list_is_read_is_everybodys(
    waits: list[str], frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    [person] = saved(world, 1)
    waits.append("120")
    world.simulator.faults.add("429", "GET /v1/events")
    world.run_maintenance()
    calls.clear()

    world.settle()
    frozen.shift(110)
    world.settle()
    asked_meanwhile = list(calls.made)
    frozen.shift(15)
    world.settle()

    assert asked_meanwhile == []
    assert_agrees(person)


def test_a_list_that_is_read_again_ends_the_failures_in_a_row(
    frozen: time_machine.Traveller, world: World, rows: Rows
) -> None:
    saved(world, 1)
    world.simulator.deliver_due()
    for _ in range(TRIES):
        world.simulator.faults.add("503", "GET *")
    world.work()
    before = [pace.failures for pace in rows(RateBudget)]
    frozen.shift(1)

    world.run_maintenance()

    assert before == [1]
    assert [pace.failures for pace in rows(RateBudget)] == [0]
