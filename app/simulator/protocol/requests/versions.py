"""Older API versions. The simulator itself uses the newest names, and translates at its edge."""

from app.simulator.protocol.errors import StripeError
from app.simulator.protocol.requests import parameters
from app.simulator.store import JSON

# https://docs.stripe.com/changelog/dahlia/2026-03-25/updates-available-checkout-session-ui-modes
DAHLIA = "2026-03-25"
# Since this version, Sessions and SetupIntents have no parameter payment_method_types.
ENDIVE = "2026-09-30"

_UI_MODES = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}
_OLDER_UI_MODES = {newer: older for older, newer in _UI_MODES.items()}
_WITH_TYPES = ("POST /v1/checkout/sessions", "POST /v1/setup_intents")


def check_parameters(operation: str, version: str, given: JSON) -> JSON:
    """Check the parameters of a request and return them with their newest names. Raises StripeError."""
    newer = dict(given)
    types = newer.pop("payment_method_types", None) if operation in _WITH_TYPES else None
    if operation == "POST /v1/checkout/sessions" and "ui_mode" in given and version[:10] < DAHLIA:
        newer["ui_mode"] = _newer_ui_mode(given["ui_mode"])
    if types is not None and version[:10] >= ENDIVE:
        raise StripeError(
            "payment_method_types is no longer supported in this API version. Use "
            "allowed_payment_method_types instead.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    found = parameters.check(operation, newer)
    if types is not None:
        # The table lacks it, but its successor has the same type.
        successor = parameters.check(operation, newer | {"allowed_payment_method_types": types})
        found["payment_method_types"] = successor["allowed_payment_method_types"]
    return found


def render(body: JSON, version: str) -> JSON:
    """Return an object as this version shows it. Events keep their own version."""
    if version[:10] >= DAHLIA or body.get("object") == "event":
        return body
    return _render_older(body)


def render_event(event: JSON, version: str) -> JSON:
    """Return an event as an endpoint with this version gets it."""
    data = event["data"] | {"object": render(event["data"]["object"], version)}
    return event | {"api_version": version, "data": data}


def _newer_ui_mode(word: object) -> str:
    if word not in _UI_MODES:
        raise StripeError("Invalid ui_mode: must be one of hosted, embedded, or custom", param="ui_mode")
    return _UI_MODES[str(word)]


def _render_older(value: JSON) -> JSON:
    older = {name: _render_part(part) for name, part in value.items()}
    if older.get("object") == "checkout.session":
        older["ui_mode"] = _OLDER_UI_MODES.get(str(older["ui_mode"]), older["ui_mode"])
    return older


def _render_part(part: object) -> object:
    if isinstance(part, dict):
        return _render_older(part)
    return [_render_part(one) for one in part] if isinstance(part, list) else part
