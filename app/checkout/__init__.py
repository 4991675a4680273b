"""The hosted pages opened for a payer."""

from app.checkout.actions import Order, Raced, Started, start
from app.checkout.blocked import TooManyDeclines
from app.checkout.declines import CONFIRM, Decline
from app.checkout.declines import explain as explain_decline
from app.checkout.expected import purge as purge_expected
from app.checkout.models import CheckoutSession
from app.checkout.queries import by_setup_intent, count, latest, payers_with_unsettled, unsettled
from app.checkout.replaced import close
from app.checkout.status import restate, restate_many

__all__ = [
    "CONFIRM",
    "CheckoutSession",
    "Decline",
    "Order",
    "Raced",
    "Started",
    "TooManyDeclines",
    "by_setup_intent",
    "close",
    "count",
    "explain_decline",
    "latest",
    "payers_with_unsettled",
    "purge_expected",
    "restate",
    "restate_many",
    "start",
    "unsettled",
]
