"""The first operator by the set-up page, and the others by one-time links."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from app import operators
from app.audit import Entry
from app.core import db
from app.operators.models import OneTimeLink, Operator
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.console import csrf, post, sign_in
from tests.support.operators import PASSWORD, is_in, log_in, member, send, with_telephone
from tests.support.rows import Rows

DETAILS = {"email": "ada@example.com", "name": "Ada Lovelace", "password": PASSWORD}


def offered(app: Flask) -> str:
    """The path of the set-up page that the log of a server names."""
    with app.app_context():
        address = operators.offer_setup(db.session())
    assert address is not None
    assert address.startswith(f"{PORTAL}/operator/setup?token=")
    return address.removeprefix(PORTAL)


def invited(app: Flask, role: str = "viewer") -> str:
    """The path of the one-time link of somebody who is invited as Bob."""
    admin = sign_in(app)
    fields = {"email": "bob@example.com", "name": "Bob", "role": role}
    answer = send(admin, "/operator/team", action="/operator/team", **fields)
    return link_on(Page.of(admin.get(answer.location)))


def link_on(page: Page) -> str:
    """The path of the one-time link that a page shows."""
    parts = urlsplit(page.one(id="once")["value"])
    assert f"{parts.scheme}://{parts.netloc}" == PORTAL
    return f"{parts.path}?{parts.query}"


class TestSettingUp:
    """The token in the log makes the first operator."""

    def test_makes_an_admin_and_lets_in(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        answer = send(client, offered(app), **DETAILS)

        assert (answer.status_code, answer.location) == (303, "/operator/")
        assert is_in(client)
        [who] = rows(Operator)
        assert (who.email, who.name, who.role) == ("ada@example.com", "Ada Lovelace", "admin")
        assert [entry.kind for entry in rows(Entry)][-2:] == ["operator.created", "operator.logged_in"]

    def test_is_gone_after_that(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        path = offered(app)
        send(client, path, **DETAILS)
        stranger = app.test_client()

        assert stranger.get(path).status_code == 404
        assert stranger.get("/operator/setup").status_code == 404
        assert post(stranger, "/operator/setup", token="x", **DETAILS).status_code == 404
        assert rows(OneTimeLink) == []
        with app.app_context():
            assert operators.offer_setup(db.session()) is None

    def test_is_told_on_the_log_in_page_while_there_is_nobody(self, app: Flask, client: FlaskClient) -> None:
        before = Page.of(client.get("/operator/login")).text
        member(app)

        assert "Nobody can log in yet" in before
        assert "Nobody can log in yet" not in Page.of(client.get("/operator/login")).text

    def test_keeps_only_a_hash_of_its_token(self, app: Flask, rows: Rows) -> None:
        token = offered(app).partition("=")[2]

        [link] = rows(OneTimeLink)
        assert len(token) == 43
        assert token not in str(vars(link))

    def test_takes_the_token_of_each_server_that_started(self, app: Flask, client: FlaskClient) -> None:
        first, _ = offered(app), offered(app)

        assert send(client, first, **DETAILS).status_code == 303

    def test_asks_for_the_token_where_the_address_has_none(self, app: Flask, client: FlaskClient) -> None:
        token = offered(app).partition("=")[2]

        answer = send(client, "/operator/setup", token=token, **DETAILS)

        assert answer.status_code == 303

    @pytest.mark.parametrize("token", ["", "made-up", "of an invitation"])
    def test_needs_it(self, app: Flask, client: FlaskClient, rows: Rows, token: str) -> None:
        offered(app)

        answer = send(client, "/operator/setup", token=token, **DETAILS)

        assert answer.status_code == 422
        assert Page.of(answer).error("token")
        assert rows(Operator) == []

    def test_a_token_is_good_for_a_day(
        self, app: Flask, client: FlaskClient, rows: Rows, clock: Traveller
    ) -> None:
        path = offered(app)
        clock.shift(timedelta(days=1, seconds=1))

        answer = send(client, path, **DETAILS)

        assert answer.status_code == 422
        assert "each time the server starts" in Page.of(answer).error("token")
        assert rows(Operator) == []

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("email", "", "Enter the email address"),
            ("email", "ada", "like name@example.com"),
            ("email", "a" * 260 + "@example.com", "Use 254 characters"),
            ("name", "  ", "Enter a name"),
            ("name", "x" * 257, "Use 256 characters"),
            ("name", "Ada\x01", "can’t be used"),
            ("password", "", "Choose a password"),
            ("password", "short", "12 characters or more; this one has 5"),
            ("password", "x" * 129, "128 characters at most; this one has 129"),
            ("password", "password1234", "easy to guess"),
            ("password", "ada@example.com", "easy to guess"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_the_token(
        self, app: Flask, client: FlaskClient, rows: Rows, field: str, value: str, words: str
    ) -> None:
        path = offered(app)

        answer = send(client, path, **DETAILS | {field: value})

        page = Page.of(answer)
        assert answer.status_code == 422
        assert words in page.error(field)
        assert page.value("password") == ""
        assert rows(Operator) == []
        assert send(client, path, **DETAILS).status_code == 303

    def test_a_stale_form_comes_again_with_what_was_typed(self, app: Flask, client: FlaskClient) -> None:
        token = offered(app).partition("=")[2]

        answer = client.post("/operator/setup", data=DETAILS | {"token": token})

        page = Page.of(answer)
        assert answer.status_code == 422
        assert "Please send it again" in page.text
        assert (page.value("token"), page.value("email")) == (token, "ada@example.com")

    @pytest.mark.parametrize("tokens", [1, 2])
    def test_used_by_two_at_once_makes_one_operator(self, app: Flask, rows: Rows, tokens: int) -> None:
        paths = [offered(app) for _ in range(tokens)]
        browsers = [app.test_client() for _ in range(4)]
        ready = [(browser, csrf(browser, paths[0])) for browser in browsers]

        def use(number: int) -> int:
            browser, token = ready[number]
            sent = {
                "csrf_token": token,
                "token": paths[number % tokens].partition("=")[2],
                "email": f"user{number}@example.com",
                "name": "Somebody",
                "password": PASSWORD,
            }
            return browser.post("/operator/setup", data=sent).status_code

        with ThreadPoolExecutor(4) as threads:
            statuses = list(threads.map(use, range(4)))

        assert len(rows(Operator)) == 1
        assert statuses.count(303) >= 1
        assert set(statuses) <= {303, 404, 422}
        assert sum(is_in(browser) for browser in browsers) == 1

    def test_guessing_tokens_ends_soon(self, app: Flask, client: FlaskClient) -> None:
        offered(app)
        statuses = [
            send(client, "/operator/setup", token=f"guess {number}", **DETAILS).status_code
            for number in range(21)
        ]

        assert statuses == [422] * 20 + [429]


class TestInvitations:
    """A one-time link, made by an admin and passed on by hand."""

    def test_lets_choose_a_password_and_lets_in(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        path = invited(app, role="operator")
        before = Page.of(client.get(path)).text

        answer = send(client, path, password=PASSWORD)

        assert "Bob" in before
        assert "bob@example.com" in before
        assert (answer.status_code, answer.location) == (303, "/operator/")
        assert is_in(client)
        [bob] = [who for who in rows(Operator) if who.name == "Bob"]
        assert (bob.role, bob.state) == ("operator", "active")
        assert log_in(app.test_client(), "bob@example.com").status_code == 303
        assert "operator.joined" in [entry.kind for entry in rows(Entry)]

    def test_nothing_happens_when_a_program_fetches_it(self, app: Flask, client: FlaskClient) -> None:
        path = invited(app)

        statuses = [call(path).status_code for call in (client.get, client.head, client.get)]

        assert statuses == [200, 200, 200]
        assert send(client, path, password=PASSWORD).status_code == 303

    def test_works_once(self, app: Flask, client: FlaskClient) -> None:
        path = invited(app)
        send(client, path, password=PASSWORD)
        other = app.test_client()

        assert other.get(path).status_code == 404
        assert "no longer works" in Page.of(other.get(path)).h1
        answer = post(other, "/operator/invitation", token=path.partition("=")[2], password="x" * 20)
        assert answer.status_code == 404
        assert log_in(other, "bob@example.com").status_code == 303

    def test_works_once_for_two_at_once(self, app: Flask) -> None:
        path = invited(app)
        browsers = [app.test_client() for _ in range(2)]
        fields: list[dict[str, Any]] = [
            {
                "csrf_token": csrf(browser, path),
                "token": path.partition("=")[2],
                "password": f"{PASSWORD} {n}",
            }
            for n, browser in enumerate(browsers)
        ]

        def use(number: int) -> int:
            return browsers[number].post("/operator/invitation", data=fields[number]).status_code

        with ThreadPoolExecutor(2) as threads:
            statuses = list(threads.map(use, range(2)))

        assert sorted(statuses) == [303, 404]
        assert sum(is_in(browser) for browser in browsers) == 1

    def test_guessing_ends_soon(self, app: Flask, client: FlaskClient) -> None:
        statuses = [
            post(client, "/operator/invitation", token=f"guess {number}", password=PASSWORD).status_code
            for number in range(21)
        ]

        assert statuses == [404] * 20 + [429]

    def test_works_for_a_week(self, app: Flask, client: FlaskClient, clock: Traveller) -> None:
        path = invited(app)
        clock.shift(timedelta(days=6, hours=23))
        before = client.get(path).status_code
        clock.shift(timedelta(hours=2))

        assert (before, client.get(path).status_code) == (200, 404)

    @pytest.mark.parametrize(("password", "words"), [("", "Choose"), ("bob bob bob bob", "easy to guess")])
    def test_is_kept_when_the_password_is_refused(
        self, app: Flask, client: FlaskClient, password: str, words: str
    ) -> None:
        path = invited(app)

        answer = send(client, path, password=password)

        assert answer.status_code == 422
        assert words in Page.of(answer).error("password")
        assert send(client, path, password=PASSWORD).status_code == 303

    def test_a_stale_form_comes_again(self, app: Flask, client: FlaskClient) -> None:
        token = invited(app).partition("=")[2]

        answer = client.post("/operator/invitation", data={"token": token, "password": PASSWORD})

        assert answer.status_code == 422
        assert "Please send it again" in Page.of(answer).text

    @pytest.mark.parametrize("path", ["/operator/invitation", "/operator/invitation?token=x"])
    def test_no_token_and_a_wrong_one_lead_nowhere(self, client: FlaskClient, path: str) -> None:
        assert client.get(path).status_code == 404

    def test_the_token_of_the_set_up_is_none_of_these(self, app: Flask, client: FlaskClient) -> None:
        token = offered(app).partition("=")[2]

        assert client.get(f"/operator/invitation?token={token}").status_code == 404

    def test_a_new_one_ends_the_one_before(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        path = invited(app)
        [bob] = [who for who in rows(Operator) if who.name == "Bob"]
        admin = sign_in(app)
        answer = post(admin, f"/operator/team/{bob.id}/link")
        new = link_on(Page.of(admin.get(answer.location)))

        assert client.get(path).status_code == 404
        assert client.get(new).status_code == 200

    def test_is_shown_once(self, app: Flask, rows: Rows) -> None:
        admin = sign_in(app)
        answer = post(admin, "/operator/team", email="bob@example.com", name="Bob", role="viewer")

        first, again = (Page.of(admin.get(answer.location)) for _ in range(2))

        assert first.all(id="once")
        assert not again.all(id="once")
        assert first.one(id="once")["value"].partition("=")[2] not in str(
            [vars(row) for row in rows(OneTimeLink)]
        )


class TestForgottenPassword:
    """The same link, for somebody who has an account."""

    def test_takes_the_place_of_the_old_and_ends_every_session(
        self, app: Flask, client: FlaskClient, rows: Rows
    ) -> None:
        ada, admin = member(app, role="viewer"), sign_in(app)
        elsewhere = sign_in(app, who=ada)
        answer = post(admin, f"/operator/team/{ada.id}/link")
        path = link_on(Page.of(admin.get(answer.location)))

        send(client, path, password="eleven green bicycles")

        assert is_in(client)
        assert not is_in(elsewhere)
        assert log_in(app.test_client()).status_code == 422
        assert log_in(app.test_client(), password="eleven green bicycles").status_code == 303
        assert "operator.password_changed" in [entry.kind for entry in rows(Entry)]

    def test_does_not_take_the_place_of_the_second_factor(self, app: Flask, client: FlaskClient) -> None:
        ada, admin = member(app), sign_in(app)
        telephone, _ = with_telephone(app, ada)
        answer = post(admin, f"/operator/team/{ada.id}/link")

        done = send(client, link_on(Page.of(admin.get(answer.location))), password="eleven green bicycles")

        assert done.location == "/operator/login/code"
        assert not is_in(client)
        assert send(client, done.location, code=telephone.code()).location == "/operator/"
