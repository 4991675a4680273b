"""An operator chooses the default payment method, removes methods and closes open pages. Stripe does the
same, and the audit log names the operator."""

from datetime import timedelta

import pytest

from app.checkout import CheckoutSession
from app.simulator import DEFAULT_API_KEY, Simulator, revoke_key
from tests.support.console_customer import ConsoleOf, told
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World


class TestMethods:
    @pytest.fixture
    def other(self, saved: Person, world: World, console_of: ConsoleOf) -> dict[str, str]:
        """A second card, which is not charged; as the buttons send it."""
        method_id = world.attach_card(saved)
        console_of(saved).press("check")
        return {"app_id": saved.payer.app_id, "method_id": method_id}

    def test_another_one_is_charged(
        self, saved: Person, other: dict[str, str], console_of: ConsoleOf, rows: Rows
    ) -> None:
        said = console_of(saved).said("charge", **other)

        assert "Mastercard •••• 4444 is now the default." in said
        assert saved.stripe_default == saved.payer.default_method_id == other["method_id"]
        assert told(rows, "default_method.changed")[-1][0].startswith("operator:")

    def test_choosing_it_twice_is_choosing_it(
        self, saved: Person, other: dict[str, str], console_of: ConsoleOf
    ) -> None:
        console_of(saved).press("charge", **other)

        assert "is now the default" in console_of(saved).said("charge", **other)

    def test_one_is_removed_at_stripe(
        self, saved: Person, other: dict[str, str], console_of: ConsoleOf, simulator: Simulator, rows: Rows
    ) -> None:
        said = console_of(saved).said("detach", **other)

        assert "Mastercard •••• 4444 has been removed from Stripe." in said
        assert simulator.store.payment_methods[other["method_id"]]["customer"] is None
        assert [method.id for method in saved.methods] == [saved.stripe_default]
        assert told(rows, "payment_method.detached")[0][0].startswith("operator:")

    def test_the_one_that_is_charged_is_removed(self, saved: Person, console_of: ConsoleOf) -> None:
        method = saved.methods[0]

        said = console_of(saved).said("detach", app_id=method.app_id, method_id=method.id)

        assert "Removed Visa •••• 4242 was removed" in said
        assert "by Grace Hopper" in said

    def test_removing_it_twice_is_removing_it(
        self, saved: Person, other: dict[str, str], console_of: ConsoleOf, simulator: Simulator
    ) -> None:
        simulator.detach_payment_method(other["method_id"])

        first, second = (console_of(saved).said("detach", **other) for _ in range(2))

        assert "has been removed from Stripe" in first
        assert "no longer attached to this customer" in second

    def test_nothing_is_done_to_somebody_elses(
        self, saved: Person, console_of: ConsoleOf, world: World
    ) -> None:
        stranger = world.person()
        stranger.save_card()
        world.settle()
        theirs = {"app_id": stranger.payer.app_id, "method_id": str(stranger.stripe_default)}

        for what in ("charge", "detach"):
            assert "no longer attached to this customer" in console_of(saved).said(what, **theirs)
        assert stranger.status == "saved"

    @pytest.mark.parametrize("what", ["charge", "detach"])
    def test_nothing_is_done_when_stripe_is_away(
        self, what: str, saved: Person, other: dict[str, str], console_of: ConsoleOf, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "*", times=9)

        assert "Stripe had a problem." in console_of(saved).said(what, **other)
        assert len(saved.methods) == 2

    @pytest.mark.parametrize("what", ["charge", "detach"])
    def test_a_rejected_key_is_noted(
        self, what: str, saved: Person, other: dict[str, str], console_of: ConsoleOf, simulator: Simulator
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)

        said = console_of(saved).said(what, **other)

        assert "Stripe rejected the API key of this app." in said
        assert "Stripe rejects our API key" in said


class TestPages:
    def test_an_open_one_is_closed(
        self, person: Person, console_of: ConsoleOf, simulator: Simulator, rows: Rows
    ) -> None:
        said = console_of(person).said("close-page", session_id=person.session_id)

        assert "Checkout session closed." in said
        assert simulator.store.checkout_sessions[person.session_id]["status"] == "expired"
        assert rows(CheckoutSession)[0].status == "expired"
        assert told(rows, "checkout.closed")[0][0].startswith("operator:")

    def test_one_that_is_closed_already_stays_so(
        self, person: Person, console_of: ConsoleOf, rows: Rows
    ) -> None:
        console_of(person).press("close-page", session_id=person.session_id)

        said = console_of(person).said("close-page", session_id=person.session_id)

        assert "The checkout session was already closed." in said
        assert len(told(rows, "checkout.closed")) == 1

    def test_that_of_somebody_else_is_left_alone(
        self, person: Person, console_of: ConsoleOf, world: World, simulator: Simulator
    ) -> None:
        stranger = world.person()

        for page_id in (stranger.session_id, "cs_unknown"):
            assert "This customer has no such checkout session." in console_of(person).said(
                "close-page", session_id=page_id
            )
        assert simulator.store.checkout_sessions[stranger.session_id]["status"] == "open"

    def test_it_stays_open_when_stripe_is_away(
        self, person: Person, console_of: ConsoleOf, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "*", times=9)

        said = console_of(person).said("close-page", session_id=person.session_id)

        assert "Stripe had a problem." in said
        assert person.checkout_sessions[0].status == "open"


class TestLostAnswers:
    """Stripe does what was asked, and its answer is lost: nobody else is blamed for it."""

    @pytest.mark.parametrize("fault", ["reset_after", "timeout_after"])
    def test_a_method_is_removed_anyway(
        self, fault: str, saved: Person, console_of: ConsoleOf, simulator: Simulator, rows: Rows, world: World
    ) -> None:
        method = saved.methods[0]
        simulator.faults.add(fault, "POST /v1/payment_methods/*/detach", times=9)

        said = console_of(saved).said("detach", app_id=method.app_id, method_id=method.id)
        simulator.faults.clear()
        world.clock.shift(timedelta(minutes=1))
        world.settle()
        later = console_of(saved).page.text

        assert "We don't know yet whether it worked." in said
        assert told(rows, "payment_method.detach_unanswered")[0][0].startswith("operator:")
        assert "Visa •••• 4242 was removed" in later
        assert "by Grace Hopper" in later
        assert "in Stripe's Dashboard or customer portal" not in later

    def test_a_removal_is_known_though_its_event_is_lost_too(
        self, saved: Person, console_of: ConsoleOf, simulator: Simulator, world: World
    ) -> None:
        method = saved.methods[0]
        simulator.faults.add("reset_after", "POST /v1/payment_methods/*/detach", times=9)
        console_of(saved).press("detach", app_id=method.app_id, method_id=method.id)
        simulator.faults.clear()
        world.lose_events()

        world.clock.shift(timedelta(minutes=1))
        world.settle()

        assert saved.methods == []

    def test_another_default_was_chosen_here(
        self, saved: Person, console_of: ConsoleOf, simulator: Simulator, world: World
    ) -> None:
        other = world.attach_card(saved)
        console_of(saved).press("check")
        simulator.faults.add("reset_after", "POST /v1/customers/*", times=9)

        said = console_of(saved).said("charge", app_id=saved.payer.app_id, method_id=other)
        simulator.faults.clear()
        world.clock.shift(timedelta(minutes=1))
        world.settle()

        assert "We don't know yet whether it worked." in said
        assert saved.stripe_default == other
        assert "Grace Hopper chose it here." in console_of(saved).page.text
