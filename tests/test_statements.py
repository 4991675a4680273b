"""How many statements and commits the things cost that happen most often. Lower a limit when you can."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import webhooks
from app.core import db
from app.onboarding.models import Signup
from app.payers import PaymentStatus
from app.webhooks import Event
from tests.support.people import Person
from tests.support.portal import SignupPage
from tests.support.rows import Rows
from tests.support.statements import counted
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World
from tests.support.world_fixtures import clock, person, postbox, world

__all__ = ["clock", "person", "postbox", "world"]


def test_of_a_sign_up(app: Flask, client: FlaskClient, rows: Rows) -> None:
    page = SignupPage(client)
    fields = page.fields(subject_keys=["engine-1", "engine-2"])

    with counted(app) as seen:
        answer = page.send(fields)

    assert answer.status_code == 303
    assert len(rows(Signup)) == 1
    assert len(seen.sent) <= 12, seen
    assert seen.commits <= 3, seen


@pytest.mark.parametrize(("path", "limit"), [("/return", 13), ("/billing", 16)])
def test_of_a_look_at_a_saved_card(app: Flask, person: Person, path: str, limit: int) -> None:
    person.save_card()
    person.return_to_portal()

    with counted(app) as seen:
        answer = person.client.get(path)

    assert answer.status_code == 200
    assert len(seen.sent) <= limit, seen


def test_of_an_event(app: Flask, postbox: Postbox, rows: Rows) -> None:
    with counted(app) as seen:
        answer = postbox.post(event())

    assert answer.status_code == 200
    assert len(rows(Event)) == 1
    assert len(seen.sent) <= 2, seen
    assert seen.commits <= 2, seen


def test_of_events_about_nobody(app: Flask, postbox: Postbox, rows: Rows) -> None:
    nobody = {"id": "cus_nobody", "object": "customer"}
    for number in range(3):
        postbox.post(event("customer.updated", nobody, id=f"evt_{number}"))

    with app.app_context(), counted(app) as seen:
        webhooks.dispatch(db.session())

    assert [row.state for row in rows(Event)] == ["ignored"] * 3
    assert len(seen.sent) <= 5, seen
    assert seen.commits <= 2, seen


def test_of_a_convergence(app: Flask, world: World, person: Person) -> None:
    """With what its three events cost until then."""
    person.save_card()
    world.simulator.deliver_due()

    with counted(app) as seen:
        world.work_once()

    assert person.status == PaymentStatus.SAVED
    assert len(seen.sent) <= 45, seen
    assert seen.commits <= 6, seen


def test_of_sixteen_convergences(app: Flask, world: World) -> None:
    people = [world.person() for _ in range(16)]
    for each in people:
        each.save_card()
    world.simulator.deliver_due()

    with counted(app) as seen:
        world.work_once()

    assert {each.status for each in people} == {PaymentStatus.SAVED}
    assert len(seen.sent) <= 5 * 16, seen
    assert seen.commits <= 6, seen
