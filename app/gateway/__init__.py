"""Stripe, and the only importer of `stripe`."""

from app.gateway.billing_details import BillingDetails, TaxId
from app.gateway.calls import KEY_LIFETIME
from app.gateway.choices import DefaultChange
from app.gateway.client import StripeGateway, is_live
from app.gateway.contacts import Contact, contact_of
from app.gateway.errors import (
    StripeFailed,
    StripeFailureStored,
    StripeInProgress,
    StripeKeyRejected,
    StripeObjectMissing,
    StripePermissionMissing,
    StripeRefused,
    StripeUnavailable,
)
from app.gateway.events import verify
from app.gateway.facts import (
    Account,
    CustomerFacts,
    Endpoint,
    Mandate,
    Method,
    OpenedSession,
    PortalSession,
    SessionFacts,
    SetupFacts,
    instant,
)
from app.gateway.listed import CustomerPage, EventPage, ListedCustomer, SentEvent
from app.gateway.options import CheckoutSessionOptions
from app.gateway.patience import clear_budget, set_budget, time_left
from app.gateway.rights import Right
from app.gateway.transport import WSGITransport
from app.gateway.version import API_VERSION, EVENTS

__all__ = [
    "API_VERSION",
    "EVENTS",
    "KEY_LIFETIME",
    "Account",
    "BillingDetails",
    "CheckoutSessionOptions",
    "Contact",
    "CustomerFacts",
    "CustomerPage",
    "DefaultChange",
    "Endpoint",
    "EventPage",
    "ListedCustomer",
    "Mandate",
    "Method",
    "OpenedSession",
    "PortalSession",
    "Right",
    "SentEvent",
    "SessionFacts",
    "SetupFacts",
    "StripeFailed",
    "StripeFailureStored",
    "StripeGateway",
    "StripeInProgress",
    "StripeKeyRejected",
    "StripeObjectMissing",
    "StripePermissionMissing",
    "StripeRefused",
    "StripeUnavailable",
    "TaxId",
    "WSGITransport",
    "clear_budget",
    "contact_of",
    "instant",
    "is_live",
    "set_budget",
    "time_left",
    "verify",
]
