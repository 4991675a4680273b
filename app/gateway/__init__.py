"""Stripe, and the only importer of `stripe`."""

from app.gateway.choices import DefaultChange
from app.gateway.client import API_VERSION, EVENTS, StripeGateway, is_live
from app.gateway.contacts import Contact, contact_of
from app.gateway.errors import (
    StripeFailed,
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
    HostedSession,
    Mandate,
    Method,
    PortalSession,
    SessionFacts,
    SetupFacts,
    instant,
)
from app.gateway.listed import CustomerPage, EventPage, ListedCustomer, SentEvent
from app.gateway.pages import PageOptions
from app.gateway.patience import clear_budget, set_budget, time_left
from app.gateway.rights import Right
from app.gateway.transport import WSGITransport

__all__ = [
    "API_VERSION",
    "EVENTS",
    "Account",
    "Contact",
    "CustomerFacts",
    "CustomerPage",
    "DefaultChange",
    "Endpoint",
    "EventPage",
    "HostedSession",
    "ListedCustomer",
    "Mandate",
    "Method",
    "PageOptions",
    "PortalSession",
    "Right",
    "SentEvent",
    "SessionFacts",
    "SetupFacts",
    "StripeFailed",
    "StripeGateway",
    "StripeKeyRejected",
    "StripeObjectMissing",
    "StripePermissionMissing",
    "StripeRefused",
    "StripeUnavailable",
    "WSGITransport",
    "clear_budget",
    "contact_of",
    "instant",
    "is_live",
    "set_budget",
    "time_left",
    "verify",
]
