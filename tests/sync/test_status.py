"""The payment status that is kept for lists follows the rows and the clock."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app import payers, sync
from app.audit import Entry
from app.core import db
from app.payers import Payer
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program
from tests.support.world import World

DECLINED, CHALLENGED = "4000000000000002", "4000002500003155"


def told(rows: Rows) -> list[dict[str, str]]:
    """What the audit log says about changes that time alone made."""
    return [entry.facts for entry in rows(Entry) if entry.kind == "payment_status.changed"]


def assert_kept(person: Person) -> None:
    """What is kept is what is true."""
    assert person.payer.status == person.status.value


def test_is_kept_from_the_first_page_on(person: Person) -> None:
    assert person.payer.status == "in_progress"
    assert person.payer.status_until == person.checkout_sessions[0].expires_at


@pytest.mark.parametrize("number", ["4242424242424242", DECLINED, CHALLENGED])
def test_is_kept_when_a_card_was_typed(number: str, world: World, person: Person) -> None:
    person.save_card(number)

    person.return_to_portal()

    assert person.payer.status != "in_progress"
    assert_kept(person)


def test_is_kept_when_the_card_or_the_customer_is_gone(world: World, person: Person) -> None:
    person.save_card()
    world.settle()
    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()
    without_card = person.payer.status

    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()

    assert (without_card, person.payer.status) == ("removed", "customer_gone")
    assert person.payer.status_until is None


def test_becomes_abandoned_by_the_clock_alone_and_says_so_once(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    world.simulator.fault_settings.drop_all = True
    world.simulator.fault_settings.outage = "503"
    clock.move_to(person.checkout_sessions[0].expires_at)

    for _ in range(3):
        world.work()

    assert person.payer.status == "abandoned"
    assert told(rows) == [{"before": "in_progress", "after": "abandoned"}]


def test_becomes_abandoned_though_the_worker_has_always_something_else_to_do(
    app: Flask, clock: time_machine.Traveller, person: Person
) -> None:
    clock.move_to(person.checkout_sessions[0].expires_at)

    with app.app_context():
        sync.run_maintenance(db.session())

    assert person.payer.status == "abandoned"


def test_of_a_card_is_announced_when_stripe_was_asked_once_more(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    person.save_card(expiry="12/30")
    world.settle()
    calls.clear()

    clock.move_to(datetime(2030, 12, 2, 0, 0, 1, tzinfo=UTC))
    world.work()
    before_stripe_was_asked = person.payer.status
    clock.shift(timedelta(hours=1))
    world.work()

    assert before_stripe_was_asked == "saved"
    assert len(calls.made) == 2
    assert person.payer.status == "expiring"
    assert told(rows) == [{"before": "saved", "after": "expiring"}]


def test_of_a_card_that_the_network_renewed_is_not_announced(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card(expiry="12/30")
    world.settle()
    world.simulator.renew_card(str(person.stripe_default), month=12, year=2034)
    world.lose_events()

    clock.move_to(datetime(2030, 12, 2, 0, 0, 1, tzinfo=UTC))
    world.work()
    clock.shift(timedelta(hours=3))
    world.work()

    assert person.payer.status == "saved"
    assert told(rows) == []
    [updated] = [entry.facts for entry in rows(Entry) if entry.kind == "payment_method.updated"]
    assert (updated["before"], updated["after"]) == ("Visa •••• 4242 12/2030", "Visa •••• 4242 12/2034")


def test_of_a_card_is_announced_though_stripe_does_not_answer(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card(expiry="12/30")
    world.settle()
    world.simulator.fault_settings.outage = "503"

    clock.move_to(datetime(2030, 12, 2, 0, 0, 1, tzinfo=UTC))
    for _ in range(4):
        world.work()
        clock.shift(timedelta(hours=1))

    assert person.payer.status == "expiring"
    assert told(rows) == [{"before": "saved", "after": "expiring"}]


def test_of_a_card_becomes_expired(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card(expiry="12/30")
    world.settle()
    for day in (datetime(2030, 12, 2, 2, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)):
        clock.move_to(day)
        world.work()
        clock.shift(timedelta(hours=3))
        world.work()

    assert person.payer.status == "expired"
    assert person.payer.status_until is None
    assert [facts["after"] for facts in told(rows)] == ["expiring", "expired"]


def test_of_rows_that_are_older_than_it_is_stated_bit_by_bit_and_without_a_word(
    app: Flask, clock: time_machine.Traveller, world: World, rows: Rows
) -> None:
    people = [world.person() for _ in range(3)]
    clock.shift(timedelta(days=2))
    with app.app_context():
        as_the_migration_leaves_them = {"status": None, "status_until": datetime(1970, 1, 1, tzinfo=UTC)}
        db.session().execute(sa.update(Payer).values(**as_the_migration_leaves_them))
        db.session().commit()

    world.work()

    assert {payer.status for payer in rows(Payer)} == {"abandoned"}
    assert all(person.payer.status_until is None for person in people)
    assert told(rows) == []


def test_of_a_customer_that_was_bound_is_kept(app: Flask, world: World, rows: Rows) -> None:
    made = world.stripe("POST", "/v1/customers")
    card = world.stripe("POST", "/v1/payment_methods/pm_card_visa/attach", customer=made["id"])
    api = program(app)
    created = api.post("/api/v1/customers", json={"name": "Ada", "usageAttribution": {"subjectKeys": ["a"]}})
    binding = {"stripeCustomerId": made["id"], "stripeDefaultPaymentMethodId": card["id"]}

    api.put(f"/api/v1/customers/{created.get_json()['id']}/stripe", json=binding)
    world.work()

    assert [payer.status for payer in rows(Payer)] == ["saved"]


def test_of_a_card_is_expired_at_once_when_nobody_has_looked_for_long(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card(expiry="12/30")
    world.settle()

    clock.move_to(datetime(2031, 1, 1, 0, 0, 1, tzinfo=UTC))
    world.work()

    assert person.payer.status == "expired"
    assert told(rows) == [{"before": "saved", "after": "expired"}]


def test_of_who_was_unbound_changes_no_more(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    ends_at = person.checkout_sessions[0].expires_at
    with app.app_context():
        session = db.session()
        payer = session.scalars(sa.select(Payer)).one()
        payers.unbind(session, payer.app_id, payer.customer, actor="test")
        session.commit()

    clock.move_to(ends_at + timedelta(minutes=1))
    world.work()

    assert told(rows) == []


def test_is_since_its_last_change_however_often_somebody_looks(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.save_card()
    world.settle()
    since = person.payer.status_since
    clock.shift(timedelta(hours=1))

    world.check_payer(0)

    payer = person.payer
    assert since is not None
    assert payer.verified_at is not None
    assert payer.verified_at > since + timedelta(minutes=59)
    assert payer.status_since == since


def test_is_in_progress_again_as_soon_as_another_page_opens(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    clock.move_to(person.checkout_sessions[0].expires_at)
    world.work()
    assert person.payer.status == "abandoned"

    person.open_another_session()

    assert person.payer.status == "in_progress"
