"""A login, or a renewed session, gets nothing that a change of the account ends meanwhile."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.core.db import utcnow
from app.operators.auth import accounts, second_factor, sessions
from app.operators.auth.passwords import AcceptedPassword
from app.operators.models import Operator, OperatorSession
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.operators import PASSWORD, Telephone, is_in, log_in, member, send, with_telephone
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows

ACCOUNT = "/operator/account"
SET_UP = "/operator/account/second-factor"
CODE = "/operator/login/code"


@pytest.fixture
def who(app: Flask) -> Operator:
    """An operator with the usual password."""
    return member(app)


@pytest.fixture
def log_out_everywhere(who: Operator) -> Callable[[Session], None]:
    """End every session and login of the operator, as the button on the account page does."""

    def end(session: Session) -> None:
        accounts.locked(session, who.id)
        sessions.end_all(session, who.id)

    return end


def test_a_password_alone_is_not_enough_once_a_second_factor_is_on(
    app: Flask, client: FlaskClient, who: Operator
) -> None:
    def turn_on(session: Session) -> None:
        own = accounts.locked(session, who.id)
        setup = second_factor.offer(own)
        second_factor.enable(session, own, setup, Telephone(setup.secret).code())

    answer = commits_meanwhile(app, turn_on, lambda: log_in(client))

    assert answer.status_code == 422
    assert not is_in(client)


def test_a_code_is_not_enough_once_the_password_is_another(
    app: Flask, client: FlaskClient, who: Operator
) -> None:
    telephone, _ = with_telephone(app, who)
    log_in(client)

    def change(session: Session) -> None:
        own = accounts.locked(session, who.id)
        accounts.choose_password(session, own, AcceptedPassword("of another"), actor="test")

    answer = commits_meanwhile(app, change, lambda: send(client, CODE, code=telephone.code()))

    assert answer.status_code == 422
    assert not is_in(client)


@pytest.mark.parametrize("action", ["turn on", "new codes", "remove"])
def test_a_session_that_was_ended_is_not_renewed(
    app: Flask, who: Operator, action: str, rows: Rows, log_out_everywhere: Callable[[Session], None]
) -> None:
    client = sign_in(app, who=who)
    if action == "turn on":
        page = Page.of(client.get(SET_UP))
        code = Telephone(page.one(id="secret").text).code()
        path, fields = SET_UP, {"sealed": page.value("sealed"), "code": code}
    else:
        with_telephone(app, who)
        path = f"{SET_UP}/remove" if action == "remove" else f"{ACCOUNT}/recovery-codes"
        fields = {}
    had_factor = rows(Operator)[0].has_second_factor

    answer = commits_meanwhile(
        app, log_out_everywhere, lambda: post(client, path, password=PASSWORD, **fields)
    )

    assert answer.status_code == 409
    assert "You were logged out meanwhile" in Page.of(answer).text
    assert not is_in(client)
    assert rows(Operator)[0].has_second_factor is had_factor


def test_logging_out_everywhere_ends_a_session_that_is_being_renewed(
    app: Flask, who: Operator, rows: Rows
) -> None:
    client = sign_in(app, who=who)

    def renew(session: Session) -> None:
        own = accounts.locked(session, who.id)
        mine = session.get_one(OperatorSession, rows(OperatorSession)[0].id)
        assert sessions.is_open(session, mine)
        mine.ended_at = utcnow()
        sessions.open_session(session, own, address="127.0.0.1", user_agent="Firefox on Linux")

    commits_meanwhile(app, renew, lambda: post(client, f"{ACCOUNT}/sessions/end"))

    assert [row for row in rows(OperatorSession) if row.ended_at is None] == []


def test_logging_out_everywhere_ends_a_login_under_way(
    app: Flask, client: FlaskClient, who: Operator, log_out_everywhere: Callable[[Session], None]
) -> None:
    answer = commits_meanwhile(app, log_out_everywhere, lambda: log_in(client))

    assert answer.status_code == 422
    assert not is_in(client)


def test_logging_out_everywhere_ends_a_login_that_waits_for_its_code(
    app: Flask, client: FlaskClient, who: Operator
) -> None:
    other = sign_in(app, who=who)
    with_telephone(app, who)
    assert log_in(client).location == CODE

    post(other, f"{ACCOUNT}/sessions/end")

    assert client.get(CODE).location == "/operator/login"


def test_logging_out_everywhere_ends_a_login_whose_code_is_checked(
    app: Flask, client: FlaskClient, who: Operator, log_out_everywhere: Callable[[Session], None]
) -> None:
    telephone, _ = with_telephone(app, who)
    log_in(client)

    answer = commits_meanwhile(app, log_out_everywhere, lambda: send(client, CODE, code=telephone.code()))

    assert answer.status_code == 422
    assert not is_in(client)
