"""Sessions: the cookie holds a random token, and the row decides."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from app import create_app, operators
from app.audit import Entry
from app.core import db
from app.operators.auth import one_time_links
from app.operators.models import OneTimeLink, OperatorSession
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.operators import LOGIN, PASSWORD, is_in, log_in, member, send
from tests.support.rows import Rows

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0": (
        "Edge on Windows"
    ),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15": (
        "Safari on macOS"
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1": (
        "Safari on iPhone"
    ),
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36": (
        "Chrome on Android"
    ),
    "curl/8.14": "A browser",
    "": "A browser",
}


def token_of(client: FlaskClient) -> str | None:
    """What the cookie holds."""
    with client.session_transaction() as cookie:
        token: str | None = cookie.get("_user_id")
        return token


def plant(client: FlaskClient, **values: str) -> None:
    """Put values into the cookie of a browser, as somebody with a valid cookie might."""
    with client.session_transaction() as cookie:
        cookie.update(values)


class TestFixation:
    """Nobody gets in by what was in the browser before."""

    def test_a_token_that_was_planted_is_not_the_one_that_is_good_after_the_log_in(
        self, app: Flask, client: FlaskClient
    ) -> None:
        member(app)
        attacker = sign_in(app, "viewer")
        planted = token_of(attacker)
        assert planted is not None
        plant(client, _user_id=planted)

        client.post("/operator/logout")  # whatever the victim does before
        sent_on = client.get(LOGIN)
        own = app.test_client()
        plant(own, _user_id="made up by somebody")
        log_in(own)

        assert sent_on.status_code == 303  # in as the attacker: there is nothing to log in to
        assert is_in(own)
        assert token_of(own) not in {planted, "made up by somebody"}

    def test_logging_in_gives_a_fresh_token_each_time(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        log_in(client)
        first = token_of(client)
        post(client, "/operator/logout")
        log_in(client)

        assert token_of(client) != first

    def test_the_token_of_forms_is_a_new_one_after_the_log_in(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        plant(client, csrf_token="f" * 40)
        log_in(client)

        with client.session_transaction() as cookie:
            assert cookie.get("csrf_token") != "f" * 40

    def test_the_token_of_forms_is_a_new_one_after_the_log_out(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        log_in(client)
        plant(client, csrf_token="f" * 40)

        post(client, "/operator/logout")

        with client.session_transaction() as cookie:
            assert cookie.get("csrf_token") != "f" * 40

    def test_a_second_log_in_of_one_browser_ends_its_first_session(
        self, app: Flask, client: FlaskClient, rows: Rows
    ) -> None:
        member(app)
        page = Page.of(client.get(LOGIN))
        fields = {"csrf_token": page.value("csrf_token"), "email": "ada@example.com"}
        first = client.post(LOGIN, data=fields | {"password": "nine purple umbrellas"})
        page = Page.of(client.get("/operator/account"))
        fields["csrf_token"] = page.all("input", name="csrf_token")[0]["value"]

        second = client.post(LOGIN, data=fields | {"password": "nine purple umbrellas"})

        assert (first.status_code, second.status_code) == (303, 303)
        assert sorted(row.ended_at is None for row in rows(OperatorSession)) == [False, True]

    def test_the_token_is_kept_as_a_hash_only(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        member(app)

        log_in(client)

        token = token_of(client)
        assert token is not None
        assert len(token) == 43
        assert token not in str([vars(row) for row in rows(OperatorSession)])
        assert token not in str([vars(entry) for entry in rows(Entry)])


class TestEnding:
    """When a session is over."""

    def test_after_an_hour_in_which_nothing_is_done(self, app: Flask, clock: Traveller) -> None:
        client = sign_in(app)

        clock.shift(timedelta(minutes=59))
        still = is_in(client)
        clock.shift(timedelta(minutes=59))
        later = is_in(client)
        clock.shift(timedelta(minutes=61))

        assert (still, later, is_in(client)) == (True, True, False)

    def test_after_twelve_hours_whatever_is_done(self, app: Flask, clock: Traveller) -> None:
        client = sign_in(app)

        hours = 0.0
        while is_in(client):
            clock.shift(timedelta(minutes=30))
            hours += 0.5

        assert hours == 12

    def test_after_twelve_hours_though_the_password_was_changed(self, app: Flask, clock: Traveller) -> None:
        client = sign_in(app, who=member(app))
        for _ in range(12):
            clock.shift(timedelta(minutes=59))
            assert is_in(client)
        post(client, "/operator/account/password", current=PASSWORD, new="seven green telescopes")

        still = is_in(client)
        clock.shift(timedelta(minutes=13))

        assert (still, is_in(client)) == (True, False)

    def test_when_the_settings_say_so(self, database_url: str, clock: Traveller) -> None:
        app = create_app(
            make_settings(database_url=database_url, operator_idle_minutes=5, operator_session_hours=1)
        )
        client = sign_in(app)

        clock.shift(timedelta(minutes=6))
        answer = client.get("/operator/account")

        assert answer.status_code == 303
        with app.app_context():
            db.engine().dispose()

    def test_logging_out_ends_it_for_whoever_has_the_token(
        self, app: Flask, client: FlaskClient, rows: Rows
    ) -> None:
        member(app)
        log_in(client)
        token = token_of(client)
        assert token is not None
        thief = app.test_client()
        plant(thief, _user_id=token)

        answer = post(client, "/operator/logout")

        assert (answer.status_code, answer.location) == (303, LOGIN)
        assert "You are logged out." in Page.of(client.get(LOGIN)).text
        assert not is_in(client)
        assert not is_in(thief)
        assert rows(Entry)[-1].kind == "operator.logged_out"

    def test_logging_out_is_no_link(self, app: Flask) -> None:
        client = sign_in(app)

        assert client.get("/operator/logout").status_code == 405
        assert is_in(client)

    def test_every_browser_can_be_logged_out_at_once(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        here, there = sign_in(app, who=who), sign_in(app, who=who)

        answer = send(here, "/operator/account", action="/operator/account/sessions/end")

        assert (answer.status_code, answer.location) == (303, LOGIN)
        assert not is_in(here)
        assert not is_in(there)
        assert rows(Entry)[-1].kind == "operator.signed_out_everywhere"

    def test_another_browser_can_be_logged_out(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        there, here = sign_in(app, who=who), sign_in(app, who=who)
        other = rows(OperatorSession)[0]

        answer = send(here, "/operator/account", action=f"/operator/account/sessions/{other.id}/end")

        assert answer.status_code == 303
        assert is_in(here)
        assert not is_in(there)
        assert rows(Entry)[-1].kind == "operator.session_ended"

    def test_ending_one_twice_is_told_once(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        sign_in(app, who=who)
        here = sign_in(app, who=who)
        path = f"/operator/account/sessions/{rows(OperatorSession)[0].id}/end"

        statuses = [post(here, path).status_code for _ in range(2)]

        assert statuses == [303, 303]
        assert [entry.kind for entry in rows(Entry)].count("operator.session_ended") == 1

    @pytest.mark.parametrize("whose", ["another operator's", "nobody's", "no id"])
    def test_nobody_ends_the_session_of_another(self, app: Flask, rows: Rows, whose: str) -> None:
        other = sign_in(app, "viewer")
        ids = {"another operator's": rows(OperatorSession)[0].id, "nobody's": "0" * 26, "no id": "x"}
        here = sign_in(app)

        answer = post(here, f"/operator/account/sessions/{ids[whose]}/end")

        assert answer.status_code == 404
        assert is_in(other)

    def test_what_is_long_over_is_cleared_away(self, app: Flask, rows: Rows, clock: Traveller) -> None:
        who = member(app)
        sign_in(app, who=who)
        with app.app_context():
            one_time_links.make(db.session(), who)
            db.session().commit()
        clock.shift(timedelta(days=29))
        sign_in(app, who=who)
        clock.shift(timedelta(days=2))
        young = member(app, "bob@example.com")

        with app.app_context():
            one_time_links.make(db.session(), young)
            db.session().commit()
            operators.purge(db.session())

        assert len(rows(OperatorSession)) == 1
        assert [link.operator_id for link in rows(OneTimeLink)] == [young.id]


class TestNoting:
    """When an operator was seen."""

    def test_once_a_minute_at_most(self, app: Flask, rows: Rows, clock: Traveller) -> None:
        client = sign_in(app)
        first = rows(OperatorSession)[0].seen_at

        clock.shift(timedelta(seconds=50))
        client.get("/operator/account")
        soon = rows(OperatorSession)[0].seen_at
        clock.shift(timedelta(seconds=20))
        client.get("/operator/account")

        assert soon == first
        assert rows(OperatorSession)[0].seen_at - first >= timedelta(seconds=70)

    @pytest.mark.parametrize(("agent", "words"), AGENTS.items())
    def test_by_a_browser_with_a_name(
        self, app: Flask, client: FlaskClient, rows: Rows, agent: str, words: str
    ) -> None:
        member(app)
        client.environ_base["HTTP_USER_AGENT"] = agent

        log_in(client)

        assert rows(OperatorSession)[0].user_agent == words

    def test_the_account_page_lists_the_own_sessions_only(self, app: Flask) -> None:
        who = member(app)
        sign_in(app, "viewer")
        sign_in(app, who=who)
        here = sign_in(app, who=who)

        page = Page.of(here.get("/operator/account"))

        assert len(page.one("tbody").all("tr")) == 2
        assert page.text.count("This browser") == 1


class TestCookies:
    """The attributes that browsers get."""

    def test_are_for_https_alone_where_the_portal_is(self, database_url: str) -> None:
        app = create_app(make_settings(database_url=database_url, public_url="https://billing.example.com"))
        member(app)
        client = app.test_client()
        base: dict[str, Any] = {
            "base_url": "https://billing.example.com",
            "headers": {"Referer": "https://billing.example.com/"},
        }
        page = Page.of(client.get(LOGIN, **base))
        fields = {"csrf_token": page.value("csrf_token"), "email": "ada@example.com"}

        answer = client.post(LOGIN, data=fields | {"password": "nine purple umbrellas"}, **base)

        cookies = dict(line.split("=", 1) for line in answer.headers.getlist("Set-Cookie"))
        assert set(cookies) == {"__Host-gangway", "__Host-gangway-device"}
        for told in cookies.values():
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(told.split("; "))
        assert "Max-Age" not in cookies["__Host-gangway"]
        with app.app_context():
            db.engine().dispose()

    def test_none_remembers_for_longer(self, app: Flask, client: FlaskClient) -> None:
        member(app)

        answer = log_in(client)

        names = {line.split("=", 1)[0] for line in answer.headers.getlist("Set-Cookie")}
        assert names == {"gangway", "gangway-device"}

    def test_a_visitors_page_needs_none_of_this(self, app: Flask) -> None:
        client = sign_in(app)

        answer = client.get("/signup")

        assert answer.status_code == 200
        assert "Some admin" not in answer.get_data(as_text=True)
        assert is_in(client)
