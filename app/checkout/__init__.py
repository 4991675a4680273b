"""The Checkout Sessions opened for a payer."""

from app.checkout.actions import Order, Reservation, TooManyDeclines, is_blocked, reserve, start
from app.checkout.close import close
from app.checkout.decline_reasons import CONFIRM
from app.checkout.decline_reasons import explain as explain_decline
from app.checkout.decline_reasons import translate as translate_decline
from app.checkout.models import CheckoutSession
from app.checkout.queries import (
    by_stripe_ids,
    by_stripe_session,
    latest,
    latest_of,
    payers_with_unsettled,
    unsettled,
    unsettled_of,
    with_unsettled,
)
from app.checkout.reservations import purge
from app.checkout.status import payment_status, restate, restate_many

__all__ = [
    "CONFIRM",
    "CheckoutSession",
    "Order",
    "Reservation",
    "TooManyDeclines",
    "by_stripe_ids",
    "by_stripe_session",
    "close",
    "explain_decline",
    "is_blocked",
    "latest",
    "latest_of",
    "payers_with_unsettled",
    "payment_status",
    "purge",
    "reserve",
    "restate",
    "restate_many",
    "start",
    "translate_decline",
    "unsettled",
    "unsettled_of",
    "with_unsettled",
]
