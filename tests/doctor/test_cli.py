"""`gangway doctor` reports to people, programs and monitors."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask import Flask

from app import apps
from app.cli import main
from app.core import db
from app.core.db import utcnow
from app.doctor.cli import doctor_command
from app.simulator import DEFAULT_ACCOUNT, Simulator, add_account, add_key
from app.webhooks import Event
from tests.conftest import KEY, PORTAL, SECRET_KEY
from tests.support.installed_apps import installed
from tests.support.stripe_calls import StripeCalls


@pytest.fixture
def second(app: Flask, simulator: Simulator) -> str:
    """Another installed app; its id."""
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        made = apps.install(session, "sk_test_second", public_url=PORTAL, name="Second", actor="test")
        session.commit()
        return made.id


def test_prints_a_line_for_each_finding(app: Flask, simulator: Simulator) -> None:
    [found] = installed(app)
    simulator.change_endpoint(found.endpoint, enabled=False)

    result = app.test_cli_runner().invoke(doctor_command, [])

    lines = result.stdout.splitlines()
    assert result.exit_code == 2
    assert lines[0] == f"Stripe  {DEFAULT_ACCOUNT} in test mode  {found.id}"
    assert lines[1].startswith("  RED      The endpoint is disabled: Somebody disabled it")
    assert lines[2] == "           Enable it: `gangway doctor --repair`, or the console"
    unproved = [line for line in lines if line.startswith("  UNKNOWN  ")]
    assert lines[3 : 3 + len(unproved)] == unproved
    assert any(line.startswith("  UNKNOWN  Can Stripe reach this portal?: ") for line in unproved)


def test_examines_every_app_and_answers_for_the_worst(app: Flask, second: str, simulator: Simulator) -> None:
    first, _ = installed(app)
    simulator.delete_endpoint(first.endpoint)

    result = app.test_cli_runner().invoke(doctor_command, ["--json"])

    document = json.loads(result.stdout)
    assert result.exit_code == 2
    assert document["state"] == "red"
    assert [(one["id"], one["state"]) for one in document["apps"]] == [(first.id, "red"), (second, "unknown")]


def test_examines_one_app(app: Flask, second: str, simulator: Simulator) -> None:
    first, _ = installed(app)
    simulator.delete_endpoint(first.endpoint)

    result = app.test_cli_runner().invoke(doctor_command, ["--json", "--app", second.lower()])

    assert result.exit_code == 3  # nothing has proved yet that Stripe reaches the portal
    assert [one["id"] for one in json.loads(result.stdout)["apps"]] == [second]


def test_judges_each_app_by_its_own_events(app: Flask, second: str) -> None:
    first, _ = installed(app)
    with app.app_context():
        session = db.session()
        for state, origin in (("new", "webhook"), ("dead", "webhook"), ("done", "backfill")):
            session.add(
                Event(
                    app_id=first.id,
                    id=f"evt_{state}",
                    type="customer.updated",
                    payload='{"type": "customer.updated"}',
                    state=state,
                    origin=origin,
                    received_at=utcnow() - timedelta(minutes=20),
                )
            )
        session.commit()

    result = app.test_cli_runner().invoke(doctor_command, ["--json"])

    judged = json.loads(result.stdout)["apps"]
    troubles = {
        one["id"]: {found["code"] for found in one["findings"] if found["state"] in {"amber", "red"}}
        for one in judged
    }
    last = [found["state"] for one in judged for found in one["findings"] if found["code"] == "last_event"]
    assert troubles == {first.id: {"backlog", "dead", "fetched"}, second: set()}
    assert sorted(last) == ["green", "unknown"]  # no event has come for the second


def test_looks_for_strays_among_the_newest_or_all(app: Flask, simulator: Simulator) -> None:
    for number in range(1001):
        id_ = f"cus_{number}"
        made = {"id": id_, "object": "customer", "created": number, "metadata": {}}
        simulator.store.customers.put(id_, made, DEFAULT_ACCOUNT)

    few = app.test_cli_runner().invoke(doctor_command, [])
    every = app.test_cli_runner().invoke(doctor_command, ["--every-customer", "--repair"])

    assert "Checked the newest 1000 customers at Stripe." in few.stdout
    assert "Checked all 1001 customers at Stripe." in every.stdout


def test_says_why_something_was_not_repaired(app: Flask, simulator: Simulator, calls: StripeCalls) -> None:
    [found] = installed(app)
    simulator.change_endpoint(found.endpoint, enabled=False)
    refusal = {"type": "invalid_request_error", "message": "Not today."}
    calls.refusals[f"POST /v1/webhook_endpoints/{found.endpoint}"] = refusal

    result = app.test_cli_runner().invoke(doctor_command, ["--repair"])

    assert result.exit_code == 2
    assert result.stderr == "Not repaired: The endpoint is disabled. Not today.\n"


def test_calls_it_red_that_nothing_is_installed(bare_app: Flask) -> None:
    prose = bare_app.test_cli_runner().invoke(doctor_command, [])
    document = bare_app.test_cli_runner().invoke(doctor_command, ["--json"])

    assert (prose.exit_code, document.exit_code) == (2, 2)
    assert prose.stdout.startswith("No Stripe app is installed")
    assert json.loads(document.stdout) == {"state": "red", "apps": []}


def test_says_by_its_exit_code_that_it_could_not_examine(app: Flask) -> None:
    result = app.test_cli_runner().invoke(doctor_command, ["--app", "nothing"])

    assert result.exit_code == 3
    assert result.stderr == "There is no such app.\n"


def test_says_that_settings_are_missing() -> None:
    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 3
    assert "GANGWAY_SECRET_KEY is missing" in result.stderr


def test_says_that_the_database_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANGWAY_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("GANGWAY_ENCRYPTION_KEYS", KEY)
    monkeypatch.setenv("GANGWAY_DATABASE_URL", "sqlite:////nowhere/at/all.db")

    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 3
    assert result.stderr == (
        "There is no folder /nowhere/at for the database: make it, or look at GANGWAY_DATABASE_URL.\n"
    )
