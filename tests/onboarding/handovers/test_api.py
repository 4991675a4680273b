"""A program with an API token makes a hand-over by one call."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core.db import utcnow
from app.customers import Customer
from tests.support.api import Api, wrong_fields
from tests.support.cases import for_each
from tests.support.handovers import CLAIMS, RETURN_URL, HandoverPage
from tests.support.rows import Rows
from tests.support.tokens import bearer

PATH = "/onboarding/handovers"


@pytest.fixture
def api(app: Flask) -> Api:
    """The company's server, with a token that may write."""
    return Api(app.test_client(), bearer(app, "write"))


def make(api: Api, **more: Any) -> str:
    """Return the token in the URL of a new hand-over."""
    made = api.post(PATH, CLAIMS | more)
    assert made.status_code == 201
    url: str = made.get_json()["url"]
    return parse_qs(urlsplit(url).query)["handover"][0]


def test_answers_with_the_url_and_its_end(api: Api) -> None:
    made = api.post(PATH, CLAIMS).get_json()

    assert made.keys() == {"url", "expiresAt"}
    assert made["url"].startswith("http://127.0.0.1:8000/signup?handover=ey")
    assert made["expiresAt"] > utcnow().isoformat()


def test_fills_in_the_form(api: Api, client: FlaskClient, rows: Rows) -> None:
    HandoverPage(client, make(api, locked=["email"], returnURL=RETURN_URL, singleUse=True)).submit()

    [customer] = rows(Customer)
    assert customer.key == "customer-42"
    used = [entry for entry in rows(Entry) if entry.kind == "handover.used"]
    assert [entry.actor.partition(":")[0] for entry in used] == ["token"]


def test_stores_nothing(api: Api, rows: Rows) -> None:
    make(api)

    assert rows(Customer) == []
    assert {entry.kind for entry in rows(Entry)} <= {"token.created", "app.installed"}


def test_ends_when_it_says(api: Api, client: FlaskClient, clock: time_machine.Traveller) -> None:
    token = make(api, expiresInSeconds=600)

    clock.shift(timedelta(minutes=9))
    before = HandoverPage(client, token).answer.status_code
    clock.shift(timedelta(minutes=4))

    assert before == 200
    assert HandoverPage(client, token).answer.status_code == 410


def test_makes_two_single_uses_of_the_same_details(api: Api) -> None:
    assert make(api, singleUse=True) != make(api, singleUse=True)


def test_is_signed_with_a_key_that_is_not_the_public_one(api: Api) -> None:
    token = make(api)

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "kid": "gangway"}
    for guess in ("gangway", "handover"):
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, guess * 8, algorithms=["HS256"])


@for_each(
    ("body", "field"),
    [
        ({"email": "x"}, "/email"),
        ({"currency": "XXX"}, "/currency"),
        ({"key": "customer-1\u200b"}, "/key"),
        ({"subjectKeys": ["meter", "meter\u2060"]}, "/subjectKeys/1"),
        ({"returnURL": "javascript:alert(1)"}, "/returnURL"),
        ({"returnURL": "https://me@evil.example"}, "/returnURL"),
        ({"returnURL": "https://-"}, "/returnURL"),
        ({"expiresInSeconds": 59}, "/expiresInSeconds"),
        ({"expiresInSeconds": 604801}, "/expiresInSeconds"),
        ({"locked": ["phone"]}, ""),
        ({"profile": "none-such"}, "/profile"),
    ],
)
def test_refuses_what_could_not_be_used(api: Api, body: dict[str, Any], field: str) -> None:
    answer = api.post(PATH, body)

    assert answer.status_code == 400
    assert wrong_fields(answer) == {field}


def test_refuses_details_that_fit_in_no_url(api: Api) -> None:
    answer = api.post(PATH, {"subjectKeys": [f"{number:0100}" for number in range(60)]})

    assert answer.status_code == 400
    assert "too long for a URL" in answer.get_json()["detail"]


def test_needs_a_token_that_may_write(app: Flask) -> None:
    assert Api(app.test_client(), bearer(app, "read")).post(PATH, CLAIMS).status_code == 403
    assert Api(app.test_client(), {}).post(PATH, CLAIMS).status_code == 401
