"""Calls about Checkout Sessions and sessions of the customer portal."""

from typing import Any

from app.gateway.calls.common import Calls, ask
from app.gateway.values.answers import OpenedSession, PortalSession, StripeSession
from app.gateway.values.options import CheckoutSessionOptions

EXPANDED = (
    "setup_intent.payment_method",
    "setup_intent.mandate",
    "customer.invoice_settings.default_payment_method",
)


class SessionCalls(Calls):
    """Checkout Sessions and portal sessions."""

    def open_setup_session(
        self,
        customer_id: str,
        options: CheckoutSessionOptions,
        *,
        metadata: dict[str, str],
        idempotency_key: str,
    ) -> OpenedSession:
        """Open a Checkout Session in which the Stripe customer saves a payment method.

        The metadata goes on the session and on its SetupIntent: events about the one lack the other's. Raises
        StripeRefused with Stripe's own words when it rejects the parameters, StripeInProgress while the same
        request is still running, and StripeFailureStored when Stripe repeats an old failure.
        Source: https://docs.stripe.com/api/checkout/sessions/create (setup mode needs a currency)
        """
        metadata = options.metadata | metadata
        params: dict[str, Any] = {
            "mode": "setup",
            "customer": customer_id,
            "metadata": metadata,
            "setup_intent_data": {"metadata": metadata},
        }
        key = {"idempotency_key": idempotency_key}
        opened = ask(self._v1.checkout.sessions.create, params=params | options.params(), options=key)
        return OpenedSession.of(opened)

    def session(self, session_id: str) -> StripeSession:
        """A session, its SetupIntent with method and mandate, its customer and default: all in one call.

        Raises StripeObjectMissing. Source: https://docs.stripe.com/api/checkout/sessions/retrieve
        """
        found = ask(self._v1.checkout.sessions.retrieve, session_id, params={"expand": list(EXPANDED)})
        return StripeSession.of(found)

    def expire_session(self, session_id: str) -> None:
        """Close an open page. Raises StripeRefused when it is no longer open.

        Source: https://docs.stripe.com/api/checkout/sessions/expire
        """
        ask(self._v1.checkout.sessions.expire, session_id)

    def open_portal_session(
        self, customer_id: str, *, configuration_id: str | None, locale: str | None, return_url: str | None
    ) -> PortalSession:
        """Open Stripe's customer portal for a customer; without a configuration, the account's default one.

        It lasts minutes, and an extra one does no harm, so there is no key. Raises StripeRefused with
        Stripe's own words when it rejects the parameters.
        Source: https://docs.stripe.com/api/customer_portal/sessions/create
        """
        params = {
            "customer": customer_id,
            "configuration": configuration_id,
            "locale": locale,
            "return_url": return_url,
        }
        return PortalSession.of(ask(self._v1.billing_portal.sessions.create, params=params))
