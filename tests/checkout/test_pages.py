"""The hosted pages that are opened for a payer."""

from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from app.audit import Entry
from app.checkout import CheckoutSession
from app.core.config import Settings
from app.core.db import utcnow
from app.payers import Payer
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.portal import SignupPage, resume, session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def test_page_is_stored_as_stripe_opened_it(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    sign_up(client)

    [page] = rows(CheckoutSession)
    opened = simulator.store.checkout_sessions[page.stripe_session_id]
    assert page.url == opened["url"]
    assert "#" in page.url
    assert page.setup_intent_id == opened["setup_intent"]
    assert int(page.expires_at.timestamp()) == opened["expires_at"]
    assert (page.status, page.setup_status, page.currency) == ("open", "requires_payment_method", "EUR")


def test_payer_is_looked_up_unasked_after_a_while(client: FlaskClient, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=False):
        sign_up(client)

        [payer] = rows(Payer)
        assert payer.due_at == utcnow() + timedelta(seconds=120)


def test_page_that_ended_by_itself_need_not_be_closed(client: FlaskClient, simulator: Simulator) -> None:
    form = SignupPage(client)
    simulator.expire_session(session_of(form.submit(currency="EUR")))

    second = session_of(form.submit(currency="JPY"))

    assert simulator.store.checkout_sessions[second]["status"] == "open"


def test_closing_fails_loudly_when_stripe_is_away(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    form.submit(currency="EUR")
    simulator.faults.add("503", "POST /v1/checkout/sessions/*", times=50)

    answer = form.submit(currency="JPY")

    assert answer.location.startswith("/return?")
    assert len(rows(CheckoutSession)) == 1


def test_repeat_after_an_answer_that_got_lost_finds_the_same_page(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.expire_session(sign_up(client))
    client.get("/return")
    simulator.faults.add("reset_after", "POST /v1/checkout/sessions", times=50)
    resume(client)
    simulator.faults.clear()

    second = session_of(resume(client))

    assert len(simulator.store.checkout_sessions) == 2
    assert sorted(page.stripe_id for page in rows(CheckoutSession)) == sorted(
        simulator.store.checkout_sessions
    )
    assert second in simulator.store.checkout_sessions


def test_corrected_options_after_a_lost_answer_open_a_page_of_their_own(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    simulator.faults.add("reset_after", "POST /v1/checkout/sessions", times=50)
    form.submit(currency="EUR")
    simulator.faults.clear()

    opened = session_of(form.submit(currency="JPY"))

    assert simulator.store.checkout_sessions[opened]["currency"] == "jpy"
    assert [page.currency for page in rows(CheckoutSession) if page.stripe_session_id] == ["JPY"]
    assert len(simulator.store.customers) == 1


def test_every_page_is_in_the_audit_log(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    first = sign_up(client)
    simulator.expire_session(first)
    client.get("/return")
    second = session_of(resume(client))

    told = [entry.facts["session_id"] for entry in rows(Entry) if entry.kind == "checkout.started"]
    assert sorted(told) == sorted([first, second])


def test_idempotency_keys_are_the_ids_of_our_rows(
    client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    sign_up(client)

    [payer], [opened] = rows(Payer), rows(CheckoutSession)
    keys = [place.partition("/")[2] for place in simulator.store.idempotency]
    assert {f"{payer.id}-1", opened.id} <= set(keys)


@pytest.fixture
def calls(simulator: Simulator) -> StripeCalls:
    return StripeCalls.of(simulator)


class TestThatKeepsMethods:
    """Under the policy `keep`, what is charged stays."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, payment_method_policy="keep", pull_interval=5)

    def test_payer_is_looked_up_as_often_as_the_settings_say(self, client: FlaskClient, rows: Rows) -> None:
        with time_machine.travel(utcnow(), tick=False):
            sign_up(client)

            assert rows(Payer)[0].due_at == utcnow() + timedelta(seconds=5)
