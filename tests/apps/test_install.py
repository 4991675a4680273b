"""`gangway stripe install` connects an account once: its key, our webhook there, both secrets sealed."""

from flask import Flask

from app.apps import App
from app.core import db
from app.gateway import API_VERSION, EVENTS
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_account, add_key
from tests.support.database_contents import contents
from tests.support.install import RIGHTS, post_event
from tests.support.installed_apps import Install, installed


def test_says_what_was_installed(bare_app: Flask, install: Install) -> None:
    result = install()

    [app] = installed(bare_app)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"Installed {DEFAULT_ACCOUNT} in test mode as app {app.id}.",
        f"Stripe sends its events to http://127.0.0.1:8000/api/v1/apps/{app.id}/stripe/webhook.",
    ]
    assert (app.status, app.livemode, app.is_default) == ("ready", False, True)
    assert app.account == DEFAULT_ACCOUNT


def test_takes_a_test_key_beside_the_live_mode_of_the_same_account(bare_app: Flask, install: Install) -> None:
    live = {"livemode": True, "api_key_sealed": "", "masked_api_key": "", "webhook_endpoint_id": ""}
    with bare_app.app_context():
        db.session().add(App(name="Live", stripe_account_id=DEFAULT_ACCOUNT, is_default=True, **live))
        db.session().commit()

    result = install()

    assert result.exit_code == 0, result.output
    assert [app.livemode for app in installed(bare_app)] == [True, False]


def test_registers_our_webhook_for_exactly_our_events_in_our_version(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    install()

    [app] = installed(bare_app)
    [endpoint] = simulator.store.webhook_endpoints.snapshot()
    assert endpoint["id"] == app.endpoint
    assert endpoint["url"] == f"http://127.0.0.1:8000/api/v1/apps/{app.id}/stripe/webhook"
    assert sorted(endpoint["enabled_events"]) == sorted(EVENTS)
    assert endpoint["api_version"] == API_VERSION
    assert endpoint["status"] == "enabled"
    assert endpoint["metadata"] == {
        "managed_by": "gangway",
        "om_namespace": "default",
        "om_app_id": app.id,
    }


def test_makes_a_webhook_that_takes_what_stripe_signs(bare_app: Flask, install: Install) -> None:
    install()

    [app] = installed(bare_app)
    assert post_event(bare_app, app.id, app.secrets[0]) == 200
    assert post_event(bare_app, app.id, "whsec_of_somebody_else") == 400


def test_writes_no_secret_into_the_database(bare_app: Flask, install: Install, simulator: Simulator) -> None:
    install()

    [app] = installed(bare_app)
    stored = repr(contents(bare_app))
    assert DEFAULT_API_KEY not in stored
    assert app.secrets[0] not in stored
    assert simulator.store.notes[app.endpoint]["secret"] == app.secrets[0]
    assert app.masked_key == f"{DEFAULT_API_KEY[:8]}***{DEFAULT_API_KEY[-3:]}"


def test_takes_a_name_and_forgives_spaces_around_the_key(bare_app: Flask, install: Install) -> None:
    result = install(f"  {DEFAULT_API_KEY}\n", "--name", "Europe")

    assert result.exit_code == 0
    assert "Europe" in repr(contents(bare_app)["app"])


def test_takes_a_restricted_key_with_the_rights_it_needs(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    add_key(simulator.store, "rk_test_enough", permissions=RIGHTS)

    result = install("rk_test_enough")

    [app] = installed(bare_app)
    assert result.exit_code == 0
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


def test_takes_a_second_account_beside_the_default_one(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    install()
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, "sk_test_second", account="acct_second")

    install("sk_test_second")

    assert [(app.account, app.is_default) for app in installed(bare_app)] == [
        (DEFAULT_ACCOUNT, True),
        ("acct_second", False),
    ]
