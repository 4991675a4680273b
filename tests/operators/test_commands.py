"""`gangway operator …`, and what `gangway serve` says while there is no operator."""

import click
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.cli import running
from app.core.db import utcnow
from app.core.errors import AppError, Conflict, NotFound
from app.operators.cli import group, people
from app.operators.models import OneTimeLink, Operator
from tests.conftest import PORTAL
from tests.support.cases import for_each
from tests.support.console import sign_in
from tests.support.operators import PASSWORD, is_in, log_in, member, send, with_telephone
from tests.support.rows import Rows


def run(app: Flask, *arguments: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(people, list(arguments), input=typed)


def refused(app: Flask, *arguments: str, typed: str | None = None) -> AppError:
    """The failure; the command prints its detail."""
    found = run(app, *arguments, typed=typed).exception
    assert isinstance(found, AppError)
    return found


class TestCreate:
    """Making operators."""

    def test_asks_for_the_password_twice_without_showing_it(
        self, app: Flask, client: FlaskClient, rows: Rows
    ) -> None:
        answer = run(app, "create", "Ada@example.com", "--name", "Ada", typed=f"{PASSWORD}\n{PASSWORD}\n")

        assert answer.exit_code == 0, answer.output
        assert PASSWORD not in answer.output
        assert "Ada@example.com can log in as admin." in answer.output
        assert log_in(client).status_code == 303
        assert [(entry.kind, entry.actor) for entry in rows(Entry)][:2] == [
            ("app.installed", "test"),
            ("operator.created", "command"),
        ]

    def test_reads_the_password_from_standard_input(self, app: Flask, client: FlaskClient) -> None:
        answer = run(app, "create", "ada@example.com", "--password-stdin", typed=f"{PASSWORD}\n")

        assert answer.exit_code == 0, answer.output
        assert log_in(client).status_code == 303

    def test_prints_a_link_instead(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        answer = run(app, "create", "ada@example.com", "--invite", "--role", "operator")

        assert rows(Operator)[0].state == "invited"
        path = answer.output.strip().removeprefix(PORTAL)
        assert send(client, path, password=PASSWORD).status_code == 303
        assert rows(Operator)[0].role == "operator"

    def test_the_first_is_an_admin_and_the_others_are_viewers(self, app: Flask, rows: Rows) -> None:
        run(app, "create", "ada@example.com", "--invite")
        run(app, "create", "bob@example.com", "--invite")

        assert {who.name: who.role for who in rows(Operator)} == {
            "ada@example.com": "admin",
            "bob@example.com": "viewer",
        }

    def test_closes_the_set_up_page(self, app: Flask, rows: Rows) -> None:
        with app.app_context():
            running._offer_setup()

        run(app, "create", "ada@example.com", "--password-stdin", typed=PASSWORD)

        assert rows(OneTimeLink) == []

    @for_each(
        ("arguments", "typed", "words"),
        [
            (("no address", "--invite"), None, "like name@example.com"),
            (("a@b@c", "--invite"), None, "like name@example.com"),
            (("ada@example.com", "--name", "x" * 257, "--invite"), None, "256 characters or fewer"),
            (("ada@example.com", "--name", "\u200b", "--invite"), None, "needs a name on one line"),
            (("ada@example.com", "--name", "Ada\nBob", "--invite"), None, "needs a name on one line"),
            (("ada@example.com", "--password-stdin"), "short\n", "12 characters or more"),
            (("ada@example.com", "--password-stdin"), "password1234\n", "easy to guess"),
            (("ada@example.com", "--password-stdin"), f"{PASSWORD}\0\n", "is not UTF-8 text"),
        ],
    )
    def test_says_what_is_wrong(
        self, app: Flask, rows: Rows, arguments: tuple[str, ...], typed: str | None, words: str
    ) -> None:
        assert words in refused(app, "create", *arguments, typed=typed).detail
        assert rows(Operator) == []

    def test_refuses_an_address_that_is_taken(self, app: Flask) -> None:
        member(app)

        assert "already" in refused(app, "create", "ADA@EXAMPLE.COM", "--invite").detail

    def test_makes_up_its_mind_about_the_password(self, app: Flask) -> None:
        answer = run(app, "create", "ada@example.com", "--invite", "--password-stdin")

        assert answer.exit_code == 2
        assert "exclude each other" in answer.output


class TestChanging:
    """All that an admin can do on the team page, without logging in."""

    def test_lists_everybody(self, app: Flask) -> None:
        with_telephone(app, member(app, last_login_at=utcnow()))
        member(app, "bob@example.com", "viewer", name="Bob", disabled_at=utcnow())

        ada, bob = run(app, "list").output.splitlines()

        assert ada.split()[:4] == ["admin", "active", "second", "factor"]
        assert ada.endswith("ada@example.com  Ada Lovelace")
        assert bob.split()[:7] == ["viewer", "disabled", "password", "only", "never", "logged", "in"]

    def test_changes_a_role(self, app: Flask, rows: Rows) -> None:
        member(app, role="viewer")

        answer = run(app, "role", "ADA@example.com", "operator")

        assert "has the role operator now" in answer.output
        assert rows(Operator)[0].role == "operator"
        assert rows(Entry)[-1].actor == "command"

    @pytest.mark.parametrize(
        "arguments", [("role", "ada@example.com", "viewer"), ("disable", "ada@example.com")]
    )
    def test_keeps_the_last_admin(self, app: Flask, rows: Rows, arguments: tuple[str, ...]) -> None:
        member(app)
        member(app, "bob@example.com", password_hash=None)  # invited, and so nobody who can log in
        member(app, "eve@example.com", disabled_at=utcnow())

        found = refused(app, *arguments)

        assert isinstance(found, Conflict)
        assert "last admin" in found.detail
        assert [who.state for who in rows(Operator) if who.email == "ada@example.com"] == ["active"]

    def test_disables_and_enables(self, app: Flask) -> None:
        browser = sign_in(app, who=member(app, role="viewer"))

        run(app, "disable", "ada@example.com")
        disabled = is_in(browser)
        run(app, "enable", "ada@example.com")

        assert not disabled
        assert log_in(app.test_client()).status_code == 303

    def test_prints_a_link_for_a_new_password(self, app: Flask, client: FlaskClient) -> None:
        member(app)

        path = run(app, "reset-password", "ada@example.com").output.strip().removeprefix(PORTAL)
        send(client, path, password="eleven green bicycles")

        assert log_in(app.test_client(), password="eleven green bicycles").status_code == 303

    def test_resets_a_second_factor(self, app: Flask, rows: Rows) -> None:
        with_telephone(app, member(app))

        answer = run(app, "reset-second-factor", "ada@example.com")

        assert "password alone" in answer.output
        assert not rows(Operator)[0].has_second_factor

    @for_each(
        "command",
        [("role", "admin"), ("disable",), ("enable",), ("reset-password",), ("reset-second-factor",)],
    )
    def test_knows_nobody_else(self, app: Flask, command: tuple[str, ...]) -> None:
        name, *more = command

        found = refused(app, name, "nobody@example.com", *more)

        assert isinstance(found, NotFound)
        assert "nobody@example.com" in found.detail


@pytest.mark.parametrize("email", ["nonsense", "ada@", "@example.com", "a b@example.com", "ada@example.com"])
def test_refuses_an_email_before_anybody_chooses_a_password(email: str, app: Flask) -> None:
    member(app)

    answer = app.test_cli_runner().invoke(people, ["create", email], input="")

    assert answer.exit_code == 1
    assert "Password" not in answer.output
    assert "email address" in str(answer.exception)


@pytest.mark.parametrize(
    ("commands", "said"), [(people, "There is no operator"), (group, "There is no API token")]
)
def test_lists_say_when_there_is_nothing(commands: click.Group, said: str, app: Flask) -> None:
    answer = app.test_cli_runner().invoke(commands, ["list"])

    assert answer.output.startswith(f"{said}: run `gangway ")
