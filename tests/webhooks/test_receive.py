"""What Stripe's webhook takes in, and what it turns away."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from flask import Flask

from app import apps
from app.apps.models import SigningSecret
from app.core import db
from app.core.db import new_id, utcnow
from app.simulator import Simulator, add_account, add_key
from app.webhooks import Event
from tests.support.cases import for_each
from tests.support.database_contents import contents
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event, signed
from tests.support.world import World

LARGEST = 512 * 1024


def headers_that_are_refused() -> dict[str, str]:
    """Nothing that Stripe would send."""
    return {
        "nothing": "",
        "rubbish": "rubbish",
        "two times": "t=1700000000,t=1700000001,v1=" + "a" * 64,
        "no time": "v1=" + "a" * 64,
        "no signature": "t=1700000000",
        "time in words": "t=now,v1=" + "a" * 64,
        "negative time": "t=-5,v1=" + "a" * 64,
        "time beyond all numbers": f"t={'9' * 400},v1=" + "a" * 64,
        "time in foreign digits": "t=\u0661\u0667,v1=" + "a" * 64,
        "too long": "t=1700000000," + ",".join(["v1=" + "a" * 64] * 100),
        "commas": ",,,,=,=,",
    }


def test_refuses_bytes_that_are_not_text_and_not_signed(app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(b'{"id": "evt_\xff"}', header=signed(postbox.secret, b'{"id": "evt_\xfe"}'))

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert contents(app) == before


def test_takes_one_good_signature_of_several(postbox: Postbox, rows: Rows) -> None:
    body = b'{"id": "evt_1", "type": "invoice.paid", "livemode": false}'
    good = signed(postbox.secret, body)
    moment, _, signature = good.partition(",")

    answer = postbox.post(body, header=f"{moment},v1={'0' * 64},{signature},v0={'1' * 64}")

    assert answer.status_code == 200
    assert len(rows(Event)) == 1


@for_each("case", headers_that_are_refused())
def test_refuses_a_signature_header_with(case: str, app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(event(), header=headers_that_are_refused()[case].encode().decode("latin-1"))

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert contents(app) == before


def test_refuses_what_has_no_signature_header(app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = app.test_client().post(postbox.path, json=event())

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert contents(app) == before


@pytest.mark.parametrize("age", [301, 3600, -302, -3600], ids="{} s old".format)
def test_refuses_a_signature_that_is(age: int, app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(event(), at=time.time() - age)

    assert answer.status_code == 400
    assert contents(app) == before


@pytest.mark.parametrize("age", [290, -290], ids="{} s old".format)
def test_takes_a_signature_that_is(age: int, postbox: Postbox, rows: Rows) -> None:
    answer = postbox.post(event(), at=time.time() - age)

    assert answer.status_code == 200
    assert len(rows(Event)) == 1


def test_refuses_a_signature_of_other_bytes(app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(event(), header=signed(postbox.secret, b"something else"))

    assert answer.status_code == 400
    assert contents(app) == before


def test_refuses_an_outdated_signature_scheme(app: Flask, postbox: Postbox) -> None:
    body = b'{"id": "evt_1", "type": "invoice.paid", "livemode": false}'
    before = contents(app)

    answer = postbox.post(body, header=signed(postbox.secret, body, version="v0"))

    assert answer.status_code == 400
    assert contents(app) == before


def test_refuses_a_body_of_more_than_512_kib(app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(event(note="x" * LARGEST))

    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"
    assert contents(app) == before


def test_refuses_a_large_body_that_does_not_tell_its_length(app: Flask, postbox: Postbox) -> None:
    body = b" " * (LARGEST + 1)
    before = contents(app)

    answer = postbox.post(
        body,
        environ_overrides={
            "CONTENT_LENGTH": "",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input_terminated": True,
        },
    )

    assert answer.status_code == 413
    assert contents(app) == before


def test_takes_a_body_of_nearly_512_kib(postbox: Postbox, rows: Rows) -> None:
    answer = postbox.post(event(note="x" * (LARGEST - 1000)))

    assert answer.status_code == 200
    assert len(rows(Event)) == 1


def test_refuses_a_body_that_ends_before_its_length(app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(event(), environ_overrides={"CONTENT_LENGTH": "5000"})

    assert answer.status_code == 400
    assert contents(app) == before


@for_each("app_id", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "x" * 500, "%00", "%F0%9F%92%B3", "%FF"])
def test_knows_no_app_called(app_id: str, app: Flask, postbox: Postbox) -> None:
    before = contents(app)

    answer = postbox.post(event(), path=f"/api/v1/apps/{app_id}/stripe/webhook")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert contents(app) == before


def test_refuses_the_secret_of_another_app(app: Flask, simulator: Simulator, postbox: Postbox) -> None:
    add_account(simulator.store, "acct_other", int(time.time()))
    add_key(simulator.store, "sk_test_other", account="acct_other")
    with app.app_context():
        session = db.session()
        other = apps.install(session, "sk_test_other", public_url="http://127.0.0.1:8000", actor="test")
        session.commit()
        others_secret = apps.signing_secrets(session, other)[0]
    before = contents(app)

    answer = postbox.post(event(), secret=others_secret)

    assert answer.status_code == 400
    assert contents(app) == before


def test_refuses_a_retired_secret(app: Flask, postbox: Postbox) -> None:
    with app.app_context():
        session = db.session()
        session.query(SigningSecret).one().retired_at = utcnow()
        session.commit()
    before = contents(app)

    answer = postbox.post(event())

    assert answer.status_code == 400
    assert contents(app) == before


def test_is_not_found_by_a_browser(app: Flask, postbox: Postbox) -> None:
    answer = app.test_client().get(postbox.path)

    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"


def test_answers_as_openmeter_does(app: Flask, postbox: Postbox) -> None:
    answer = postbox.post(event())

    assert answer.status_code == 200
    assert answer.get_json() == {
        "namespaceId": "01J00000000000000000000000",
        "appId": postbox.path.split("/")[4],
        "message": "Stored.",
    }


def test_keeps_the_body_as_stripe_sent_it(postbox: Postbox, rows: Rows) -> None:
    body = b'{"id":"evt_1",  "type":"invoice.paid","livemode":false,"data":{"object":"\\u0000 \xc3\xa9"}}\n'

    answer = postbox.post(body)

    assert answer.status_code == 200
    assert rows(Event)[0].payload.encode() == body


@pytest.mark.parametrize(
    "thing",
    [
        None,
        {"id": "cus_foreign", "object": "customer", "metadata": {}},
        {"id": "pm_1", "object": "payment_method", "customer": "cus_foreign", "type": "card"},
        {"id": "seti_1", "object": "setup_intent", "customer": None, "status": "succeeded"},
        {"id": "seti_1", "object": "setup_intent", "customer": {"id": "cus_foreign"}, "status": "succeeded"},
        {"id": "pm_1", "object": "payment_method", "customer": {"object": "customer"}},
        {"id": "x", "object": "customer", "metadata": "none"},
        {"id": "cus_\x00", "object": "customer"},
        {"id": "cus_\ud800", "object": "customer"},
        {"id": "seti_1", "object": "setup_intent", "customer": "c" * 4000},
        {"object": "customer"},
        "cus_1",
        7,
        [],
        {},
    ],
    ids=lambda thing: str(thing)[:60].encode("unicode_escape").decode(),
)
def test_takes_a_foreign_event_and_changes_nothing_by_it(
    thing: object, world: World, person: Person, postbox: Postbox, rows: Rows
) -> None:
    world.lose_events()
    before = contents(world.app)

    answer = postbox.post(event("customer.updated", thing))
    world.work()

    assert answer.status_code == 200
    assert [found.state for found in rows(Event)] == ["ignored"]
    assert contents(world.app) | {"event": []} == before


@pytest.mark.parametrize("data", [None, [], "x", {}, {"object": None}], ids=str)
def test_takes_an_event_whose_data_is(data: object, world: World, postbox: Postbox, rows: Rows) -> None:
    answer = postbox.post(event("customer.updated", data=data))
    world.work()

    assert answer.status_code == 200
    assert [found.state for found in rows(Event)] == ["ignored"]


def test_takes_either_signature_while_a_secret_is_rolled(
    simulator: Simulator, person: Person, rows: Rows
) -> None:
    simulator.fault_settings.two_signatures = True
    person.save_card()

    simulator.deliver_due()

    assert {made["status"] for made in simulator.store.tries.snapshot()} == {200}
    assert len(rows(Event)) == 3


def test_takes_every_secret_that_is_not_retired(app: Flask, postbox: Postbox, rows: Rows) -> None:
    with app.app_context():
        session = db.session()
        old = session.query(SigningSecret).one()
        fresh = SigningSecret(id=new_id(), app_id=old.app_id, sealed="")
        sealer = app.extensions["gangway.connections"].sealer
        fresh.sealed = sealer.seal("whsec_fresh", f"signing_secret:{fresh.id}")
        session.add(fresh)
        session.commit()

    answers = [postbox.post(event(id="evt_old")), postbox.post(event(id="evt_new"), secret="whsec_fresh")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(rows(Event)) == 2


def test_stores_a_repeated_event_once(simulator: Simulator, world: World, person: Person, rows: Rows) -> None:
    simulator.fault_settings.duplicate = 3
    person.save_card()

    world.settle()

    assert {made["status"] for made in simulator.store.tries.snapshot()} == {200}
    assert len(simulator.store.tries) == 3 * len(rows(Event))
    assert {found.state for found in rows(Event)} == {"done"}


def test_looks_again_at_an_unfinished_event_that_is_delivered_again(
    clock: time_machine.Traveller, postbox: Postbox, world: World, rows: Rows
) -> None:
    app_id = postbox.path.split("/")[4]
    ours = {"id": "cus_soon", "object": "customer", "metadata": {"om_app_id": app_id}}
    postbox.post(event("customer.updated", ours))
    world.work()
    clock.shift(2)
    world.work()
    waits_until = rows(Event)[0].due_at
    assert waits_until > utcnow()

    postbox.post(event("customer.updated", ours))

    found = rows(Event)[0]
    assert (found.state, found.attempts) == ("new", 0)
    assert found.due_at < waits_until


def test_leaves_a_finished_event_alone_when_it_is_delivered_again(
    simulator: Simulator, world: World, person: Person, rows: Rows, app: Flask
) -> None:
    person.save_card()
    world.settle()
    before = contents(app)

    for found in rows(Event):
        simulator.replay_event(found.id)
    world.settle()

    assert contents(app) == before


def test_stores_one_event_delivered_twenty_times_at_once_a_single_time(postbox: Postbox, rows: Rows) -> None:
    together = threading.Barrier(20)

    def deliver() -> int:
        together.wait()
        return postbox.post(event()).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = [future.result() for future in [pool.submit(deliver) for _ in range(20)]]

    assert statuses == [200] * 20
    assert len(rows(Event)) == 1


def test_has_stored_the_event_before_anything_comes_of_it(
    simulator: Simulator, person: Person, rows: Rows
) -> None:
    generation = person.payer.generation
    person.save_card()

    simulator.deliver_due()

    assert {found.state for found in rows(Event)} == {"new"}
    assert person.methods == []
    assert person.payer.generation == generation


def test_asks_stripe_nothing_before_it_answers(simulator: Simulator, person: Person, rows: Rows) -> None:
    person.save_card()
    simulator.faults.add("timeout", times=100)

    simulator.deliver_due()

    assert {made["status"] for made in simulator.store.tries.snapshot()} == {200}


def test_is_told_the_truth_about_a_database_that_is_away(app: Flask, postbox: Postbox) -> None:
    with app.app_context(), db.engine().connect() as connection:
        connection.exec_driver_sql("ALTER TABLE event RENAME TO elsewhere")
        connection.commit()

    answer = postbox.post(event())

    assert answer.status_code in {500, 503}  # each database calls a missing table by another name
    assert answer.content_type == "application/problem+json"
