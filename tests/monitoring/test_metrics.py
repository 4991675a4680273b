"""Prometheus reads true numbers, with the right token only, and no label holds anything personal."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps, create_app, outbox, sync
from app.apps import App
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.outbox import OutboxMessage
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, revoke_key
from app.sync import Backfill, RateBudget
from app.web.mail import Message
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.numbers import read
from tests.support.people import Person
from tests.support.portal import sign_up
from tests.support.processes import wait_until
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

TOKEN = "vX3-q9LtRw7_eKz2mB8yHc5u"  # random; one that can be guessed is refused
SESSION = "GET /v1/checkout/sessions/{id}"


def numbers(client: FlaskClient) -> dict[str, float]:
    """All numbers as they are now."""
    return read(client.get("/metrics").text)


def write(app: Flask, *statements: sa.Executable) -> None:
    with app.app_context():
        for statement in statements:
            db.session().execute(statement)
        db.session().commit()


class TestRequests:
    """Requests are counted by their route."""

    def test_are_counted_with_their_status(self, client: FlaskClient) -> None:
        client.get("/signup")
        client.get("/signup?again")
        client.post("/signup")

        found = numbers(client)

        assert found["gangway_requests_total{method=GET,route=/signup,status=200}"] == 2
        assert found["gangway_requests_total{method=POST,route=/signup,status=422}"] == 1
        assert found["gangway_request_seconds_count{method=GET,route=/signup}"] == 2

    def test_of_many_things_are_one_route(self, client: FlaskClient) -> None:
        for number in range(3):
            client.post(f"/api/v1/apps/{number}/stripe/webhook")

        route = "/api/v1/apps/<app_id>/stripe/webhook"
        assert numbers(client)[f"gangway_requests_total{{method=POST,route={route},status=400}}"] == 3

    def test_of_what_nobody_serves_are_one_route(self, client: FlaskClient) -> None:
        client.get("/wp-admin")
        client.get("/.env")
        client.open("/signup", method="BREW")

        found = numbers(client)
        assert found["gangway_requests_total{method=GET,route=unknown,status=404}"] == 2
        assert found["gangway_requests_total{method=other,route=unknown,status=405}"] == 1

    @pytest.mark.own_app
    def test_that_fail_by_a_bug_are_counted(self, app: Flask) -> None:
        app.add_url_rule("/boom", "boom", lambda: 1 / 0)  # type: ignore[arg-type]
        client = app.test_client()
        client.get("/boom")

        assert numbers(client)["gangway_requests_total{method=GET,route=/boom,status=500}"] == 1


class TestStripe:
    """Calls of Stripe are counted by their kind."""

    def test_are_counted_without_the_ids_in_them(self, world: World, person: Person) -> None:
        person.save_card()
        person.return_to_portal()

        found = numbers(world.app.test_client())

        assert found["gangway_stripe_calls_total{operation=POST /v1/customers,outcome=ok}"] == 1
        assert found["gangway_stripe_calls_total{operation=POST /v1/checkout/sessions,outcome=ok}"] == 1
        assert found[f"gangway_stripe_calls_total{{operation={SESSION},outcome=ok}}"] == 1
        assert found[f"gangway_stripe_call_seconds_count{{operation={SESSION}}}"] == 1
        assert not [name for name in found if "cus_" in name or "cs_" in name]

    @pytest.mark.parametrize(
        ("fault", "outcome"),
        [("429", "throttled"), ("500", "failed"), ("timeout", "unreachable"), ("lock", "throttled")],
    )
    def test_that_fail_are_counted_each_try_by_itself(
        self, fault: str, outcome: str, world: World, person: Person
    ) -> None:
        world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*", times=1)

        person.save_card()
        person.return_to_portal()

        found = numbers(world.app.test_client())
        assert found[f"gangway_stripe_calls_total{{operation={SESSION},outcome={outcome}}}"] == 1

    def test_with_a_rejected_key_are_counted(self, world: World, person: Person) -> None:
        revoke_key(world.simulator.store, DEFAULT_API_KEY)

        person.return_to_portal()

        found = numbers(world.app.test_client())
        assert found[f"gangway_stripe_calls_total{{operation={SESSION},outcome=unauthorized}}"] == 1


class TestConvergences:
    """Comparisons with Stripe are counted by why they were made."""

    def test_are_counted_by_cause_and_outcome(self, world: World, person: Person) -> None:
        person.save_card()
        world.settle()

        found = numbers(world.app.test_client())

        assert found["gangway_convergences_total{cause=event,outcome=current}"] == 1
        assert found["gangway_convergence_seconds_count{cause=event}"] == 1

    def test_that_fail_are_counted(self, world: World, person: Person) -> None:
        person.save_card()
        world.simulator.faults.add("500", "GET *", times=100)
        world.settle()

        found = numbers(world.app.test_client())
        assert found["gangway_convergences_total{cause=event,outcome=failed}"] == 1


class TestRows:
    """What the database knows is read when it is asked for."""

    def test_events_are_counted_by_state_and_age(
        self, app: Flask, postbox: Postbox, clock: time_machine.Traveller
    ) -> None:
        for name in ("new", "waiting", "dead", "dead2"):
            postbox.post(event(id=f"evt_{name}"))
        write(
            app,
            sa.update(Event).where(Event.id == "evt_waiting").values(state="waiting"),
            sa.update(Event).where(Event.id.startswith("evt_dead")).values(state="dead"),
        )
        clock.shift(timedelta(minutes=20))

        found = numbers(app.test_client())

        assert [found[f"gangway_events{{state={state}}}"] for state in ("new", "waiting", "dead")] == [
            1,
            1,
            2,
        ]
        for state in ("new", "waiting", "dead"):
            assert found[f"gangway_oldest_event_age_seconds{{state={state}}}"] == pytest.approx(1200, abs=30)
        assert found["gangway_backlog_events"] == 1  # the waiting one has no payer that could be due

    def test_everything_is_nought_in_a_fresh_installation(self, client: FlaskClient) -> None:
        found = numbers(client)

        for name in (
            "gangway_events{state=dead}",
            "gangway_oldest_event_age_seconds{state=new}",
            "gangway_backlog_events",
            "gangway_customers_due",
            "gangway_oldest_due_age_seconds",
            "gangway_customers_drifted",
            "gangway_oldest_message_age_seconds",
            "gangway_workers",
        ):
            assert found[name] == 0
        assert found["gangway_database_up"] == 1
        assert found["process_resident_memory_bytes"] > 0

    def test_customers_who_are_due_are_counted(self, world: World, person: Person) -> None:
        write(
            world.app,
            sa.update(Payer).values(due_at=utcnow() - timedelta(minutes=5), drift="payment_method.removed"),
        )

        found = numbers(world.app.test_client())

        assert found["gangway_customers_due"] == 1
        assert found["gangway_oldest_due_age_seconds"] == pytest.approx(300, abs=30)
        assert found["gangway_customers_drifted"] == 1

    def test_an_email_that_waits_is_noticed(self, app: Flask, client: FlaskClient) -> None:
        with app.app_context():
            session = db.session()
            message = Message(to="a@example.com", subject="", text="")
            outbox.put(session, message, kind="test", expires_at=utcnow() + timedelta(hours=1))
            session.commit()
        write(app, sa.update(OutboxMessage).values(created_at=utcnow() - timedelta(minutes=5)))

        assert numbers(client)["gangway_oldest_message_age_seconds"] == pytest.approx(300, abs=30)

    def test_apps_are_distinguished(self, app: Flask) -> None:
        with app.app_context():
            session, now = db.session(), utcnow()
            one = apps.find(session).id
            session.merge(
                Backfill(
                    app_id=one,
                    last_run_at=now - timedelta(hours=1),
                    next_run_at=now,
                    last_error="Stripe can't be reached.",
                    found=7,
                )
            )
            session.merge(RateBudget(app_id=one, drifts=3))
            session.add(
                App(
                    id="another",
                    name="Another",
                    status="unauthorized",
                    stripe_account_id="acct_2",
                    livemode=True,
                    api_key_sealed="",
                    masked_api_key="",
                    webhook_endpoint_id="we_2",
                    is_default=False,
                    created_at=now - timedelta(hours=3),
                )
            )
            session.merge(Backfill(app_id="another", next_run_at=now, found=0))
            session.commit()

        found = numbers(app.test_client())

        assert found[f"gangway_app_ready{{app={one},mode=test}}"] == 1
        assert found["gangway_app_ready{app=another,mode=live}"] == 0
        assert found[f"gangway_backfill_age_seconds{{app={one}}}"] == pytest.approx(3600, abs=30)
        assert found["gangway_backfill_age_seconds{app=another}"] == pytest.approx(10_800, abs=30)  # never
        assert found[f"gangway_backfill_failing{{app={one}}}"] == 1
        assert found[f"gangway_backfilled_events_total{{app={one}}}"] == 7
        assert found[f"gangway_drifts_total{{app={one}}}"] == 3
        assert found["gangway_drifts_total{app=another}"] == 0

    def test_an_app_of_which_no_list_was_ever_read_is_late_since_its_installation(
        self, app: Flask, rows: Rows
    ) -> None:
        write(app, sa.delete(Backfill), sa.update(App).values(created_at=utcnow() - timedelta(hours=3)))

        found = numbers(app.test_client())

        [one] = rows(App)
        assert found[f"gangway_backfill_age_seconds{{app={one.id}}}"] == pytest.approx(10_800, abs=30)

    def test_workers_are_counted_while_they_run(self, app: Flask) -> None:
        worker = sync.Worker(app, threads=3)
        worker.start()
        client = app.test_client()
        wait_until(lambda: numbers(client)["gangway_workers"] == 3)

        worker.stop()

        assert numbers(client)["gangway_workers"] == 0

    def test_a_database_that_is_away_is_told(self) -> None:
        client = create_app(make_settings(database_url="sqlite:////nowhere/gangway.db")).test_client()
        client.get("/healthz")

        found = numbers(client)

        assert found["gangway_database_up"] == 0
        assert found["gangway_requests_total{method=GET,route=/healthz,status=200}"] == 1
        assert "gangway_workers" not in found


class TestWithoutToken:
    """Nobody but this machine reads them."""

    def test_this_machine_may(self, client: FlaskClient) -> None:
        answer = client.get("/metrics")

        assert answer.status_code == 200
        assert answer.mimetype == "text/plain"

    @pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "", "unix:"])
    def test_others_may_not(self, address: str, client: FlaskClient) -> None:
        answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})

        assert answer.status_code == 403
        assert "GANGWAY_METRICS_TOKEN" in answer.text
        assert "gangway_" not in answer.text

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
    def test_whoever_comes_through_a_proxy_on_this_machine_may_not(
        self, header: str, client: FlaskClient
    ) -> None:
        assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


class TestWithoutTokenInPublic:
    """A proxy that leaves no mark makes everybody look like this machine, so nobody reads them."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, public_url="https://billing.example.com")

    def test_even_this_machine_may_not(self, bare_app: Flask) -> None:
        answer = bare_app.test_client().get("/metrics")

        assert answer.status_code == 403
        assert "GANGWAY_METRICS_TOKEN" in answer.text
        assert "gangway_" not in answer.text


class TestWithToken:
    """The token opens them from anywhere."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, metrics_token=TOKEN)

    @pytest.mark.parametrize(
        "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}]
    )
    def test_others_may_not_even_from_this_machine(
        self, headers: dict[str, str], client: FlaskClient
    ) -> None:
        answer = client.get("/metrics", headers=headers)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "gangway_" not in answer.text

    def test_the_token_opens_them(self, client: FlaskClient) -> None:
        answer = client.get(
            "/metrics",
            headers={"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.7"},
            environ_overrides={"REMOTE_ADDR": "203.0.113.7"},
        )

        assert "gangway_database_up 1.0" in answer.text


def test_two_applications_in_one_process_count_apart(app: Flask, database_url: str) -> None:
    other = create_app(make_settings(database_url=database_url))
    sign_up(app.test_client())
    other.test_client().get("/healthz")

    first, second = numbers(app.test_client()), numbers(other.test_client())

    assert "gangway_requests_total{method=POST,route=/signup,status=303}" in first
    assert "gangway_requests_total{method=POST,route=/signup,status=303}" not in second
    with other.app_context():
        db.engine().dispose()
