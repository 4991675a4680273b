"""Operators have events looked at again, or say that they need nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import webhooks
from app.apps import App
from app.audit import Entry
from app.core import db
from app.core.db import utcnow
from app.core.errors import AppError, Conflict, Invalid, NotFound
from app.payers import Payer, PaymentStatus
from app.webhooks import Event
from tests.support.people import Person
from tests.support.processes import PATIENCE
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

ACTOR = "operator:01J00000000000000000000000"


def does(app: Flask, action: Callable[..., Any], *args: Any) -> Any:
    """What an action gives, once it is committed."""
    with app.app_context():
        given = action(db.session(), *args, actor=ACTOR)
        db.session().commit()
        return given


def states(rows: Rows) -> dict[str, str]:
    """Every event's state, by its id."""
    return {found.id: found.state for found in rows(Event)}


def give_up(app: Flask, **values: Any) -> list[str]:
    """Stripe could not be reached for so long that every event here was given up; their ids."""
    with app.app_context():
        session = db.session()
        given_up = {"state": "dead", "reason": "Stripe can't be reached.", "attempts": 3} | values
        session.execute(sa.update(Event).values(**given_up))
        session.execute(sa.update(Payer).values(due_at=None))
        session.commit()
        return sorted(session.scalars(sa.select(Event.id)))


def app_id(rows: Rows) -> str:
    return str(rows(Event)[0].app_id)


def notes(rows: Rows, kind: str) -> list[Entry]:
    return [entry for entry in rows(Entry) if entry.kind == kind]


def test_a_retried_event_has_its_effect(world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    world.simulator.deliver_due()
    give_up(world.app)
    [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

    does(world.app, webhooks.retry, succeeded.app_id, succeeded.id)
    world.work()

    assert states(rows)[succeeded.id] == "done"
    assert person.status == PaymentStatus.SAVED


def test_an_event_of_another_app_with_the_same_id_is_left_alone(
    world: World, second_app: str, rows: Rows
) -> None:
    [first] = {row.id for row in rows(App)} - {second_app}
    with world.app.app_context():
        for owner in (first, second_app):
            db.session().add(Event(app_id=owner, id="evt_same", type="x", payload="{}", state="dead"))
        db.session().commit()

    does(world.app, webhooks.retry, first, "evt_same")
    does(world.app, webhooks.ignore, second_app, "evt_same", "known")

    assert {row.app_id: row.state for row in rows(Event)} == {first: "new", second_app: "ignored"}


def test_a_retried_event_does_not_wait_for_the_next_try_of_what_failed_besides(
    world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    with world.app.app_context():
        session = db.session()
        webhooks.dispatch(session)
        in_an_hour = utcnow() + timedelta(hours=1)
        session.execute(sa.update(Event).values(state="dead"))
        session.execute(sa.update(Payer).values(attempts=11, due_at=in_an_hour))
        session.commit()
    [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

    does(world.app, webhooks.retry, succeeded.app_id, succeeded.id)
    world.work()

    assert person.status == PaymentStatus.SAVED


def test_a_retried_event_is_as_if_it_had_come_just_now(app: Flask, postbox: Postbox, rows: Rows) -> None:
    postbox.post(event())
    give_up(app)

    does(app, webhooks.retry, app_id(rows), "evt_1")

    [found] = rows(Event)
    assert (found.state, found.attempts, found.reason, found.finished_at) == ("new", 0, None, None)
    assert found.due_at >= found.received_at


def test_a_retry_is_written_to_the_audit_log_with_the_customer(
    world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    world.settle()
    give_up(world.app)
    [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

    does(world.app, webhooks.retry, succeeded.app_id, succeeded.id)

    [entry] = notes(rows, "event.retried")
    assert (entry.actor, entry.customer_id, entry.app_id) == (
        ACTOR,
        person.payer.customer_id,
        succeeded.app_id,
    )
    assert entry.facts == {"event_id": succeeded.id, "event_type": "setup_intent.succeeded"}


def test_an_ignored_event_can_be_looked_at_after_all(app: Flask, postbox: Postbox, rows: Rows) -> None:
    postbox.post(event())
    does(app, webhooks.ignore, app_id(rows), "evt_1", "Our own test")

    does(app, webhooks.retry, app_id(rows), "evt_1")

    assert states(rows) == {"evt_1": "new"}


@pytest.mark.parametrize(
    ("state", "payload"), [("new", "{}"), ("waiting", "{}"), ("done", "{}"), ("dead", ""), ("ignored", "")]
)
def test_there_is_no_retry_of_what_is_under_way_or_done_or_no_longer_kept(
    state: str, payload: str, app: Flask, postbox: Postbox, rows: Rows
) -> None:
    postbox.post(event())
    give_up(app, state=state, payload=payload)

    with pytest.raises(Conflict):
        does(app, webhooks.retry, app_id(rows), "evt_1")

    assert states(rows) == {"evt_1": state}
    assert notes(rows, "event.retried") == []


@pytest.mark.parametrize(("action", "more"), [(webhooks.retry, ()), (webhooks.ignore, ("A test",))])
def test_an_event_that_is_not_there_is_not_found(
    action: Callable[..., Any], more: tuple[str, ...], app: Flask, postbox: Postbox, rows: Rows
) -> None:
    postbox.post(event())

    with pytest.raises(NotFound):
        does(app, action, app_id(rows), "evt_2", *more)


@pytest.mark.parametrize("state", ["new", "waiting", "dead"])
def test_an_ignored_event_stays_ignored(state: str, world: World, postbox: Postbox, rows: Rows) -> None:
    postbox.post(event())
    give_up(world.app, state=state)

    does(world.app, webhooks.ignore, app_id(rows), "evt_1", "  Sent by\n a test ")
    world.work()

    [found] = rows(Event)
    assert (found.state, found.reason) == ("ignored", "An operator decided so: Sent by a test")
    assert found.finished_at is not None
    [entry] = notes(rows, "event.ignored")
    assert entry.facts == {
        "event_id": "evt_1",
        "event_type": "invoice.paid",
        "reason": "Sent by a test",
    }


def test_an_event_that_is_ignored_while_its_customer_is_converged_stays_ignored(
    world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]
    world.simulator.wsgi.before_request_funcs.setdefault(None, []).append(
        lambda: (
            does(world.app, webhooks.ignore, succeeded.app_id, succeeded.id, "A test")
            if states(rows)[succeeded.id] == "waiting"
            else None
        )
    )

    world.work()

    assert states(rows)[succeeded.id] == "ignored"
    assert person.status == PaymentStatus.SAVED


def test_nothing_is_ignored_without_a_reason(app: Flask, postbox: Postbox, rows: Rows) -> None:
    postbox.post(event())

    for reason in ("", "  \n ", "x" * 501):
        with pytest.raises(Invalid) as refused:
            does(app, webhooks.ignore, app_id(rows), "evt_1", reason)
        assert set(refused.value.fields) == {"reason"}

    assert states(rows) == {"evt_1": "new"}


@pytest.mark.parametrize("state", ["done", "ignored"])
def test_what_is_finished_is_not_ignored(state: str, app: Flask, postbox: Postbox, rows: Rows) -> None:
    postbox.post(event())
    give_up(app, state=state)

    with pytest.raises(Conflict):
        does(app, webhooks.ignore, app_id(rows), "evt_1", "A test")


def test_all_that_failed_is_retried_at_once_and_nothing_else(
    app: Flask, postbox: Postbox, rows: Rows
) -> None:
    for number in range(5):
        postbox.post(event(id=f"evt_{number}"))
    give_up(app)
    does(app, webhooks.ignore, app_id(rows), "evt_4", "A test")

    count = does(app, webhooks.retry_all_failed)

    assert count == 4
    assert states(rows) == {f"evt_{number}": "new" for number in range(4)} | {"evt_4": "ignored"}
    [entry] = notes(rows, "events.retried")
    assert (entry.actor, entry.facts) == (ACTOR, {"count": "4"})


def test_another_apps_failed_events_may_be_left_alone(app: Flask, postbox: Postbox, rows: Rows) -> None:
    postbox.post(event())
    give_up(app)
    own = app_id(rows)

    assert does(app, partial(webhooks.retry_all_failed, app_id=db.new_id())) == 0
    assert set(states(rows).values()) == {"dead"}
    assert does(app, partial(webhooks.retry_all_failed, app_id=own)) == 1
    assert set(states(rows).values()) == {"new"}
    [entry] = notes(rows, "events.retried")
    assert entry.app_id == own


def test_nothing_is_written_to_the_audit_log_when_nothing_had_failed(
    app: Flask, postbox: Postbox, rows: Rows
) -> None:
    postbox.post(event())

    assert does(app, webhooks.retry_all_failed) == 0
    assert notes(rows, "events.retried") == []


def test_two_who_retry_all_at_once_retry_each_event_once(app: Flask, postbox: Postbox, rows: Rows) -> None:
    for number in range(40):
        postbox.post(event(id=f"evt_{number}"))
    give_up(app)
    together = threading.Barrier(4)

    def press() -> int:
        together.wait(PATIENCE)
        return int(does(app, webhooks.retry_all_failed))

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: press(), range(4)))

    assert sum(counts) == 40
    assert set(states(rows).values()) == {"new"}


def test_workers_continue_while_operators_retry_and_ignore(
    world: World, postbox: Postbox, rows: Rows
) -> None:
    for number in range(60):
        postbox.post(event(id=f"evt_{number}"))
    give_up(world.app)
    app = app_id(rows)

    def press(number: int) -> None:
        try:
            action = webhooks.retry if number % 2 else webhooks.ignore
            does(world.app, action, app, f"evt_{number}", *(() if number % 2 else ("A test",)))
        except AppError as error:  # a worker was quicker, which is fine
            assert isinstance(error, Conflict)  # noqa: PT017

    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda job: job(), [world.work, *(lambda n=n: press(n) for n in range(60)), world.work])
        )
    world.work()

    assert set(states(rows).values()) == {"ignored"}
