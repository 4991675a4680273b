"""`gangway stripe …` does what the console does, at a terminal."""

from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import apps
from app.apps.cli import default_command, install_command, list_command, replace_key_command
from app.apps.models import App
from app.audit import Entry
from app.core import db
from app.core.errors import Invalid
from app.payers.cli import uninstall_command
from app.simulator import (
    DEFAULT_ACCOUNT,
    DEFAULT_API_KEY,
    DEFAULT_RESTRICTED_KEY,
    Simulator,
    add_account,
    add_key,
)
from tests.conftest import PORTAL, make_settings
from tests.support.installed_apps import Install, endpoints, installed
from tests.support.rows import Rows

OTHER_KEY = "sk_test_another_of_the_first"


@pytest.fixture
def second(app: Flask, simulator: Simulator) -> str:
    """Another installed app, not the default; its id."""
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        made = apps.install(session, "sk_test_second", public_url=PORTAL, name="Second", actor="test")
        session.commit()
        return made.id


def run(app: Flask, command: Any, *options: str, **more: Any) -> Result:
    """Run a command."""
    return app.test_cli_runner().invoke(command, list(options), **more)


def test_lists_the_apps(app: Flask, second: str) -> None:
    result = run(app, list_command)

    first, _ = installed(app)
    assert [line.split() for line in result.output.splitlines()] == [
        [first.id, DEFAULT_ACCOUNT, "test", "ready", "sk_test_***000", "default", "Stripe"],
        [second, "acct_second", "test", "ready", "sk_test_***ond", "Second"],
    ]


def test_makes_another_the_default(app: Flask, second: str) -> None:
    result = run(app, default_command, second.lower())

    assert result.output == "Second (acct_second, test mode) is the default app.\n"
    assert [found.is_default for found in installed(app)] == [False, True]


def test_makes_no_app_the_default_that_is_gone(app: Flask, second: str) -> None:
    run(app, uninstall_command, second, "--yes")

    result = run(app, default_command, second)

    assert str(result.exception) == f"App {second} is uninstalled."


def test_asks_for_a_new_key_without_showing_it(app: Flask, simulator: Simulator) -> None:
    add_key(simulator.store, OTHER_KEY)

    result = run(app, replace_key_command, input=f"{OTHER_KEY}\n")

    assert result.output == "API key: \nStripe now uses the key sk_test_***rst.\n"
    assert [found.masked_key for found in installed(app)] == ["sk_test_***rst"]


def test_replaces_the_key_of_the_app_that_is_named(app: Flask, second: str, simulator: Simulator) -> None:
    add_key(simulator.store, "sk_test_second_two", account="acct_second")

    result = run(app, replace_key_command, second, "--api-key", "sk_test_second_two")

    assert result.exit_code == 0, result.output
    assert [found.masked_key for found in installed(app)] == ["sk_test_***000", "sk_test_***two"]


def test_uninstalls_an_app_and_says_who_did(app: Flask, simulator: Simulator, rows: Rows) -> None:
    [found] = installed(app)

    result = run(app, uninstall_command, found.id, input="y\n")

    assert result.output.splitlines()[-1] == "Stripe is uninstalled. Its customers and cards stay at Stripe."
    assert endpoints(simulator, DEFAULT_ACCOUNT) == []
    assert [row.deleted_at is not None for row in rows(App)] == [True]
    assert [entry.actor for entry in rows(Entry) if entry.kind == "app.uninstalled"] == ["command"]


def test_uninstalls_nothing_without_a_yes(app: Flask) -> None:
    [found] = installed(app)

    result = run(app, uninstall_command, found.id, input="n\n")

    assert result.exit_code == 1
    assert f"Uninstall Stripe, {DEFAULT_ACCOUNT} in test mode?" in result.output
    assert len(installed(app)) == 1


class TestPullMode:
    """Stripe is before nobody's door: there is no webhook."""

    @pytest.fixture
    def settings(self, database_url: str) -> Any:
        """Events are pulled."""
        return make_settings(database_url=database_url, webhooks="off")

    def test_installs_without_an_endpoint(
        self, bare_app: Flask, install: Install, simulator: Simulator
    ) -> None:
        result = install()

        assert result.output.splitlines()[-1] == (
            "The settings turn webhooks off: the worker reads Stripe's list of events instead."
        )
        assert endpoints(simulator, DEFAULT_ACCOUNT) == []

    def test_uninstalls_what_has_none(self, bare_app: Flask, install: Install) -> None:
        install()
        [found] = installed(bare_app)

        result = run(bare_app, uninstall_command, found.id, "--yes")

        assert result.exit_code == 0, result.output

    def test_overtaken_by_another_is_refused(
        self, bare_app: Flask, install: Install, simulator: Simulator, calls: Any
    ) -> None:
        calls.after("GET /v1/account", lambda: install(DEFAULT_API_KEY))

        result = install()

        assert "is already installed in test mode." in str(result.exception)
        assert len(installed(bare_app)) == 1


class TestKeyFromStandardInput:
    """`--api-key-stdin`, so that a key is in no list of processes and no history."""

    def test_installs(self, bare_app: Flask) -> None:
        result = run(bare_app, install_command, "--api-key-stdin", input=f"{DEFAULT_API_KEY}\n")

        assert result.exit_code == 0, result.output
        assert len(installed(bare_app)) == 1

    def test_replaces(self, app: Flask, simulator: Simulator) -> None:
        add_key(simulator.store, OTHER_KEY)

        result = run(app, replace_key_command, "--api-key-stdin", input=OTHER_KEY)

        assert [found.masked_key for found in installed(app)] == ["sk_test_***rst"], result.output

    def test_beside_a_key_is_refused(self, bare_app: Flask) -> None:
        result = run(bare_app, install_command, "--api-key-stdin", "--api-key", DEFAULT_API_KEY, input="x")

        assert result.exit_code == 2
        assert installed(bare_app) == []


def test_says_when_no_app_is_installed(bare_app: Flask) -> None:
    result = run(bare_app, list_command)

    assert result.output == "No Stripe app is installed: run `gangway stripe install`.\n"


def test_installs_the_restricted_key_of_the_simulator(bare_app: Flask) -> None:
    result = run(bare_app, install_command, "--api-key", DEFAULT_RESTRICTED_KEY)

    assert result.exit_code == 0, result.output
    assert len(installed(bare_app)) == 1


@pytest.mark.parametrize("name", ["", "\u200b", "One\nTwo", "x" * 257])
def test_installs_nothing_under_a_name_that_cannot_be_shown(app: Flask, name: str, rows: Rows) -> None:
    before = len(rows(App))

    found = run(app, install_command, "--api-key", OTHER_KEY, "--name", name).exception

    assert isinstance(found, Invalid)
    assert "An app needs a name on one line" in found.detail
    assert len(rows(App)) == before
