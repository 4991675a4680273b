"""SetupIntents. Source: https://docs.stripe.com/api/setup_intents."""

import copy

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_parameter, missing_resource
from app.simulator.protocol.fields import merge_metadata
from app.simulator.resources import cards, customer_store, payment_method_store, payment_methods
from app.simulator.resources.setup import outcomes
from app.simulator.resources.setup.new_intent import open_intent
from app.simulator.store import JSON

ENABLED = ("card", *payment_methods.DEBITS)
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_LISTS = ("allowed_payment_method_types", "excluded_payment_method_types", "flow_directions")


def in_path(call: Call) -> JSON:
    """Return the SetupIntent of the path. Raises StripeError (404)."""
    found = call.store.setup_intents.find(call.path["intent"], call.account)
    if found is None:
        raise missing_resource("setupintent", call.path["intent"], "intent", status=404)
    return found


def enabled_types(given: JSON, currency: str | None = None) -> list[str]:
    """Return the enabled payment method types that pass the filters and fit the currency.

    Raises StripeError when the filters contradict each other or no type remains.
    """
    allowed = given.get("allowed_payment_method_types") or None
    excluded = given.get("excluded_payment_method_types") or []
    for other in ("excluded_payment_method_types", "payment_method_configuration"):
        if allowed and given.get(other):
            raise StripeError(
                f"You may only specify one of these parameters: allowed_payment_method_types, {other}.",
                param="allowed_payment_method_types",
            )
    debit_of = {"usd": "us_bank_account", "eur": "sepa_debit", "gbp": "bacs_debit"}
    types = [
        kind
        for kind in given.get("payment_method_types") or ENABLED
        if kind in ENABLED
        and (not allowed or kind in allowed)
        and kind not in excluded
        and (kind == "card" or currency is None or debit_of.get(currency) == kind)
    ]
    if not types:
        raise StripeError(
            "No valid payment method types are left. Please ensure that you have activated payment "
            "methods compatible with your chosen currency and filters.",
        )
    return types


@operation("POST /v1/setup_intents")
def create(call: Call) -> JSON:
    given = call.params
    customer_store.find_customer(call, given.get("customer"))
    if given.get("return_url") and not given.get("confirm"):
        raise StripeError(
            "The parameter return_url cannot be passed when creating a SetupIntent unless confirm is set "
            "to true.",
            param="return_url",
        )
    automatic = None
    if "payment_method_types" not in given:
        settings = given.get("automatic_payment_methods", {})
        automatic = {"enabled": settings.get("enabled", True)}
        automatic["allow_redirects"] = settings.get("allow_redirects", "always")
    method = _method(call)
    _check_owner(method, given.get("customer"))
    intent = open_intent(
        call,
        types=enabled_types(given),
        automatic_payment_methods=automatic,
        customer=given.get("customer"),
        description=given.get("description"),
        metadata=merge_metadata({}, given.get("metadata")),
        payment_method=method["id"] if method else None,
        status="requires_confirmation" if method else "requires_payment_method",
        usage=given.get("usage", "off_session"),
        **{name: given.get(name) or None for name in _LISTS},
    )
    return _confirm(call, intent) if given.get("confirm") else intent


@operation("GET /v1/setup_intents/{intent}")
def retrieve(call: Call) -> JSON:
    return in_path(call)


@operation("POST /v1/setup_intents/{intent}")
def update(call: Call) -> JSON:
    old, given = in_path(call), call.params
    if old["status"] in {"succeeded", "canceled"} and set(given) - {"metadata", "description"}:
        message = f"This SetupIntent's status is {old['status']}; only its metadata can change."
        raise StripeError(message, code="setup_intent_unexpected_state")
    intent = copy.deepcopy(old)
    if "metadata" in given:
        intent["metadata"] = merge_metadata(old["metadata"], given["metadata"])
    if "description" in given:
        intent["description"] = given["description"] or None
    if "customer" in given:
        customer_store.find_customer(call, given["customer"])
        intent["customer"] = given["customer"]
    for name in _LISTS:
        if name in given:
            intent[name] = given[name] or None
    method = _method(call)
    _check_owner(method, intent["customer"])
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return call.put(call.store.setup_intents, intent)


@operation("POST /v1/setup_intents/{intent}/confirm")
def confirm(call: Call) -> JSON:
    intent = in_path(call)
    _refuse_if_of_checkout(call, intent, "confirm")
    if intent["status"] not in _OPEN:
        message = f"You cannot confirm this SetupIntent because it has a status of {intent['status']}."
        raise StripeError(message, code="setup_intent_unexpected_state", setup_intent=intent)
    method = _method(call)
    _check_owner(method, intent["customer"])
    if method is not None:
        intent = call.change(call.store.setup_intents, intent, payment_method=method["id"])
    return _confirm(call, intent)


@operation("POST /v1/setup_intents/{intent}/cancel")
def cancel(call: Call) -> JSON:
    intent = in_path(call)
    _refuse_if_of_checkout(call, intent, "cancel")
    if intent["status"] not in _OPEN:
        message = (
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a "
            "SetupIntent with one of the following statuses may be canceled: requires_payment_method, "
            "requires_confirmation, requires_action."
        )
        raise StripeError(message, code="setup_intent_unexpected_state", setup_intent=intent)
    return outcomes.cancel(call, intent, call.params.get("cancellation_reason"))


@operation("POST /v1/setup_intents/{intent}/verify_microdeposits")
def verify_microdeposits(call: Call) -> JSON:
    """Take SM11AA or 32 and 45 as right. SM33CC or 10 and 11 use up all attempts."""
    intent, given = in_path(call), call.params
    if (intent["next_action"] or {}).get("type") != "verify_with_microdeposits":
        raise StripeError(
            "This SetupIntent does not wait for the verification of micro-deposits.",
            code="setup_intent_unexpected_state",
        )
    amounts, code = given.get("amounts"), given.get("descriptor_code")
    if (amounts is None) == (code is None):
        raise StripeError("You must provide either amounts or descriptor_code.", param="amounts")
    if code == "SM33CC" or amounts == [10, 11]:
        outcomes.verify_microdeposits(call, intent, ok=False)
        raise StripeError(
            "You have exceeded the number of allowed verification attempts.",
            code="payment_method_microdeposit_verification_attempts_exceeded",
            happened=True,
        )
    if code != outcomes.MICRODEPOSIT_CODE and amounts != outcomes.MICRODEPOSIT_AMOUNTS:
        kind = "descriptor_code" if amounts is None else "amounts"
        raise StripeError(
            f"The {kind.replace('_', ' ')} you provided does not match.",
            code=f"payment_method_microdeposit_verification_{kind}_mismatch",
        )
    return outcomes.verify_microdeposits(call, intent, ok=True)


@operation("GET /v1/setup_intents")
def index(call: Call) -> JSON:
    names = ("customer", "payment_method")
    filters = {name: call.params[name] for name in names if name in call.params}
    return lists.page(
        call,
        call.store.setup_intents,
        "setupintent",
        lambda intent: all(intent[name] == value for name, value in filters.items()),
        customer=filters.get("customer"),
    )


def _method(call: Call) -> JSON | None:
    if "payment_method_data" in call.params:
        data = call.params["payment_method_data"]
        return payment_methods.from_parameters(call, data, "payment_method_data")
    named = call.params.get("payment_method")
    return payment_method_store.find_usable(call, named, "payment_method") if named else None


def _check_owner(method: JSON | None, customer: str | None) -> None:
    if method is not None and method["customer"] not in {None, customer}:
        message = (
            f"The payment method {method['id']} belongs to another customer; name that customer on the "
            "SetupIntent."
        )
        raise StripeError(message, param="payment_method")


def _refuse_if_of_checkout(call: Call, intent: JSON, verb: str) -> None:
    if call.note(intent["id"]).get("checkout_session"):
        raise StripeError(
            f"You cannot {verb} this SetupIntent because it was created by Checkout. Expire the Checkout "
            "Session instead.",
            code="setup_intent_unexpected_state",
        )


def _confirm(call: Call, intent: JSON) -> JSON:
    if intent["payment_method"] is None:
        raise missing_parameter("payment_method")
    method = call.store.payment_methods[intent["payment_method"]]
    if method["type"] not in intent["payment_method_types"]:
        message = f"The PaymentMethod is of type {method['type']}, which is not allowed here."
        raise StripeError(message, param="payment_method")
    attempted = outcomes.attempt(call, intent, method, verify_later=True)
    error = attempted["last_setup_error"]
    if error is None:
        return attempted
    card = payment_method_store.test_card(call, method)
    decline = card.decline if card and card.decline else cards.GENERIC
    raise payment_method_store.card_error(decline, setup_intent=attempted, payment_method=method)
