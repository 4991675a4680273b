"""How the setup of a payment method goes: attempts, challenges, mandates, success and failure.

The API's confirm and the hosted page both come here, so that both tell the same story.
Source: https://docs.stripe.com/payments/setupintents/lifecycle.
"""

import copy

from app.simulator import cards, ids, wallet
from app.simulator.cards import Card, Decline
from app.simulator.errors import DOCUMENTATION
from app.simulator.shapes import JSON
from app.simulator.work import Work

MICRODEPOSIT_CODE = "SM11AA"
MICRODEPOSIT_AMOUNTS = [32, 45]
MICRODEPOSIT_FAILURE = Decline(
    "payment_method_microdeposit_failed",
    None,
    "Microdeposit transfers failed. Please check the account, institution and transit numbers provided.",
)
_TWO_DAYS = 2 * 24 * 3600


def open_intent(work: Work, *, types: list[str], **fields: object) -> JSON:
    """A new SetupIntent that waits for a payment method."""
    key = work.new_id("seti")
    configuration = work.note(work.account)["payment_method_configuration"]
    intent: JSON = {
        "id": key,
        "object": "setup_intent",
        "allowed_payment_method_types": None,
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": ids.client_secret(key),
        "created": work.now,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "managed_payments": None,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": {"id": configuration, "parent": None},
        "payment_method_options": _options(types),
        "payment_method_types": types,
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    work.keep(work.store.setup_intents, intent | fields)
    work.emit("setup_intent.created", intent | fields)
    return intent | fields


def attempt(work: Work, intent: JSON, method: JSON, *, verify_later: bool = False) -> JSON:
    """Try to set the payment method up; the SetupIntent that comes back says how it went."""
    card = wallet.test_card(work, method)
    if card is not None and card.challenge:
        return _challenge(work, intent, method)
    if card is not None and card.decline is not None:
        return fail(work, intent, method, card.decline)
    if method["type"] == "us_bank_account" and verify_later:
        return _await_microdeposits(work, intent, method)
    return _succeed(work, intent, method)


def authenticated(work: Work, intent: JSON, *, ok: bool) -> JSON:
    """The payer came through 3-D Secure, or did not."""
    method = work.store.payment_methods[intent["payment_method"]]
    card = wallet.test_card(work, method)
    if not ok:
        return fail(work, intent, method, cards.AUTHENTICATION)
    if card is not None and card.decline is not None:
        return fail(work, intent, method, card.decline)
    return _succeed(work, intent, method)


def microdeposits_verified(work: Work, intent: JSON, *, ok: bool) -> JSON:
    """The payer named the micro-deposits, or the bank sent them back."""
    method = work.store.payment_methods[intent["payment_method"]]
    if not ok:
        return fail(work, intent, method, MICRODEPOSIT_FAILURE)
    return _succeed(work, intent, method)


def fail(work: Work, intent: JSON, method: JSON, decline: Decline) -> JSON:
    """Write down why it failed; the SetupIntent waits for another payment method."""
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
    tried = _attempt(work, intent, method, "failed", error)
    failed = work.change(
        work.store.setup_intents,
        intent,
        last_setup_error=error,
        latest_attempt=tried,
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )
    work.emit("setup_intent.setup_failed", failed)
    return failed


def cancel(work: Work, intent: JSON, reason: str | None) -> JSON:
    canceled = work.change(
        work.store.setup_intents,
        intent,
        status="canceled",
        cancellation_reason=reason,
        next_action=None,
    )
    work.emit("setup_intent.canceled", canceled)
    return canceled


def settle_mandate(work: Work, mandate: JSON, status: str) -> JSON:
    """The bank accepted a mandate (active) or took it back (inactive)."""
    if mandate["status"] == status:
        return mandate
    settled = copy.deepcopy(mandate)
    settled["status"] = status
    if "bacs_debit" in settled["payment_method_details"]:
        network = "accepted" if status == "active" else "revoked"
        settled["payment_method_details"]["bacs_debit"]["network_status"] = network
    work.keep(work.store.mandates, settled)
    work.emit("mandate.updated", settled, {"status": mandate["status"]})
    return settled


def _succeed(work: Work, intent: JSON, method: JSON) -> JSON:
    if intent["customer"] is not None:
        method = wallet.attach_to(work, method, intent["customer"])
    succeeded = work.change(
        work.store.setup_intents,
        intent,
        last_setup_error=None,
        latest_attempt=_attempt(work, intent, method, "succeeded"),
        mandate=None if method["type"] == "card" else _mandate(work, method),
        next_action=None,
        payment_method=method["id"],
        status="succeeded",
    )
    work.emit("setup_intent.succeeded", succeeded)
    return succeeded


def _challenge(work: Work, intent: JSON, method: JSON) -> JSON:
    action = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "stripe_3ds2_fingerprint",
            "directory_server_name": method["card"]["brand"],
            "merchant": work.account,
            "three_d_secure_2_source": work.new_id("payatt_3ds"),
        },
    }
    tried = _attempt(work, intent, method, "requires_action")
    return _require(work, intent, method, action, tried)


def _await_microdeposits(work: Work, intent: JSON, method: JSON) -> JSON:
    action = {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": work.now + _TWO_DAYS,
            "hosted_verification_url": f"{work.public_url}/c/microdeposits/{intent['id']}",
            "microdeposit_type": "descriptor_code",
        },
    }
    return _require(work, intent, method, action, intent["latest_attempt"])


def _require(work: Work, intent: JSON, method: JSON, action: JSON, latest_attempt: str | None) -> JSON:
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


def _attempt(work: Work, intent: JSON, method: JSON, status: str, error: JSON | None = None) -> str:
    """Record an attempt, or how the one that waited for the payer ended; its id."""
    earlier = work.store.setup_attempts.get(intent["latest_attempt"] or "")
    key: str = work.new_id("setatt")
    created = work.now
    if earlier and earlier["status"] == "requires_action" and earlier["payment_method"] == method["id"]:
        key, created = earlier["id"], earlier["created"]
    work.keep(
        work.store.setup_attempts,
        {
            "id": key,
            "object": "setup_attempt",
            "application": None,
            "created": created,
            "customer": intent["customer"],
            "customer_account": None,
            "flow_directions": None,
            "livemode": False,
            "on_behalf_of": None,
            "payment_method": method["id"],
            "payment_method_details": _attempt_details(work, method, status, error),
            "setup_error": error,
            "setup_intent": intent["id"],
            "status": status,
            "usage": intent["usage"],
        },
    )
    return key


def _attempt_details(work: Work, method: JSON, status: str, error: JSON | None) -> JSON:
    if method["type"] != "card":
        return {"type": method["type"], method["type"]: {}}
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    details = {name: method["card"][name] for name in (*shown, "last4", "wallet")}
    challenge = _three_d_secure(wallet.test_card(work, method), status, error)
    details |= {"network": method["card"]["brand"], "three_d_secure": challenge}
    return {"type": "card", "card": details}


def _three_d_secure(card: Card | None, status: str, error: JSON | None) -> JSON | None:
    if card is None or not card.challenge or status == "requires_action":
        return None
    refused = error is not None and error["code"] == cards.AUTHENTICATION.code
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": None if refused else "05",
        "result": "failed" if refused else "authenticated",
        "result_reason": "rejected" if refused else None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def _mandate(work: Work, method: JSON) -> str:
    """What a bank debit needs besides the account; with Bacs the bank takes its time to agree."""
    kind = method["type"]
    key = work.new_id("mandate")
    reference = ids.random_text(15).upper()
    details: dict[str, JSON] = {
        "us_bank_account": {},
        "sepa_debit": {"reference": reference, "url": f"{work.public_url}/c/mandate/{key}"},
        "bacs_debit": {
            "display_name": None,
            "network_status": "pending",
            "reference": reference,
            "revocation_reason": None,
            "service_user_number": None,
            "url": f"{work.public_url}/c/mandate/{key}",
        },
    }
    mandate = {
        "id": key,
        "object": "mandate",
        "customer_acceptance": {
            "accepted_at": work.now,
            "online": {"ip_address": "127.0.0.1", "user_agent": "Mozilla/5.0"},
            "type": "online",
        },
        "livemode": False,
        "multi_use": {},
        "payment_method": method["id"],
        "payment_method_details": {"type": kind, kind: details[kind]},
        "status": "pending" if kind == "bacs_debit" else "active",
        "type": "multi_use",
    }
    work.keep(work.store.mandates, mandate)
    return key


def _options(types: list[str]) -> JSON:
    options: JSON = {
        "card": {
            "mandate_options": None,
            "network": None,
            "request_three_d_secure": "automatic",
            "setup_credential_usage": None,
        },
        "us_bank_account": {"verification_method": "automatic"},
        "sepa_debit": {},
        "bacs_debit": {},
    }
    return {kind: value for kind, value in options.items() if kind in types}
