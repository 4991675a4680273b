"""When Stripe does not answer, nothing is lost: it is tried again, later and later, and then shown."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
import time_machine
from flask import Flask, Response, request

from app import apps, db, payers, webhooks
from app.apps import App
from app.config import Settings
from app.db import utcnow
from app.journal import Entry
from app.payers import PaymentStatus
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.accounts import add_key, revoke_key
from app.sync import leases
from app.sync.converge import converge
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe

FAULTS = {
    "429": "Stripe asks us to slow down.",
    "lock": "Stripe asks us to slow down.",
    "500": "Stripe had a problem of its own.",
    "503": "Stripe had a problem of its own.",
    "timeout": "Stripe can't be reached.",
    "reset": "Stripe can't be reached.",
}
MOST_TRIES = 15


def wait_of(person: Person) -> timedelta:
    """How long it is until the next try."""
    due_at = person.payer.due_at
    assert due_at is not None
    return due_at - utcnow()


@pytest.fixture
def _slow_down(simulator: Simulator) -> None:
    """Stripe says for how long it wants to be left alone."""

    @simulator.wsgi.after_request
    def _say(answer: Response) -> Response:
        if answer.status_code == 429:
            answer.headers["Retry-After"] = "120"
        return answer


@pytest.mark.parametrize("fault", FAULTS)
def test_are_overcome_by_another_try(
    fault: str, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*", times=2)  # the SDK's own tries
    world.settle()
    world.simulator.faults.clear()
    assert person.status == PaymentStatus.IN_PROGRESS
    assert (person.payer.attempts, person.payer.last_error) == (1, FAULTS[fault])
    assert {found.state for found in rows(Event)} == {"waiting"}

    clock.shift(3)
    world.settle()

    assert (person.payer.attempts, person.payer.last_error) == (0, None)
    assert {found.state for found in rows(Event)} == {"done"}
    assert_equal_to_stripe(person)


@pytest.mark.parametrize("fault", [*FAULTS, "timeout_after", "reset_after"])
def test_of_making_a_card_the_default_are_overcome_by_another_try(
    fault: str, clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.saves()
    world.simulator.faults.add(fault, "POST /v1/customers/*", times=10)
    world.simulator.deliver_due()
    world.work()
    assert person.payer.attempts == 1
    world.simulator.faults.clear()

    clock.shift(3)
    world.settle()

    assert person.payer.attempts == 0
    assert person.stripe_default is not None
    assert_equal_to_stripe(person)


@pytest.mark.parametrize("fault", ["500", "503", "timeout", "reset", "timeout_after", "reset_after"])
def test_that_pass_at_once_are_not_even_noticed(fault: str, world: World, person: Person) -> None:
    person.saves()
    world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*")

    world.settle()

    assert person.payer.attempts == 0
    assert_equal_to_stripe(person)


def test_do_not_hold_up_others(clock: time_machine.Traveller, world: World, person: Person) -> None:
    other = world.person()
    person.saves()
    other.saves()
    world.simulator.faults.add("500", f"GET /v1/checkout/sessions/{person.page_id}", times=100)

    world.settle()
    clock.shift(1)
    world.settle()

    assert (person.status, other.status) == (PaymentStatus.IN_PROGRESS, PaymentStatus.SAVED)


@pytest.mark.usefixtures("_slow_down")
def test_are_not_repeated_before_the_time_that_stripe_asks_for(world: World, person: Person) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *")

    world.settle()

    assert timedelta(seconds=110) < wait_of(person) <= timedelta(seconds=120)


def test_are_repeated_later_and_later(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    clock.move_to(utcnow(), tick=False)  # half a second must not be too short for a slow machine
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    world.settle()

    waits = [wait_of(person).total_seconds()]
    while person.payer.attempts < MOST_TRIES - 1:
        calls.clear()
        clock.shift(wait_of(person).total_seconds() - 0.5)
        world.settle()
        assert calls.made == []
        clock.shift(1)
        world.settle()
        assert len(calls.made) == 1
        waits.append(wait_of(person).total_seconds())

    for tries, wait in enumerate(waits, start=1):
        longest = min(2.0**tries, 3600)
        assert longest / 2 - 2 < wait <= longest


def test_that_do_not_end_are_left_to_a_person(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MOST_TRIES):
        world.settle()
        clock.shift(3601)
    calls.clear()

    world.settle()

    assert calls.made == []
    assert person.payer.due_at is None
    assert {(found.state, found.reason) for found in rows(Event)} == {
        ("dead", "Stripe asks us to slow down.")
    }
    assert [entry.facts for entry in rows(Entry) if entry.kind == "sync.gave_up"] == [
        {"reason": "Stripe asks us to slow down."}
    ]


def test_that_were_given_up_are_taken_up_again_by_a_redelivery(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MOST_TRIES):
        world.settle()
        clock.shift(3601)
    world.simulator.faults.clear()

    world.simulator.replay_event(
        next(found.id for found in rows(Event) if found.type == "setup_intent.succeeded")
    )
    world.settle()

    assert person.payer.attempts == 0
    assert {found.state for found in rows(Event) if found.type == "setup_intent.succeeded"} == {"done"}
    assert_equal_to_stripe(person)


def test_that_were_given_up_are_taken_up_again_when_the_person_returns(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MOST_TRIES):
        world.settle()
        clock.shift(3601)
    world.simulator.faults.clear()

    person.returns()

    assert_equal_to_stripe(person)


def test_given_up_in_the_very_moment_of_an_event_do_not_lose_it(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.returns()
    world.simulator.faults.add("429", "GET *", times=1000)
    person.saves("4000000000000002")
    while person.payer.attempts < MOST_TRIES - 1:
        world.settle()
        clock.shift(3601)

    def card_is_saved_meanwhile() -> None:
        person.saves()
        world.simulator.faults.clear()
        world.simulator.faults.add("429", "GET *")
        world.settle()

    calls.before("GET *", card_is_saved_meanwhile)
    world.settle()
    clock.shift(3601)
    world.settle()

    assert_equal_to_stripe(person)


def test_of_the_key_show_in_the_app_until_it_works_again(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    revoke_key(world.simulator.books, DEFAULT_API_KEY)
    world.settle()
    assert [app.status for app in rows(App)] == ["unauthorized"]
    assert person.payer.last_error == "Stripe rejected the API key."
    add_key(world.simulator.books, DEFAULT_API_KEY)

    clock.shift(3)
    world.settle()

    assert [app.status for app in rows(App)] == ["ready"]
    told = [entry.kind for entry in rows(Entry) if entry.kind.startswith("app.")]
    assert sorted(told) == ["app.installed", "app.ready", "app.unauthorized"]
    assert_equal_to_stripe(person)


def test_of_the_key_are_noted_once(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    revoke_key(world.simulator.books, DEFAULT_API_KEY)
    for _ in range(3):
        world.settle()
        clock.shift(10)

    assert [entry.kind for entry in rows(Entry)].count("app.unauthorized") == 1


def test_of_the_encryption_key_are_tried_again(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    connections = world.app.extensions["gangway.connections"]
    world.app.extensions["gangway.connections"] = apps.Connections(
        type(connections.sealer)(["x" * 43 + "="]), connections.dial
    )
    world.simulator.knobs.drop_all = True
    clock.shift(130)
    world.settle()
    assert person.payer.last_error is not None
    assert person.payer.attempts == 0  # the key's fault: nobody is given up for it
    world.app.extensions["gangway.connections"] = connections

    clock.shift(3)
    world.settle()

    assert_equal_to_stripe(person)


def test_while_a_card_is_made_the_default_do_not_hide_what_the_dashboard_says_since(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.saves()
    world.simulator.faults.add("reset_after", "POST /v1/customers/*", times=10)
    world.settle()
    world.simulator.faults.clear()
    chosen = world.attach_card(person)
    world.choose_default(person, chosen)

    clock.shift(10)
    world.settle()

    assert_equal_to_stripe(person)


def test_are_not_repeated_any_sooner_because_something_is_hinted_at(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    while person.payer.attempts < 6:
        world.settle()
        clock.shift(wait_of(person).total_seconds())
    world.settle()
    due_at, calls.made[:] = person.payer.due_at, []

    for kind in ("setup_intent.succeeded", "checkout.session.completed"):
        world.simulator.replay_event(
            next(key for key, found in world.simulator.books.events.items() if found["type"] == kind)
        )
    world.attach_card(person)
    calls.clear()
    world.settle()

    assert calls.made == []
    assert person.payer.due_at == due_at


def test_to_look_for_what_is_no_longer_wanted_do_not_delay_a_card(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    world.settle()
    clock.shift(
        121
    )  # it is time for a look, which fails; and meanwhile comes an event that tells nothing new
    with world.app.app_context():
        lease = leases.claim_due(db.session())
    assert lease is not None
    world.stripe("POST", f"/v1/customers/{person.stripe_id}", name="Other name")
    world.simulator.deliver_due()
    with world.app.app_context():
        webhooks.sort(db.session())
    world.simulator.faults.add("503", "*", times=2)
    with world.app.app_context():
        converge(db.session(), lease)
    world.simulator.faults.clear()
    clock.shift(5)
    world.work()

    person.saves()
    world.simulator.deliver_due()
    clock.shift(10)
    world.work()

    assert person.status == PaymentStatus.SAVED


def test_are_repeated_at_once_when_an_operator_begins_afresh(
    clock: time_machine.Traveller, world: World, person: Person, app: Flask
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    while person.payer.attempts < 8:
        world.settle()
        clock.shift(wait_of(person).total_seconds())
    world.simulator.faults.clear()
    clock.shift(-100)

    with app.app_context():
        payers.mark_due(db.session(), person.payer.id, utcnow(), afresh=True)
        db.session().commit()
    clock.shift(40)  # beyond the pause of the whole app
    world.settle()

    assert_equal_to_stripe(person)


@pytest.fixture
def oddities(simulator: Simulator) -> list[Callable[[Any], object]]:
    """What Stripe makes of a page before it tells of it: something that we never saw."""
    wanted: list[Callable[[Any], object]] = []

    @simulator.wsgi.after_request
    def _change(answer: Response) -> Response:
        if request.method == "GET" and request.path.startswith("/v1/checkout/sessions/"):
            body = answer.get_json()
            for change in wanted:
                change(body)
            answer.set_data(json.dumps(body))
        return answer

    return wanted


ODDITIES: dict[str, Callable[[Any], object]] = {
    "a page without its SetupIntent": lambda body: body.pop("setup_intent"),
    "a page of nobody": lambda body: body.update(customer=None),
    "a status that is no text": lambda body: body.update(status={"is": "open"}),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_to_understand_stripe_count_as_well(
    oddity: str,
    oddities: list[Callable[[Any], object]],
    clock: time_machine.Traveller,
    world: World,
    person: Person,
    rows: Rows,
) -> None:
    person.saves()
    oddities.append(ODDITIES[oddity])
    with structlog.testing.capture_logs() as lines:
        while person.payer.due_at is not None:
            world.settle()
            clock.shift(3601)

    assert person.payer.attempts == MOST_TRIES
    assert "could not be understood or stored" in str(person.payer.last_error)
    assert [line["event"] for line in lines].count("convergence_broke") == MOST_TRIES
    assert {found.state for found in rows(Event)} == {"dead"}
    assert person.methods == []


def test_to_understand_stripe_show_a_calm_page(
    oddities: list[Callable[[Any], object]], world: World, person: Person
) -> None:
    person.saves()
    oddities.append(ODDITIES["a page of nobody"])

    with structlog.testing.capture_logs():
        answer = person.returns()

    assert answer.status_code == 200
    assert "could not check" in answer.get_data(as_text=True).lower()


def test_of_the_key_give_nobody_up(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    revoke_key(world.simulator.books, DEFAULT_API_KEY)
    for _ in range(3 * MOST_TRIES):
        world.settle()
        clock.shift(3601)
    add_key(world.simulator.books, DEFAULT_API_KEY)

    world.settle()

    assert "dead" not in {found.state for found in rows(Event)}
    assert_equal_to_stripe(person)


class TestWithFewerTries:
    """How many tries there are is the installation's choice."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, most_tries=2)

    def test_are_left_to_a_person_sooner(
        self, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
    ) -> None:
        person.saves()
        world.simulator.faults.add("429", "GET *", times=1000)

        for _ in range(2):
            world.settle()
            clock.shift(10)

        assert person.payer.due_at is None
        assert {found.state for found in rows(Event)} == {"dead"}
