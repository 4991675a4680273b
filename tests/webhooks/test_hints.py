"""Every kind of event that we subscribe to makes us ask Stripe when it tells something new, and costs no
call when it does not."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import time_machine

from app.gateway import EVENTS
from app.payers import PaymentStatus
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World
from tests.webhooks.conftest import NOTHING_NEW

DECLINED, CHALLENGED = "4000000000000002", "4000002500003155"


def _nothing(_world: World, _person: Person) -> None:
    """They have only signed up."""


def _saves(_world: World, person: Person) -> None:
    assert person.save_card() == "succeeded"


def _is_declined(_world: World, person: Person) -> None:
    assert person.save_card(DECLINED) == "declined"


def _is_challenged(_world: World, person: Person) -> None:
    assert person.save_card(CHALLENGED) == "requires_action"


def _lets_it_expire(world: World, person: Person) -> None:
    world.simulator.expire_session(person.session_id)


def _is_deleted(world: World, person: Person) -> None:
    world.simulator.delete_customer(person.stripe_customer_id)


def _loses_the_card(world: World, person: Person) -> None:
    world.simulator.detach_payment_method(str(person.stripe_default))


def _gets_a_new_expiry(world: World, person: Person) -> None:
    world.simulator.renew_card(str(person.stripe_default), month=7, year=2039)


def _corrects_the_expiry(world: World, person: Person) -> None:
    world.stripe("POST", f"/v1/payment_methods/{person.stripe_default}", **{"card[exp_year]": "2038"})


def _gets_a_second_card(world: World, person: Person) -> None:
    world.attach_card(person)


def _has_two_cards(world: World, person: Person) -> None:
    _saves(world, person)
    world.settle()
    _gets_a_second_card(world, person)
    world.settle()
    world.clock.shift(61)  # what comes later is not found by the way


def _chooses_the_other(world: World, person: Person) -> None:
    others = world.stripe("GET", f"/v1/customers/{person.stripe_customer_id}/payment_methods")["data"]
    world.choose_default(person, next(m["id"] for m in others if m["id"] != person.stripe_default))


@dataclass(frozen=True)
class Case:
    """An event type, what is true before it, what happens then, and what the portal says afterwards."""

    kind: str
    before: Callable[[World, Person], None]
    happens: Callable[[World, Person], None]
    status: PaymentStatus


CASES = [
    Case("checkout.session.completed", _nothing, _saves, PaymentStatus.SAVED),
    Case("checkout.session.expired", _nothing, _lets_it_expire, PaymentStatus.ABANDONED),
    Case("customer.deleted", _saves, _is_deleted, PaymentStatus.CUSTOMER_GONE),
    Case("customer.updated", _has_two_cards, _chooses_the_other, PaymentStatus.SAVED),
    Case("payment_method.attached", _saves, _gets_a_second_card, PaymentStatus.SAVED),
    Case("payment_method.automatically_updated", _saves, _gets_a_new_expiry, PaymentStatus.SAVED),
    Case("payment_method.detached", _saves, _loses_the_card, PaymentStatus.REMOVED),
    Case("payment_method.updated", _saves, _corrects_the_expiry, PaymentStatus.SAVED),
    Case("setup_intent.canceled", _nothing, _lets_it_expire, PaymentStatus.ABANDONED),
    Case("setup_intent.requires_action", _nothing, _is_challenged, PaymentStatus.NEEDS_ACTION),
    Case("setup_intent.setup_failed", _nothing, _is_declined, PaymentStatus.FAILED),
    Case("setup_intent.succeeded", _nothing, _saves, PaymentStatus.SAVED),
]


@pytest.fixture(params=CASES, ids=lambda case: case.kind)
def case(request: pytest.FixtureRequest) -> Case:
    """One kind of event, and how it comes about."""
    found = request.param
    assert isinstance(found, Case)
    return found


def test_covers_every_event_that_is_subscribed() -> None:
    assert {case.kind for case in CASES} | {"mandate.updated"} == set(EVENTS)


def test_leads_to_stripes_truth_by_itself(
    case: Case, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    case.before(world, person)
    world.settle()
    case.happens(world, person)
    world.lose_events(lambda kind: kind == case.kind)

    world.settle()
    clock.shift(61)  # the longest patience
    world.settle()

    assert person.status == case.status
    assert_agrees(person)
    assert {found.state for found in rows(Event)} == {"done"}


def test_costs_no_call_when_it_tells_nothing_new(
    case: Case, clock: time_machine.Traveller, world: World, calls: StripeCalls, rows: Rows
) -> None:
    person = world.person()
    case.before(world, person)
    world.settle()
    case.happens(world, person)
    world.lose_events()
    clock.shift(61)  # after that, a look at Stripe is worth while again
    person.return_to_portal()
    seen = {found.id for found in rows(Event)}
    told = [told["id"] for told in world.simulator.store.events.snapshot() if told["type"] == case.kind]
    for event_id in told:
        world.simulator.replay_event(event_id)
    calls.clear()

    world.settle()

    assert calls.made == []
    assert person.status == case.status
    news = [found for found in rows(Event) if found.id not in seen and found.id in told]
    assert news
    assert {(found.state, found.reason) for found in news} == {("done", NOTHING_NEW)}


def test_a_whole_onboarding_costs_four_calls(
    calls: StripeCalls, world: World, clock: time_machine.Traveller
) -> None:
    calls.clear()

    person = world.person()
    person.save_card()
    world.settle()
    person.return_to_portal()
    clock.shift(600)
    world.settle()

    assert calls.made == [
        "POST /v1/customers",
        "POST /v1/checkout/sessions",
        f"GET /v1/checkout/sessions/{person.session_id}",
        f"POST /v1/customers/{person.stripe_customer_id}",
    ]
    assert person.status == PaymentStatus.SAVED


@pytest.mark.parametrize("shuffled", range(4))
def test_any_order_and_number_of_events_about_one_card_cost_one_convergence(
    shuffled: int, calls: StripeCalls, world: World, person: Person
) -> None:
    world.simulator.fault_settings.change({"shuffle": True, "duplicate": 4})
    calls.clear()

    person.save_card()
    world.settle()

    assert len(calls.made) == 2
    assert person.status == PaymentStatus.SAVED
