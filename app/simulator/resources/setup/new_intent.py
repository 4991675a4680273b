"""A new SetupIntent, as Stripe shows it."""

from app.simulator.protocol.work import Work
from app.simulator.store import JSON, ids


def open_intent(work: Work, *, types: list[str], **fields: object) -> JSON:
    """Create a SetupIntent that requires a payment method."""
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
    work.put(work.store.setup_intents, intent | fields)
    work.emit("setup_intent.created", intent | fields)
    return intent | fields


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
