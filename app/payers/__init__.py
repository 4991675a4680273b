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
from app.payers.differences import (
    Difference,
    adopt,
    adopt_missing,
    differences,
    has_other_contact,
    remember_contact,
)
from app.payers.models import BLOCK_DURATION, TROUBLED, Payer, PaymentMethod
from app.payers.queries import (
    all_of_customer,
    fresh,
    in_default_app,
    lost_of_customer,
    of_customer,
    of_stripe_customer,
)
from app.payers.stale import check_stale, is_stale
from app.payers.status import EXPIRING, PaymentStatus, expires_after, payment_status, status_until
from app.payers.status_table import STATUS_TABLE, status_info

__all__ = [
    "BLOCK_DURATION",
    "EXPIRING",
    "STATUS_TABLE",
    "TROUBLED",
    "Binding",
    "Difference",
    "Payer",
    "PaymentMethod",
    "PaymentStatus",
    "adopt",
    "adopt_missing",
    "all_of_customer",
    "bind",
    "check_stale",
    "delete_customer",
    "differences",
    "end_gone",
    "expect_contact",
    "expires_after",
    "fresh",
    "has_other_contact",
    "in_default_app",
    "is_stale",
    "lost_of_customer",
    "mark_due",
    "of_customer",
    "of_stripe_customer",
    "open_portal",
    "payment_status",
    "remember",
    "remember_contact",
    "replace_customer",
    "restore_customer",
    "settle_drift",
    "status_info",
    "status_until",
    "take_up",
    "unbind",
    "uninstall",
]
