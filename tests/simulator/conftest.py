"""Fixtures for the simulator: Stripe's SDK calls it in the same process.

Every answer is checked against Stripe's own OpenAPI description where that file exists.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from jsonschema import Draft202012Validator
from werkzeug.test import Client

from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.protocol.deliveries.signatures import signature

JSON = dict[str, Any]

STRIPE = Path(__file__).resolve().parents[3] / "shared" / "stripe"
FORM = "application/x-www-form-urlencoded"
UNDESCRIBED = r"/v1/customers/\w+/tax_ids(/\w+)?"  # Stripe has them, and the subset has not
SUBSET = STRIPE / "stripe-subset.openapi.json"
# Fields that the description has and real answers omit. shared/stripe/README.md lists them.
ABSENT = {"cash_balance", "description", "iin", "issuer", "moto", "custom_fields", "dynamic_last4"}


class Transport(stripe.HTTPClient):
    """Connects the SDK to a WSGI application in the same process."""

    name = "wsgi"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._client = Client(simulator.wsgi)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        answer = self._client.open(
            parts.path,
            query_string=parts.query,
            method=method.upper(),
            headers=dict(headers or {}),
            data=post_data,
        )
        if answer.status_code == 200 and answer.is_json:
            check_answer(method.upper(), parts.path, json.loads(answer.get_data()))
        return answer.get_data(as_text=True), answer.status_code, dict(answer.headers)

    def close(self) -> None:
        pass


class Inbox:
    """A webhook endpoint that records its events and can check their signatures."""

    def __init__(self) -> None:
        self.secret = ""
        self.events: list[JSON] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []  # the first answers; then it answers 200

    def __call__(self, _url: str, body: bytes, headers: dict[str, str]) -> int:
        event = json.loads(body)
        check("event", event)
        check_object(event["data"]["object"])
        self.events.append(event)
        self.headers.append(headers)
        return self.statuses.pop(0) if self.statuses else 200

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def is_signed(self, place: int = -1) -> bool:
        """Is one of the signatures in the header right for our secret?"""
        header = self.headers[place]["Stripe-Signature"]
        timestamp, *values = (part.partition("=")[2] for part in header.split(","))
        body = json.dumps(self.events[place], indent=2).encode()
        return signature(self.secret, int(timestamp), body) in values


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    simulator = Simulator()
    yield simulator
    simulator.close()


@pytest.fixture
def sdk(simulator: Simulator) -> stripe.StripeClient:
    return client_of(simulator)


@pytest.fixture
def inbox(simulator: Simulator, sdk: stripe.StripeClient) -> Inbox:
    """An endpoint for all event types. The simulator delivers to it without a network."""
    inbox = Inbox()
    simulator.send = inbox
    endpoint = sdk.v1.webhook_endpoints.create(
        {"url": "http://localhost/hook", "enabled_events": ["*"], "api_version": "2026-10-28.endive"}
    )
    inbox.secret = str(endpoint.secret)
    return inbox


@pytest.fixture
def page(simulator: Simulator) -> Client:
    return Client(simulator.wsgi)


@pytest.fixture
def raw(simulator: Simulator) -> Callable[..., Any]:
    """Send a request with the default key, for requests that the SDK would never send."""
    client = Client(simulator.wsgi)

    def send(method: str, path: str, data: str = "", kind: str = FORM, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(
            path,
            method=method,
            data=data,
            content_type=kind,
            headers={"Authorization": f"Bearer {DEFAULT_API_KEY}"} | named,
        )

    return send


@pytest.fixture
def connect() -> Callable[..., stripe.StripeClient]:
    return client_of


@pytest.fixture
def open_session(sdk: stripe.StripeClient) -> Callable[..., Any]:
    """Open a Checkout Session, for a new customer unless the arguments say otherwise."""

    def open_with(**params: Any) -> Any:
        if not params.keys() & {"customer", "customer_email", "customer_creation"}:
            customer = {"name": "Ada Example", "email": "ada@example.com"}
            params["customer"] = sdk.v1.customers.create(customer).id  # type: ignore[arg-type]
        defaults: Any = {
            "mode": "setup",
            "currency": "usd",
            "success_url": "https://portal.example.com/done?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://portal.example.com/start",
        }
        return sdk.v1.checkout.sessions.create(defaults | params)

    return open_with


def client_of(simulator: Simulator, key: str = DEFAULT_API_KEY, **more: Any) -> stripe.StripeClient:
    stripe.enable_telemetry = False
    return stripe.StripeClient(key, http_client=Transport(simulator), **more)


@cache
def description() -> JSON | None:
    return json.loads(SUBSET.read_text()) if SUBSET.exists() else None


@cache
def _definitions() -> JSON:
    subset = description() or {"components": {"schemas": {}}}
    return _with_nulls(subset["components"]["schemas"])  # type: ignore[no-any-return]


def _with_nulls(schema: Any) -> Any:
    """Translate OpenAPI 3.0's `nullable` to JSON Schema."""
    if isinstance(schema, list):
        return [_with_nulls(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _with_nulls(part) for name, part in schema.items()}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def check_answer(method: str, path: str, body: JSON) -> None:
    """Check an answer against the schema of its operation."""
    subset = description()
    if subset is None or re.fullmatch(UNDESCRIBED, path):
        return
    for template, operations in sorted(subset["paths"].items(), key=lambda item: "{" in item[0]):
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in operations:
            answer = operations[method.lower()]["responses"]["200"]
            _check(answer["content"]["application/json"]["schema"], body, f"{method} {path}")
            break
    else:
        pytest.fail(f"{method} {path} is not described")


def check_object(value: JSON) -> None:
    check(value["object"], value)


def check(kind: str, value: JSON) -> None:
    if description() is not None:
        _check({"$ref": f"#/components/schemas/{kind}"}, value, kind)


def _check(schema: JSON, value: JSON, where: str) -> None:
    root = {"components": {"schemas": _definitions()}, **_with_nulls(schema)}
    problems = [
        f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(root).iter_errors(value)
    ]
    problems += _missing_nulls(schema, value, where)
    assert not problems, f"{where}: {problems}"


def _missing_nulls(schema: JSON, value: Any, where: str) -> list[str]:
    """List missing nullable fields: the SDK raises AttributeError for them."""
    subset = description()
    assert subset is not None
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _missing_nulls(subset["components"]["schemas"][name], value, where)
    if "anyOf" in schema:
        return _missing_nulls(_matching(schema["anyOf"], value), value, where)
    if isinstance(value, list):
        each = schema.get("items", {})
        return [p for i, part in enumerate(value) for p in _missing_nulls(each, part, f"{where}[{i}]")]
    if not isinstance(value, dict):
        return []
    missing = []
    for name, field in schema.get("properties", {}).items():
        if name in value:
            missing += _missing_nulls(field, value[name], f"{where}.{name}")
        elif field.get("nullable") and name not in ABSENT and "x-overlay" not in field:
            missing.append(f"{where}.{name} is missing")
    return missing


def _matching(options: list[JSON], value: Any) -> JSON:
    """Return the alternative that describes the value."""
    schemas = (description() or {})["components"]["schemas"]
    for option in options:
        known = schemas[option["$ref"].rsplit("/", 1)[-1]] if "$ref" in option else option
        kind = known.get("properties", {}).get("object", {}).get("enum", [None])[0]
        fields = known.get("properties", {})
        if (
            isinstance(value, dict)
            and fields
            and kind in {value.get("object"), None}
            and ("deleted" in fields) == ("deleted" in value)
        ):
            return known
    return {}
