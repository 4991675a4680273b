"""An admin makes API tokens, sees each once, and revokes them; nobody else can."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from app.audit import Entry
from app.core.db import utcnow
from app.operators.auth.tokens import revoke_token
from app.operators.models import ApiToken
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import operator, post, sign_in
from tests.support.operators import send
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows

TOKENS = "/operator/tokens"


def make(client: FlaskClient, **fields: str) -> Page:
    """Make a token and look at the page that follows."""
    answer = send(client, TOKENS, action=TOKENS, **{"name": "ledger"} | fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return Page.of(client.get(answer.location))


def test_says_what_to_do_while_there_is_none(app: Flask) -> None:
    page = Page.of(sign_in(app).get(TOKENS))

    assert "There is no token yet" in page.text
    assert page.all("a", href="/api/docs")


def test_makes_a_token_that_works_and_is_shown_once(app: Flask, client: FlaskClient, rows: Rows) -> None:
    me = operator(app)
    admin = sign_in(app, who=me)

    text = make(admin).one(id="once")["value"]

    again = Page.of(admin.get(TOKENS))
    header = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/customers", headers=header).status_code == 200
    assert not again.all(id="once")
    assert text not in again.html
    [token] = rows(ApiToken)
    assert (token.name, token.scope, token.expires_at) == ("ledger", "write", None)
    made = [entry for entry in rows(Entry) if entry.kind == "token.created"]
    assert [entry.actor for entry in made] == [f"operator:{me.id}"]


def test_is_not_shown_to_another_who_has_the_cookie_later(app: Flask, clock: Traveller) -> None:
    admin = sign_in(app)
    send(admin, TOKENS, action=TOKENS, name="ledger")
    clock.shift(timedelta(minutes=6))

    assert not Page.of(admin.get(TOKENS)).all(id="once")


def test_is_not_shown_on_the_page_of_something_else(app: Flask) -> None:
    me, bob = operator(app), operator(app)
    admin = sign_in(app, who=me)
    send(admin, TOKENS, action=TOKENS, name="ledger")

    other = Page.of(admin.get(f"/operator/team/{bob.id}"))

    assert not other.all(id="once")


def test_is_not_shown_to_another_operator_in_this_browser(app: Flask) -> None:
    admin, other = sign_in(app), sign_in(app)
    send(admin, TOKENS, action=TOKENS, name="ledger")
    with admin.session_transaction() as mine, other.session_transaction() as theirs:
        theirs["once"] = mine["once"]

    assert not Page.of(other.get(TOKENS)).all(id="once")


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_gives_each_scope(app: Flask, rows: Rows, scope: str) -> None:
    make(sign_in(app), scope=scope)

    assert rows(ApiToken)[0].scope == scope


def test_expires_at_the_end_of_its_last_day(app: Flask, rows: Rows) -> None:
    make(sign_in(app), expires="2099-12-31")

    assert rows(ApiToken)[0].expires_at == datetime(2100, 1, 1, tzinfo=UTC)


@for_each(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 257),
        ("scope", "root"),
        ("expires", "soon"),
        ("expires", "2020-01-01"),
        ("expires", "9999-12-31"),
        ("expires", "0001-01-01"),
    ],
)
def test_says_what_is_wrong(app: Flask, rows: Rows, field: str, value: str) -> None:
    admin = sign_in(app)

    answer = post(admin, TOKENS, **{"name": "ledger", "scope": "write", field: value})

    assert answer.status_code == 422
    assert Page.of(answer).error(field)
    assert rows(ApiToken) == []


def test_revokes_after_a_question(app: Flask, client: FlaskClient, rows: Rows) -> None:
    admin = sign_in(app)
    text = make(admin).one(id="once")["value"]
    path = f"{TOKENS}/{rows(ApiToken)[0].id}/revoke"

    answer = send(admin, TOKENS, action=path)

    assert answer.status_code == 303
    assert client.get("/api/v1/customers", headers={"Authorization": f"Bearer {text}"}).status_code == 401
    page = Page.of(admin.get(TOKENS))
    assert "revoked" in page.one("tbody").text
    assert not page.one("tbody").all("form")
    assert "token.revoked" in [entry.kind for entry in rows(Entry)]


def test_is_revoked_once_by_two_at_once(app: Flask, rows: Rows) -> None:
    admin = sign_in(app)
    make(admin)
    [token] = rows(ApiToken)

    answer = commits_meanwhile(
        app,
        lambda session: revoke_token(session, token.id, actor="another"),
        lambda: post(admin, f"{TOKENS}/{token.id}/revoke"),
    )

    assert answer.status_code == 303
    assert [entry.actor for entry in rows(Entry) if entry.kind == "token.revoked"] == ["another"]


@pytest.mark.parametrize("id_", ["0" * 26, "x"])
def test_there_is_no_other_token(app: Flask, id_: str) -> None:
    assert post(sign_in(app), f"{TOKENS}/{id_}/revoke").status_code == 404


def test_tells_which_have_expired_and_when_one_was_used(
    noon: Traveller, app: Flask, client: FlaskClient, rows: Rows
) -> None:
    admin = sign_in(app)
    text = make(admin, expires=utcnow().date().isoformat()).one(id="once")["value"]
    client.get("/api/v1/customers", headers={"Authorization": f"Bearer {text}"})
    noon.shift(timedelta(days=2))

    page = Page.of(sign_in(app).get(TOKENS))

    assert "expired" in page.one("tbody").text
    assert "never" not in page.one("tbody").text


def test_keeps_the_form_when_a_live_token_has_the_name(app: Flask, rows: Rows) -> None:
    admin = sign_in(app)
    make(admin)

    answer = send(admin, TOKENS, action=TOKENS, name="ledger")

    assert answer.status_code == 422
    assert "A token named “ledger” already exists: choose another name" in Page.of(answer).text
    assert len(rows(ApiToken)) == 1
