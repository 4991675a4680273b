"""What all calls to Stripe share."""

from datetime import timedelta
from typing import Any

import stripe

KEY_LIFETIME = timedelta(hours=20)  # Stripe forgets an idempotency key after a day at the earliest


class Calls:
    """Calls in the name of one account and mode. The subclasses group them by what they are about."""

    _v1: Any  # the SDK's services: its types want a TypedDict for each request


def plain(thing: stripe.StripeObject) -> dict[str, Any]:
    """Return a StripeObject as plain data: it is no dict, and raises on what a reply lacks."""
    return thing.to_dict(for_json=True)
