"""Secrets of an app are sealed with the first encryption key. Older keys still open them until they are
sealed again."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask

from app import create_app
from app.apps.cli import install_command
from app.apps.models import SigningSecret
from app.core import db
from app.simulator import DEFAULT_API_KEY, Simulator, add_account, add_key
from tests.conftest import make_settings
from tests.support.database_contents import contents
from tests.support.install import post_event
from tests.support.installed_apps import installed


class TestEncryptionKeys:
    """GANGWAY_ENCRYPTION_KEYS can be changed, and a sealed value belongs to its row."""

    OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    @pytest.fixture
    def start(self, database_url: str, simulator: Simulator) -> Iterator[Callable[[str], Flask]]:
        """Start the portal with these keys, on the same database."""
        started = []

        def start(keys: str) -> Flask:
            settings = make_settings(database_url=database_url, encryption_keys=keys)
            started.append(create_app(settings, stripe_in_process=simulator.wsgi))
            return started[-1]

        yield start
        for app in started:
            with app.app_context():
                db.engine().dispose()

    def install(self, app: Flask, key: str = DEFAULT_API_KEY) -> None:
        """Install an account."""
        result = app.test_cli_runner().invoke(install_command, ["--api-key", key])
        assert result.exit_code == 0, result.output

    def test_continue_opening_what_an_older_one_sealed(self, start: Callable[[str], Flask]) -> None:
        self.install(start(self.OLD))

        rotated = start(f"{self.NEW},{self.OLD}")

        [app] = installed(rotated)
        assert post_event(rotated, app.id, app.secrets[0]) == 200

    def test_seal_with_the_first(self, start: Callable[[str], Flask]) -> None:
        self.install(start(f"{self.NEW},{self.OLD}"))

        later = start(self.NEW)

        [app] = installed(later)
        assert post_event(later, app.id, app.secrets[0]) == 200

    def test_that_are_lost_close_the_webhook(self, start: Callable[[str], Flask]) -> None:
        first = start(self.OLD)
        self.install(first)
        [app] = installed(first)

        other = start(self.NEW)

        assert post_event(other, app.id, app.secrets[0]) >= 400
        assert contents(other)["event"] == []

    def test_do_not_open_what_was_moved_from_another_row(
        self, start: Callable[[str], Flask], simulator: Simulator
    ) -> None:
        portal = start(self.OLD)
        self.install(portal)
        add_account(simulator.store, "acct_second", 1)
        add_key(simulator.store, "sk_test_second", account="acct_second")
        self.install(portal, "sk_test_second")
        first, second = installed(portal)

        with portal.app_context(), db.engine().connect() as connection:
            sealed = sa.select(SigningSecret.sealed).where(SigningSecret.app_id == second.id)
            moved = sa.update(SigningSecret).values(sealed=connection.scalar(sealed))
            connection.execute(moved.where(SigningSecret.app_id == first.id))
            connection.commit()

        assert post_event(portal, first.id, second.secrets[0]) >= 400
        assert contents(portal)["event"] == []
