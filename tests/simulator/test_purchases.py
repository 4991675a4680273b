"""The calls that only the Stripe CLI makes: it buys, pays without a browser, and resends events."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.cases import for_each
from tests.support.simulator import Raw

PAGE = "/v1/payment_pages"


def make(raw: Raw, path: str, **params: object) -> dict[str, Any]:
    """Create an object and return it."""
    answer = raw("POST", path, urlencode(params))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.get_json()
    return made


@pytest.fixture
def price(raw: Raw) -> dict[str, Any]:
    """A price of 15.00 dollars."""
    product = make(raw, "/v1/products", name="myproduct", description="(created by Stripe CLI)")
    return make(raw, "/v1/prices", product=product["id"], unit_amount="1500", currency="usd")


@pytest.fixture
def session(raw: Raw, price: dict[str, Any]) -> dict[str, Any]:
    """An open session with two items of that price."""
    items = {"line_items[0][price]": price["id"], "line_items[0][quantity]": "2"}
    return make(raw, "/v1/checkout/sessions", mode="payment", success_url="https://example.com/", **items)


def test_a_session_shows_its_amounts(session: dict[str, Any]) -> None:
    told = {name: session[name] for name in ("mode", "status", "amount_total", "currency", "payment_status")}

    assert told == {
        "mode": "payment",
        "status": "open",
        "amount_total": 3000,
        "currency": "usd",
        "payment_status": "unpaid",
    }


def test_takes_one_payment(raw: Raw, session: dict[str, Any]) -> None:
    method = make(raw, "/v1/payment_methods", type="card", **{"card[token]": "tok_visa"})
    path, form = f"{PAGE}/{session['id']}", f"payment_method={method['id']}"

    opened = raw("GET", path)
    paid = raw("POST", f"{path}/confirm", form)
    again = raw("POST", f"{path}/confirm", form)

    assert opened.get_json()["id"] == session["id"]
    assert (paid.get_json()["status"], paid.get_json()["payment_status"]) == ("complete", "paid")
    assert again.status_code == 400
    assert again.get_json()["error"]["message"] == "This Checkout Session can't be paid for."


def test_refuses_an_unknown_payment_method(raw: Raw, session: dict[str, Any]) -> None:
    answer = raw("POST", f"{PAGE}/{session['id']}/confirm", "payment_method=pm_none")

    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, "payment_method")


@for_each(
    ("path", "form", "param"),
    [
        ("/v1/prices", "product=prod_none&unit_amount=1&currency=usd", "product"),
        ("/v1/checkout/sessions", "mode=payment&success_url=https://example.com/", "line_items"),
        (
            "/v1/checkout/sessions",
            "mode=payment&success_url=https://example.com/&line_items[0][price]=price_none",
            "line_items[0][price]",
        ),
    ],
)
def test_refuses_unknown_prices_and_products(raw: Raw, path: str, form: str, param: str) -> None:
    answer = raw("POST", path, form)

    assert answer.status_code == 400
    assert answer.get_json()["error"]["param"] == param


def test_resends_an_event(raw: Raw, simulator: Any, inbox: Any) -> None:
    make(raw, "/v1/customers", name="Ada")
    simulator.deliver_due()
    [event] = inbox.events

    answer = raw("POST", f"/v1/events/{event['id']}/retry", "")
    simulator.deliver_due()
    nowhere = raw("POST", f"/v1/events/{event['id']}/retry", "webhook_endpoint=we_none")

    assert answer.status_code == 200
    assert [one["id"] for one in inbox.events] == [event["id"]] * 2
    assert nowhere.status_code == 400
