"""What Stripe signed but is no event of this app gets a 200 and is stored as ignored, with the reason."""

from typing import Any

from app import webhooks
from app.core import db
from app.webhooks import Event
from tests.support.cases import for_each
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

NOT_TEXT = "It is not UTF-8 text."
NOT_JSON = "It is not valid JSON."
NO_OBJECT = "It is not a JSON object, so not an event."
NO_EVENT = "It has no id, type and mode, so it is not an event."
OTHER_MODE = "It is in the other mode. Test and live mode are separate."
BODIES: dict[str, tuple[Any, str]] = {
    "no text": (
        b'{"id": "evt_1", "type": "invoice.paid", "livemode": false, "name": "Ad\xe9la\x00"}',
        NOT_TEXT,
    ),
    "text in UTF-16": ('{"id": "evt_1"}'.encode("utf-16"), NOT_TEXT),
    "no JSON": (b"hello", NOT_JSON),
    "nothing": (b"", NOT_JSON),
    "cut off": (b'{"id": "evt_1", "type": "invoice.pa', NOT_JSON),
    "a raw NUL": (b'{"id": "evt_1", "type": "invoice.paid", "livemode": false, "data": "\x00"}', NOT_JSON),
    "a very long number": (b'{"id": ' + b"1" * 5000 + b"}", NOT_JSON),
    "very deep": (b"[" * 200_000, NOT_JSON),
    "a list": ([event()], NO_OBJECT),
    "an empty list": ([], NO_OBJECT),
    "a text": (b'"evt_1"', NO_OBJECT),
    "a number": (b"1e400", NO_OBJECT),
    "null": (b"null", NO_OBJECT),
    "an empty object": ({}, NO_EVENT),
    "an id alone": ({"id": "evt_1"}, NO_EVENT),
    "a number for an id": (event(id=7), NO_EVENT),  # type: ignore[arg-type]
    "an empty id": (event(id=""), NO_EVENT),
    "a long id": (event(id="e" * 256), NO_EVENT),
    "an id with NUL": (event(id="evt_\x00"), NO_EVENT),
    "an id with half a character": (event(id="evt_\ud800"), NO_EVENT),
    "a long type": (event(kind="x" * 256), NO_EVENT),
    "a type of two lines": (event(kind="a\nb"), NO_EVENT),
    "a word for the mode": (event(livemode="false"), NO_EVENT),
    "no mode": (event(livemode=None), NO_EVENT),
    "a thin event": ({"object": "v2.core.event", "id": "evt_1", "type": "v1.billing.meter"}, NO_EVENT),
    "the other mode": (event(livemode=True), OTHER_MODE),
}


@for_each("case", BODIES)
def test_is_stored_as_ignored(case: str, postbox: Postbox, rows: Rows) -> None:
    body, reason = BODIES[case]
    before = {row.id for row in rows(Event)}

    answers = [postbox.post(body) for _ in range(2)]  # a repeat is the same row

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].get_json()["message"] == f"Stored, and ignored. {reason}"
    assert [(row.state, row.reason) for row in rows(Event) if row.id not in before] == [("ignored", reason)]


def test_changes_nothing_of_the_customer_that_it_names(
    world: World, person: Person, postbox: Postbox, calls: StripeCalls
) -> None:
    person.save_card()
    world.settle()
    calls.clear()

    postbox.post(
        event("customer.deleted", {"id": person.stripe_customer_id, "object": "customer"}, livemode=True)
    )
    world.work()

    assert (person.status, calls.made) == ("saved", [])


@for_each("case", ["a list", "the other mode", "no JSON"])
def test_is_ignored_again_when_an_operator_has_it_looked_at_again(
    case: str, world: World, postbox: Postbox, rows: Rows
) -> None:
    body, reason = BODIES[case]
    before = {row.id for row in rows(Event)}
    postbox.post(body)
    [stored] = [row for row in rows(Event) if row.id not in before]
    with world.app.app_context():
        webhooks.retry(db.session(), stored.app_id, stored.id, actor="test")
        db.session().commit()

    world.work()

    found = next(row for row in rows(Event) if row.id == stored.id)
    assert (found.state, found.reason) == ("ignored", reason)


def test_does_not_hide_the_event_that_comes_under_its_id_later(postbox: Postbox, rows: Rows) -> None:
    postbox.post({"id": "evt_1"})

    postbox.post(event(id="evt_1"))

    assert {row.id: row.state for row in rows(Event)}["evt_1"] == "new"
