"""What is at Stripe with our mark and has no row here is found, and left alone."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask

from app.apps import App
from app.core import db
from app.core.db import new_id
from app.doctor.orphans import Orphans, find_orphans
from tests.support.people import Person
from tests.support.world import World


def found(app: Flask, **how: int | None) -> Orphans:
    """Look."""
    with app.app_context():
        session = db.session()
        return find_orphans(session, session.scalars(sa.select(App)).one(), **how)


def left_over(world: World, person: Person) -> str:
    """A Stripe customer such as a sign-up leaves that was killed; its id."""
    marks = world.simulator.store.customers[person.stripe_customer_id]["metadata"]
    marked = {f"metadata[{name}]": value for name, value in marks.items()}
    return str(world.stripe("POST", "/v1/customers", **marked)["id"])


def test_finds_a_customer_that_nobody_uses(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    orphan = left_over(world, person)
    world.stripe("POST", "/v1/customers", name="Somebody of another program")
    clock.shift(timedelta(hours=2))

    orphans = found(world.app)

    assert orphans == Orphans([orphan], 3, is_all=True)
    assert not world.simulator.store.customers[orphan].get("deleted")


def test_does_not_take_one_that_may_be_recorded_yet(world: World, person: Person) -> None:
    left_over(world, person)

    assert found(world.app).customers == []


def test_does_not_take_one_of_another_portal(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    world.stripe("POST", "/v1/customers", **{"metadata[om_app_id]": new_id()})
    clock.shift(timedelta(hours=2))

    assert found(world.app).customers == []


def test_knows_those_of_whom_we_have_let_go(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    with world.app.app_context():
        db.session().execute(sa.text("UPDATE payer SET deleted_at = created_at"))
        db.session().commit()
    clock.shift(timedelta(hours=2))

    assert found(world.app).customers == []


def test_looks_through_a_thousand_or_all(world: World, person: Person, clock: time_machine.Traveller) -> None:
    orphan = left_over(world, person)
    for _ in range(1000):
        made = dict(world.simulator.store.customers[orphan]) | {"id": f"cus_{_:014}", "metadata": {}}
        world.simulator.store.customers[made["id"]] = made
    clock.shift(timedelta(hours=2))

    assert found(world.app) == Orphans([], 1000, is_all=False)
    assert found(world.app, pages=None) == Orphans([orphan], 1002, is_all=True)
