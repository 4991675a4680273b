"""A customer as Stripe knows it: its Stripe customer, its methods, which one is charged."""

from app.payers.actions import (
    allow_attempts,
    delete_customer,
    end_gone,
    mark_due,
    note,
    open_portal,
    restore_customer,
    settle_drift,
    uninstall,
    upsert_payment_method,
)
from app.payers.billing_details import billing_details
from app.payers.binding import Binding, bind, bind_first, refuse_missing, unbind
from app.payers.contact import replace_customer
from app.payers.differences import (
    Difference,
    adopt,
    adopt_missing,
    differences,
    forget_collected,
    has_other_contact,
    remember_contact,
)
from app.payers.method_names import MethodDetails
from app.payers.models import BLOCK_DURATION, EXPIRING, SETTLE_DELAY, TROUBLED, Payer, PaymentMethod
from app.payers.queries import (
    all_of_customer,
    fresh,
    fresh_many,
    lock,
    locked,
    may_have,
    methods,
    of_customer,
    of_stripe_customer,
    of_stripe_customers,
)
from app.payers.reserve import create_at_stripe, metadata, note_first_session, reserve
from app.payers.stale import check_stale, is_stale
from app.payers.status_table import STATUS_TABLE, PaymentStatus, status_info

__all__ = [
    "BLOCK_DURATION",
    "EXPIRING",
    "SETTLE_DELAY",
    "STATUS_TABLE",
    "TROUBLED",
    "Binding",
    "Difference",
    "MethodDetails",
    "Payer",
    "PaymentMethod",
    "PaymentStatus",
    "adopt",
    "adopt_missing",
    "all_of_customer",
    "allow_attempts",
    "billing_details",
    "bind",
    "bind_first",
    "check_stale",
    "create_at_stripe",
    "delete_customer",
    "differences",
    "end_gone",
    "forget_collected",
    "fresh",
    "fresh_many",
    "has_other_contact",
    "is_stale",
    "lock",
    "locked",
    "mark_due",
    "may_have",
    "metadata",
    "methods",
    "note",
    "note_first_session",
    "of_customer",
    "of_stripe_customer",
    "of_stripe_customers",
    "open_portal",
    "refuse_missing",
    "remember_contact",
    "replace_customer",
    "reserve",
    "restore_customer",
    "settle_drift",
    "status_info",
    "unbind",
    "uninstall",
    "upsert_payment_method",
]
