"""Stripe's event types in plain words."""

LABELS = {
    "checkout.session.completed": "Checkout completed",
    "checkout.session.expired": "Checkout session expired",
    "customer.deleted": "Customer deleted at Stripe",
    "customer.updated": "Customer changed at Stripe",
    "mandate.updated": "Debit mandate changed",
    "payment_method.attached": "Payment method attached",
    "payment_method.automatically_updated": "Card updated by its network",
    "payment_method.detached": "Payment method detached",
    "payment_method.updated": "Payment method changed",
    "setup_intent.canceled": "Setup cancelled",
    "setup_intent.requires_action": "Bank asks for confirmation",
    "setup_intent.setup_failed": "Setup declined",
    "setup_intent.succeeded": "Setup succeeded",
}

CHOICES = tuple(LABELS.items())

STATES = {
    "new": ("New", "info"),
    "waiting": ("Waiting", "warning"),
    "done": ("Done", "success"),
    "ignored": ("Ignored", "neutral"),
    "dead": ("Failed", "error"),
}

STATE_MEANINGS = {
    "new": "Received, but not processed yet.",
    "waiting": "It has news. We ask Stripe about this customer next.",
    "done": "Processed.",
    "ignored": "It needs no action.",
    "dead": "We could not ask Stripe about this customer after many attempts. Fix the cause, then retry.",
}


def label(kind: str) -> str:
    """An event type in plain words; Stripe's name for a type that we do not request."""
    return LABELS.get(kind, kind)
