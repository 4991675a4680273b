"""Backfill that was away too long, or that Stripe refuses, says so and tries again. It then checks every
customer without a final state."""

import sys
from datetime import timedelta

import pytest
import sqlalchemy as sa
import structlog
import time_machine

from app import sync
from app.apps import App
from app.core import db
from app.simulator import DEFAULT_API_KEY, add_key, revoke_key
from app.sync.backfill import claim_list
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_backfill import LIST, looks, many, row
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_starts_again_when_stripe_has_forgotten_where_it_stood(
    world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    many(world, 130)
    with world.app.app_context():
        sync.run_maintenance(db.session())
    assert row(rows).after is not None
    for found in world.simulator.store.events.snapshot():
        del world.simulator.store.events[found["id"]]
    person = world.person()
    person.save_card()

    world.run_maintenance()
    world.work()

    assert row(rows).after is None
    assert_agrees(person)


def test_after_more_than_stripe_remembers_looks_at_everybody_who_is_not_done(
    world: World, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    world.run_maintenance()
    given_up, settled = world.person(), world.person()
    settled.save_card()
    settled.return_to_portal()
    world.simulator.pay_by_bank(given_up.session_id, verify="later")
    given_up.return_to_portal()
    with world.app.app_context():
        session = db.session()
        session.execute(sa.text("UPDATE payer SET due_at = NULL, verify_at = NULL"))
        session.commit()
    world.simulator.verify_microdeposits(given_up.session_id)
    for found in world.simulator.store.events.snapshot():
        del world.simulator.store.events[found["id"]]
    clock.shift(timedelta(days=31))
    calls.clear()

    world.run_maintenance()
    clock.shift(timedelta(hours=1))
    world.work()

    assert_agrees(given_up)
    assert not [call for call in calls.made if settled.stripe_customer_id in call]


@pytest.mark.parametrize("batch", [1, 500])
def test_for_the_first_time_after_so_long_looks_at_everybody_who_is_not_done(
    world: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(sys.modules[claim_list.__module__], "GAP_BATCH", batch)
    people = [world.person() for _ in range(3)]
    with world.app.app_context():
        db.session().execute(sa.text("UPDATE payer SET due_at = NULL, verify_at = NULL"))
        db.session().commit()
    clock.shift(timedelta(days=31))

    world.run_maintenance()

    assert {person.payer.due_reason for person in people} == {"gap"}


def test_notes_what_went_wrong_and_tries_again(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.simulator.fault_settings.outage = "503"
    world.run_maintenance()
    failed = row(rows).last_error
    world.simulator.fault_settings.outage = ""

    clock.shift(61)
    world.run_maintenance()
    world.work()

    assert failed == "Stripe had a problem."
    assert row(rows).last_error is None
    assert_agrees(person)


def test_notes_that_the_key_is_rejected(world: World, person: Person, rows: Rows) -> None:
    revoke_key(world.simulator.store, DEFAULT_API_KEY)

    world.run_maintenance()

    assert [app.status for app in rows(App)] == ["unauthorized"]
    assert row(rows).last_error == "Stripe rejected the API key."
    add_key(world.simulator.store, DEFAULT_API_KEY)


def test_notes_what_stripe_refuses(world: World, calls: StripeCalls, rows: Rows) -> None:
    calls.refusals[LIST] = {"type": "invalid_request_error", "message": "No such type.", "param": "types"}

    world.run_maintenance()

    assert row(rows).last_error == "No such type."


def test_notes_what_it_does_not_understand(world: World, person: Person, rows: Rows) -> None:
    world.simulator.store.events[world.simulator.store.events.snapshot()[-1]["id"]]["created"] = None

    with structlog.testing.capture_logs() as lines:
        world.run_maintenance()

    assert "could not be understood" in str(row(rows).last_error)
    assert "backfill_error" in {line["event"] for line in lines}


def test_leaves_out_what_is_no_event_of_ours(world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    for event in world.simulator.store.events.snapshot():
        world.simulator.store.events[event["id"]] = event | {"livemode": True}

    seen = looks(world.app)

    assert seen.listed >= 3
    assert seen.found == 0
    assert rows(Event) == []
