"""Stripe as this product needs it: a few verbs, our own values in and out."""

from typing import TYPE_CHECKING

import stripe

from app.gateway.calls.account import AccountCalls
from app.gateway.calls.customers import CustomerCalls
from app.gateway.calls.permissions import is_restricted
from app.gateway.calls.sessions import SessionCalls
from app.gateway.version import API_VERSION

if TYPE_CHECKING:
    from app.gateway.transport.instrumented import OnCall

TIMEOUTS = (3.05, 8)  # seconds to connect, seconds to answer
NETWORK_RETRIES = 1  # a lease outlives such a call; the client's own default is none, and never for 429


class StripeGateway(CustomerCalls, SessionCalls, AccountCalls):
    """One Stripe account and mode, by its API key. Safe to share between threads.

    Every method raises StripeUnavailable, StripeKeyRejected or StripePermissionMissing besides the errors
    that it names. A method that creates something takes an idempotency key: a repeat with the same key
    returns what the first call created (https://docs.stripe.com/api/idempotent_requests).
    """

    def __init__(
        self,
        api_key: str,
        *,
        api_base: str,
        http_client: "stripe.HTTPClient | None" = None,
        on_call: "OnCall | None" = None,
    ) -> None:
        # Both import the SDK, which takes long and much memory.
        from app.gateway.transport.budget_client import TimeBudgetClient  # noqa: PLC0415
        from app.gateway.transport.instrumented import InstrumentedClient  # noqa: PLC0415

        stripe.enable_telemetry = False  # it would write into the home folder and report timings
        client = http_client or TimeBudgetClient(timeout=TIMEOUTS)
        self._v1 = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            max_network_retries=NETWORK_RETRIES,
            stripe_version=API_VERSION,
            http_client=InstrumentedClient(client, on_call) if on_call else client,
        ).v1
        self.livemode = is_live(api_key)
        self.is_restricted = is_restricted(api_key)


def is_live(api_key: str) -> bool:
    """Does a key open live mode? Its prefix says so, and the account object does not."""
    return api_key.startswith(("sk_live_", "rk_live_"))
