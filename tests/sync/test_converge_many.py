"""Convergence makes the method that was saved last the default, whatever the number of cards and open
pages. It writes each fact to the audit log once."""

import pytest
import time_machine

from app.core.config import Settings
from app.gateway.client import NETWORK_RETRIES
from app.payers import PaymentStatus
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_converge import DECLINED, kinds
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_charges_the_card_that_was_saved_last(person: Person, world: World) -> None:
    person.save_card()
    world.settle()
    person.open_another_session()

    person.save_card("5555555555554444")
    world.settle()

    default = person.payer.default_method
    assert default is not None
    assert default.brand == "mastercard"
    assert len(person.methods) == 2
    assert_agrees(person)


def test_charges_the_card_that_was_saved_last_on_the_page_that_was_opened_first(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    first = person.session_id
    second = person.open_another_session()
    world.simulator.save_card(second, "4242424242424242")
    clock.shift(2)
    world.simulator.save_card(first, "5555555555554444")

    world.settle()

    default = person.payer.default_method
    assert default is not None
    assert default.brand == "mastercard"
    assert_agrees(person)


def test_knows_every_card_saved_while_no_event_came(person: Person, world: World) -> None:
    first = person.session_id
    second = person.open_another_session()
    world.simulator.save_card(first, "4242424242424242")
    world.simulator.save_card(second, "5555555555554444")

    world.settle()

    default = person.payer.default_method
    assert default is not None
    assert default.brand == "mastercard"
    assert {page.setup_status for page in person.checkout_sessions} == {"succeeded"}
    assert_agrees(person)


def test_looks_at_every_page_that_is_open(
    person: Person, world: World, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    first = person.session_id
    second = person.open_another_session()
    world.simulator.expire_session(first)
    calls.clear()

    person.return_to_portal()

    assert {page.stripe_id: page.status for page in person.checkout_sessions} == {
        first: "expired",
        second: "open",
    }
    assert sorted(calls.made) == sorted(f"GET /v1/checkout/sessions/{page}" for page in (first, second))
    assert person.status == PaymentStatus.IN_PROGRESS


def test_knows_of_a_page_that_expired(person: Person, world: World, rows: Rows) -> None:
    world.simulator.expire_session(person.session_id)

    world.settle()

    assert person.status == PaymentStatus.ABANDONED
    assert kinds(rows)[-2:] == ["checkout.expired", "payment_status.changed"]
    assert person.payer.due_at is None


def test_takes_a_page_for_expired_that_stripe_does_not_know(
    person: Person, world: World, rows: Rows, calls: StripeCalls
) -> None:
    lost = person.session_id
    session = world.simulator.store.checkout_sessions.pop(lost)
    calls.clear()

    person.return_to_portal()

    assert [page.status for page in person.checkout_sessions] == ["expired"]
    assert person.status == PaymentStatus.ABANDONED
    assert kinds(rows)[-2:] == ["checkout.expired", "payment_status.changed"]
    assert calls.made == [
        f"GET /v1/checkout/sessions/{lost}",
        f"GET /v1/customers/{session['customer']}",
        f"GET /v1/customers/{session['customer']}/payment_methods",
    ]


def test_writes_the_audit_log_once_however_often_it_looks(
    person: Person, world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.save_card(DECLINED)
    for _ in range(3):
        person.return_to_portal()
        clock.shift(70)

    assert kinds(rows).count("setup.failed") == 1


def test_lets_a_second_browser_tab_see_what_the_first_one_did(person: Person, world: World) -> None:
    person.save_card()

    pages = [person.return_to_portal().get_data(as_text=True) for _ in range(2)]

    assert all("4242" in page for page in pages)


class TestWhenMethodsAreKept:
    """With the policy `keep`, the first method goes on being the one that is charged."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """A portal with the policy to keep the first method."""
        return make_settings(database_url=database_url, payment_method_policy="keep")

    def test_makes_the_first_card_the_default(self, person: Person, world: World) -> None:
        person.save_card()
        world.settle()

        assert person.status == PaymentStatus.SAVED
        assert_agrees(person)

    def test_leaves_the_first_card_the_default(self, person: Person, world: World) -> None:
        person.save_card()
        world.settle()
        first = person.stripe_default
        person.open_another_session()

        person.save_card("5555555555554444")
        world.settle()

        assert person.stripe_default == first
        assert len(person.methods) == 2
        assert_agrees(person)


def test_asks_for_all_methods_only_when_one_call_leaves_one_open(
    person: Person, world: World, calls: StripeCalls
) -> None:
    person.save_card()
    world.settle()
    second = person.open_another_session()
    calls.clear()
    person.return_to_portal()
    assert calls.made == [f"GET /v1/checkout/sessions/{second}"]
    world.simulator.detach_payment_method(str(person.stripe_default))
    calls.clear()

    world.settle()

    assert calls.made == [
        f"GET /v1/checkout/sessions/{second}",
        f"GET /v1/customers/{person.stripe_customer_id}/payment_methods",
    ]


@pytest.mark.usefixtures("frozen")
def test_asks_about_everybody_though_some_fail_by_chance(world: World) -> None:
    people = [world.person() for _ in range(7)]
    for number, person in enumerate(people):
        person.save_card()
        for _ in range(number % 2 * (1 + NETWORK_RETRIES)):
            world.simulator.faults.add("503", f"GET /v1/checkout/sessions/{person.session_id}")
    while world.simulator.deliver_due():
        continue

    world.work_once()

    saved = [person.status == PaymentStatus.SAVED for person in people]
    assert saved == [True, False, True, False, True, False, True]
