"""A bad token lets nobody in, whatever is wrong with it, and sends people back to the app calmly."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.config import Settings
from app.customers import Customer
from app.web.logging import masked
from tests.conftest import make_settings
from tests.support.cases import for_each
from tests.support.handovers import (
    CLAIMS,
    HEADER,
    HandoverPage,
    encoded,
    in_seconds,
    make_secret,
    revoke_secrets,
    secret_ids,
    sign,
)
from tests.support.rows import Rows

HEADING = "Go back and start again"


@pytest.fixture
def secret(app: Flask) -> str:
    """A secret that the company's app has."""
    return make_secret(app)


def is_refused(client: FlaskClient, token: str, status: int = 404) -> bool:
    """Does a token lead to the calm page?"""
    page = HandoverPage(client, token)
    return (
        page.answer.status_code == status
        and page.page.h1 == HEADING
        and not page.page.all("form", id="details")
    )


@for_each("token", ["", "x", "a.b.c", "....", "eyJ.eyJ.", "ä", "%00", "\ud83d", "x" * 4000, "e30.e30.e30"])
def test_what_is_no_token(client: FlaskClient, token: str) -> None:
    assert is_refused(client, token.encode("utf-8", "replace").decode())


@for_each("algorithm", ["none", "None", "NONE", "", None, "HS384", "HS512", "RS256", "ES256", "hs256"])
def test_another_algorithm(client: FlaskClient, secret: str, algorithm: str | None) -> None:
    header = {"alg": algorithm, "typ": "JWT"}
    signed = sign(secret, header=header)

    assert is_refused(client, signed)
    assert is_refused(client, signed.rpartition(".")[0] + ".")


def test_one_without_a_signature(client: FlaskClient, secret: str) -> None:
    text = sign(secret).rpartition(".")[0]

    assert is_refused(client, text)
    assert is_refused(client, f"{text}.")


def test_one_that_was_altered(client: FlaskClient, secret: str) -> None:
    header, _, signature = sign(secret).split(".")
    altered = encoded(CLAIMS | {"exp": in_seconds(minutes=5), "key": "somebody-else"})

    assert is_refused(client, f"{header}.{altered}.{signature}")


def test_one_signed_by_a_stranger(client: FlaskClient, secret: str) -> None:
    assert is_refused(client, sign("x" * 60))
    assert is_refused(client, sign(""))


def test_one_signed_with_a_revoked_secret(app: Flask, client: FlaskClient, secret: str) -> None:
    token = sign(secret)
    revoke_secrets(app)

    assert is_refused(client, token)


@for_each("key_id", ["gangway", "01K0A5QJ7M8Z3T9V4XWYB2C6DE", "../../etc/passwd", "' OR 1=1 --"])
def test_one_that_names_another_key(client: FlaskClient, secret: str, key_id: str) -> None:
    assert is_refused(client, sign(secret, header=HEADER | {"kid": key_id}))


def test_one_that_names_one_secret_and_is_signed_with_another(
    app: Flask, client: FlaskClient, secret: str
) -> None:
    other = make_secret(app)

    assert is_refused(client, sign(other, header=HEADER | {"kid": secret_ids(app)[0]}))


def test_one_that_brings_a_key_of_its_own(client: FlaskClient, secret: str) -> None:
    own = {"kty": "oct", "k": encoded(b"x" * 40)}

    assert is_refused(client, sign("x" * 40, header=HEADER | {"jwk": own, "jku": "https://evil.example"}))


@for_each(
    ("claims", "status"),
    lambda: [  # made when the test runs, because some name a moment
        ({"exp": in_seconds(minutes=-5)}, 410),
        ({"exp": None}, 404),
        ({"exp": in_seconds(days=8)}, 404),
        ({"exp": "soon"}, 404),
        ({"exp": 10**30}, 404),
        ({"exp": -1}, 410),
        ({"exp": [1]}, 404),
        ({"exp": float("inf")}, 404),
        ({"exp": float("nan")}, 404),
        ({"nbf": float("inf")}, 404),
        ({"iat": {}}, 404),
        ({"nbf": in_seconds(days=1)}, 404),
        ({"iat": in_seconds(days=1)}, 404),
        ({"aud": "https://another.example"}, 404),
        ({"locked_fields": ["email"]}, 404),
        ({"billingAddress": {"country": "DE", "zip": "10115"}}, 404),
        ({"admin": True}, 404),
        ({"locked": ["password"]}, 404),
        ({"locked": ["phone"]}, 404),
        ({"locked": "email"}, 404),
        ({"email": "not an address"}, 404),
        ({"currency": "XXX"}, 404),
        ({"name": "\u200b"}, 404),
        ({"name": "a\x00b"}, 404),
        ({"name": {"$ne": ""}}, 404),
        ({"key": "x" * 257}, 404),
        ({"key": "customer\u200b-1"}, 404),
        ({"subjectKeys": ["meter\u200d1"]}, 404),
        ({"subjectKeys": ["a", "a"]}, 404),
        ({"profile": "no-such-profile"}, 404),
        ({"profile": "../operator"}, 404),
        ({"returnURL": "javascript:alert(1)"}, 404),
        ({"returnURL": "https://user:password@evil.example"}, 404),
        ({"returnURL": "https://app.example.com@evil.example"}, 404),
        ({"returnURL": "//evil.example"}, 404),
        ({"returnURL": "https://."}, 404),
        ({"returnURL": "https://a..b/done"}, 404),
        ({"returnURL": "http://app.example.com"}, 404),
        ({"returnURL": "https:\\\\evil.example"}, 404),
        ({"returnURL": "https://evil.example\n.example.com"}, 404),
        ({"returnURL": "data:text/html,x"}, 404),
    ],
)
def test_one_that_says_too_much_or_too_little(
    client: FlaskClient, secret: str, claims: dict[str, Any], status: int
) -> None:
    assert is_refused(client, sign(secret, **claims), status)


def test_a_payload_that_is_no_object(client: FlaskClient, secret: str) -> None:
    for payload in (b"[]", b'"x"', b"1", b"null"):
        assert is_refused(client, f"{encoded(HEADER)}.{encoded(payload)}.x")


def test_a_deeply_nested_payload(client: FlaskClient, secret: str) -> None:
    nested = encoded(b'{"exp":' + b"[" * 1500 + b"]" * 1500 + b"}")

    assert is_refused(client, f"{encoded(HEADER)}.{nested}.x")


def test_a_form_with_a_token_in_place_of_our_own_word(client: FlaskClient, secret: str, rows: Rows) -> None:
    token = sign(secret)
    page = HandoverPage(client, token)

    answers = [
        page.submit(handover=forged).status_code
        for forged in (token, "x", page.fields()["handover"][0] + "x")
    ]

    assert answers == [410, 410, 410]
    assert rows(Customer) == []


class TestGuesses:
    """Bad tokens count as bad API tokens do."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """Few guesses are allowed."""
        return make_settings(database_url=database_url, rate_limit_bad_token="3 per hour")

    def test_are_limited(self, client: FlaskClient, secret: str) -> None:
        statuses = [HandoverPage(client, "x").answer.status_code for _ in range(5)]

        assert statuses == [404, 404, 404, 429, 429]
        assert HandoverPage(client, sign(secret)).answer.status_code == 200

    def test_are_not_those_who_come_late(self, client: FlaskClient, secret: str) -> None:
        token = sign(secret, exp=in_seconds(minutes=-5))

        statuses = [HandoverPage(client, token).answer.status_code for _ in range(5)]

        assert statuses == [410] * 5


def test_no_secret_and_no_token_is_logged() -> None:
    token = sign("gangway_handover_" + "x" * 43)

    shown = masked(f"GET /signup?handover={token}&x=1 {token} gangway_handover_{'x' * 43}")

    assert shown == "GET /signup?handover=***&x=1 *** gangway_handover_***"


@for_each("name", ["key", "handover", "given", "cls", "nonce", "csrf_token", "Team", "a b", ""])
def test_an_answer_to_what_is_no_question(client: FlaskClient, secret: str, name: str) -> None:
    assert is_refused(client, sign(secret, customFields={name: "evil"}))
