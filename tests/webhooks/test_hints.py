"""What an event does to the payer it is about: Stripe is asked when it tells something new, and only then."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog
import time_machine

from app import db
from app.db import utcnow
from app.gateway import EVENTS
from app.payers import PaymentStatus
from app.simulator import Simulator
from app.webhooks import Event
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe

DECLINED, CHALLENGED = "4000000000000002", "4000002500003155"
NOTHING_NEW = "It tells nothing new."


def _nothing(_world: World, _person: Person) -> None:
    """They have only signed up."""


def _saves(_world: World, person: Person) -> None:
    assert person.saves() == "succeeded"


def _is_declined(_world: World, person: Person) -> None:
    assert person.saves(DECLINED) == "declined"


def _is_challenged(_world: World, person: Person) -> None:
    assert person.saves(CHALLENGED) == "requires_action"


def _lets_it_expire(world: World, person: Person) -> None:
    world.simulator.expire_session(person.page_id)


def _is_deleted(world: World, person: Person) -> None:
    world.simulator.delete_customer(person.stripe_id)


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


def _chooses_the_other(world: World, person: Person) -> None:
    others = world.stripe("GET", f"/v1/customers/{person.stripe_id}/payment_methods")["data"]
    world.choose_default(person, next(m["id"] for m in others if m["id"] != person.stripe_default))


@dataclass(frozen=True)
class Case:
    """An event type, what is true beforehand, what happens then, and what the portal says afterwards."""

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
    assert_equal_to_stripe(person)
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
    person.returns()
    seen = {found.id for found in rows(Event)}
    told = [told["id"] for told in world.simulator.books.events.snapshot() if told["type"] == case.kind]
    for event_id in told:
        world.simulator.replay_event(event_id)
    calls.clear()

    world.settle()

    assert calls.made == []
    assert person.status == case.status
    news = [found for found in rows(Event) if found.id not in seen and found.id in told]
    assert news
    assert {(found.state, found.reason) for found in news} == {("done", NOTHING_NEW)}


def test_of_a_mandate_leads_to_a_look_at_it(
    world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    world.simulator.pay_by_bank(person.page_id, "bacs_debit")
    world.settle()
    calls.clear()
    mandate = world.simulator.books.mandates.snapshot()[0]["id"]

    world.simulator.settle_mandate(mandate, "active")
    world.settle()

    assert f"GET /v1/mandates/{mandate}" in calls.made
    assert person.status == PaymentStatus.SAVED
    assert [found.state for found in rows(Event) if found.type == "mandate.updated"] == ["done"]


def test_of_a_mandate_that_is_known_costs_no_call(
    world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    world.simulator.pay_by_bank(person.page_id, "bacs_debit")
    world.simulator.settle_mandate(world.simulator.books.mandates.snapshot()[0]["id"], "active")
    person.returns()
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
    world.simulator.pay_by_bank(person.page_id, "bacs_debit")
    world.simulator.settle_mandate(world.simulator.books.mandates.snapshot()[0]["id"], "inactive")
    world.lose_events(lambda kind: kind == "mandate.updated")
    world.simulator.deliver_due()
    world.work()
    assert {found.state for found in rows(Event)} == {"new"}

    person.returns()
    clock.shift(2)
    world.work()

    assert [found.state for found in rows(Event) if found.type == "mandate.updated"] == ["done"]


def test_of_a_card_saved_elsewhere_for_the_same_customer_is_news(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.saves()
    world.settle()
    world.stripe(
        "POST",
        "/v1/setup_intents",
        customer=person.stripe_id,
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
    assert_equal_to_stripe(person)


def test_of_an_attempt_elsewhere_that_failed_is_no_news(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls, rows: Rows
) -> None:
    failed = {
        "id": "seti_elsewhere",
        "object": "setup_intent",
        "customer": person.stripe_id,
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
        "customer": person.stripe_id,
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
            data={"object": detached, "previous_attributes": {"customer": person.stripe_id}},
        )
    )
    world.work()

    assert calls.made == []
    assert [(found.state, found.reason) for found in rows(Event)] == [("done", NOTHING_NEW)]


def test_finds_its_customer_when_the_customer_comes_whole(
    world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    whole = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": {"id": person.stripe_id}}

    postbox.post(event("payment_method.attached", whole))
    world.work()

    assert rows(Event)[0].payer_id == person.payer.id


def test_a_whole_onboarding_costs_four_calls(
    calls: StripeCalls, world: World, clock: time_machine.Traveller
) -> None:
    calls.clear()

    person = world.person()
    person.saves()
    world.settle()
    person.returns()
    clock.shift(600)
    world.settle()

    assert calls.made == [
        "POST /v1/customers",
        "POST /v1/checkout/sessions",
        f"GET /v1/checkout/sessions/{person.page_id}",
        f"POST /v1/customers/{person.stripe_id}",
    ]
    assert person.status == PaymentStatus.SAVED


@pytest.mark.parametrize("shuffled", range(4))
def test_any_order_and_number_of_events_about_one_card_cost_one_convergence(
    shuffled: int, calls: StripeCalls, world: World, person: Person
) -> None:
    world.simulator.knobs.change({"shuffle": True, "duplicate": 4})
    calls.clear()

    person.saves()
    world.settle()

    assert len(calls.made) == 2
    assert person.status == PaymentStatus.SAVED


def test_that_arrives_during_a_convergence_is_dismissed_afterwards_without_a_call(
    calls: StripeCalls, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    world.lose_events(lambda kind: kind == "setup_intent.succeeded")
    world.simulator.deliver_due()
    completed = next(
        told["id"]
        for told in world.simulator.books.events.snapshot()
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
    person.saves()
    world.settle()
    first, second = str(person.stripe_default), world.attach_card(person)
    world.settle()

    def chosen_back() -> None:
        world.choose_default(person, first)
        world.settle()

    world.choose_default(person, second)
    calls.after("GET /v1/customers/*", chosen_back)
    world.settle()

    assert_equal_to_stripe(person)


def test_that_is_quicker_than_our_own_commit_is_looked_at_again(
    calls: StripeCalls, clock: time_machine.Traveller, world: World, rows: Rows
) -> None:
    def card_is_saved_at_once() -> None:
        world.simulator.save_card(world.simulator.books.checkout_sessions.snapshot()[0]["id"])
        world.settle()

    calls.after("POST /v1/checkout/sessions", card_is_saved_at_once)
    person = world.person()
    early = {found.type: found.state for found in rows(Event)}
    assert early["setup_intent.succeeded"] == early["checkout.session.completed"] == "new"

    clock.shift(2)
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert {found.state for found in rows(Event)} <= {"done", "ignored"}


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
    assert (rows(Event)[0].state, rows(Event)[0].reason) == ("ignored", "It concerns no customer of ours.")


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


@pytest.mark.parametrize("case_name", MALFORMED)
def test_about_one_of_ours_that_is_malformed_harms_nothing(
    case_name: str, world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    person.saves()
    world.settle()
    thing = {"id": person.stripe_id, "customer": person.stripe_id, **MALFORMED[case_name]}

    answer = postbox.post(event("customer.updated", thing, id="evt_malformed"))
    world.work()
    later = world.person()
    later.saves()
    world.settle()

    assert answer.status_code == 200
    assert {found.state for found in rows(Event)} == {"done"}
    assert (person.status, later.status) == (PaymentStatus.SAVED, PaymentStatus.SAVED)
    assert_equal_to_stripe(person)


def test_waits_for_the_simulators_retries_when_the_first_tries_are_lost(
    simulator: Simulator, world: World, person: Person
) -> None:
    simulator.knobs.drop_first = 2
    person.saves()

    for _ in range(3):
        world.settle()

    assert person.status == PaymentStatus.SAVED


def test_of_many_are_sorted_by_several_workers_at_once(world: World, postbox: Postbox, rows: Rows) -> None:
    """Two workers get their events in opposite orders; neither may wait for the other for ever."""
    people = [world.person(), world.person()]
    for batch, order in enumerate((people, people[::-1])):
        for place in range(100):
            whose = order[place // 50]
            setup = world.simulator.books.checkout_sessions[whose.page_id]["setup_intent"]
            failed = {
                "id": setup,
                "object": "setup_intent",
                "customer": whose.stripe_id,
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


OLD = "2019-12-03"  # of which we can read the ids, and nothing else for sure


def test_in_another_api_version_is_news_whatever_it_seems_to_say(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls
) -> None:
    person.saves()
    world.settle()
    card = world.simulator.books.payment_methods[str(person.stripe_default)]
    calls.clear()

    postbox.post(event("payment_method.updated", card, api_version=OLD))
    world.work()

    assert len(calls.made) == 2


@pytest.mark.parametrize("kind", ["setup_intent.succeeded", "checkout.session.completed"])
def test_in_another_api_version_is_no_news_of_a_page_that_is_done_with(
    kind: str, world: World, person: Person, postbox: Postbox, calls: StripeCalls, rows: Rows
) -> None:
    person.saves()
    world.settle()
    page = world.simulator.books.checkout_sessions[person.page_id]
    intent = world.simulator.books.setup_intents[page["setup_intent"]]
    calls.clear()

    postbox.post(event(kind, intent if "intent" in kind else page, id="evt_old", api_version=OLD))
    world.work()

    assert calls.made == []
    assert [found.state for found in rows(Event) if found.id == "evt_old"] == ["done"]


def test_that_nobody_understands_does_not_hold_up_the_others(
    world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    postbox.post(event(id="evt_odd"))
    with world.app.app_context():
        db.session().execute(sa.update(Event).values(payload="[]"))
        db.session().commit()
    person.saves()
    world.simulator.deliver_due()

    with structlog.testing.capture_logs() as lines:
        world.work()

    assert_equal_to_stripe(person)
    assert [(found.state, found.reason) for found in rows(Event) if found.id == "evt_odd"] == [
        ("dead", "It could not be understood; the log says why.")
    ]
    assert "event_not_understood" in {line["event"] for line in lines}
