"""Payment methods. Source: https://docs.stripe.com/api/payment_methods."""

import copy
from dataclasses import dataclass

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_parameter, missing_resource
from app.simulator.protocol.fields import merge_metadata
from app.simulator.protocol.work import Work, previous_attributes
from app.simulator.resources import cards, customer_store, payment_method_store
from app.simulator.store import JSON


@dataclass(frozen=True)
class TestAccount:
    """The only bank account of its type that the hosted page takes."""

    number: str
    routing: str
    shown: str


TEST_ACCOUNTS = {
    "us_bank_account": TestAccount("000123456789", "110000000", "000123456789"),
    "sepa_debit": TestAccount("DE89370400440532013000", "", "DE89 3704 0044 0532 0130 00"),
    "bacs_debit": TestAccount("00012345", "108800", "00012345"),
}

DEBITS = tuple(TEST_ACCOUNTS)


def in_path(call: Call) -> JSON:
    """Return the payment method of the path. Raises StripeError (404)."""
    name = call.path["payment_method"]
    found = call.store.payment_methods.find(name, call.account)
    if found is None:
        raise missing_resource("PaymentMethod", name, "payment_method", status=404)
    return found


@operation("POST /v1/payment_methods")
def create(call: Call) -> JSON:
    source = call.params.get("payment_method")
    if source is not None:
        return payment_method_store.find_usable(call, source, "payment_method")
    return from_parameters(call, call.params, "")


def from_parameters(work: Work, given: JSON, path: str) -> JSON:
    """Create a payment method from parameters, such as a SetupIntent's `payment_method_data`."""
    param = (lambda name: f"{path}[{name}]") if path else (lambda name: name)
    kind = given.get("type") or ("card" if "card" in given else None)
    if kind is None:
        raise missing_parameter(param("type"))
    billing = payment_method_store.billing_details(given.get("billing_details") or {})
    redisplay = given.get("allow_redisplay", "unspecified")
    metadata = merge_metadata({}, given.get("metadata"))
    if kind == "card":
        card, month, year = _card(work, given.get("card"), param("card"))
        return payment_method_store.create_card(
            work, card, month, year, billing=billing, redisplay=redisplay, metadata=metadata
        )
    if kind not in DEBITS:
        message = f"This simulator has no payment methods of type {kind}."
        raise StripeError(message, param=param("type"))
    details = given.get(kind) or {}
    number = details.get("iban" if kind == "sepa_debit" else "account_number")
    if not number:
        raise missing_parameter(param(kind))
    routing = details.get("routing_number") or details.get("sort_code") or ""
    return payment_method_store.create_debit(
        work,
        kind,
        number.replace(" ", ""),
        routing,
        billing=billing,
        redisplay=redisplay,
        holder=details.get("account_holder_type", "individual"),
        account_type=details.get("account_type", "checking"),
        metadata=metadata,
    )


@operation("GET /v1/payment_methods/{payment_method}")
def retrieve(call: Call) -> JSON:
    return in_path(call)


@operation("POST /v1/payment_methods/{payment_method}")
def update(call: Call) -> JSON:
    old, given = in_path(call), call.params
    if old["customer"] is None:
        raise StripeError(
            "You must save this PaymentMethod to a customer before you can update it.",
        )
    new = copy.deepcopy(old)
    if "billing_details" in given:
        for name, value in payment_method_store.billing_details(
            given["billing_details"], old["billing_details"]
        ).items():
            new["billing_details"][name] = value
    new["allow_redisplay"] = given.get("allow_redisplay", old["allow_redisplay"])
    if "metadata" in given:
        new["metadata"] = merge_metadata(old["metadata"], given["metadata"])
    for kind in ("card", "us_bank_account"):
        for name, value in given.get(kind, {}).items():
            if kind not in new:
                raise StripeError(f"This PaymentMethod is not of type {kind}.", param=kind)
            if name == "networks":
                new[kind]["networks"]["preferred"] = value.get("preferred") or None
            else:
                new[kind][name] = value
    if new != old:
        call.put(call.store.payment_methods, new)
        call.emit("payment_method.updated", new, previous_attributes(old, new))
    return new


@operation("POST /v1/payment_methods/{payment_method}/attach")
def attach(call: Call) -> JSON:
    customer = call.params.get("customer")
    if not customer:
        raise missing_parameter("customer")
    owner = customer_store.find_customer(call, customer)
    name = call.path["payment_method"]
    method = (
        payment_method_store.find_usable(call, name, "payment_method")
        if cards.find_by_name(name)
        else in_path(call)
    )
    if call.note(method["id"]).get("used_up"):
        raise StripeError(payment_method_store.REUSE_REFUSED)
    if owner is None or method["customer"] not in {None, owner["id"]}:
        raise StripeError(
            "The payment method you provided has already been attached to a customer.",
        )
    card = payment_method_store.test_card(call, method)
    if card is not None and card.decline is not None and not card.challenge:
        raise payment_method_store.card_error(card.decline)
    return payment_method_store.attach(call, method, owner["id"])


@operation("POST /v1/payment_methods/{payment_method}/detach")
def detach(call: Call) -> JSON:
    method = in_path(call)
    if method["customer"] is None:
        raise StripeError(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        )
    return payment_method_store.detach(call, method)


@operation("GET /v1/payment_methods")
def index(call: Call) -> JSON:
    """List the payment methods of one customer, or those without a customer."""
    owner = customer_store.find_customer(call, call.params.get("customer"))
    filters = {name: call.params[name] for name in ("type", "allow_redisplay") if call.params.get(name)}

    def matches(method: JSON) -> bool:
        is_owned = method["customer"] == owner["id"] if owner else method["customer"] is not None
        return is_owned and all(method[name] == value for name, value in filters.items())

    customer = owner["id"] if owner else None
    return lists.page(call, call.store.payment_methods, "PaymentMethod", matches, customer=customer)


def _card(work: Work, given: JSON | None, param: str) -> tuple[cards.Card, int, int]:
    if not given:
        raise missing_parameter(param)
    if "token" in given:
        card = cards.find_by_name(given["token"]) if given["token"].startswith("tok_") else None
        if card is None:
            raise missing_resource("token", given["token"], f"{param}[token]")
        return card, *payment_method_store.next_year(work)
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing_parameter(f"{param}[{name}]")
    number = given["number"].replace(" ", "")
    card = cards.CARDS.get(number)
    if card is None:
        wrong = not number.isdecimal() or not cards.has_check_digit(number)
        raise StripeError(
            "Your card number is incorrect." if wrong else NOT_A_TEST_CARD,
            status=402,
            kind="card_error",
            code="incorrect_number" if wrong else "card_declined",
            decline_code=None if wrong else "test_mode_live_card",
            param="number" if wrong else None,
        )
    return card, given["exp_month"], given["exp_year"]


NOT_A_TEST_CARD = (
    "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid "
    "test cards, visit: https://stripe.com/docs/testing."
)
