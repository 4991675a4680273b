"""What older API versions call by other words. Inside the simulator everything has the newest words."""

from app.simulator import parameters
from app.simulator.errors import StripeError
from app.simulator.shapes import JSON

# https://docs.stripe.com/changelog/dahlia/2026-03-25/updates-available-checkout-session-ui-modes
DAHLIA = "2026-03-25"
# From here on, payment_method_types is no longer a parameter of Sessions and SetupIntents.
ENDIVE = "2026-09-30"

_UI_MODES = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}
_OLDER_UI_MODES = {newer: older for older, newer in _UI_MODES.items()}
_WITH_TYPES = ("POST /v1/checkout/sessions", "POST /v1/setup_intents")


def checked(operation: str, version: str, given: JSON) -> JSON:
    """The parameters of a request, in the newest words and checked; raises StripeError."""
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
        # The table no longer has it, but what has taken its place is typed alike.
        alike = parameters.check(operation, newer | {"allowed_payment_method_types": types})
        found["payment_method_types"] = alike["allowed_payment_method_types"]
    return found


def rendered(body: JSON, version: str) -> JSON:
    """An object as a version shows it. Events keep the version in which they were written."""
    if version[:10] >= DAHLIA or body.get("object") == "event":
        return body
    return _with_older_words(body)


def rendered_event(event: JSON, version: str) -> JSON:
    """An event as an endpoint of a version gets it."""
    data = event["data"] | {"object": rendered(event["data"]["object"], version)}
    return event | {"api_version": version, "data": data}


def _newer_ui_mode(word: object) -> str:
    if word not in _UI_MODES:
        raise StripeError("Invalid ui_mode: must be one of hosted, embedded, or custom", param="ui_mode")
    return _UI_MODES[str(word)]


def _with_older_words(value: JSON) -> JSON:
    older = {name: _older(part) for name, part in value.items()}
    if older.get("object") == "checkout.session":
        older["ui_mode"] = _OLDER_UI_MODES.get(str(older["ui_mode"]), older["ui_mode"])
    return older


def _older(part: object) -> object:
    if isinstance(part, dict):
        return _with_older_words(part)
    return [_older(one) for one in part] if isinstance(part, list) else part
