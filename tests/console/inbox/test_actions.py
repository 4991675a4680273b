"""An operator processes a failed event again or dismisses it, one at a time or all at once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps
from app.core import db
from app.core.db import utcnow
from app.payers import Payer, PaymentStatus
from app.simulator import Simulator, add_account, add_key
from app.sync import Backfill
from app.webhooks import Event
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_inbox import address_of, change, notes
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World


def told(client: FlaskClient, answer: TestResponse) -> Page:
    """The page to which an action leads, which says what it did."""
    assert answer.status_code == 303, answer.text
    return Page.of(client.get(answer.location))


class TestActions:
    """What operators do about events."""

    def test_a_failed_event_is_retried(
        self, world: World, person: Person, console: FlaskClient, rows: Rows
    ) -> None:
        person.save_card()
        world.simulator.deliver_due()
        change(world.app, state="dead")
        [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

        page = told(console, post(console, address_of(rows, succeeded.id) + "/retry"))
        world.work()

        assert "We retry this event now." in page.text
        assert person.status == PaymentStatus.SAVED

    def test_a_retry_that_is_not_possible_is_explained(
        self, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, state="done")

        page = told(console, post(console, address_of(rows) + "/retry"))

        assert "This event is done" in page.text

    def test_an_event_is_ignored_with_a_reason(
        self, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        page = told(console, post(console, address_of(rows) + "/ignore", reason="It is ours"))

        assert "Event ignored" in page.text
        assert "An operator decided so: It is ours" in page.text
        again = told(console, post(console, address_of(rows) + "/ignore", reason="Again"))
        assert "This event is already ignored." in again.text

    def test_an_event_is_not_ignored_without_a_reason(
        self, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        answer = post(console, address_of(rows) + "/ignore", reason=" ")

        assert answer.status_code == 422
        assert "Say in 1 to 500 characters" in Page.of(answer).error("reason")
        assert rows(Event)[0].state == "new"

    def test_all_failed_ones_are_retried_and_their_number_is_shown_first(
        self, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        for number in range(3):
            postbox.post(event(id=f"evt_{number}"))
        change(app, state="dead")
        before = Page.of(console.get("/operator/events"))

        page = told(console, post(console, "/operator/events/retry-failed"))
        again = told(console, post(console, "/operator/events/retry-failed"))

        assert "Retry 3 failed events now?" in before.text
        assert "Retrying 3 failed events." in page.text
        assert {found.state for found in rows(Event)} == {"new"}
        assert "There are no failed events left." in again.text
        assert "Retry all failed" not in again.text

    def test_missed_events_are_fetched_on_demand(
        self, app: Flask, console: FlaskClient, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        with app.app_context():
            session, later = db.session(), utcnow() + timedelta(hours=1)
            app_id = apps.find(session).id
            session.merge(
                Backfill(app_id=app_id, next_run_at=later, last_error="Stripe can't be reached.", found=3)
            )
            session.commit()

        page = told(console, post(console, "/operator/events/fetch", app=app_id))

        [run] = rows(Backfill)
        assert run.next_run_at <= utcnow()
        assert [entry.app_id for entry in notes(rows, "backfill.asked")] == [app_id]
        fetching = page.one("section", id="fetching").text
        assert "Requested" in fetching
        assert "3 that no webhook delivered" in fetching
        assert "Stripe can't be reached." in fetching
        with app.app_context():
            db.session().execute(sa.update(Backfill).values(last_run_at=utcnow() + timedelta(seconds=1)))
            db.session().commit()
        assert "Requested" not in Page.of(console.get("/operator/events")).one("section", id="fetching").text

    def test_missed_events_of_one_app_are_fetched_alone(
        self, app: Flask, console: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        add_account(simulator.store, "acct_second", 1)
        add_key(simulator.store, "sk_test_of_the_second", account="acct_second")
        with app.app_context():
            session, later = db.session(), utcnow() + timedelta(hours=1)
            other = apps.install(session, "sk_test_of_the_second", public_url=PORTAL, actor="test").id
            app_id = apps.find(session).id
            session.add_all(Backfill(app_id=id_, next_run_at=later, found=0) for id_ in (app_id, other))
            session.commit()

        post(console, "/operator/events/fetch", app=app_id)

        assert [run.app_id for run in rows(Backfill) if run.next_run_at <= utcnow()] == [app_id]

    def test_missed_events_of_no_app_are_not_fetched(self, console: FlaskClient, rows: Rows) -> None:
        assert post(console, "/operator/events/fetch", app="none").status_code == 404
        assert notes(rows, "backfill.asked") == []

    @pytest.mark.parametrize("action", ["/retry", "/ignore"])
    def test_viewers_do_nothing(self, action: str, app: Flask, postbox: Postbox, rows: Rows) -> None:
        postbox.post(event())
        change(app, state="dead")
        viewer = sign_in(app, "viewer")

        page = Page.of(viewer.get(address_of(rows)))

        assert not page.one("main").all("form")
        assert post(viewer, address_of(rows) + action, reason="x").status_code == 403
        assert rows(Event)[0].state == "dead"

    def test_an_event_of_an_ended_customer_can_still_be_looked_at(
        self, world: World, person: Person, console: FlaskClient, rows: Rows
    ) -> None:
        person.save_card()
        world.settle()
        with world.app.app_context():
            db.session().execute(sa.update(Payer).values(deleted_at=utcnow()))
            db.session().commit()

        for found in rows(Event):
            assert console.get(address_of(rows, found.id)).status_code == 200
