"""An event without a customer is matched by the method, SetupIntent or session that our tables know."""

from typing import Any

import pytest

from app.webhooks import Event
from tests.support.marketplace import SECOND_ACCOUNT
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.truth import assert_agrees
from tests.support.world import World

KINDS = ("payment_method.automatically_updated", "payment_method.detached", "payment_method.updated")


def nobodys(thing: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**thing, "customer": None, "metadata": {}} | more


@pytest.mark.parametrize("kind", KINDS)
def test_is_found_by_the_method(
    kind: str, world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    person.save_card()
    world.settle()
    card = world.simulator.store.payment_methods[str(person.stripe_default)]
    world.simulator.detach_payment_method(card["id"])
    world.lose_events()

    postbox.post(event(kind, nobodys(card), id="evt_lone"))
    world.work()

    assert person.status == "removed"
    assert_agrees(person)
    assert {row.id: row.state for row in rows(Event)}["evt_lone"] == "done"


@pytest.mark.parametrize("kind", ["setup_intent.succeeded", "checkout.session.completed", "mandate.updated"])
def test_is_found_by_the_setup_or_the_session(
    kind: str, world: World, person: Person, postbox: Postbox
) -> None:
    person.save_card()
    world.lose_events()
    page = world.simulator.store.checkout_sessions[person.session_id]
    setup = world.simulator.store.setup_intents[page["setup_intent"]]
    other = {"id": "mandate_1", "object": "mandate", "setup_intent": setup["id"]}
    things = {"setup_intent.succeeded": setup, "checkout.session.completed": page}

    postbox.post(event(kind, nobodys(things.get(kind, other))))
    world.work()

    assert person.status == "saved"
    assert_agrees(person)


def test_is_not_found_by_the_setup_of_another_app(
    world: World, person: Person, postbox: Postbox, second_app: str, rows: Rows
) -> None:
    person.save_card()
    world.lose_events()
    setup = world.simulator.store.setup_intents[
        world.simulator.store.checkout_sessions[person.session_id]["setup_intent"]
    ]
    [endpoint] = world.simulator.store.webhook_endpoints.newest(SECOND_ACCOUNT)

    answer = postbox.post(
        event("setup_intent.succeeded", nobodys(setup), id="evt_other"),
        path=f"/api/v1/apps/{second_app}/stripe/webhook",
        secret=str(world.simulator.store.notes[endpoint["id"]]["secret"]),
    )
    world.work()

    assert answer.status_code == 200
    [stored] = [row for row in rows(Event) if row.id == "evt_other"]
    assert (stored.state, stored.payer_id) == ("ignored", None)


def test_about_a_method_of_nobody_here_is_ignored(postbox: Postbox, world: World, rows: Rows) -> None:
    postbox.post(
        event("payment_method.detached", {"id": "pm_other", "object": "payment_method", "customer": None})
    )
    world.work()

    assert [(row.state, row.reason) for row in rows(Event)] == [
        ("ignored", "It concerns none of our customers.")
    ]
