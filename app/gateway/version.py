"""The API version and the events that this product reads."""

from typing import Any

API_VERSION = "2026-10-28.endive"  # the SDK's

EVENTS: tuple[Any, ...] = (
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.updated",
    "mandate.updated",
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
    "setup_intent.canceled",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
)
