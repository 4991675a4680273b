"""Each thing that can be wrong with an installed app is seen, named and mended."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app import apps, create_app, db, sync
from app.apps.cli import roll_secret_command
from app.apps.models import App, SigningSecret
from app.config import Settings
from app.db import utcnow
from app.doctor.cli import doctor_command
from app.gateway import EVENTS
from app.journal import Entry
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator
from app.simulator.accounts import add_key, revoke_key
from app.simulator.shapes import JSON
from app.sync import Backfill
from app.webhooks import Event
from tests.conftest import PORTAL, make_settings
from tests.doctor.conftest import Doctor
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_odd import answer_oddly
from tests.support.stripe_postbox import Postbox, event
from tests.support.sync_install import Installed, endpoints, installed
from tests.support.sync_people import Person

Change = Callable[..., None]


@pytest.fixture
def own(app: Flask) -> Installed:
    """The installed app, as it was at first."""
    [found] = installed(app)
    return found


@pytest.fixture
def change(app: Flask) -> Change:
    """Change rows behind the portal's back."""

    def run(model: type, **values: object) -> None:
        with app.app_context():
            db.session().execute(sa.update(model).values(**values))
            db.session().commit()

    return run


def put_event(app: Flask, name: str = "evt_1", **fields: object) -> None:
    """Put an event into the inbox that came some time ago."""
    with app.app_context():
        session = db.session()
        [row] = apps.installed(session)
        values = {"type": "customer.updated", "payload": '{"type": "customer.updated"}'} | fields
        session.add(Event(app_id=row.id, id=name, **values))
        session.commit()


def test_finds_nothing_wrong_with_an_app_that_is_well(
    app: Flask, person: Person, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    person.saves()
    simulator.deliver_due()
    clock.shift(timedelta(minutes=3))

    report = doctor()

    assert report.troubles == {}
    assert (report.exit_code, report.state) == (0, "green")
    assert report["deliveries"]["detail"].endswith("came in the last day.")
    assert report["last_event"]["title"] == "Events come"
    assert set(report.findings) == {
        *("key", "account", "rights", "endpoint", "enabled", "url", "events", "version", "duplicates"),
        *("deliveries", "clock", "stray_customers", "secrets", "rolling", "public_url", "last_event"),
        *("backlog", "dead", "backfill", "default"),
    }


def test_writes_down_who_examined_and_what_came_out(app: Flask, doctor: Doctor, rows: Rows) -> None:
    doctor()

    entries = [entry for entry in rows(Entry) if entry.kind == "app.examined"]
    assert [(entry.actor, entry.facts) for entry in entries] == [("command", {"red": "0", "amber": "0"})]


class TestEndpoint:
    """Our webhook endpoint at Stripe, of which somebody else has made something."""

    def test_that_was_deleted_is_made_anew(
        self, app: Flask, own: Installed, doctor: Doctor, simulator: Simulator, postbox: Postbox
    ) -> None:
        simulator.delete_endpoint(own.endpoint)

        before, after = doctor(), doctor("--repair")

        [now] = installed(app)
        assert before.troubles == {"endpoint": "red"}
        assert own.endpoint in before["endpoint"]["detail"]
        assert after.troubles == {}
        assert after.said == "Repaired: The webhook endpoint is gone.\n"
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [now.endpoint]
        secret = simulator.books.notes[now.endpoint]["secret"]
        assert postbox.post(event(), secret=secret).status_code == 200

    def test_that_was_disabled_is_enabled(self, own: Installed, doctor: Doctor, simulator: Simulator) -> None:
        simulator.change_endpoint(own.endpoint, enabled=False)

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"enabled": "red"}
        assert after.troubles == {}
        assert simulator.books.webhook_endpoints[own.endpoint]["status"] == "enabled"

    def test_that_leads_elsewhere_is_led_back(
        self, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        url = simulator.books.webhook_endpoints[own.endpoint]["url"]
        simulator.change_endpoint(own.endpoint, url="https://old.example.com/hook")

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"url": "red"}
        assert "https://old.example.com/hook" in before["url"]["detail"]
        assert after.troubles == {}
        assert simulator.books.webhook_endpoints[own.endpoint]["url"] == url

    @pytest.mark.parametrize(
        ("events", "state"),
        [(list(EVENTS[1:]), "red"), (["*"], "amber"), ([*EVENTS, "invoice.paid"], "amber")],
    )
    def test_that_sends_other_events_sends_ours(
        self, events: list[str], state: str, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        simulator.change_endpoint(own.endpoint, events=events)

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"events": state}
        assert after.troubles == {}
        sent = simulator.books.webhook_endpoints[own.endpoint]["enabled_events"]
        assert sorted(sent) == sorted(EVENTS)

    @pytest.mark.parametrize("version", ["2026-05-27.dahlia", None])
    def test_of_another_version_is_succeeded_by_one_of_ours(
        self, version: str | None, app: Flask, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        endpoint: JSON = simulator.books.webhook_endpoints[own.endpoint] | {"api_version": version}
        simulator.books.webhook_endpoints.put(own.endpoint, endpoint, DEFAULT_ACCOUNT)

        before, after = doctor(), doctor("--repair")

        [now] = installed(app)
        assert before.troubles == {"version": "amber"}
        assert before.exit_code == 1
        assert after.troubles == {}
        assert after["rolling"]["title"] == "The signing secret is being rolled"
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [now.endpoint, own.endpoint]

    def test_is_mended_at_once_when_all_is_wrong_with_it(
        self, own: Installed, doctor: Doctor, simulator: Simulator, calls: StripeCalls
    ) -> None:
        simulator.change_endpoint(own.endpoint, enabled=False, url="https://x.example.com", events=["*"])

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"enabled": "red", "url": "red", "events": "amber"}
        assert after.troubles == {}
        assert calls.made.count(f"POST /v1/webhook_endpoints/{own.endpoint}") == 1


class TestStrays:
    def test_that_lead_here_are_deleted_and_others_are_left(
        self, own: Installed, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        url = simulator.books.webhook_endpoints[own.endpoint]["url"]
        there = simulator.books.webhook_endpoints[own.endpoint]
        for name, place in (("we_by_hand", url), ("we_of_others", "https://other.example.com/hook")):
            made = there | {"id": name, "url": place, "metadata": {}}
            simulator.books.webhook_endpoints.put(name, made, DEFAULT_ACCOUNT)
        clock.shift(timedelta(minutes=11))

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"duplicates": "amber"}
        assert "we_by_hand" in before["duplicates"]["detail"]
        assert after.troubles == {}
        assert set(endpoints(simulator, DEFAULT_ACCOUNT)) == {own.endpoint, "we_of_others"}

    def test_may_be_about_to_be_recorded_while_they_are_young(
        self, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        young = simulator.books.webhook_endpoints[own.endpoint] | {"id": "we_young"}
        simulator.books.webhook_endpoints.put("we_young", young, DEFAULT_ACCOUNT)

        assert doctor().troubles == {}


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
        person.saves()
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))

        before = doctor()
        after = doctor("--repair")
        clock.shift(timedelta(seconds=2))
        simulator.attach_card(person.stripe_id)
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))
        later = doctor()

        assert before.troubles == {"deliveries": "red"}
        assert "rolled the secret in Stripe's Dashboard" in before["deliveries"]["detail"]
        assert after.troubles == {}
        assert later.troubles == {}
        assert later["deliveries"]["detail"] == "1 came in the last day."

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
        person.saves()
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))
        with app.app_context():
            [installed_app] = apps.installed(db.session())
            fetched = sync.backfill(db.session(), installed_app).found

        report = doctor()

        assert fetched > 0
        assert report.troubles == {"deliveries": "red"}

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
        person.saves()
        simulator.change_endpoint(own.endpoint, enabled=True)
        clock.shift(timedelta(minutes=3))

        assert doctor().troubles == {}

    def test_of_which_some_failed_and_later_ones_came(
        self, person: Person, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(seconds=2))
        simulator.knobs.change({"wrong_secret": "on"})
        simulator.attach_card(person.stripe_id)
        while simulator.deliver_due():
            pass
        simulator.knobs.change({"wrong_secret": "off"})
        clock.shift(timedelta(seconds=2))
        simulator.attach_card(person.stripe_id)
        simulator.deliver_due()
        clock.shift(timedelta(minutes=3))

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"deliveries": "amber"}
        assert "Repaired: Some events did not arrive.\n" in after.said

    def test_that_are_under_way_are_no_trouble(
        self, person: Person, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(seconds=2))
        person.saves()

        report = doctor()

        assert report.troubles == {}
        assert "made just now may be on their way" in report["deliveries"]["detail"]


class TestKey:
    def test_that_was_revoked_is_named_and_nothing_else_is_asked(
        self, app: Flask, doctor: Doctor, simulator: Simulator, calls: StripeCalls
    ) -> None:
        revoke_key(simulator.books, DEFAULT_API_KEY)

        report = doctor()

        [found] = installed(app)
        assert report.troubles == {"key": "red"}
        assert report.exit_code == 2
        assert found.status == "unauthorized"
        assert calls.made == ["GET /v1/account"]

    def test_that_works_again_is_noted(self, app: Flask, doctor: Doctor, change: Change) -> None:
        change(App, status="unauthorized")

        doctor()

        assert [found.status for found in installed(app)] == ["ready"]

    def test_says_nothing_about_a_key_while_stripe_is_away(
        self, app: Flask, doctor: Doctor, change: Change, simulator: Simulator
    ) -> None:
        change(App, status="unauthorized")
        simulator.knobs.change({"outage": "503"})

        report = doctor()

        assert report["key"]["title"] == "Stripe gave no answer"
        assert [found.status for found in installed(app)] == ["unauthorized"]

    def test_goes_on_with_what_it_has_when_stripe_falls_silent(
        self, doctor: Doctor, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "GET /v1/webhook_endpoints", times=9)

        report = doctor()

        assert report.troubles == {"key": "red"}
        assert report["account"]["state"] == "green"
        assert "endpoint" not in report.findings

    def test_of_another_account_is_no_key_for_this_app(self, doctor: Doctor, change: Change) -> None:
        change(App, stripe_account_id="acct_other")

        report = doctor()

        assert report.troubles == {"account": "red"}
        assert "acct_other in test mode" in report["account"]["detail"]

    def test_of_the_other_mode_is_no_key_for_this_app(self, doctor: Doctor, change: Change) -> None:
        change(App, livemode=True)

        report = doctor()

        assert report["account"]["state"] == "red"
        assert f"for {DEFAULT_ACCOUNT} in live mode" in report["account"]["detail"]

    def test_that_may_not_see_something_is_said_to(
        self, app: Flask, doctor: Doctor, simulator: Simulator
    ) -> None:
        rights = {"rak_customer_write", "rak_checkout_session_write", "rak_setup_intent_read"}
        rights |= {"rak_payment_method_read", "rak_event_read"}
        add_key(simulator.books, "rk_test_blind", permissions=rights)
        self.give(app, "rk_test_blind")

        report = doctor()

        assert report.troubles == {
            "rights": "red",
            "unseen_account": "amber",
            "unseen_endpoints": "amber",
        }
        assert "Missing: Account (read), Webhook Endpoints (write)." in report["rights"]["detail"]

    def test_without_an_optional_right_is_well(
        self, app: Flask, doctor: Doctor, simulator: Simulator
    ) -> None:
        rights = {"rak_customer_write", "rak_checkout_session_write", "rak_setup_intent_read"}
        rights |= {"rak_payment_method_read", "rak_event_read", "rak_webhook_write"}
        add_key(simulator.books, "rk_test_enough", permissions={*rights, "rak_accounts_kyc_basic_read"})
        self.give(app, "rk_test_enough")

        report = doctor()

        assert report.troubles == {}
        assert report["rights"]["detail"] == (
            "Only what is optional is missing:"
            " PaymentMethods (write), Mandates (read), Customer portal (write)."
        )

    def test_of_which_a_right_could_not_be_tried_is_looked_at_by_somebody(
        self, app: Flask, doctor: Doctor, simulator: Simulator
    ) -> None:
        rights = {"rak_customer_write", "rak_checkout_session_write", "rak_setup_intent_read"}
        rights |= {"rak_payment_method_read", "rak_event_read", "rak_webhook_write"}
        add_key(simulator.books, "rk_test_enough", permissions={*rights, "rak_accounts_kyc_basic_read"})
        self.give(app, "rk_test_enough")
        answer_oddly(simulator, "/v1/setup_intents/")

        report = doctor()

        assert report.troubles == {"rights": "amber"}
        assert report["rights"]["detail"] == "Untried: SetupIntents (read). Short and stout."

    def give(self, app: Flask, key: str) -> None:
        """Have the app use a key that it would not take by itself."""
        with app.app_context():
            session = db.session()
            [row] = apps.installed(session)
            sealer = app.extensions["gangway.connections"].sealer
            row.api_key_sealed = sealer.seal(key, f"app:{row.id}:api_key")
            session.commit()


class TestEncryption:
    def test_that_opens_no_key_is_said_and_nothing_is_asked(
        self, app: Flask, doctor: Doctor, change: Change, calls: StripeCalls
    ) -> None:
        change(App, api_key_sealed="lost")

        report = doctor()

        assert report.troubles == {"key": "red"}
        assert "GANGWAY_ENCRYPTION_KEYS" in report["key"]["detail"]
        assert calls.made == []
        assert [found.status for found in installed(app)] == ["ready"]

    def test_that_opens_no_signing_secret_is_mended_by_a_new_one(
        self, app: Flask, doctor: Doctor, change: Change, simulator: Simulator, postbox: Postbox
    ) -> None:
        change(SigningSecret, sealed="lost")
        before = doctor()

        app.test_cli_runner().invoke(doctor_command, ["--repair"])

        with app.app_context():
            [row] = apps.installed(db.session())
            secrets = apps.signing_secrets(db.session(), row)
        assert before.troubles == {"secrets": "red"}
        assert secrets == [simulator.books.notes[row.webhook_endpoint_id]["secret"]]
        assert postbox.post(event(), secret=secrets[0]).status_code == 200


class TestRolling:
    def test_that_is_overdue_is_ended(
        self, app: Flask, own: Installed, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        app.test_cli_runner().invoke(roll_secret_command, [])
        clock.shift(timedelta(hours=25))

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"rolling": "amber", "backfill": "amber"}
        assert "rolling" not in after.troubles
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed(app)[0].endpoint]


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
            (timedelta(hours=2), None, "Missed events are not looked for"),
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
        assert report.exit_code == (0 if title == "Missed events are fetched" else 1)

    def test_is_run_by_the_repair(self, app: Flask, doctor: Doctor, change: Change) -> None:
        change(App, created_at=utcnow() - timedelta(days=2))

        report = doctor("--repair")

        assert report.troubles == {}


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
        with simulator.books.transaction():
            stray: JSON = {"id": "cus_stray", "object": "customer", "created": 1, "metadata": marks}
            simulator.books.customers.put("cus_stray", stray, DEFAULT_ACCOUNT)

        report = doctor()

        assert report.troubles == {"stray_customers": "amber"}
        assert "cus_stray" in report["stray_customers"]["detail"]
        assert report["stray_customers"]["repair"] is None


class TestUnreachable:
    """A portal that Stripe can't call, before the real Stripe."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """Loopback, and no simulator."""
        return make_settings(database_url=database_url, stripe_api_base="https://api.stripe.com")

    def test_is_said(self, doctor: Doctor) -> None:
        report = doctor()

        assert report.troubles == {"public_url": "amber"}
        assert report["endpoint"]["title"] == "Stripe sends no events, by the settings"
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
