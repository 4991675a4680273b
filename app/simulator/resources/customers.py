"""Customers. Source: https://docs.stripe.com/api/customers."""

import copy
import re

from app.simulator.protocol import lists, search
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_resource
from app.simulator.protocol.fields import address, merge_metadata
from app.simulator.protocol.work import Work, previous_attributes
from app.simulator.resources import customer_store, payment_method_store, payment_methods, tax_ids
from app.simulator.store import JSON

_PLAIN = ("description", "email", "name", "phone", "preferred_locales", "tax_exempt", "balance")


def in_path(call: Call) -> JSON:
    """Return the customer of the path, even a deleted one. Raises StripeError (404)."""
    found = call.store.customers.find(call.path["customer"], call.account)
    if found is None:
        raise missing_resource("customer", call.path["customer"], "id", status=404)
    return found


def existing_in_path(call: Call) -> JSON:
    """Return the customer of the path. Raises StripeError (404) for a deleted one too."""
    found = in_path(call)
    if found.get("deleted"):
        raise missing_resource("customer", found["id"], "id", status=404)
    return found


@operation("POST /v1/customers")
def create(call: Call) -> JSON:
    customer = customer_store.new_customer(call)
    named = call.params.get("payment_method")
    method = payment_method_store.find_usable(call, named, "payment_method") if named else None
    _change(call, customer)
    call.put(call.store.customers, customer)
    call.emit("customer.created", customer)
    for number, given in enumerate(call.params.get("tax_id_data", [])):
        tax_ids.add(call, customer, given["type"], given["value"], param=f"tax_id_data[{number}][value]")
    if method is not None:
        payment_method_store.attach(call, method, customer["id"])
    return customer


@operation("GET /v1/customers/{customer}")
def retrieve(call: Call) -> JSON:
    return in_path(call)


@operation("POST /v1/customers/{customer}")
def update(call: Call) -> JSON:
    old = existing_in_path(call)
    new = copy.deepcopy(old)
    _change(call, new)
    return save(call, old, new)


@operation("DELETE /v1/customers/{customer}")
def delete(call: Call) -> JSON:
    return remove(call, existing_in_path(call))


@operation("GET /v1/customers")
def index(call: Call) -> JSON:
    email = call.params.get("email")

    def matches(customer: JSON) -> bool:
        return not customer.get("deleted") and (email is None or customer["email"] == email)

    return lists.page(call, call.store.customers, "customer", matches)


@operation("GET /v1/customers/search")
def find(call: Call) -> JSON:
    """Search. The index lags behind, as at Stripe, by the time in the fault settings."""
    newest = call.now - call.fault_settings.search_lag
    found = [
        customer
        for customer in call.store.customers.newest(call.account)
        if not customer.get("deleted") and customer["created"] <= newest
    ]
    return search.page(call, found, fields=("email", "name", "phone", "created"))


@operation("GET /v1/customers/{customer}/payment_methods")
def index_payment_methods(call: Call) -> JSON:
    call.params["customer"] = existing_in_path(call)["id"]
    return payment_methods.index(call)


@operation("GET /v1/customers/{customer}/payment_methods/{payment_method}")
def retrieve_payment_method(call: Call) -> JSON:
    customer, method = existing_in_path(call), payment_methods.in_path(call)
    if method["customer"] != customer["id"]:
        raise missing_resource("PaymentMethod", method["id"], "payment_method", status=404)
    return method


def save(work: Work, old: JSON, new: JSON) -> JSON:
    """Store a changed customer and emit its event. Without a change, do nothing."""
    if new != old:
        work.put(work.store.customers, new)
        work.emit("customer.updated", new, previous_attributes(old, new))
    return new


def remove(work: Work, customer: JSON) -> JSON:
    """Detach a customer's payment methods and delete it. Only its id remains."""
    for method in work.store.payment_methods.newest(work.account):
        if method["customer"] == customer["id"]:
            payment_method_store.detach(work, method, keep_default=True)
    deleted = {"id": customer["id"], "object": "customer", "deleted": True}
    work.emit("customer.deleted", customer)
    return work.put(work.store.customers, deleted)


def _change(call: Call, customer: JSON) -> None:
    """Apply the parameters that create and update share."""
    given = call.params
    email = given.get("email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise StripeError(f"Invalid email address: {email}", code="email_invalid", param="email")
    for name in _PLAIN:
        if name in given:
            customer[name] = given[name] if given[name] != "" else None
    for name in ("business_name", "individual_name"):
        if given.get(name):
            customer[name] = given[name]
        elif given.get(name) == "":
            customer.pop(name, None)
    if customer["tax_exempt"] is None:
        customer["tax_exempt"] = "none"
    if "address" in given:
        customer["address"] = address(given["address"])
    if "shipping" in given:
        customer["shipping"] = _shipping(given["shipping"])
    if "metadata" in given:
        customer["metadata"] = merge_metadata(customer["metadata"], given["metadata"])
    if "invoice_settings" in given:
        _invoice_settings(call, customer, given["invoice_settings"])


def _invoice_settings(call: Call, customer: JSON, given: JSON) -> None:
    settings = customer["invoice_settings"]
    for name in ("custom_fields", "footer"):
        if name in given:
            settings[name] = given[name] or None
    if "rendering_options" in given:
        options = given["rendering_options"] or {}
        rendering = {key: options.get(key) or None for key in ("amount_tax_display", "template")}
        settings["rendering_options"] = rendering if any(rendering.values()) else None
    if "default_payment_method" in given:
        method = given["default_payment_method"]
        settings["default_payment_method"] = _check_attached(call, customer, method) if method else None


def _check_attached(call: Call, customer: JSON, method: str) -> str:
    """Return the method's id if it is attached to the customer. Raises StripeError."""
    found = call.store.payment_methods.find(method, call.account)
    if found is None or found["customer"] != customer["id"]:
        param = "invoice_settings[default_payment_method]"
        raise missing_resource("PaymentMethod", method, param)
    return method


def _shipping(given: JSON | str) -> JSON | None:
    if not isinstance(given, dict):
        return None
    return {
        "address": address(given["address"]),
        "carrier": None,
        "name": given["name"],
        "phone": given.get("phone") or None,
        "tracking_number": None,
    }
