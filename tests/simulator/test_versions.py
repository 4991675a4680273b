"""API versions: each takes and shows its own names."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each

JSON = dict[str, Any]
BASIL, DAHLIA, ENDIVE = "2025-08-27.basil", "2026-03-25.dahlia", "2026-10-28.endive"
SESSIONS = "/v1/checkout/sessions"
SETUP = "mode=setup&success_url=https://example.com/s"
CARDS = "&payment_method_types[]=card"

Raw = Callable[..., Any]


@for_each("version", [BASIL, DAHLIA])
def test_payment_method_types_replace_the_currency_before_endive(version: str, raw: Raw) -> None:
    answer = raw("POST", SESSIONS, SETUP + CARDS, Stripe_Version=version)

    assert answer.status_code == 200, answer.text
    assert answer.get_json()["payment_method_types"] == ["card"]


def test_every_version_needs_a_currency_or_types(raw: Raw) -> None:
    answers = [raw("POST", SESSIONS, SETUP, Stripe_Version=version) for version in (BASIL, DAHLIA, ENDIVE)]

    assert [answer.get_json()["error"]["param"] for answer in answers] == ["currency"] * 3


@for_each(
    ("version", "word"),
    [(BASIL, "hosted"), (DAHLIA, "hosted_page"), (ENDIVE, "hosted_page")],
)
def test_a_session_shows_its_versions_ui_mode(version: str, word: str, raw: Raw) -> None:
    for asked in ("", f"&ui_mode={word}"):
        made = raw("POST", SESSIONS, f"{SETUP}&currency=usd{asked}", Stripe_Version=version)
        read = raw("GET", f"{SESSIONS}/{made.get_json()['id']}", Stripe_Version=version)
        listed = raw("GET", SESSIONS, Stripe_Version=version).get_json()["data"]

        assert {one["ui_mode"] for one in (made.get_json(), read.get_json(), *listed)} == {word}


@for_each(
    ("version", "word"),
    [(BASIL, "hosted_page"), (BASIL, "embedded_page"), (DAHLIA, "hosted"), (ENDIVE, "custom")],
)
def test_refuses_the_ui_mode_of_another_version(version: str, word: str, raw: Raw) -> None:
    answer = raw("POST", SESSIONS, f"{SETUP}&currency=usd&ui_mode={word}", Stripe_Version=version)

    assert answer.status_code == 400
    assert answer.get_json()["error"]["param"] == "ui_mode"


def test_an_event_has_the_version_of_its_endpoint(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Callable[..., Any]
) -> None:
    sent: list[JSON] = []

    def take(_url: str, body: bytes, _headers: dict[str, str]) -> int:
        sent.append(json.loads(body))
        return 200

    simulator.send = take
    for version in (BASIL, ENDIVE):
        sdk.v1.webhook_endpoints.create(
            {"url": "http://localhost/hook", "enabled_events": ["*"], "api_version": version}  # type: ignore[typeddict-item]
        )
    simulator.save_card(open_session().id)
    simulator.deliver_due()

    told = {
        event["api_version"]: event["data"]["object"]["ui_mode"]
        for event in sent
        if event["type"] == "checkout.session.completed"
    }
    assert told == {BASIL: "hosted", ENDIVE: "hosted_page"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@for_each("path", ["/", "/v2/core/event_destinations", "/v3", "/c/pay", "/favicon.ico", "/v1", "/v1/nothing"])
def test_answers_every_unknown_path_in_json(method: str, path: str, raw: Raw) -> None:
    answer = raw(method, path)

    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.get_json()["error"]["type"] == "invalid_request_error"
