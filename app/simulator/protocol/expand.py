"""`expand`: whole objects in place of their ids.

Source: https://docs.stripe.com/api/expanding_objects and `x-expandableFields` in Stripe's description.
"""

import copy
from typing import Any

from app.simulator.protocol.errors import StripeError
from app.simulator.store import JSON, Store

# The fields that hold an id, with the collection of its object (None: the simulator has none).
_REFERENCES: dict[str, dict[str, str | None]] = {
    "customer": {
        "default_source": None,
        "invoice_settings.default_payment_method": "payment_methods",
        "test_clock": None,
    },
    "payment_method": {
        "card.generated_from.setup_attempt": "setup_attempts",
        "customer": "customers",
        "sepa_debit.generated_from.charge": None,
        "sepa_debit.generated_from.setup_attempt": "setup_attempts",
    },
    "setup_intent": {
        "application": None,
        "customer": "customers",
        "latest_attempt": "setup_attempts",
        "mandate": "mandates",
        "on_behalf_of": "accounts",
        "payment_method": "payment_methods",
        "single_use_mandate": "mandates",
    },
    "setup_attempt": {
        "application": None,
        "customer": "customers",
        "on_behalf_of": "accounts",
        "payment_method": "payment_methods",
        "setup_intent": "setup_intents",
    },
    "mandate": {"payment_method": "payment_methods"},
    "checkout.session": {
        "customer": "customers",
        "invoice": None,
        "payment_intent": None,
        "payment_link": None,
        "setup_intent": "setup_intents",
        "subscription": None,
    },
    "billing_portal.session": {"configuration": "portal_configurations"},
    "billing_portal.configuration": {"application": None},
}

# Lists that only `expand` shows. In the simulator all but tax ids are always empty.
_LISTS = {
    "customer": {
        "sources": "/v1/customers/{id}/sources",
        "subscriptions": "/v1/customers/{id}/subscriptions",
        "tax_ids": "/v1/customers/{id}/tax_ids",
    },
    "checkout.session": {"line_items": "/v1/checkout/sessions/{id}/line_items"},
}

# Parts of an object that `expand` may name without any effect.
_PARTS = {
    "customer": ("address", "cash_balance", "discount", "invoice_settings", "shipping", "tax"),
    "payment_method": ("billing_details", "card", "us_bank_account", "sepa_debit", "bacs_debit"),
    "setup_intent": ("last_setup_error", "next_action", "payment_method_options"),
    "checkout.session": ("customer_details", "total_details", "collected_information", "consent"),
    "event": ("data", "request"),
}


def expand(store: Store, answer: JSON, paths: list[str]) -> JSON:
    """Return a copy of the answer with the objects at `paths`. Raises StripeError for an impossible path."""
    result = copy.deepcopy(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > (5 if steps[0] == "data" else 4):
            message = f"You cannot expand more than 4 levels of a property. Property: {path}"
            raise StripeError(message, param="expand")
        if result["object"] in {"list", "search_result"}:
            if steps[0] != "data":
                raise _not_expandable(path, " You may want to try expanding 'data." + path + "' instead.")
            for element in result["data"]:
                _expand(store, element, steps[1:], path)
        else:
            _expand(store, result, steps, path)
    return result


def _expand(store: Store, value: JSON, steps: list[str], path: str) -> None:
    if not steps or value.get("deleted"):
        return
    kind = value["object"]
    for name, collection in _REFERENCES.get(kind, {}).items():
        parts = name.split(".")
        if steps[: len(parts)] == parts:
            inner = _resolve(store, value, parts, collection)
            if inner is not None:
                _expand(store, inner, steps[len(parts) :], path)
            return
    if steps[0] in _LISTS.get(kind, {}) and steps[1:] in ([], ["data"]):
        url = _LISTS[kind][steps[0]].format(id=value["id"])
        found = _tax_ids(store, value["id"]) if steps[0] == "tax_ids" else []
        value[steps[0]] = {"object": "list", "data": found, "has_more": False, "url": url}
        return
    if steps[0] in _PARTS.get(kind, ()) and not steps[1:]:
        return
    raise _not_expandable(path)


def _tax_ids(store: Store, customer: str) -> list[JSON]:
    held = store.tax_ids.newest(store.customers.owner(customer))
    return [copy.deepcopy(each) for each in held if each["customer"] == customer]


def _resolve(store: Store, value: JSON, parts: list[str], collection: str | None) -> JSON | None:
    """Replace an id with its object and return the object. Return None when there is none."""
    place: Any = value
    for part in parts[:-1]:
        place = place.get(part) if isinstance(place, dict) else None
    found = place.get(parts[-1]) if isinstance(place, dict) else None
    if isinstance(found, str) and collection:
        inner: JSON = copy.deepcopy(store.collections[collection][found])
        place[parts[-1]] = inner
        return inner
    return found if isinstance(found, dict) else None


def _not_expandable(path: str, hint: str = "") -> StripeError:
    message = f"This property cannot be expanded ({path}).{hint}"
    return StripeError(message, param="expand")
