"""SetupIntents, their attempts and mandates. Source: https://docs.stripe.com/api/setup_intents."""

import copy

from app.simulator import cards, lists, payment_methods, setups, wallet
from app.simulator.errors import StripeError, missing_parameter, missing_resource
from app.simulator.fields import merged
from app.simulator.shapes import JSON
from app.simulator.work import Call, operation

ENABLED = ("card", *payment_methods.DEBITS)
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_KEPT = ("allowed_payment_method_types", "excluded_payment_method_types", "flow_directions")


def in_path(call: Call) -> JSON:
    """The SetupIntent the path names; raises StripeError (404)."""
    found = call.store.setup_intents.find(call.path["intent"], call.account)
    if found is None:
        raise missing_resource("setupintent", call.path["intent"], "intent", status=404)
    return found


def enabled_types(given: JSON, currency: str | None = None) -> list[str]:
    """The payment method types that the filters and the currency leave of those enabled here.

    Raises StripeError when filters contradict each other or nothing is left.
    """
    allowed = given.get("allowed_payment_method_types") or None
    excluded = given.get("excluded_payment_method_types") or []
    for other in ("excluded_payment_method_types", "payment_method_configuration"):
        if allowed and given.get(other):
            raise StripeError(
                f"You may only specify one of these parameters: allowed_payment_method_types, {other}.",
                param="allowed_payment_method_types",
            )
    fits = {"usd": "us_bank_account", "eur": "sepa_debit", "gbp": "bacs_debit"}
    types = [
        kind
        for kind in given.get("payment_method_types") or ENABLED
        if kind in ENABLED
        and (not allowed or kind in allowed)
        and kind not in excluded
        and (kind == "card" or currency is None or fits.get(currency) == kind)
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
    wallet.referenced(call, given.get("customer"))
    if given.get("return_url") and not given.get("confirm"):
        raise StripeError(
            "The parameter return_url cannot be passed when creating a SetupIntent unless confirm is set "
            "to true.",
            param="return_url",
        )
    automatic = None
    if "payment_method_types" not in given:
        wanted = given.get("automatic_payment_methods", {})
        automatic = {"enabled": wanted.get("enabled", True)}
        automatic["allow_redirects"] = wanted.get("allow_redirects", "always")
    method = _method(call)
    _check_owner(method, given.get("customer"))
    intent = setups.open_intent(
        call,
        types=enabled_types(given),
        automatic_payment_methods=automatic,
        customer=given.get("customer"),
        description=given.get("description"),
        metadata=merged({}, given.get("metadata")),
        payment_method=method["id"] if method else None,
        status="requires_confirmation" if method else "requires_payment_method",
        usage=given.get("usage", "off_session"),
        **{name: given.get(name) or None for name in _KEPT},
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
        intent["metadata"] = merged(old["metadata"], given["metadata"])
    if "description" in given:
        intent["description"] = given["description"] or None
    if "customer" in given:
        wallet.referenced(call, given["customer"])
        intent["customer"] = given["customer"]
    for name in _KEPT:
        if name in given:
            intent[name] = given[name] or None
    method = _method(call)
    _check_owner(method, intent["customer"])
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return call.keep(call.store.setup_intents, intent)


@operation("POST /v1/setup_intents/{intent}/confirm")
def confirm(call: Call) -> JSON:
    intent = in_path(call)
    _refuse_checkouts(call, intent, "confirm")
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
    _refuse_checkouts(call, intent, "cancel")
    if intent["status"] not in _OPEN:
        message = (
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a "
            "SetupIntent with one of the following statuses may be canceled: requires_payment_method, "
            "requires_confirmation, requires_action."
        )
        raise StripeError(message, code="setup_intent_unexpected_state", setup_intent=intent)
    return setups.cancel(call, intent, call.params.get("cancellation_reason"))


@operation("POST /v1/setup_intents/{intent}/verify_microdeposits")
def verify_microdeposits(call: Call) -> JSON:
    """Right are SM11AA or 32 and 45; SM33CC or 10 and 11 use up all tries."""
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
        setups.microdeposits_verified(call, intent, ok=False)
        raise StripeError(
            "You have exceeded the number of allowed verification attempts.",
            code="payment_method_microdeposit_verification_attempts_exceeded",
            happened=True,
        )
    if code != setups.MICRODEPOSIT_CODE and amounts != setups.MICRODEPOSIT_AMOUNTS:
        kind = "descriptor_code" if amounts is None else "amounts"
        raise StripeError(
            f"The {kind.replace('_', ' ')} you provided does not match.",
            code=f"payment_method_microdeposit_verification_{kind}_mismatch",
        )
    return setups.microdeposits_verified(call, intent, ok=True)


@operation("GET /v1/setup_intents")
def index(call: Call) -> JSON:
    names = ("customer", "payment_method")
    wanted = {name: call.params[name] for name in names if name in call.params}
    return lists.page(
        call,
        call.store.setup_intents,
        "setupintent",
        lambda intent: all(intent[name] == value for name, value in wanted.items()),
        customer=wanted.get("customer"),
    )


@operation("GET /v1/setup_attempts")
def index_attempts(call: Call) -> JSON:
    intent = call.params["setup_intent"]
    if call.store.setup_intents.find(intent, call.account) is None:
        raise missing_resource("setupintent", intent, "setup_intent")
    return lists.page(
        call,
        call.store.setup_attempts,
        "setupattempt",
        lambda tried: bool(tried["setup_intent"] == intent),
    )


@operation("GET /v1/mandates/{mandate}")
def retrieve_mandate(call: Call) -> JSON:
    found = call.store.mandates.find(call.path["mandate"], call.account)
    if found is None:
        raise missing_resource("mandate", call.path["mandate"], "mandate", status=404)
    return found


def _method(call: Call) -> JSON | None:
    if "payment_method_data" in call.params:
        data = call.params["payment_method_data"]
        return payment_methods.from_parameters(call, data, "payment_method_data")
    named = call.params.get("payment_method")
    return wallet.usable(call, named, "payment_method") if named else None


def _check_owner(method: JSON | None, customer: str | None) -> None:
    if method is not None and method["customer"] not in {None, customer}:
        message = (
            f"The payment method {method['id']} belongs to another customer; name that customer on the "
            "SetupIntent."
        )
        raise StripeError(message, param="payment_method")


def _refuse_checkouts(call: Call, intent: JSON, verb: str) -> None:
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
    tried = setups.attempt(call, intent, method, verify_later=True)
    error = tried["last_setup_error"]
    if error is None:
        return tried
    card = wallet.test_card(call, method)
    decline = card.decline if card and card.decline else cards.GENERIC
    raise wallet.refuse(decline, setup_intent=tried, payment_method=method)
