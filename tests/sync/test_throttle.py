"""Stripe is asked at a pace that it can bear, and what ails one app is no other's concern."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from flask import Flask, Response

from app import apps, sync, webhooks
from app.core import db
from app.core.config import Settings
from app.gateway.client import NETWORK_RETRIES
from app.payers import PaymentStatus
from app.simulator import DEFAULT_API_KEY, Simulator, add_account, add_key, revoke_key
from app.sync import Backfill
from tests.conftest import PORTAL, make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program
from tests.support.truth import assert_agrees
from tests.support.world import World

SECOND_KEY = "sk_test_of_the_second"
TRIES = 1 + NETWORK_RETRIES  # of one call that gets no answer


@pytest.fixture
def second(app: Flask, simulator: Simulator) -> str:
    """The id of another app, for a second account."""
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, SECOND_KEY, account="acct_second")
    with app.app_context():
        session = db.session()
        made = apps.install(session, SECOND_KEY, public_url=PORTAL, actor="test")
        session.commit()
        return made.id


def somebody_in(app_id: str, world: World, name: str = "grace") -> Person:
    """Somebody who stands on a page of that app."""
    client = program(world.app)
    body = {
        "appId": app_id,
        "customer": {"name": name, "usageAttribution": {"subjectKeys": [name]}},
        "options": {"successURL": "https://example.com/", "currency": "USD"},
    }
    made = client.post("/api/v1/stripe/checkout/sessions", json=body).get_json()
    return Person(world.app, world.simulator, client, session_ids=[made["sessionId"]])


@pytest.fixture
def _slow_down(simulator: Simulator) -> None:
    """Stripe says for how long it wants to be left alone."""

    @simulator.wsgi.after_request
    def _say(answer: Response) -> Response:
        if answer.status_code == 429:
            answer.headers["Retry-After"] = "120"
        return answer


def test_an_app_with_many_due_does_not_hold_up_another(world: World, second: str) -> None:
    people = [world.person() for _ in range(5)]
    for person in people:
        person.save_card()
    world.simulator.deliver_due()
    other = somebody_in(second, world)
    other.save_card()
    world.simulator.deliver_due()

    with world.app.app_context():
        for _ in range(2):
            sync.run_once(most=1)

    assert other.status == PaymentStatus.SAVED
    assert [person.status for person in people].count(PaymentStatus.SAVED) == 1


def test_an_app_that_is_broken_is_tried_by_one_now_and_then(
    world: World, second: str, calls: StripeCalls, frozen: time_machine.Traveller
) -> None:
    people = [world.person() for _ in range(4)]
    for person in people:
        person.save_card()
    other = somebody_in(second, world)
    other.save_card()
    revoke_key(world.simulator.store, DEFAULT_API_KEY)
    calls.clear()

    world.settle()
    of_the_broken_one = [call for call in calls.made if other.session_id not in call and "GET" in call]
    for _ in range(5):
        frozen.shift(100)
        world.settle()
    add_key(world.simulator.store, DEFAULT_API_KEY)
    frozen.shift(61)
    world.settle()

    assert len(of_the_broken_one) == 1
    assert_agrees(other)
    for person in people:
        assert_agrees(person)


@pytest.mark.usefixtures("frozen")
def test_an_app_that_pauses_does_not_hold_up_another(world: World, second: str) -> None:
    broken = [world.person() for _ in range(2)]
    others = [somebody_in(second, world, f"grace-{number}") for number in range(3)]
    for person in (*broken, *others):
        person.save_card()
    revoke_key(world.simulator.store, DEFAULT_API_KEY)

    world.settle()

    assert {person.status for person in broken} == {PaymentStatus.IN_PROGRESS}
    assert {person.status for person in others} == {PaymentStatus.SAVED}


@pytest.mark.usefixtures("frozen")
def test_the_list_of_an_app_that_pauses_does_not_hold_up_that_of_another(
    world: World, second: str, rows: Rows
) -> None:
    world.person().save_card()
    revoke_key(world.simulator.store, DEFAULT_API_KEY)
    world.settle()

    world.run_maintenance()

    assert [row.app_id for row in rows(Backfill) if row.last_run_at is not None] == [second]


def test_an_app_whose_customers_are_all_seen_to_does_not_hold_up_another(world: World, second: str) -> None:
    person, other = world.person(), somebody_in(second, world)
    person.save_card()
    other.save_card()
    world.simulator.deliver_due()
    with world.app.app_context():
        webhooks.dispatch(db.session())
        assert sync.claim(db.session(), person.payer.id) is not None

        sync.run_once()

    assert other.status == PaymentStatus.SAVED


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(("failures", "served"), [(2, 3), (3, 0)])
def test_only_failures_in_a_row_hold_up_everybody(world: World, failures: int, served: int) -> None:
    people = [world.person() for _ in range(failures + 3)]
    for person in people:
        person.save_card()
    world.simulator.deliver_due()
    for _ in range(failures * TRIES):
        world.simulator.faults.add("503", "GET *")

    world.work()

    assert [person.status for person in people].count(PaymentStatus.SAVED) == served


@pytest.mark.usefixtures("frozen")
def test_failures_with_a_success_between_them_hold_up_nobody(world: World) -> None:
    people = [world.person() for _ in range(5)]
    for number, person in enumerate(people):
        if number in {0, 1, 3}:
            for _ in range(TRIES):
                world.simulator.faults.add("503", f"GET /v1/checkout/sessions/{person.session_id}")
        person.save_card()
        world.settle()

    assert [person.status == PaymentStatus.SAVED for person in people] == [False, False, True, False, True]


@pytest.mark.usefixtures("_slow_down")
def test_an_app_is_left_alone_as_long_as_stripe_asks(
    world: World, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    people = [world.person() for _ in range(4)]
    for person in people:
        person.save_card()
    world.simulator.faults.add("429", "GET *")
    world.settle()
    calls.clear()

    clock.shift(110)
    world.settle()
    asked_meanwhile = list(calls.made)
    clock.shift(15)
    world.settle()

    assert asked_meanwhile == []
    for person in people:
        assert_agrees(person)


@pytest.mark.usefixtures("_slow_down")
def test_a_pause_that_stripe_asked_for_is_not_ended_by_an_older_answer(
    world: World, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    first, second, third = (world.person() for _ in range(3))
    for person in (first, second, third):
        person.save_card()

    def another_is_told_to_wait() -> None:
        world.simulator.faults.add("429", "GET *")
        with ThreadPoolExecutor(1) as thread:
            thread.submit(second.return_to_portal).result()

    calls.before("POST /v1/customers/*", another_is_told_to_wait)
    first.return_to_portal()
    calls.clear()
    world.settle()

    assert first.status == PaymentStatus.SAVED
    assert calls.made == []


class TestWithABudget:
    """Four calls a second, for all workers of an app together."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, stripe_rate=4)

    def test_no_more_is_asked_than_it_allows(
        self, frozen: time_machine.Traveller, world: World, calls: StripeCalls
    ) -> None:
        people = [world.person() for _ in range(8)]
        for person in people:
            person.save_card()
        frozen.shift(2)
        world.simulator.deliver_due()
        calls.clear()

        asked = []
        for _ in range(6):
            world.work()
            asked.append(len(calls.made))
            calls.clear()
            frozen.shift(1)

        assert asked[0] <= 8
        assert max(asked[1:]) <= 4
        assert sum(asked) == 2 * len(people)
        for person in people:
            assert_agrees(person)


def test_the_budget_is_stripes_own_unless_it_is_said_otherwise() -> None:
    at_stripe = make_settings(stripe_api_base="https://api.stripe.com")

    assert at_stripe.calls_per_second == 20
    assert make_settings().calls_per_second is None
    assert make_settings(stripe_rate=7).calls_per_second == 7


def test_pauses_grow_while_an_app_is_broken(world: World, calls: StripeCalls) -> None:
    people = [world.person() for _ in range(8)]
    for person in people:
        person.save_card()
    world.simulator.faults.add("503", times=10_000)
    calls.clear()

    for _ in range(40):
        world.settle()
        world.clock.shift(3)

    assert 4 <= len(calls.made) / TRIES <= 12
