"""A customer as Stripe knows it: its Stripe customer, its methods, which one is charged."""

from app.payers.actions import mark_due, remember
from app.payers.models import Payer, PaymentMethod
from app.payers.queries import fresh, of_customer, of_stripe_customer
from app.payers.status import PaymentStatus, expires_after, payment_status

__all__ = [
    "Payer",
    "PaymentMethod",
    "PaymentStatus",
    "expires_after",
    "fresh",
    "mark_due",
    "of_customer",
    "of_stripe_customer",
    "payment_status",
    "remember",
]
