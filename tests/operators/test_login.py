"""Logging in: who gets in, what the others read, and how many tries they have."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from app.audit import Entry
from app.core.db import utcnow
from app.operators.auth import passwords
from app.operators.models import Operator, OperatorSession
from tests.support.browser import Page
from tests.support.console import csrf
from tests.support.operators import (
    LOGIN,
    PASSWORD,
    CountingHasher,
    change_while_verifying,
    is_in,
    log_in,
    member,
)
from tests.support.rows import Rows

WRONG = "The email address or the password is wrong. Check both and try again."


class TestLettingIn:
    """Whose password fits."""

    def test_leads_to_the_console(self, app: Flask, client: FlaskClient) -> None:
        member(app)

        answer = log_in(client)

        assert (answer.status_code, answer.location) == (303, "/operator/")
        assert is_in(client)

    @pytest.mark.parametrize("typed", ["ADA@example.COM", "  ada@example.com "])
    def test_takes_the_address_in_any_letter_case(self, app: Flask, client: FlaskClient, typed: str) -> None:
        member(app, "Ada@Example.com")

        assert log_in(client, typed).status_code == 303

    def test_takes_a_password_however_its_letters_are_composed(self, app: Flask, client: FlaskClient) -> None:
        member(app, password="neun grüne Schirme")

        assert log_in(client, password="neun gru\u0308ne Schirme").status_code == 303

    @pytest.mark.parametrize(
        ("wanted", "location"),
        [
            ("/operator/team?x=1", "/operator/team?x=1"),
            ("/operator/?span=7", "/operator/?span=7"),
            ("https://evil.example/operator/", "/operator/"),
            ("//evil.example/operator/", "/operator/"),
            ("/operator\\@evil.example", "/operator/"),
            ("/operator/\\..\\evil", "/operator/"),
            ("/operatorevil.example", "/operator/"),
            ("javascript:alert(1)", "/operator/"),
            ("/operator/\r\nSet-Cookie: a=b", "/operator/"),
            ("", "/operator/"),
        ],
    )
    def test_leads_on_to_own_pages_only(
        self, app: Flask, client: FlaskClient, wanted: str, location: str
    ) -> None:
        member(app)
        token = csrf(client, LOGIN)

        answer = client.post(
            LOGIN,
            query_string={"next": wanted},
            data={"csrf_token": token, "email": "ada@example.com", "password": PASSWORD},
        )

        assert (answer.status_code, answer.location) == (303, location)

    def test_leads_back_to_the_page_that_was_asked_for(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        sent_away = client.get("/operator/team?page=2")

        assert sent_away.status_code == 303
        assert log_in(client, path=sent_away.location).location == "/operator/team?page=2"

    def test_who_is_in_already_is_led_on(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        log_in(client)

        assert client.get(LOGIN).location == "/operator/"

    def test_stands_in_the_audit_log(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        who = member(app)

        log_in(client)

        entry = rows(Entry)[-1]
        assert (entry.kind, entry.actor) == ("operator.logged_in", f"operator:{who.id}")
        assert rows(Operator)[0].last_login_at is not None

    def test_hashes_again_what_was_hashed_with_another_profile(
        self, app: Flask, client: FlaskClient, rows: Rows
    ) -> None:
        older = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
        member(app, password_hash=older)

        log_in(client)

        [who] = rows(Operator)
        assert who.password_hash != older
        assert "m=8,t=1,p=1" in who.password_hash
        assert is_in(client)

    def test_notes_the_browser_and_its_address(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        member(app)
        client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"

        log_in(client)

        [row] = rows(OperatorSession)
        assert (row.user_agent, row.address) == ("Firefox on Linux", "127.0.0.1")
        assert len(row.token_hash) == 64


class TestSendingAway:
    """When a password does not fit, nobody learns why."""

    @pytest.mark.parametrize("case", ["unknown", "wrong password", "disabled", "invited"])
    def test_says_and_does_the_same_whatever_is_wrong(
        self, app: Flask, client: FlaskClient, hasher: CountingHasher, case: str
    ) -> None:
        changes: dict[str, dict[str, Any]] = {
            "disabled": {"disabled_at": utcnow()},
            "invited": {"password_hash": None},
        }
        member(app, **changes.get(case, {}))
        hasher.verified.clear()
        email = "nobody@example.com" if case == "unknown" else "ada@example.com"
        password = "wrong" if case == "wrong password" else PASSWORD

        answer = log_in(client, email, password)

        page = Page.of(answer)
        assert answer.status_code == 422
        assert WRONG in page.text
        assert page.value("email") == email
        assert page.value("password") == ""
        assert len(hasher.verified) == 1
        assert not is_in(client)

    @pytest.mark.parametrize("change", [{}, {"disabled_at": utcnow()}])
    def test_looks_again_at_an_account_that_changes_meanwhile(
        self,
        app: Flask,
        client: FlaskClient,
        hasher: CountingHasher,
        monkeypatch: pytest.MonkeyPatch,
        change: dict[str, Any],
    ) -> None:
        member(app)
        change_while_verifying(app, hasher, monkeypatch, **change)

        answer = log_in(client)

        assert answer.status_code == 422
        assert WRONG in Page.of(answer).text
        assert not is_in(client)

    def test_verifies_a_hash_of_todays_profile_for_nobody(self, client: FlaskClient) -> None:
        as_in_production = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

        assert not as_in_production.check_needs_rehash(passwords.NOBODY)

    def test_production_hashes_as_owasp_advises(self, app: Flask) -> None:
        passwords.init_app(app)

        with app.app_context():
            assert passwords.hashed(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_notes_failures_of_an_account_now_and_then(
        self, app: Flask, client: FlaskClient, rows: Rows, clock: Traveller
    ) -> None:
        who = member(app)

        for _ in range(3):
            log_in(client, password="wrong")
        log_in(client, "nobody@example.com", "wrong")
        once = [entry.facts for entry in rows(Entry) if entry.kind == "operator.login_failed"]
        clock.shift(timedelta(minutes=11))
        log_in(client, password="wrong")

        assert once == [{"operator_id": who.id}]
        assert [entry.kind for entry in rows(Entry)].count("operator.login_failed") == 2

    @pytest.mark.parametrize(
        ("field", "words"), [("email", "Enter your email"), ("password", "Enter your pass")]
    )
    def test_asks_for_what_is_missing(
        self, client: FlaskClient, hasher: CountingHasher, field: str, words: str
    ) -> None:
        fields = {"email": "ada@example.com", "password": "x"} | {field: ""}

        answer = log_in(client, **fields)

        assert answer.status_code == 422
        assert words in Page.of(answer).error(field)
        assert hasher.verified == []


class TestTokenOfTheForm:
    """CSRF: a form that did not come from here is not taken."""

    @pytest.mark.parametrize("token", [None, "", "stale", "of another browser"])
    def test_shows_the_form_again_with_what_was_typed(
        self, app: Flask, client: FlaskClient, hasher: CountingHasher, token: str | None
    ) -> None:
        member(app)
        hasher.verified.clear()
        if token == "of another browser":
            token = csrf(app.test_client(), LOGIN)
        fields = {"email": "ada@example.com", "password": PASSWORD}

        answer = client.post(LOGIN, data=fields | ({} if token is None else {"csrf_token": token}))

        page = Page.of(answer)
        assert answer.status_code == 422
        assert "Please send it again" in page.text
        assert page.value("email") == "ada@example.com"
        assert hasher.verified == []
        again = {"csrf_token": page.value("csrf_token")} | fields
        assert client.post(LOGIN, data=again).status_code == 303

    def test_another_sites_page_can_log_nobody_out(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        log_in(client)

        answer = client.post("/operator/logout")

        assert answer.status_code == 400
        assert is_in(client)


class TestTooManyTries:
    """Guessing is slow, and nobody is kept out by it for long."""

    def test_one_account_is_closed_to_an_address_for_ten_minutes(
        self, app: Flask, client: FlaskClient, hasher: CountingHasher, clock: Traveller
    ) -> None:
        member(app)
        statuses = [log_in(client, password="wrong").status_code for _ in range(11)]
        hasher.verified.clear()

        refused = log_in(client)
        clock.shift(timedelta(minutes=10, seconds=1))
        let_in = log_in(client)

        assert statuses == [422] * 10 + [429]
        assert refused.status_code == 429
        assert "Try again in 10 minutes" in Page.of(refused).text
        assert Page.of(refused).value("email") == "ada@example.com"
        assert len(hasher.verified) == 1  # of the last, good try
        assert let_in.status_code == 303

    def test_an_unknown_account_is_closed_just_the_same(self, client: FlaskClient) -> None:
        statuses = [log_in(client, "nobody@example.com", "wrong").status_code for _ in range(11)]

        assert statuses == [422] * 10 + [429]

    def test_other_accounts_stay_open(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        member(app, "bob@example.com")

        for _ in range(11):
            log_in(client, password="wrong")

        assert log_in(client, "bob@example.com").status_code == 303

    def test_other_addresses_stay_open(self, app: Flask, client: FlaskClient) -> None:
        member(app)

        for _ in range(11):
            log_in(client, password="wrong")
        client.environ_base["REMOTE_ADDR"] = "203.0.113.7"

        assert log_in(client).status_code == 303

    def test_many_addresses_together_are_slowed_too_but_not_the_browser_that_was_in_before(
        self, app: Flask, client: FlaskClient
    ) -> None:
        member(app)
        log_in(client)
        with client.session_transaction() as cookie:
            cookie.clear()
        stranger = app.test_client()
        statuses = []
        for number in range(31):
            stranger.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
            statuses.append(log_in(stranger, password="wrong").status_code)
        stranger.environ_base["REMOTE_ADDR"] = "203.0.113.99"

        assert statuses == [422] * 30 + [429]
        assert log_in(stranger).status_code == 429
        assert log_in(client).status_code == 303

    def test_that_browser_may_not_guess_forever_either(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        log_in(client)
        with client.session_transaction() as cookie:
            cookie.clear()

        statuses = [log_in(client, password="wrong").status_code for _ in range(11)]

        assert statuses == [422] * 10 + [429]

    def test_a_cookie_of_another_account_or_of_nobody_helps_nobody(
        self, app: Flask, client: FlaskClient
    ) -> None:
        member(app)
        member(app, "bob@example.com")
        log_in(client, "bob@example.com")
        with client.session_transaction() as cookie:
            cookie.clear()
        forged = app.test_client()
        forged.set_cookie("gangway-device", "made-up")

        for guesser in (client, forged):
            log_in(guesser, password="wrong")
        statuses = [log_in(client, password="wrong").status_code for _ in range(9)]

        assert statuses == [422] * 8 + [429]

    def test_a_success_forgives_earlier_failures(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        for _ in range(9):
            log_in(client, password="wrong")

        log_in(client)
        with client.session_transaction() as cookie:
            cookie.clear()

        assert [log_in(client, password="wrong").status_code for _ in range(10)] == [422] * 10

    def test_an_address_that_tries_many_accounts_is_sent_away(self, client: FlaskClient) -> None:
        statuses = [log_in(client, f"user{number}@example.com", "wrong").status_code for number in range(20)]
        token = csrf(client, LOGIN)

        answer = client.post(LOGIN, data={"csrf_token": token, "email": "a@example.com", "password": "x"})

        assert statuses == [422] * 20
        assert answer.status_code == 429

    def test_many_at_once_are_counted_each(self, app: Flask, client: FlaskClient) -> None:
        member(app)
        token = csrf(client, LOGIN)
        cookie = client.get_cookie("gangway")
        assert cookie is not None

        def guess(_number: int) -> int:
            own = app.test_client()
            own.set_cookie("gangway", cookie.value)
            fields = {"csrf_token": token, "email": "ada@example.com", "password": "wrong"}
            return own.post(LOGIN, data=fields).status_code

        with ThreadPoolExecutor(8) as threads:
            statuses = list(threads.map(guess, range(16)))

        assert sorted(statuses) == [422] * 10 + [429] * 6
