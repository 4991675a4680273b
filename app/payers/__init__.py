"""A customer as Stripe knows it: its Stripe customer, its methods, which one is charged."""

from app.payers.actions import (
    delete_customer,
    end_gone,
    mark_due,
    open_portal,
    remember,
    restore_customer,
    settle_drift,
    take_up,
    unbind,
    uninstall,
)
from app.payers.binding import Binding, bind
from app.payers.contact import expect_contact, replace_customer
from app.payers.models import TROUBLED, Payer, PaymentMethod
from app.payers.queries import (
    all_of_customer,
    fresh,
    in_default_app,
    lost_of_customer,
    of_customer,
    of_stripe_customer,
)
from app.payers.status import EXPIRING, PaymentStatus, expires_after, payment_status, status_until

__all__ = [
    "EXPIRING",
    "TROUBLED",
    "Binding",
    "Payer",
    "PaymentMethod",
    "PaymentStatus",
    "all_of_customer",
    "bind",
    "delete_customer",
    "end_gone",
    "expect_contact",
    "expires_after",
    "fresh",
    "in_default_app",
    "lost_of_customer",
    "mark_due",
    "of_customer",
    "of_stripe_customer",
    "open_portal",
    "payment_status",
    "remember",
    "replace_customer",
    "restore_customer",
    "settle_drift",
    "status_until",
    "take_up",
    "unbind",
    "uninstall",
]
