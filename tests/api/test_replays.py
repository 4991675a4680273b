"""A POST with an Idempotency-Key happens once: a repeat gets the first answer, another body is refused."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Barrier, Event

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller
from werkzeug.test import TestResponse

from app.api import idempotency
from app.api.models import IdempotentRequest
from app.checkout import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.simulator import Simulator
from tests.support.api import JSON, Api, wrong_fields
from tests.support.cases import for_each
from tests.support.processes import PATIENCE
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import bearer

CUSTOMER = {"name": "ACME, Inc.", "key": "acme"}
CHECKOUT = {"customer": CUSTOMER, "options": {"successURL": "https://example.com/success"}}
PAGES = "/stripe/checkout/sessions"


def test_the_same_again_gets_the_first_answer_again(api: Api, rows: Rows) -> None:
    first, second = (api.post("/customers", CUSTOMER, key="one") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_data() == second.get_data()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Content-Type"] == "application/json"
    assert len(rows(Customer)) == 1


def test_a_page_is_opened_once(api: Api, simulator: Simulator, rows: Rows) -> None:
    first, second = (api.post(PAGES, CHECKOUT, key="one").get_json() for _ in range(2))

    assert first == second
    assert len(rows(CheckoutSession)) == len(simulator.store.checkout_sessions) == 1


def test_without_a_key_nothing_is_remembered(api: Api, rows: Rows) -> None:
    statuses = [api.post("/customers", CUSTOMER).status_code for _ in range(2)]

    assert statuses == [201, 409]
    assert rows(IdempotentRequest) == []


@pytest.mark.parametrize("other", [{"name": "Other", "key": "acme"}, {"name": "ACME, Inc.", "key": "b"}])
def test_another_body_is_a_conflict(api: Api, rows: Rows, other: JSON) -> None:
    api.post("/customers", CUSTOMER, key="one")

    answer = api.post("/customers", other, key="one")

    assert answer.status_code == 409
    assert "another request" in answer.get_json()["detail"]
    assert [customer.name for customer in rows(Customer)] == ["ACME, Inc."]


def test_another_address_is_a_conflict(api: Api, rows: Rows) -> None:
    api.post("/customers", CUSTOMER, key="one")

    answer = api.post(PAGES, CHECKOUT, key="one")

    assert answer.status_code == 409
    assert rows(CheckoutSession) == []


def test_a_key_is_the_own_of_its_token(app: Flask, api: Api, client: FlaskClient, rows: Rows) -> None:
    api.post("/customers", CUSTOMER, key="one")

    answer = Api(client, bearer(app)).post("/customers", CUSTOMER | {"key": "b"}, key="one")

    assert answer.status_code == 201
    assert len(rows(Customer)) == 2


def test_a_refusal_is_given_again_as_this_requests_own(api: Api) -> None:
    api.post("/customers", CUSTOMER)

    first, second = (api.post("/customers", CUSTOMER, key="one") for _ in range(2))

    assert (first.status_code, second.status_code) == (409, 409)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.get_json()["detail"] == second.get_json()["detail"]
    assert first.get_json()["instance"] != second.get_json()["instance"]


def test_a_body_that_is_wrong_does_not_use_the_key(api: Api) -> None:
    wrong = api.post("/customers", {"key": "acme"}, key="one")
    right = api.post("/customers", CUSTOMER, key="one")

    assert wrong_fields(wrong) == {"/name"}
    assert right.status_code == 201


@for_each("key", ["", "x" * 256, "schlüssel", "\x7f", "a\x01b"])
def test_a_key_of_rubbish_is_refused(api: Api, rows: Rows, key: str) -> None:
    answer = api.post("/customers", CUSTOMER, key=key)

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.get_json()["detail"]
    assert rows(Customer) == []


def test_a_key_may_have_255_characters_and_spaces(api: Api) -> None:
    answers = [api.post("/customers", CUSTOMER, key="a b" + "x" * 252) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]


@contextmanager
def held(app: Flask, api: Api, simulator: Simulator) -> Iterator[Future[TestResponse]]:
    """A page is being opened under the key `one`, and Stripe looks at it only when this ends."""
    arrived, go_on = Event(), Event()

    def hold() -> None:
        arrived.set()
        assert go_on.wait(PATIENCE)

    StripeCalls.of(simulator).before("POST /v1/checkout/sessions", hold)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(Api(app.test_client(), api.headers).post, PAGES, CHECKOUT, key="one")
        assert arrived.wait(PATIENCE)
        try:
            yield answer
        finally:
            go_on.set()


def test_while_the_first_is_under_way_the_second_is_a_conflict(
    app: Flask, api: Api, simulator: Simulator
) -> None:
    with held(app, api, simulator) as first:
        second = api.post(PAGES, CHECKOUT, key="one")

    assert second.status_code == 409
    assert "still running" in second.get_json()["detail"]
    assert "Retry-After" not in second.headers
    assert first.result().status_code == 201
    assert len(simulator.store.checkout_sessions) == 1


def test_nothing_is_done_whose_answer_can_not_be_kept(app: Flask, api: Api, rows: Rows) -> None:
    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE idempotent_request"):
            raise RuntimeError("killed")

    with app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "before_cursor_execute", refuse)
    first = api.post("/customers", CUSTOMER, key="one")
    sa.event.remove(engine, "before_cursor_execute", refuse)
    left = rows(Customer)
    second = api.post("/customers", CUSTOMER, key="one")

    assert first.status_code == 500
    assert left == []
    assert second.status_code == 201
    assert "Idempotency-Replayed" not in second.headers


def test_who_was_overtaken_changes_nothing(
    app: Flask, api: Api, simulator: Simulator, rows: Rows, clock: Traveller
) -> None:
    with held(app, api, simulator) as first:
        clock.shift(timedelta(seconds=61))
        second = api.post(PAGES, CHECKOUT, key="one")
    third = api.post(PAGES, CHECKOUT, key="one")

    assert first.result().status_code == 409
    assert "has taken over" in first.result().get_json()["detail"]
    assert second.status_code == third.status_code == 201
    assert second.get_data() == third.get_data()
    assert len(rows(Customer)) == len(rows(CheckoutSession)) == len(simulator.store.checkout_sessions) == 1


def test_who_was_overtaken_and_fails_frees_no_key(
    app: Flask, api: Api, simulator: Simulator, clock: Traveller
) -> None:
    with ExitStack() as of_first, ExitStack() as of_second:
        first = of_first.enter_context(held(app, api, simulator))
        clock.shift(timedelta(seconds=61))
        second = of_second.enter_context(held(app, api, simulator))
        simulator.faults.add("503", "POST /v1/checkout/sessions", times=10)
        of_first.close()
        simulator.faults.clear()
        third = api.post(PAGES, CHECKOUT, key="one")
    fourth = api.post(PAGES, CHECKOUT, key="one")

    assert first.result().status_code == 412
    assert third.status_code == 409
    assert "still running" in third.get_json()["detail"]
    assert second.result().status_code == fourth.status_code == 201
    assert fourth.headers["Idempotency-Replayed"] == "true"


class TestKilled:
    """A process that died between taking a key and answering."""

    @pytest.fixture(autouse=True)
    def _killed(self, app: Flask, api: Api) -> None:
        """A request that was begun and never answered."""
        token_id = api.headers["Authorization"].split("_")[1]
        body = b'{"name": "ACME, Inc.", "key": "acme"}'
        with app.app_context():
            seen = idempotency.fingerprint("POST", "/api/v1/customers?", body)
            idempotency.begin(db.session(), token_id, "one", fingerprint=seen)

    @staticmethod
    def again(api: Api, body: bytes = b'{"name": "ACME, Inc.", "key": "acme"}') -> int:
        answer = api.post("/customers", data=body, content_type="application/json", key="one")
        return answer.status_code

    def test_holds_its_key_for_a_minute(self, api: Api, clock: Traveller, rows: Rows) -> None:
        clock.shift(timedelta(seconds=55))

        assert self.again(api) == 409
        assert rows(Customer) == []

    def test_gives_it_up_after_a_minute(self, api: Api, clock: Traveller, rows: Rows) -> None:
        clock.shift(timedelta(seconds=61))

        assert self.again(api) == 201
        assert len(rows(Customer)) == 1

    def test_gives_it_to_the_same_request_only(self, api: Api, clock: Traveller, rows: Rows) -> None:
        clock.shift(timedelta(seconds=61))

        assert self.again(api, b'{"name": "Other", "key": "other"}') == 409
        assert rows(Customer) == []


def test_a_key_is_free_again_after_a_day(api: Api, clock: Traveller, rows: Rows) -> None:
    api.post("/customers", CUSTOMER, key="one")
    clock.shift(timedelta(hours=24, seconds=1))

    answer = api.post("/customers", CUSTOMER | {"key": "b"}, key="one")

    assert answer.status_code == 201
    assert len(rows(Customer)) == 2
    assert rows(IdempotentRequest)[0].started_at > utcnow() - timedelta(minutes=1)


@pytest.mark.parametrize("fault", ["429", "500", "503", "reset"])
def test_trouble_at_stripe_frees_the_key(api: Api, simulator: Simulator, rows: Rows, fault: str) -> None:
    simulator.faults.add(fault, "POST /v1/checkout/sessions", times=10)
    first = api.post(PAGES, CHECKOUT, key="one")
    left = rows(IdempotentRequest)
    simulator.faults.clear()

    second = api.post(PAGES, CHECKOUT | {"options": {"successURL": "https://example.com/b"}}, key="one")

    assert (first.status_code, second.status_code) == (412, 201)
    assert left == []
    assert "Idempotency-Replayed" not in second.headers


def test_a_fault_of_ours_frees_the_key(
    app: Flask, api: Api, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        db.session().connection().exec_driver_sql("ALTER TABLE subject_key RENAME TO lost")
        db.session().commit()

    first = api.post("/customers", CUSTOMER, key="one")
    with app.app_context():
        db.session().connection().exec_driver_sql("ALTER TABLE lost RENAME TO subject_key")
        db.session().commit()
    second = api.post("/customers", CUSTOMER, key="one")

    assert first.status_code in {500, 503}  # a table that is missing is the database's trouble on SQLite
    assert second.status_code == 201
    assert len(rows(Customer)) == 1


@pytest.mark.parametrize(("path", "body"), [("/customers", CUSTOMER), (PAGES, CHECKOUT)])
def test_fifty_at_once_have_one_effect(
    app: Flask, api: Api, simulator: Simulator, rows: Rows, path: str, body: JSON
) -> None:
    together = Barrier(50)

    def send(_: int) -> tuple[int, str]:
        caller = Api(app.test_client(), api.headers)
        together.wait()
        answer = caller.post(path, body, key="one")
        while answer.status_code == 503:  # a busy machine: the database had no turn for it in time
            answer = caller.post(path, body, key="one")
        return answer.status_code, answer.get_data(as_text=True) if answer.status_code == 201 else ""

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    last = api.post(path, body, key="one")

    counted = Counter(status for status, _ in answers)
    assert set(counted) <= {201, 409}
    assert counted[201] >= 1
    assert {text for status, text in answers if status == 201} == {last.get_data(as_text=True)}
    assert len(rows(Customer)) == 1
    pages = 1 if path == PAGES else 0
    assert len(rows(CheckoutSession)) == len(simulator.store.checkout_sessions) == pages
    assert len(simulator.store.customers) == pages
