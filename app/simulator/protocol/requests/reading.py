"""How a request is read: its key, its version and its parameters."""

import base64
import binascii

from flask import request

from app.simulator.protocol import keys
from app.simulator.protocol.call import Call
from app.simulator.protocol.errors import StripeError
from app.simulator.protocol.requests import encoding, versions
from app.simulator.protocol.requests.parameter_table import words


def read_request(call: Call, operation: str, request_id: str) -> None:
    """Fill in the account, version and parameters of a call.

    Raises StripeError for a key without access, an unknown version, or wrong parameters.
    """
    key = _api_key()
    account, permissions = keys.authenticate(call.store, key)
    keys.check_permission(operation, key, account, permissions)
    call.account = account
    call.request = {"id": request_id, "idempotency_key": request.headers.get("Idempotency-Key")}
    call.version = request.headers.get("Stripe-Version", call.store.accounts_version(account))
    if call.version not in words("api_version"):
        raise StripeError(f"Invalid Stripe API version: {call.version}")
    if request.method == "POST" and request.mimetype not in {"", "application/x-www-form-urlencoded"}:
        raise StripeError(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). "
            "If you have any questions, we can help at https://support.stripe.com/.",
        )
    text = request.get_data() if request.method == "POST" else request.query_string
    given = encoding.decode(text.decode("utf-8", errors="replace"))
    call.params = versions.check_parameters(operation, call.version, given)


def _api_key() -> str:
    """Return the key of a Bearer header, or the user name of a Basic one."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value.strip()
