"""A hand-over can't lock a value that the form of the profile refuses: that form could never be sent."""

from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.customers import Customer
from app.onboarding.handovers import HandoverUse
from app.portal.sections.form import DEFAULT_FIELDS
from tests.support.api import Api, wrong_fields
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.handovers import HandoverPage, make_secret, sign
from tests.support.profiles import publish_profiles
from tests.support.rows import Rows
from tests.support.tokens import bearer

NAME = {"name": "Ada Lovelace Ltd", "email": "ada@example.com"}
ADDRESS = {"line1": "1 Road", "city": "Berlin", "country": "DE"}
UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"currency": "GBP", "locked": ["currency"]}, "currency"),
    ({"phone": "call me", "locked": ["phone"]}, "phone"),
    ({"taxId": "DE1", "billingAddress": ADDRESS, "locked": ["taxId"]}, "taxId"),
    ({"billingAddress": {"city": "Berlin"}, "locked": ["billingAddress"]}, "billingAddress"),
    ({"billingAddress": ADDRESS | {"country": "ZZ"}, "locked": ["billingAddress"]}, "billingAddress"),
    ({"customFields": {"plan": "none-such"}}, "customFields.plan"),
]
FIT: list[dict[str, Any]] = [
    {"currency": "USD", "locked": ["currency"]},
    {"currency": "GBP"},  # the browser chooses another
    {"taxId": "DE136695976", "locked": ["taxId"], "billingAddress": ADDRESS},
    {"taxId": "DE136695976", "locked": ["taxId"]},  # the browser chooses the country
    {"subjectKeys": ["names-of-visitors-look-otherwise"]},
    {"customFields": {"plan": "gold"}},
]


@pytest.fixture
def secret(app: Flask) -> str:
    """A secret of a company. Its form asks for much and offers two currencies."""
    publish(app, currencies=("EUR", "USD"))
    return make_secret(app)


def publish(app: Flask, **form: Any) -> None:
    """Let the form ask for much."""
    fields = {**DEFAULT_FIELDS, "phone": "optional", "billing_address": "required", "tax_id": "optional"}
    plan = portal.CustomField(
        name="plan", kind="choice", label={"en": "Plan"}, choices=("gold", "silver"), presence="locked"
    )
    asked = portal.Form.model_validate(
        {"fields": fields, "custom_fields": (plan,), "subject_key_pattern": "customer-*", **form}
    )
    publish_profiles(app, portal.Profile(form=asked))


@for_each(("more", "name"), UNFIT)
def test_refuses_a_call(app: Flask, secret: str, more: dict[str, Any], name: str) -> None:
    api = Api(app.test_client(), bearer(app, "write"))

    answer = api.post("/onboarding/handovers", NAME | more)

    assert answer.status_code == 400
    assert wrong_fields(answer) == {f"/{name.replace('.', '/')}"}
    assert f"{name}: " in answer.get_json()["detail"]


@for_each(("more", "name"), UNFIT)
def test_refuses_a_token(
    client: FlaskClient, secret: str, rows: Rows, more: dict[str, Any], name: str
) -> None:
    with structlog.testing.capture_logs() as logged:
        page = HandoverPage(client, sign(secret, NAME | more, singleUse=True))

    assert page.answer.status_code == 422
    assert "The app sent a value that this form doesn\u2019t accept" in page.page.text
    [entry] = [entry for entry in logged if entry["event"] == "handover_refused"]
    assert entry["kind"] == "unfit"
    assert entry["reason"].startswith(f"{name}: ")
    assert rows(HandoverUse) == []


@for_each("more", FIT)
def test_takes_what_the_form_can_send(
    app: Flask, client: FlaskClient, secret: str, more: dict[str, Any]
) -> None:
    api = Api(app.test_client(), bearer(app, "write"))
    page = HandoverPage(client, sign(secret, NAME | more))

    answer = page.submit(**ADDRESS, currency=more.get("currency", "EUR").replace("GBP", "EUR"))

    assert api.post("/onboarding/handovers", NAME | more).status_code == 201
    assert "/c/pay/" in answer.location, Page.of(answer).text


def test_takes_the_only_currency_alone(app: Flask, client: FlaskClient, rows: Rows) -> None:
    publish(app, currencies=("EUR",))
    secret = make_secret(app)

    refused = HandoverPage(client, sign(secret, NAME, currency="USD"))
    taken = HandoverPage(client, sign(secret, NAME, currency="EUR", customFields={"plan": "gold"}))

    assert (refused.answer.status_code, taken.answer.status_code) == (422, 200)
    assert taken.submit(**ADDRESS).status_code == 303
    assert rows(Customer)[0].currency == "EUR"


def test_refuses_a_form_that_was_drawn_before_the_offer_changed(
    app: Flask, client: FlaskClient, secret: str, rows: Rows
) -> None:
    page = HandoverPage(client, sign(secret, NAME, currency="USD", locked=["currency"]))
    publish(app, currencies=("EUR", "GBP"))

    assert page.submit(**ADDRESS).status_code == 422
    assert rows(Customer) == []


def test_refuses_a_call_that_answers_an_unknown_question(app: Flask, secret: str) -> None:
    api = Api(app.test_client(), bearer(app, "write"))

    answer = api.post("/onboarding/handovers", NAME | {"customFields": {"plan": "gold", "plam": "gold"}})
    publish_profiles(app, portal.Profile())
    without = api.post("/onboarding/handovers", NAME | {"customFields": {"plan": "gold"}})

    assert (answer.status_code, without.status_code) == (400, 400)
    assert wrong_fields(answer) == {"/customFields/plam"}
    assert "customFields.plam: The profile has no such question. It has plan." in answer.get_json()["detail"]
    assert wrong_fields(without) == {"/customFields/plan"}
    assert "The profile has no questions of your own." in without.get_json()["detail"]


def test_a_token_outlives_the_question_that_it_answers(
    app: Flask, client: FlaskClient, secret: str, rows: Rows
) -> None:
    token = sign(secret, NAME, customFields={"plan": "gold"}, locked=["name"])
    publish(app, custom_fields=())

    with structlog.testing.capture_logs() as logged:
        page = HandoverPage(client, token)

    assert page.submit(**ADDRESS, currency="EUR").status_code == 303
    assert [row.extra for row in rows(Customer)] == [None]
    [entry] = [entry for entry in logged if entry["event"] == "handover_answers_left_out"]
    assert entry["questions"] == ["plan"]
