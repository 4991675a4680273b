"""How a payment method is set up: success, failure, 3-D Secure and micro-deposits.

The API's confirm and the hosted page share this code.
Source: https://docs.stripe.com/payments/setupintents/lifecycle.
"""

import copy

from app.simulator.protocol.errors import DOCUMENTATION
from app.simulator.protocol.work import Work
from app.simulator.resources import cards, payment_method_store
from app.simulator.resources.cards import Decline
from app.simulator.resources.setup import attempts, mandates
from app.simulator.store import JSON

MICRODEPOSIT_CODE = "SM11AA"
MICRODEPOSIT_AMOUNTS = [32, 45]
MICRODEPOSIT_FAILURE = Decline(
    "payment_method_microdeposit_failed",
    None,
    "Microdeposit transfers failed. Please check the account, institution and transit numbers provided.",
)
_ARRIVAL_TIME = 2 * 24 * 3600


def attempt(work: Work, intent: JSON, method: JSON, *, verify_later: bool = False) -> JSON:
    """Try to set up the payment method. Return the SetupIntent with the outcome."""
    card = payment_method_store.test_card(work, method)
    if card is not None and card.challenge:
        return _require_challenge(work, intent, method)
    if card is not None and card.decline is not None:
        return fail(work, intent, method, card.decline)
    if method["type"] == "us_bank_account" and verify_later:
        return _require_microdeposits(work, intent, method)
    return _succeed(work, intent, method)


def finish_challenge(work: Work, intent: JSON, *, ok: bool) -> JSON:
    """Continue after 3-D Secure, which the payer passed or failed."""
    method = work.store.payment_methods[intent["payment_method"]]
    card = payment_method_store.test_card(work, method)
    if not ok:
        return fail(work, intent, method, cards.AUTHENTICATION)
    if card is not None and card.decline is not None:
        return fail(work, intent, method, card.decline)
    return _succeed(work, intent, method)


def verify_microdeposits(work: Work, intent: JSON, *, ok: bool) -> JSON:
    """Continue after the payer verified the micro-deposits, or the bank returned them."""
    method = work.store.payment_methods[intent["payment_method"]]
    if not ok:
        return fail(work, intent, method, MICRODEPOSIT_FAILURE)
    return _succeed(work, intent, method)


def fail(work: Work, intent: JSON, method: JSON, decline: Decline) -> JSON:
    """Record the error. The SetupIntent then requires another payment method."""
    is_card_error = decline.code in {"card_declined", "expired_card", "incorrect_cvc"} or (
        decline is cards.PROCESSING
    )
    error: JSON = {
        "code": decline.code,
        "doc_url": DOCUMENTATION + decline.code.replace("_", "-"),
        "message": decline.message,
        "payment_method": copy.deepcopy(method),
        "type": "card_error" if is_card_error else "invalid_request_error",
    }
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    attempt_id = attempts.record(work, intent, method, "failed", error)
    failed = work.change(
        work.store.setup_intents,
        intent,
        last_setup_error=error,
        latest_attempt=attempt_id,
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )
    work.emit("setup_intent.setup_failed", failed)
    return failed


def cancel(work: Work, intent: JSON, reason: str | None) -> JSON:
    """Cancel a SetupIntent. `reason` is Stripe's word, such as "abandoned"."""
    canceled = work.change(
        work.store.setup_intents,
        intent,
        status="canceled",
        cancellation_reason=reason,
        next_action=None,
    )
    work.emit("setup_intent.canceled", canceled)
    return canceled


def _succeed(work: Work, intent: JSON, method: JSON) -> JSON:
    if intent["customer"] is not None:
        method = payment_method_store.attach(work, method, intent["customer"])
    succeeded = work.change(
        work.store.setup_intents,
        intent,
        last_setup_error=None,
        latest_attempt=attempts.record(work, intent, method, "succeeded"),
        mandate=None if method["type"] == "card" else mandates.create(work, method),
        next_action=None,
        payment_method=method["id"],
        status="succeeded",
    )
    work.emit("setup_intent.succeeded", succeeded)
    return succeeded


def _require_challenge(work: Work, intent: JSON, method: JSON) -> JSON:
    action = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "stripe_3ds2_fingerprint",
            "directory_server_name": method["card"]["brand"],
            "merchant": work.account,
            "three_d_secure_2_source": work.new_id("payatt_3ds"),
        },
    }
    attempt_id = attempts.record(work, intent, method, "requires_action")
    return _require_action(work, intent, method, action, attempt_id)


def _require_microdeposits(work: Work, intent: JSON, method: JSON) -> JSON:
    action = {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": work.now + _ARRIVAL_TIME,
            "hosted_verification_url": f"{work.public_url}/c/microdeposits/{intent['id']}",
            "microdeposit_type": "descriptor_code",
        },
    }
    return _require_action(work, intent, method, action, intent["latest_attempt"])


def _require_action(work: Work, intent: JSON, method: JSON, action: JSON, latest_attempt: str | None) -> JSON:
    waiting = work.change(
        work.store.setup_intents,
        intent,
        last_setup_error=None,
        latest_attempt=latest_attempt,
        next_action=action,
        payment_method=method["id"],
        status="requires_action",
    )
    work.emit("setup_intent.requires_action", waiting)
    return waiting
