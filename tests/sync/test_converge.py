"""Convergence makes our record of a person equal to what Stripe says now: what the person did on Stripe's
page."""

from datetime import UTC, datetime

import pytest
import time_machine

from app.audit import Entry
from app.payers import PaymentMethod, PaymentStatus
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.sync_converge import CHALLENGED, DECLINED, kinds
from tests.support.truth import assert_agrees
from tests.support.world import World

CHALLENGED_THEN_DECLINED = "4000008400001629"


def test_knows_of_an_open_page(person: Person, world: World) -> None:
    person.return_to_portal()

    assert person.status == PaymentStatus.IN_PROGRESS
    assert person.payer.verified_at is not None


def test_saves_a_card_and_makes_it_the_default(person: Person, world: World, rows: Rows) -> None:
    person.save_card()

    world.settle()

    [card] = person.methods
    assert (card.type, card.brand, card.last4, card.exp_month, card.exp_year) == (
        "card",
        "visa",
        "4242",
        12,
        2034,
    )
    assert card.id == person.payer.default_method_id == person.stripe_default
    assert person.status == PaymentStatus.SAVED
    assert kinds(rows)[-3:] == ["setup.succeeded", "payment_method.saved", "default_method.changed"]


def test_notes_why_a_card_was_declined(person: Person, world: World, rows: Rows) -> None:
    person.save_card(DECLINED)

    person.return_to_portal()

    [page] = person.checkout_sessions
    assert person.status == PaymentStatus.FAILED
    assert (page.error_code, page.decline_code) == ("card_declined", "generic_decline")
    assert page.error_message == "Your card was declined."
    assert page.status == "open"
    assert person.methods == []
    assert kinds(rows)[-1] == "setup.failed"


def test_forgets_a_decline_when_another_card_succeeds(person: Person, world: World) -> None:
    person.save_card(DECLINED)
    person.return_to_portal()

    person.save_card("5555555555554444")
    world.settle()

    [page] = person.checkout_sessions
    assert person.status == PaymentStatus.SAVED
    assert (page.error_code, page.decline_code, page.error_message) == (None, None, None)
    assert_agrees(person)


def test_waits_for_3d_secure(person: Person) -> None:
    person.save_card(CHALLENGED)

    person.return_to_portal()

    assert person.status == PaymentStatus.NEEDS_ACTION
    assert person.methods == []


def test_saves_a_card_that_came_through_3d_secure(person: Person, world: World) -> None:
    person.save_card(CHALLENGED)
    person.return_to_portal()

    world.simulator.authenticate(person.session_id)
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert_agrees(person)


@pytest.mark.parametrize(
    ("number", "ok", "code"),
    [
        (CHALLENGED, False, "setup_intent_authentication_failure"),
        (CHALLENGED_THEN_DECLINED, True, "card_declined"),
    ],
)
def test_notes_how_3d_secure_failed(number: str, ok: bool, code: str, person: Person, world: World) -> None:  # noqa: FBT001
    person.save_card(number)

    world.simulator.authenticate(person.session_id, ok=ok)
    person.return_to_portal()

    assert person.status == PaymentStatus.FAILED
    assert person.checkout_sessions[0].error_code == code
    assert_agrees(person)


def test_waits_for_micro_deposits(person: Person, world: World, rows: Rows) -> None:
    world.simulator.pay_by_bank(person.session_id, verify="later")

    world.settle()

    assert person.status == PaymentStatus.PROCESSING
    assert person.checkout_sessions[0].next_action == "verify_with_microdeposits"
    assert person.methods == []
    assert kinds(rows)[-1] == "setup.processing"


def test_saves_a_bank_account_when_its_micro_deposits_are_verified(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    world.simulator.pay_by_bank(person.session_id, verify="later")
    world.settle()
    clock.shift(2 * 86400)

    world.simulator.verify_microdeposits(person.session_id)
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert [(method.type, method.last4) for method in person.methods] == [("us_bank_account", "6789")]
    assert_agrees(person)


def test_gives_up_a_bank_account_whose_micro_deposits_failed(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    world.simulator.pay_by_bank(person.session_id, verify="later")
    world.settle()
    clock.shift(2 * 86400)

    world.simulator.verify_microdeposits(person.session_id, ok=False)
    world.settle()
    clock.shift(10)
    world.settle()

    assert person.status == PaymentStatus.FAILED
    assert person.checkout_sessions[0].settled_at is not None
    assert person.payer.due_at is None
    assert_agrees(person)


@pytest.mark.parametrize("kind", ["us_bank_account", "sepa_debit"])
def test_saves_a_bank_account(kind: str, person: Person, world: World) -> None:
    world.simulator.pay_by_bank(person.session_id, kind)

    world.settle()

    assert [method.type for method in person.methods] == [kind]
    assert person.status == PaymentStatus.SAVED
    assert_agrees(person)


def test_follows_a_card_to_its_end(person: Person, world: World, clock: time_machine.Traveller) -> None:
    person.save_card(expiry="12/30")
    world.settle()

    said = []
    for day in (
        datetime(2030, 11, 30, tzinfo=UTC),
        datetime(2030, 12, 15, tzinfo=UTC),
        datetime(2031, 1, 1, tzinfo=UTC),
    ):
        clock.move_to(day, tick=True)
        said.append(person.status.value)

    assert said == ["saved", "expiring", "expired"]


def test_removes_a_detached_card(person: Person, world: World, rows: Rows) -> None:
    person.save_card()
    world.settle()

    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    assert person.status == PaymentStatus.REMOVED
    assert person.methods == []
    assert [method.last4 for method in rows(PaymentMethod)] == ["4242"]
    assert "payment_method.removed" in kinds(rows)
    assert_agrees(person)


def test_does_not_make_a_card_the_default_that_is_detached_already(person: Person, world: World) -> None:
    person.save_card()
    world.simulator.detach_payment_method(world.simulator.store.payment_methods.snapshot()[0]["id"])

    world.settle()

    assert person.stripe_default is None
    assert_agrees(person)


def test_no_secret_of_stripe_reaches_the_audit_log(person: Person, world: World, rows: Rows) -> None:
    person.save_card()
    world.settle()

    told = repr([(entry.kind, entry.facts) for entry in rows(Entry)])
    assert "sk_test" not in told
    assert "whsec" not in told
    assert "4242424242424242" not in told
