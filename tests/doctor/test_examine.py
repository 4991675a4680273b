"""The doctor finds nothing wrong with a healthy app, and names what is wrong with any other: the clock, the
default app, orphaned customers, an unreachable Stripe."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps, create_app, sync
from app.apps.models import App
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.doctor.cli import doctor_command
from app.simulator import DEFAULT_ACCOUNT, JSON, Simulator
from tests.conftest import PORTAL, make_settings
from tests.doctor.conftest import Change, Doctor
from tests.support.installed_apps import Installed, installed
from tests.support.people import Person
from tests.support.rows import Rows


def test_finds_nothing_wrong_with_an_app_that_is_well(
    app: Flask, person: Person, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    person.save_card()
    simulator.deliver_due()
    clock.shift(timedelta(minutes=3))
    with app.app_context():
        [installed_app] = apps.installed(db.session())
        sync.backfill(db.session(), installed_app)

    report = doctor()

    assert report.troubles == {}
    assert (report.exit_code, report.state) == (0, "green")
    assert report["deliveries"]["detail"].endswith("arrived in the last day.")
    assert report["last_event"]["title"] == "Events arrive"
    assert set(report.findings) == {
        *("key", "account", "permissions", "endpoint", "enabled", "url", "events", "version", "duplicates"),
        *("deliveries", "clock", "orphan_customers", "secrets", "rolling", "public_url", "last_event"),
        *("backlog", "dead", "fetched", "backfill", "default", "proxies", "database", "email"),
    }


def test_doubts_the_proxies_when_one_speaks_in_vain(client: FlaskClient, doctor: Doctor) -> None:
    client.get("/signup", headers={"X-Forwarded-For": "192.0.2.1"})

    report = doctor()

    assert report["proxies"]["state"] == "amber"
    assert "Set GANGWAY_TRUSTED_PROXIES" in report["proxies"]["detail"]


def test_writes_down_who_examined_and_what_came_out(app: Flask, doctor: Doctor, rows: Rows) -> None:
    doctor()

    entries = [entry for entry in rows(Entry) if entry.kind == "app.examined"]
    assert [(entry.actor, entry.facts) for entry in entries] == [("command", {"red": "0", "amber": "0"})]


class TestClock:
    @pytest.mark.parametrize(
        ("ahead", "troubles", "words"),
        [
            (20, {}, "Within 30 seconds"),
            (100, {"clock": "amber"}, "seconds behind Stripe's"),
            (-100, {"clock": "amber"}, "seconds ahead of Stripe's"),
            (400, {"clock": "red"}, "Set the clock"),
        ],
    )
    def test_is_compared_with_stripes(
        self, ahead: int, troubles: dict[str, str], words: str, doctor: Doctor, simulator: Simulator
    ) -> None:
        simulator.clock.ahead = ahead

        report = doctor()

        assert report.troubles == troubles
        assert words in report["clock"]["detail"]


class TestDefault:
    def test_is_missed(self, app: Flask, doctor: Doctor, change: Change) -> None:
        change(App, is_default=False)

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"default": "red"}
        assert after.troubles == {}
        assert [found.is_default for found in installed(app)] == [True]


class TestStrayCustomers:
    def test_are_reported_and_left_alone(self, own: Installed, doctor: Doctor, simulator: Simulator) -> None:
        marks = {"om_namespace": "default", "om_app_id": own.id, "om_customer_id": "0" * 26}
        with simulator.store.transaction():
            stray: JSON = {"id": "cus_stray", "object": "customer", "created": 1, "metadata": marks}
            simulator.store.customers.put("cus_stray", stray, DEFAULT_ACCOUNT)

        report = doctor()

        assert report.troubles == {"orphan_customers": "amber"}
        assert "cus_stray" in report["orphan_customers"]["detail"]
        assert report["orphan_customers"]["repair"] is None


class TestUnreachable:
    """A portal that Stripe can't call, before the real Stripe."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """Loopback, and no simulator."""
        return make_settings(database_url=database_url, stripe_api_base="https://api.stripe.com")

    def test_is_said(self, doctor: Doctor) -> None:
        report = doctor()

        assert report.troubles == {"public_url": "amber"}
        assert report["endpoint"]["title"] == "The settings turn webhooks off"
        assert "deliveries" not in report.findings


def test_reads_the_same_of_an_app_that_another_portal_looks_after(
    app: Flask, settings: Settings, simulator: Simulator, doctor: Doctor
) -> None:
    """The address of this portal was changed: the endpoint is ours, and leads to where it was before."""
    moved = create_app(
        settings.model_copy(update={"public_url": "http://localhost:9000"}), stripe_in_process=simulator.wsgi
    )

    result = moved.test_cli_runner().invoke(doctor_command, [])

    assert result.exit_code == 2
    assert f"Stripe sends them to {PORTAL}/api/v1/apps/" in result.stdout
    with moved.app_context():
        db.engine().dispose()
