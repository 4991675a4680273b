"""Tell Stripe's webhooks from everybody else's."""

import hashlib
import hmac
import time

from app.core.errors import Invalid

TOLERANCE = 300  # seconds, in either direction


def verify(payload: bytes, header: str, secrets: list[str]) -> str:
    """Return the one of our secrets with which Stripe signed these bytes, within five minutes of now.

    The SDK's `WebhookSignature` takes text only, so it cannot check a signed body that is not UTF-8. It also
    accepts a signature from the future, which we refuse. Raises Invalid.
    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    signed_at, signatures = _parse(header) if header.isascii() else (None, [])
    if signed_at is None:
        raise Invalid("The Stripe-Signature header is missing or malformed.")
    if signed_at > time.time() + TOLERANCE:
        raise Invalid("The signature is from the future; check this machine's clock.")
    is_recent = signed_at >= time.time() - TOLERANCE
    signed = f"{signed_at}.".encode() + payload
    for secret in secrets if is_recent else ():
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if any(hmac.compare_digest(expected, found) for found in signatures):
            return secret
    raise Invalid("No signature fits these bytes and our secrets, or it is older than five minutes.")


def _parse(header: str) -> tuple[int | None, list[str]]:
    """Return when Stripe signed, and its signatures. Other schemes than v1 do not count."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    is_time = len(times) == 1 and times[0].isdigit() and len(times[0]) < 16
    return int(times[0]) if is_time else None, [value for name, _, value in parts if name == "v1"]
