"""Telling Stripe's webhooks from anyone else's."""

import time

import stripe

from app.core.errors import Invalid

TOLERANCE = 300  # seconds, in either direction


def verify(payload: bytes, header: str, secrets: list[str]) -> None:
    """Check that Stripe signed these bytes with one of our secrets, within five minutes of now.

    The SDK's `construct_event` also builds typed objects, at twenty times the cost; and it lets a
    signature from the future pass, which we don't. Raises Invalid.
    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The body is not UTF-8.") from error
    signed_at = _signed_at(header) if header.isascii() else None
    if signed_at is None:
        raise Invalid("The Stripe-Signature header is missing or malformed.")
    if signed_at > time.time() + TOLERANCE:
        raise Invalid("The signature is from the future; compare this machine's clock.")
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, header, secret, TOLERANCE)
        except stripe.SignatureVerificationError:
            continue
        return
    raise Invalid("No signature of ours fits these bytes, or it is older than five minutes.")


def _signed_at(header: str) -> int | None:
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
    return None
