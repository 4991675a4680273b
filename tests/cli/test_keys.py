"""Keys can be changed: the first signs and seals, all verify and open, and what is old is sealed again."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.cli.setup import keys_group
from app.core import db
from app.core.db import Base
from app.core.secrets import resealing
from app.doctor.cli import doctor_command
from app.simulator import Simulator
from tests.conftest import KEY, make_settings
from tests.support.operators import is_in, log_in, member, with_telephone
from tests.support.portal import SignupPage

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()

Start = Callable[..., Flask]


@pytest.fixture
def start(database_url: str, simulator: Simulator) -> Iterator[Start]:
    """Start the portal with other keys, on the same database."""
    started: list[Flask] = []

    def start(**keys: str) -> Flask:
        settings = make_settings(database_url=database_url, **keys)
        started.append(create_app(settings, stripe_in_process=simulator.wsgi))
        return started[-1]

    yield start
    for app in started:
        with app.app_context():
            db.engine().dispose()


def test_every_column_that_holds_a_sealed_secret_is_marked() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("sealed")
    }

    assert {f"{column.table.name}.{column.name}" for column in resealing._columns()} == named


class TestReseal:
    """`gangway keys reseal`."""

    def test_seals_all_that_an_old_key_opens_with_the_first(self, app: Flask, start: Start) -> None:
        with_telephone(app, member(app))
        both = start(encryption_keys=f"{NEW},{KEY}")
        before = sealed(both)

        answers = [reseal(both) for _ in range(2)]

        after = sealed(start(encryption_keys=NEW))
        opens = Fernet(NEW)
        assert [answer.exit_code for answer in answers] == [0, 0]
        assert f"Resealed {len(before)} of {len(before)} secrets" in answers[0].output
        assert f"Resealed 0 of {len(before)} secrets" in answers[1].output
        assert {name.split(".")[0] for name in after} == {"app", "signing_secret", "operator"}
        assert before.keys() == after.keys()
        assert all(opens.decrypt(value.encode()) for value in after.values())

    def test_names_what_no_key_opens(self, app: Flask, start: Start) -> None:
        other = start(encryption_keys=NEW)

        answer = reseal(other)

        assert answer.exit_code == 1
        assert "Resealed 0 of 2 secrets" in answer.output
        assert "No key in GANGWAY_ENCRYPTION_KEYS opens 2: app " in answer.output


class TestSecretKeys:
    """GANGWAY_SECRET_KEY holds several keys."""

    def test_a_session_and_a_form_outlive_a_new_first_key(self, app: Flask, start: Start) -> None:
        member(app)
        old, new = (start(secret_key=keys) for keys in (OLD, f"{NEW},{OLD}"))
        browser, later = old.test_client(), new.test_client()
        assert log_in(browser).status_code == 303
        form = SignupPage(browser)
        move_cookies(browser, later)

        answer = later.post("/signup", data=form.fields())

        assert is_in(later)
        assert answer.status_code == 303

    def test_what_only_a_former_key_signed_is_refused_without_it(self, app: Flask, start: Start) -> None:
        member(app)
        old, new = (start(secret_key=keys) for keys in (OLD, NEW))
        browser, later = old.test_client(), new.test_client()
        log_in(browser)
        move_cookies(browser, later)

        assert not is_in(later)

    def test_the_first_signs(self, app: Flask, start: Start) -> None:
        member(app)
        both, first = (start(secret_key=keys) for keys in (f"{NEW},{OLD}", NEW))
        browser, later = both.test_client(), first.test_client()
        log_in(browser)
        move_cookies(browser, later)

        assert is_in(later)


def move_cookies(one: FlaskClient, other: FlaskClient) -> None:
    """Let a browser have the cookies of another."""
    other._cookies = one._cookies


def reseal(app: Flask) -> Result:
    return app.test_cli_runner().invoke(keys_group, ["reseal"])


def sealed(app: Flask) -> dict[str, str]:
    """Return every sealed secret, by its table and row."""
    with app.app_context():
        return {
            f"{column.table.name}.{row_id}": value
            for column in resealing._columns()
            for row_id, value in resealing._rows(db.session(), column)
        }


def test_the_doctor_says_what_still_needs_an_old_key(app: Flask, start: Start) -> None:
    both = start(encryption_keys=f"{NEW},{KEY}")

    before = both.test_cli_runner().invoke(doctor_command, []).output
    reseal(both)
    after = both.test_cli_runner().invoke(doctor_command, []).output

    assert "AMBER    Secrets need an old encryption key: Only an old key" in before
    assert "opens 2 of the stored secrets (app: 1, signing_secret: 1). Run `gangway keys reseal`" in before
    assert "Secrets need an old encryption key" not in after
