"""Stripe's event types in plain words."""

from app import gateway

LABELS = {
    "checkout.session.completed": "Finished Stripe's page",
    "checkout.session.expired": "Stripe's page expired",
    "customer.deleted": "Customer deleted at Stripe",
    "customer.updated": "Customer changed at Stripe",
    "mandate.updated": "Mandate of a bank debit changed",
    "payment_method.attached": "Payment method attached",
    "payment_method.automatically_updated": "Card renewed by its network",
    "payment_method.detached": "Payment method detached",
    "payment_method.updated": "Payment method changed",
    "setup_intent.canceled": "Setup cancelled",
    "setup_intent.requires_action": "Bank asks the customer to confirm",
    "setup_intent.setup_failed": "Setup declined",
    "setup_intent.succeeded": "Setup succeeded",
}

CHOICES = tuple((kind, LABELS.get(kind, kind)) for kind in gateway.EVENTS)

STATES = {
    "new": ("New", "info"),
    "waiting": ("Waiting", "warning"),
    "done": ("Done", "success"),
    "ignored": ("Ignored", "neutral"),
    "dead": ("Failed", "error"),
}

STATE_MEANINGS = {
    "new": "Stored, and not looked at yet.",
    "waiting": "It tells something new: Stripe is asked about this customer next.",
    "done": "Our record has everything that it tells.",
    "ignored": "It needs nothing.",
    "dead": "Stripe could not be asked about this customer in many tries. It stays until that succeeds or"
    " somebody acts.",
}


def label(kind: str) -> str:
    """A type in plain words; one that we never asked for, as Stripe calls it."""
    return LABELS.get(kind, kind)
