"""The idempotency keys under which Stripe is asked for a customer's session."""

import hashlib
import json

from app import apps

STRIPE_LIMIT = 255  # characters; https://docs.stripe.com/api/idempotent_requests
SUFFIX_LENGTH = 10  # the gateway may add one, when the first key is used up


def session_key(wish: str, app: apps.App, customer_id: str, *parameters: object) -> str:
    """Name the session that is asked for. A digest of the parameters keeps a changed request apart.

    The caller's own key is part of the wish. One that would make the whole too long for Stripe goes in as a
    digest, so that every key that we accept is one for Stripe, too.
    """
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]
    key = f"gangway-session-{wish}-{app.id}-{customer_id}-{digest}"
    if len(key) <= STRIPE_LIMIT - SUFFIX_LENGTH:
        return key
    short = hashlib.sha256(wish.encode()).hexdigest()
    return f"gangway-session-{short}-{app.id}-{customer_id}-{digest}"
