"""Stripe as this product needs it: a few verbs, our own values in and out."""

import stripe

from app.gateway.account import AccountCalls
from app.gateway.customers import CustomerCalls
from app.gateway.patience import PatientClient
from app.gateway.rights import is_restricted
from app.gateway.sessions import SessionCalls
from app.gateway.version import API_VERSION
from app.gateway.watched import Watched, type_told

stripe.enable_telemetry = False  # it would write into the home folder and report timings

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
        http_client: stripe.HTTPClient | None = None,
        told: type_told | None = None,
    ) -> None:
        client = http_client or PatientClient(timeout=TIMEOUTS)
        self._v1 = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base},
            max_network_retries=NETWORK_RETRIES,
            stripe_version=API_VERSION,
            http_client=Watched(client, told) if told else client,
        ).v1
        self.livemode = is_live(api_key)
        self.is_restricted = is_restricted(api_key)


def is_live(api_key: str) -> bool:
    """Does a key open live mode? Its prefix says so, and the account object does not."""
    return api_key.startswith(("sk_live_", "rk_live_"))
