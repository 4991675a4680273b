"""The doctor compares our webhook endpoint with what Stripe has, and repairs it. It names endpoints that we
no longer use."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.apps.cli import roll_secret_command
from app.audit import Entry
from app.gateway import EVENTS
from app.simulator import DEFAULT_ACCOUNT, JSON, Simulator
from tests.doctor.conftest import Doctor
from tests.support.installed_apps import Installed, endpoints, installed
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event


class TestEndpoint:
    """Our webhook endpoint at Stripe, changed by somebody else."""

    def test_that_was_deleted_is_made_again(
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
        secret = simulator.store.notes[now.endpoint]["secret"]
        assert postbox.post(event(), secret=secret).status_code == 200

    def test_that_was_disabled_is_enabled(
        self, own: Installed, doctor: Doctor, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.change_endpoint(own.endpoint, enabled=False)

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"enabled": "red"}
        assert after.troubles == {}
        assert simulator.store.webhook_endpoints[own.endpoint]["status"] == "enabled"
        mended = [(entry.actor, entry.app_id) for entry in rows(Entry) if entry.kind == "app.endpoint_mended"]
        assert mended == [("command", own.id)]

    def test_that_leads_elsewhere_is_led_back(
        self, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        url = simulator.store.webhook_endpoints[own.endpoint]["url"]
        simulator.change_endpoint(own.endpoint, url="https://old.example.com/hook")

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"url": "red"}
        assert "https://old.example.com/hook" in before["url"]["detail"]
        assert after.troubles == {}
        assert simulator.store.webhook_endpoints[own.endpoint]["url"] == url

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
        sent = simulator.store.webhook_endpoints[own.endpoint]["enabled_events"]
        assert sorted(sent) == sorted(EVENTS)

    @pytest.mark.parametrize("version", ["2026-05-27.dahlia", None])
    def test_of_another_version_is_succeeded_by_one_of_ours(
        self, version: str | None, app: Flask, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        endpoint: JSON = simulator.store.webhook_endpoints[own.endpoint] | {"api_version": version}
        simulator.store.webhook_endpoints.put(own.endpoint, endpoint, DEFAULT_ACCOUNT)

        before, after = doctor(), doctor("--repair")

        [now] = installed(app)
        assert before.troubles == {"version": "amber"}
        assert before.exit_code == 1
        assert after.troubles == {}
        assert after["rolling"]["title"] == "The signing secret is rolling over"
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
        url = simulator.store.webhook_endpoints[own.endpoint]["url"]
        there = simulator.store.webhook_endpoints[own.endpoint]
        for name, place in (("we_by_hand", url), ("we_of_others", "https://other.example.com/hook")):
            made = there | {"id": name, "url": place, "metadata": {}}
            simulator.store.webhook_endpoints.put(name, made, DEFAULT_ACCOUNT)
        clock.shift(timedelta(minutes=11))

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"duplicates": "amber"}
        assert "we_by_hand" in before["duplicates"]["detail"]
        assert after.troubles == {}
        assert set(endpoints(simulator, DEFAULT_ACCOUNT)) == {own.endpoint, "we_of_others"}

    def test_may_be_about_to_be_recorded_while_they_are_young(
        self, own: Installed, doctor: Doctor, simulator: Simulator
    ) -> None:
        made = {"id": "we_young", "created": simulator.clock.now()}
        young = simulator.store.webhook_endpoints[own.endpoint] | made
        simulator.store.webhook_endpoints.put("we_young", young, DEFAULT_ACCOUNT)

        assert doctor().troubles == {}


class TestRolling:
    @pytest.mark.parametrize(("days", "age"), [(0, "less than a day"), (1, "a day"), (30, "30 days")])
    def test_that_is_over_leaves_a_secret_with_an_age(
        self, days: int, age: str, doctor: Doctor, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(days=days, minutes=1))

        assert doctor()["rolling"]["detail"] == f"It is {age} old."

    def test_that_is_overdue_is_ended(
        self, app: Flask, own: Installed, doctor: Doctor, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        app.test_cli_runner().invoke(roll_secret_command, [])
        clock.shift(timedelta(hours=25))

        before, after = doctor(), doctor("--repair")

        assert before.troubles == {"rolling": "amber", "backfill": "amber"}
        assert "rolling" not in after.troubles
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed(app)[0].endpoint]
