"""The audit log tells each customer's story in order, with Stripe's ids, and never a secret."""

import json

from flask import Flask

from app import audit
from app.audit import Entry
from app.core import db
from app.simulator import DEFAULT_API_KEY
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World


def story(rows: Rows, customer_id: str) -> list[tuple[str, str]]:
    """What happened to a customer, and who did it."""
    entries = sorted(rows(Entry), key=lambda entry: (entry.at, entry.id))
    return [(entry.kind, entry.actor) for entry in entries if entry.customer_id == customer_id]


def test_reports_an_onboarding(world: World, person: Person, rows: Rows) -> None:
    person.save_card("4000000000000002")
    person.return_to_portal()
    person.save_card()
    world.settle()
    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    assert story(rows, person.payer.customer_id) == [
        ("customer.created", "visitor"),
        ("checkout.started", "visitor"),
        ("setup.failed", "stripe"),
        ("customer.adopted", "stripe"),  # the address that Checkout asked for
        ("setup.succeeded", "stripe"),
        ("payment_method.saved", "stripe"),
        ("default_method.changed", "stripe"),
        ("payment_method.removed", "stripe"),
        ("default_method.changed", "stripe"),
    ]


def test_reports_the_installation(world: World, rows: Rows) -> None:
    [entry] = rows(Entry)

    assert (entry.kind, entry.actor, entry.customer_id) == ("app.installed", "test", None)
    assert entry.facts == {"stripe_account_id": "acct_1RZzxYGangwaySim"}


def test_names_stripes_things_by_their_ids(world: World, person: Person, rows: Rows) -> None:
    person.save_card("4000000000000002")
    person.return_to_portal()

    [entry] = [entry for entry in rows(Entry) if entry.kind == "setup.failed"]
    assert entry.facts == {
        "session_id": person.session_id,
        "setup_intent_id": world.simulator.store.checkout_sessions[person.session_id]["setup_intent"],
        "error_code": "card_declined",
        "decline_code": "generic_decline",
    }


def test_keeps_the_stories_of_two_customers_apart(world: World, rows: Rows) -> None:
    first, second = world.person(), world.person()
    first.save_card()
    world.settle()

    assert story(rows, second.payer.customer_id) == [
        ("customer.created", "visitor"),
        ("checkout.started", "visitor"),
    ]


def test_holds_no_secret(world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    world.settle()

    told = json.dumps([entry.facts for entry in rows(Entry)])
    assert DEFAULT_API_KEY not in told
    assert "whsec_" not in told
    assert "_secret_" not in told
    assert "4242424242424242" not in told


def test_leaves_out_what_is_not_known(app: Flask, rows: Rows) -> None:
    with app.app_context():
        session = db.session()
        audit.note(session, "test.noted", actor="test", known="yes", unknown=None)
        session.commit()

    assert [entry.facts for entry in rows(Entry) if entry.kind == "test.noted"] == [{"known": "yes"}]


def test_forgets_what_was_not_committed(app: Flask, rows: Rows) -> None:
    with app.app_context():
        audit.note(db.session(), "test.noted", actor="test")

    assert [entry for entry in rows(Entry) if entry.kind == "test.noted"] == []
