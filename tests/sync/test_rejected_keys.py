"""An app with a rejected key says so until a key works again. Nothing is given up meanwhile."""

import time_machine

from app import apps
from app.apps import App
from app.audit import Entry
from app.simulator import DEFAULT_API_KEY, add_key, revoke_key
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_of_the_key_show_in_the_app_until_it_works_again(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    revoke_key(world.simulator.store, DEFAULT_API_KEY)
    world.settle()
    assert [app.status for app in rows(App)] == ["unauthorized"]
    assert person.payer.last_error == "Stripe rejected the API key."
    add_key(world.simulator.store, DEFAULT_API_KEY)

    clock.shift(3)
    world.settle()

    assert [app.status for app in rows(App)] == ["ready"]
    told = [entry.kind for entry in rows(Entry) if entry.kind.startswith("app.")]
    assert sorted(told) == ["app.installed", "app.ready", "app.unauthorized"]
    assert_agrees(person)


def test_of_the_key_are_noted_once(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    revoke_key(world.simulator.store, DEFAULT_API_KEY)
    for _ in range(3):
        world.settle()
        clock.shift(10)

    assert [entry.kind for entry in rows(Entry)].count("app.unauthorized") == 1


def test_of_the_encryption_key_are_tried_again(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    connections = world.app.extensions["gangway.connections"]
    world.app.extensions["gangway.connections"] = apps.Connections(
        type(connections.sealer)(["x" * 43 + "="]), connections.gateway_factory
    )
    world.simulator.fault_settings.drop_all = True
    clock.shift(130)
    world.settle()
    assert person.payer.last_error is not None
    assert person.payer.attempts == 0  # the key's fault: nobody is given up for it
    world.app.extensions["gangway.connections"] = connections

    clock.shift(3)
    world.settle()

    assert_agrees(person)
