"""A customer as Stripe knows it: its Stripe customer, its methods, which one is charged."""

from app.payers.actions import delete_customer, mark_due, open_portal, remember, unbind, uninstall
from app.payers.binding import Binding, bind
from app.payers.models import Payer, PaymentMethod
from app.payers.queries import all_of_customer, fresh, in_default_app, of_customer, of_stripe_customer
from app.payers.status import PaymentStatus, payment_status

__all__ = [
    "Binding",
    "Payer",
    "PaymentMethod",
    "PaymentStatus",
    "all_of_customer",
    "bind",
    "delete_customer",
    "fresh",
    "in_default_app",
    "mark_due",
    "of_customer",
    "of_stripe_customer",
    "open_portal",
    "payment_status",
    "remember",
    "unbind",
    "uninstall",
]
