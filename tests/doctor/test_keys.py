"""The doctor notices a key that Stripe rejects or that lacks a permission, and secrets that cannot be
opened."""

import pytest
from flask import Flask

from app import apps
from app.apps.models import App, SigningSecret
from app.core import db
from app.doctor.cli import doctor_command
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_key, revoke_key
from tests.doctor.conftest import Change, Doctor
from tests.support.installed_apps import installed
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_odd import answer_oddly
from tests.support.stripe_postbox import Postbox, event


class TestKey:
    def test_that_was_revoked_is_named_and_nothing_else_is_asked(
        self, app: Flask, doctor: Doctor, simulator: Simulator, calls: StripeCalls
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)

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

    @pytest.mark.parametrize("status", ["ready", "unauthorized"])
    def test_says_nothing_about_a_key_while_stripe_is_away(
        self, status: str, app: Flask, doctor: Doctor, change: Change, simulator: Simulator
    ) -> None:
        change(App, status=status)
        simulator.fault_settings.change({"outage": "503"})

        report = doctor()

        assert report["answer"]["title"] == "Stripe did not answer"
        assert [found.status for found in installed(app)] == [status]

    def test_continues_with_what_it_has_when_stripe_stops_answering(
        self, doctor: Doctor, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "GET /v1/webhook_endpoints", times=9)

        report = doctor()

        assert report.troubles == {"answer": "red"}
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
        assert f"to {DEFAULT_ACCOUNT} in live mode" in report["account"]["detail"]

    def test_that_may_not_see_something_is_said_to(
        self, app: Flask, doctor: Doctor, simulator: Simulator
    ) -> None:
        rights = {"rak_customer_write", "rak_checkout_session_write", "rak_setup_intent_read"}
        rights |= {"rak_payment_method_read", "rak_event_read"}
        add_key(simulator.store, "rk_test_blind", permissions=rights)
        self.give(app, "rk_test_blind")

        report = doctor()

        assert report.troubles == {
            "permissions": "red",
            "unseen_account": "amber",
            "unseen_endpoints": "amber",
        }
        assert "Missing: Account (read), Webhook Endpoints (write)." in report["permissions"]["detail"]

    def test_without_an_optional_right_is_well(
        self, app: Flask, doctor: Doctor, simulator: Simulator
    ) -> None:
        rights = {"rak_customer_write", "rak_checkout_session_write", "rak_setup_intent_read"}
        rights |= {"rak_payment_method_read", "rak_event_read", "rak_webhook_write"}
        add_key(simulator.store, "rk_test_enough", permissions={*rights, "rak_accounts_kyc_basic_read"})
        self.give(app, "rk_test_enough")

        report = doctor()

        assert report.troubles == {}
        assert report["permissions"]["detail"] == (
            "Only optional permissions are missing:"
            " PaymentMethods (write), Mandates (read), Customer portal (write)."
        )

    def test_of_which_a_right_could_not_be_tried_is_looked_at_by_somebody(
        self, app: Flask, doctor: Doctor, simulator: Simulator
    ) -> None:
        rights = {"rak_customer_write", "rak_checkout_session_write", "rak_setup_intent_read"}
        rights |= {"rak_payment_method_read", "rak_event_read", "rak_webhook_write"}
        add_key(simulator.store, "rk_test_enough", permissions={*rights, "rak_accounts_kyc_basic_read"})
        self.give(app, "rk_test_enough")
        answer_oddly(simulator, "/v1/setup_intents/")

        report = doctor()

        assert report.troubles == {"permissions": "amber"}
        assert report["permissions"]["detail"] == "Unchecked: SetupIntents (read). Short and stout."

    def give(self, app: Flask, key: str) -> None:
        """Have the app use a key that it would refuse."""
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
        assert secrets == [simulator.store.notes[row.webhook_endpoint_id]["secret"]]
        assert postbox.post(event(), secret=secrets[0]).status_code == 200
