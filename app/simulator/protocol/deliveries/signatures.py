"""Signatures of deliveries. Source: https://docs.stripe.com/webhooks#verify-manually."""

import hashlib
import hmac
import time

from app.simulator.protocol.faults.fault_settings import FaultSettings
from app.simulator.store import JSON, ids

_STALE_SECONDS = 600  # twice what the SDK tolerates


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the v1 signature: HMAC-SHA256 of timestamp, full stop and body, in lower-case hex."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def signature_header(note: JSON, body: bytes, *, now: float, settings: FaultSettings) -> str:
    """Return the `Stripe-Signature` header for one attempt. `note` holds the endpoint's secrets.

    The timestamp is the real time, because the receiver compares it with its own clock.
    """
    timestamp = int(time.time()) - (_STALE_SECONDS if settings.stale else 0)
    secrets: list[str] = [note["secret"]]
    if note.get("old_until", 0) > now:  # rolled with an overlap
        secrets.append(note["old_secret"])
    if settings.wrong_secret or settings.happens(settings.missign_rate):
        secrets = [ids.webhook_secret()]
    if settings.two_signatures:
        secrets.insert(0, ids.webhook_secret())
    values = [signature(secret, timestamp, body) for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={value}" for value in values)])
