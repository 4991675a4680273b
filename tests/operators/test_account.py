"""Operators change their name and password; a new password needs the present one, and ends other logins."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core import db
from app.operators.auth import one_time_links
from app.operators.models import OneTimeLink, Operator, OperatorSession
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.operators import (
    PASSWORD,
    CountingHasher,
    change_while_verifying,
    is_in,
    log_in,
    member,
    send,
)
from tests.support.rows import Rows

ACCOUNT = "/operator/account"
NEW = "eleven green bicycles"


def change(client: FlaskClient, current: str = PASSWORD, new: str = NEW) -> Page | None:
    """Change the password; the page with what is wrong, if something is."""
    answer = send(client, ACCOUNT, action=f"{ACCOUNT}/password", current=current, new=new)
    return Page.of(answer) if answer.status_code in {422, 429} else None


class TestName:
    """How an operator is called."""

    def test_can_be_changed(self, app: Flask, rows: Rows) -> None:
        client = sign_in(app, who=member(app))

        answer = send(client, ACCOUNT, action=f"{ACCOUNT}/name", name="  Ada King  ")

        assert answer.status_code == 303
        assert rows(Operator)[0].name == "Ada King"
        assert "Your name has been changed." in Page.of(client.get(ACCOUNT)).text
        assert rows(Entry)[-1].kind == "operator.renamed"

    @pytest.mark.parametrize("name", ["", "   ", "x" * 257, "Ada\x07"])
    def test_is_a_name(self, app: Flask, rows: Rows, name: str) -> None:
        client = sign_in(app, who=member(app))

        answer = send(client, ACCOUNT, action=f"{ACCOUNT}/name", name=name)

        assert answer.status_code == 422
        assert Page.of(answer).error("name")
        assert rows(Operator)[0].name == "Ada Lovelace"


class TestPassword:
    """Changing it."""

    def test_ends_an_open_link(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        with app.app_context():
            one_time_links.make(db.session(), who)
            db.session().commit()

        change(sign_in(app, who=who))

        assert rows(OneTimeLink) == []

    def test_ends_the_other_sessions_and_continues_under_a_new_token(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        elsewhere, here = sign_in(app, who=who), sign_in(app, who=who)
        with here.session_transaction() as cookie:
            before = cookie["_user_id"]
        began = rows(OperatorSession)[-1].created_at

        problem = change(here)

        assert problem is None
        assert is_in(here)
        assert not is_in(elsewhere)
        with here.session_transaction() as cookie:
            assert cookie["_user_id"] != before
        assert [row.created_at for row in rows(OperatorSession) if row.ended_at is None] == [began]
        assert log_in(app.test_client()).status_code == 422
        assert log_in(app.test_client(), password=NEW).status_code == 303
        assert [entry.kind for entry in rows(Entry)].count("operator.password_changed") == 1

    @pytest.mark.parametrize(
        ("current", "new", "field", "words"),
        [
            ("", NEW, "current", "Enter your password"),
            ("wrong", NEW, "current", "not your password"),
            (PASSWORD, "", "new", "Choose a password"),
            (PASSWORD, "too short", "new", "12 characters or more; this one has 9"),
            (PASSWORD, "Ada Lovelace", "new", "easy to guess"),
            (PASSWORD, "northwindmetering", "new", "easy to guess"),
        ],
    )
    def test_says_what_is_wrong(
        self, app: Flask, rows: Rows, current: str, new: str, field: str, words: str
    ) -> None:
        who = member(app)
        elsewhere, here = sign_in(app, who=who), sign_in(app, who=who)

        page = change(here, current, new)

        assert page is not None
        assert words in page.error(field)
        assert (page.value("current"), page.value("new")) == ("", "")
        assert is_in(elsewhere)
        assert rows(Operator)[0].password_hash == who.password_hash

    def test_the_old_one_is_not_guessed_here_either(self, app: Flask) -> None:
        here = sign_in(app, who=member(app))
        for _ in range(10):
            change(here, "wrong")

        page = change(here)

        assert page is not None
        assert "Try again in 10 minutes" in page.error("current")

    def test_of_an_account_that_changed_meanwhile_is_left_alone(
        self, app: Flask, hasher: CountingHasher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = sign_in(app, who=member(app))
        change_while_verifying(app, hasher, monkeypatch)

        answer = post(here, f"{ACCOUNT}/password", current=PASSWORD, new=NEW)

        assert answer.status_code == 409
        assert "Log in again" in Page.of(answer).text
