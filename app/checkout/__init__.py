"""The hosted pages opened for a payer."""

from app.checkout.actions import Order, close, reopen, start
from app.checkout.models import CheckoutSession
from app.checkout.queries import by_setup_intent, latest, unsettled

__all__ = ["CheckoutSession", "Order", "by_setup_intent", "close", "latest", "reopen", "start", "unsettled"]
