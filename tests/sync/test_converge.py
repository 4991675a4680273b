"""Converging makes our record of a person equal to what Stripe says now."""

from datetime import UTC, datetime

import pytest
import time_machine

from app.config import Settings
from app.journal import Entry
from app.payers import PaymentMethod, PaymentStatus
from tests.conftest import make_settings
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe

DECLINED, CHALLENGED = "4000000000000002", "4000002500003155"
CHALLENGED_THEN_DECLINED = "4000008400001629"


def kinds(rows: Rows) -> list[str]:
    """The journal's entries, in order."""
    return [entry.kind for entry in sorted(rows(Entry), key=lambda entry: entry.id)]


def test_knows_of_an_open_page(person: Person, world: World) -> None:
    person.returns()

    assert person.status == PaymentStatus.IN_PROGRESS
    assert person.payer.verified_at is not None


def test_saves_a_card_and_makes_it_the_default(person: Person, world: World, rows: Rows) -> None:
    person.saves()

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
    person.saves(DECLINED)

    person.returns()

    [page] = person.pages
    assert person.status == PaymentStatus.FAILED
    assert (page.error_code, page.decline_code) == ("card_declined", "generic_decline")
    assert page.error_message == "Your card was declined."
    assert page.status == "open"
    assert person.methods == []
    assert kinds(rows)[-1] == "setup.failed"


def test_forgets_a_decline_when_another_card_succeeds(person: Person, world: World) -> None:
    person.saves(DECLINED)
    person.returns()

    person.saves("5555555555554444")
    world.settle()

    [page] = person.pages
    assert person.status == PaymentStatus.SAVED
    assert (page.error_code, page.decline_code, page.error_message) == (None, None, None)
    assert_equal_to_stripe(person)


def test_waits_for_3d_secure(person: Person) -> None:
    person.saves(CHALLENGED)

    person.returns()

    assert person.status == PaymentStatus.NEEDS_ACTION
    assert person.methods == []


def test_saves_a_card_that_came_through_3d_secure(person: Person, world: World) -> None:
    person.saves(CHALLENGED)
    person.returns()

    world.simulator.authenticate(person.page_id)
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert_equal_to_stripe(person)


@pytest.mark.parametrize(
    ("number", "ok", "code"),
    [
        (CHALLENGED, False, "setup_intent_authentication_failure"),
        (CHALLENGED_THEN_DECLINED, True, "card_declined"),
    ],
)
def test_notes_how_3d_secure_failed(number: str, ok: bool, code: str, person: Person, world: World) -> None:  # noqa: FBT001
    person.saves(number)

    world.simulator.authenticate(person.page_id, ok=ok)
    person.returns()

    assert person.status == PaymentStatus.FAILED
    assert person.pages[0].error_code == code
    assert_equal_to_stripe(person)


def test_waits_for_micro_deposits(person: Person, world: World, rows: Rows) -> None:
    world.simulator.pay_by_bank(person.page_id, verify="later")

    world.settle()

    assert person.status == PaymentStatus.PROCESSING
    assert person.pages[0].next_action == "verify_with_microdeposits"
    assert person.methods == []
    assert kinds(rows)[-1] == "setup.processing"


def test_saves_a_bank_account_when_its_micro_deposits_are_verified(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    world.simulator.pay_by_bank(person.page_id, verify="later")
    world.settle()
    clock.shift(2 * 86400)

    world.simulator.verify_microdeposits(person.page_id)
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert [(method.type, method.last4) for method in person.methods] == [("us_bank_account", "6789")]
    assert_equal_to_stripe(person)


def test_gives_up_a_bank_account_whose_micro_deposits_failed(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    world.simulator.pay_by_bank(person.page_id, verify="later")
    world.settle()
    clock.shift(2 * 86400)

    world.simulator.verify_microdeposits(person.page_id, ok=False)
    world.settle()
    clock.shift(10)
    world.settle()

    assert person.status == PaymentStatus.FAILED
    assert person.pages[0].settled_at is not None
    assert person.payer.due_at is None
    assert_equal_to_stripe(person)


@pytest.mark.parametrize("kind", ["us_bank_account", "sepa_debit"])
def test_saves_a_bank_account(kind: str, person: Person, world: World) -> None:
    world.simulator.pay_by_bank(person.page_id, kind)

    world.settle()

    assert [method.type for method in person.methods] == [kind]
    assert person.status == PaymentStatus.SAVED
    assert_equal_to_stripe(person)


def test_follows_a_card_to_its_end(person: Person, world: World, clock: time_machine.Traveller) -> None:
    person.saves(expiry="12/30")
    world.settle()

    said = []
    for day in (
        datetime(2030, 11, 30, tzinfo=UTC),
        datetime(2030, 12, 15, tzinfo=UTC),
        datetime(2031, 1, 1, tzinfo=UTC),
    ):
        clock.move_to(day, tick=True)
        assert_equal_to_stripe(person)
        said.append(person.status.value)

    assert said == ["saved", "expiring", "expired"]


def test_removes_a_detached_card(person: Person, world: World, rows: Rows) -> None:
    person.saves()
    world.settle()

    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    assert person.status == PaymentStatus.REMOVED
    assert person.methods == []
    assert [method.last4 for method in rows(PaymentMethod)] == ["4242"]
    assert "payment_method.removed" in kinds(rows)
    assert_equal_to_stripe(person)


def test_does_not_make_a_card_the_default_that_is_detached_already(person: Person, world: World) -> None:
    person.saves()
    world.simulator.detach_payment_method(world.simulator.books.payment_methods.snapshot()[0]["id"])

    world.settle()

    assert person.stripe_default is None
    assert_equal_to_stripe(person)


def test_removes_a_detached_card_while_another_page_is_open(person: Person, world: World) -> None:
    person.saves()
    world.settle()
    person.opens_another_page()

    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    assert person.methods == []
    assert person.payer.default_method_id is None


def test_knows_of_a_card_attached_in_the_dashboard_while_a_page_is_open(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    attached = world.attach_card(person)

    world.settle()
    clock.shift(6)
    world.settle()

    assert [method.id for method in person.methods] == [attached]
    assert person.status == PaymentStatus.IN_PROGRESS


def test_follows_the_renewal_of_a_card_that_is_not_the_default_while_a_page_is_open(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.saves()
    world.settle()
    second = world.attach_card(person)
    world.settle()
    clock.shift(6)
    world.settle()
    person.opens_another_page()

    world.simulator.renew_card(second, month=5, year=2042)
    world.settle()

    assert {method.id: method.exp_year for method in person.methods}[second] == 2042


def test_knows_of_a_customer_deleted_at_stripe(person: Person, world: World, rows: Rows) -> None:
    person.saves()
    world.settle()

    world.simulator.delete_customer(person.stripe_id)
    world.settle()

    assert person.status == PaymentStatus.CUSTOMER_GONE
    assert person.methods == []
    assert person.payer.default_method_id is None
    assert kinds(rows)[-1] == "stripe_customer.deleted"
    assert kinds(rows).count("stripe_customer.deleted") == 1


def test_knows_of_a_customer_deleted_while_the_page_is_open(person: Person, world: World) -> None:
    world.simulator.delete_customer(person.stripe_id)

    person.returns()

    assert person.status == PaymentStatus.CUSTOMER_GONE
    assert person.payer.due_at is None


def test_notes_the_deletion_of_a_customer_once(
    person: Person, world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    world.simulator.delete_customer(person.stripe_id)
    for _ in range(3):
        person.returns()
        clock.shift(90)

    assert kinds(rows).count("stripe_customer.deleted") == 1


def test_takes_a_customer_for_gone_that_stripe_does_not_know_any_more(person: Person, world: World) -> None:
    person.saves()
    world.settle()
    world.simulator.renew_card(str(person.stripe_default))
    world.simulator.books.customers.pop(person.stripe_id)

    world.settle()

    assert person.status == PaymentStatus.CUSTOMER_GONE
    assert person.methods == []


def test_follows_a_card_that_the_network_renewed(person: Person, world: World) -> None:
    person.saves()
    world.settle()

    world.simulator.renew_card(str(person.stripe_default), month=3, year=2041)
    world.settle()

    [card] = person.methods
    assert (card.exp_month, card.exp_year) == (3, 2041)


def test_keeps_a_default_that_was_chosen_in_the_dashboard(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.saves()
    world.settle()
    chosen = world.attach_card(person)

    world.choose_default(person, chosen)
    world.settle()
    clock.shift(3600)
    person.returns()
    world.settle()

    assert person.stripe_default == chosen
    assert len(person.methods) == 2
    assert_equal_to_stripe(person)


def test_follows_a_default_that_was_taken_away_in_the_dashboard(person: Person, world: World) -> None:
    person.saves()
    world.settle()

    world.choose_default(person, "")
    world.settle()

    assert person.payer.default_method is None
    assert len(person.methods) == 1
    assert_equal_to_stripe(person)


def test_charges_the_card_that_was_saved_last(person: Person, world: World) -> None:
    person.saves()
    world.settle()
    person.opens_another_page()

    person.saves("5555555555554444")
    world.settle()

    default = person.payer.default_method
    assert default is not None
    assert default.brand == "mastercard"
    assert len(person.methods) == 2
    assert_equal_to_stripe(person)


def test_charges_the_card_that_was_saved_last_on_the_page_that_was_opened_first(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    first = person.page_id
    second = person.opens_another_page()
    world.simulator.save_card(second, "4242424242424242")
    clock.shift(2)
    world.simulator.save_card(first, "5555555555554444")

    world.settle()

    default = person.payer.default_method
    assert default is not None
    assert default.brand == "mastercard"
    assert_equal_to_stripe(person)


def test_knows_every_card_saved_while_no_event_came(person: Person, world: World) -> None:
    first = person.page_id
    second = person.opens_another_page()
    world.simulator.save_card(first, "4242424242424242")
    world.simulator.save_card(second, "5555555555554444")

    world.settle()

    default = person.payer.default_method
    assert default is not None
    assert default.brand == "mastercard"
    assert {page.setup_status for page in person.pages} == {"succeeded"}
    assert_equal_to_stripe(person)


def test_looks_at_every_page_that_is_open(
    person: Person, world: World, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    first = person.page_id
    second = person.opens_another_page()
    world.simulator.expire_session(first)
    calls.clear()

    person.returns()

    assert {page.id: page.status for page in person.pages} == {first: "expired", second: "open"}
    assert sorted(calls.made) == sorted(f"GET /v1/checkout/sessions/{page}" for page in (first, second))
    assert person.status == PaymentStatus.IN_PROGRESS


def test_knows_of_a_page_that_expired(person: Person, world: World, rows: Rows) -> None:
    world.simulator.expire_session(person.page_id)

    world.settle()

    assert person.status == PaymentStatus.ABANDONED
    assert kinds(rows)[-2:] == ["checkout.expired", "payment_status.changed"]
    assert person.payer.due_at is None


def test_takes_a_page_for_expired_that_stripe_does_not_know(
    person: Person, world: World, rows: Rows, calls: StripeCalls
) -> None:
    lost = person.page_id
    session = world.simulator.books.checkout_sessions.pop(lost)
    calls.clear()

    person.returns()

    assert [page.status for page in person.pages] == ["expired"]
    assert person.status == PaymentStatus.ABANDONED
    assert kinds(rows)[-2:] == ["checkout.expired", "payment_status.changed"]
    assert calls.made == [
        f"GET /v1/checkout/sessions/{lost}",
        f"GET /v1/customers/{session['customer']}",
        f"GET /v1/customers/{session['customer']}/payment_methods",
    ]


def test_writes_the_journal_once_however_often_it_looks(
    person: Person, world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.saves(DECLINED)
    for _ in range(3):
        person.returns()
        clock.shift(70)

    assert kinds(rows).count("setup.failed") == 1


def test_lets_a_second_browser_tab_see_what_the_first_one_did(person: Person, world: World) -> None:
    person.saves()

    pages = [person.returns().get_data(as_text=True) for _ in range(2)]

    assert all("4242" in page for page in pages)


class TestWhenMethodsAreKept:
    """With the policy `keep`, the first method goes on being the one that is charged."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """A portal whose company keeps the first method."""
        return make_settings(database_url=database_url, payment_method_policy="keep")

    def test_makes_the_first_card_the_default(self, person: Person, world: World) -> None:
        person.saves()
        world.settle()

        assert person.status == PaymentStatus.SAVED
        assert_equal_to_stripe(person)

    def test_leaves_the_first_card_the_default(self, person: Person, world: World) -> None:
        person.saves()
        world.settle()
        first = person.stripe_default
        person.opens_another_page()

        person.saves("5555555555554444")
        world.settle()

        assert person.stripe_default == first
        assert len(person.methods) == 2
        assert_equal_to_stripe(person)


def test_no_secret_of_stripe_reaches_the_journal(person: Person, world: World, rows: Rows) -> None:
    person.saves()
    world.settle()

    told = repr([(entry.kind, entry.facts) for entry in rows(Entry)])
    assert "sk_test" not in told
    assert "whsec" not in told
    assert "4242424242424242" not in told


def test_asks_for_all_methods_only_when_one_call_leaves_one_open(
    person: Person, world: World, calls: StripeCalls
) -> None:
    person.saves()
    world.settle()
    second = person.opens_another_page()
    calls.clear()
    person.returns()
    assert calls.made == [f"GET /v1/checkout/sessions/{second}"]
    world.simulator.detach_payment_method(str(person.stripe_default))
    calls.clear()

    world.settle()

    assert calls.made == [
        f"GET /v1/checkout/sessions/{second}",
        f"GET /v1/customers/{person.stripe_id}/payment_methods",
    ]
