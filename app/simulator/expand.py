"""`expand`: objects in place of their ids, on request.

Source: https://docs.stripe.com/api/expanding_objects and `x-expandableFields` in Stripe's description.
"""

import copy
from typing import Any

from app.simulator.errors import StripeError
from app.simulator.shapes import JSON
from app.simulator.store import Store

# The object's fields that hold an id, and the collection in which it is found (None: kept by nobody here).
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

# Lists that are left out unless they are asked for; none of them ever holds anything here.
_LISTS = {
    "customer": {
        "sources": "/v1/customers/{id}/sources",
        "subscriptions": "/v1/customers/{id}/subscriptions",
        "tax_ids": "/v1/customers/{id}/tax_ids",
    },
    "checkout.session": {"line_items": "/v1/checkout/sessions/{id}/line_items"},
}

# Plain parts of an object that may be named in `expand` although they are there anyway, or never are.
_PARTS = {
    "customer": ("address", "cash_balance", "discount", "invoice_settings", "shipping", "tax"),
    "payment_method": ("billing_details", "card", "us_bank_account", "sepa_debit", "bacs_debit"),
    "setup_intent": ("last_setup_error", "next_action", "payment_method_options"),
    "checkout.session": ("customer_details", "total_details", "collected_information", "consent"),
    "event": ("data", "request"),
}


def expanded(store: Store, answer: JSON, paths: list[str]) -> JSON:
    """A copy of the answer with the objects at `paths` written out; raises StripeError as Stripe does."""
    result = copy.deepcopy(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > (5 if steps[0] == "data" else 4):
            message = f"You cannot expand more than 4 levels of a property. Property: {path}"
            raise StripeError(message, param="expand")
        if result["object"] in {"list", "search_result"}:
            if steps[0] != "data":
                raise _impossible(path, " You may want to try expanding 'data." + path + "' instead.")
            for element in result["data"]:
                _expand(store, element, steps[1:], path)
        else:
            _expand(store, result, steps, path)
    return result


def _expand(store: Store, thing: JSON, steps: list[str], path: str) -> None:
    if not steps or thing.get("deleted"):
        return
    kind = thing["object"]
    for name, collection in _REFERENCES.get(kind, {}).items():
        parts = name.split(".")
        if steps[: len(parts)] == parts:
            inner = _resolve(store, thing, parts, collection)
            if inner is not None:
                _expand(store, inner, steps[len(parts) :], path)
            return
    if steps[0] in _LISTS.get(kind, {}) and steps[1:] in ([], ["data"]):
        url = _LISTS[kind][steps[0]].format(id=thing["id"])
        thing[steps[0]] = {"object": "list", "data": [], "has_more": False, "url": url}
        return
    if steps[0] in _PARTS.get(kind, ()) and not steps[1:]:
        return
    raise _impossible(path)


def _resolve(store: Store, thing: JSON, parts: list[str], collection: str | None) -> JSON | None:
    """Put the object where its id stands; None when nothing stands there."""
    place: Any = thing
    for part in parts[:-1]:
        place = place.get(part) if isinstance(place, dict) else None
    here = place.get(parts[-1]) if isinstance(place, dict) else None
    if isinstance(here, str) and collection:
        inner: JSON = copy.deepcopy(store.collections[collection][here])
        place[parts[-1]] = inner
        return inner
    return here if isinstance(here, dict) else None


def _impossible(path: str, hint: str = "") -> StripeError:
    message = f"This property cannot be expanded ({path}).{hint}"
    return StripeError(message, param="expand")
