"""Stripe, and the only importer of `stripe`."""

from app.gateway.calls.common import KEY_LIFETIME
from app.gateway.calls.permissions import Permission
from app.gateway.client import StripeGateway, is_live
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
from app.gateway.signatures import verify
from app.gateway.transport.time_budget import limit_waiting, time_left
from app.gateway.values.answers import (
    Account,
    Endpoint,
    Mandate,
    Method,
    OpenedSession,
    PortalSession,
    StripeCustomer,
    StripeSession,
    StripeSetup,
    instant,
)
from app.gateway.values.billing_details import MAX_PHONE_LENGTH, BillingDetails
from app.gateway.values.contacts import Contact, contact_of
from app.gateway.values.default_changes import is_default_chosen
from app.gateway.values.listed import EventPage, SentEvent
from app.gateway.values.options import CheckoutSessionOptions
from app.gateway.version import API_VERSION, EVENTS

__all__ = [
    "API_VERSION",
    "EVENTS",
    "KEY_LIFETIME",
    "MAX_PHONE_LENGTH",
    "Account",
    "BillingDetails",
    "CheckoutSessionOptions",
    "Contact",
    "Endpoint",
    "EventPage",
    "Mandate",
    "Method",
    "OpenedSession",
    "Permission",
    "PortalSession",
    "SentEvent",
    "StripeCustomer",
    "StripeFailed",
    "StripeFailureStored",
    "StripeGateway",
    "StripeInProgress",
    "StripeKeyRejected",
    "StripeObjectMissing",
    "StripePermissionMissing",
    "StripeRefused",
    "StripeSession",
    "StripeSetup",
    "StripeUnavailable",
    "contact_of",
    "instant",
    "is_default_chosen",
    "is_live",
    "limit_waiting",
    "time_left",
    "verify",
]
