"""The doctor notices that events do not arrive, are not processed, or have to be fetched."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import apps, sync
from app.apps.models import App
from app.core import db
from app.core.db import utcnow
from app.simulator import Simulator
from app.sync import Backfill
from app.webhooks import Event
from tests.doctor.conftest import Change, Doctor
from tests.support.installed_apps import Installed
from tests.support.people import Person
from tests.support.rows import Rows


def put_event(app: Flask, name: str = "evt_1", **fields: object) -> None:
    """Put an event into the inbox that came some time ago."""
    with app.app_context():
        session = db.session()
        [row] = apps.installed(session)
        values = {"type": "customer.updated", "payload": '{"type": "customer.updated"}'} | fields
        session.add(Event(app_id=row.id, id=name, **values))
        session.commit()


class TestDeliveries:
    """What Stripe sends and nobody takes: its list of events tells, since here nothing is written of it."""

    def test_signed_with_a_secret_that_was_rolled_at_stripe(
        self,
        app: Flask,
        own: Installed,
        person: Person,
        doctor: Doctor,
        simulator: Simulator,
        clock: time_machine.Traveller,
    ) -> None:
        clock.shift(timedelta(seconds=2))
        simulator.roll_secret(own.endpoint)
        person.save_card()
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))

        before = doctor()
        after = doctor("--repair")
        clock.shift(timedelta(seconds=2))
        simulator.attach_card(person.stripe_customer_id)
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))
        later = doctor()

        assert before.troubles == {"deliveries": "red"}
        assert "rolled it in Stripe's Dashboard" in before["deliveries"]["detail"]
        assert after.troubles == {}
        assert later.troubles == {}
        assert later["deliveries"]["detail"] == "1 arrived in the last day."

    def test_that_fail_are_no_better_because_they_were_fetched(
        self,
        app: Flask,
        own: Installed,
        person: Person,
        doctor: Doctor,
        simulator: Simulator,
        clock: time_machine.Traveller,
    ) -> None:
        clock.shift(timedelta(seconds=2))
        simulator.roll_secret(own.endpoint)
        person.save_card()
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))
        with app.app_context():
            [installed_app] = apps.installed(db.session())
            fetched = sync.backfill(db.session(), installed_app).found

        report = doctor()

        assert report.troubles == {"deliveries": "red", "fetched": "amber"}
        assert report["fetched"]["detail"].startswith(f"{fetched} events of the last day never arrived")

    def test_that_stripe_never_made_are_no_trouble(
        self,
        own: Installed,
        person: Person,
        doctor: Doctor,
        simulator: Simulator,
        clock: time_machine.Traveller,
    ) -> None:
        clock.shift(timedelta(seconds=2))
        simulator.change_endpoint(own.endpoint, enabled=False)
        person.save_card()
        simulator.change_endpoint(own.endpoint, enabled=True)
        clock.shift(timedelta(minutes=3))

        assert doctor().troubles == {}

    def test_of_which_some_failed_and_later_ones_came(
        self, person: Person, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(seconds=2))
        simulator.fault_settings.change({"wrong_secret": "on"})
        simulator.attach_card(person.stripe_customer_id)
        while simulator.deliver_due():
            pass
        simulator.fault_settings.change({"wrong_secret": "off"})
        clock.shift(timedelta(seconds=2))
        simulator.attach_card(person.stripe_customer_id)
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"deliveries": "amber"}
        assert "Repaired: Some events did not arrive.\n" in after.said

    def test_that_are_under_way_are_no_trouble(
        self, person: Person, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(seconds=2))
        person.save_card()

        report = doctor()

        assert report.troubles == {}
        assert "new ones may be on their way" in report["deliveries"]["detail"]


class TestInbox:
    @pytest.mark.parametrize(
        ("age", "troubles"), [(1, {}), (20, {"backlog": "amber"}), (90, {"backlog": "red"})]
    )
    def test_is_worked_off(self, age: int, troubles: dict[str, str], app: Flask, doctor: Doctor) -> None:
        put_event(app, state="new", received_at=utcnow() - timedelta(minutes=age))

        assert doctor().troubles == troubles

    def test_has_events_that_were_given_up_tried_again(self, app: Flask, doctor: Doctor, rows: Rows) -> None:
        put_event(app, state="dead", reason="It failed.")

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"dead": "red"}
        assert after.troubles == {}
        assert [row.state for row in rows(Event)] == ["new"]


class TestBackfill:
    def test_begins_soon_after_the_installation(self, app: Flask, doctor: Doctor, change: Change) -> None:
        young = doctor()
        change(App, created_at=utcnow() - timedelta(days=2))
        old = doctor()

        assert young.troubles == {}
        assert old.troubles == {"backfill": "amber"}

    @pytest.mark.parametrize(
        ("late", "error", "title"),
        [
            (timedelta(0), None, "Missed events are fetched"),
            (timedelta(0), "Stripe can't be reached.", "Missed events could not be fetched"),
            (timedelta(hours=2), None, "Nobody looks for missed events"),
        ],
    )
    def test_is_looked_at(
        self, late: timedelta, error: str | None, title: str, app: Flask, own: Installed, doctor: Doctor
    ) -> None:
        with app.app_context():
            now = utcnow()
            db.session().merge(
                Backfill(app_id=own.id, last_run_at=now - late, next_run_at=now - late, last_error=error)
            )
            db.session().commit()

        report = doctor()

        assert report["backfill"]["title"] == title
        assert report.exit_code == (3 if title == "Missed events are fetched" else 1)

    def test_is_run_by_the_repair(self, app: Flask, doctor: Doctor, change: Change) -> None:
        change(App, created_at=utcnow() - timedelta(days=2))

        report = doctor("--repair")

        assert report.troubles == {}
