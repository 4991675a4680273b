"""Who chose which default, as Stripe's list of events tells it."""

from typing import Any

from app.gateway.values.answers import fields

CHOICE = "om_default_chosen"  # in a customer's metadata: an id for the last choice made through us
BY_POLICY = "gangway-policy-"  # begins the idempotency key of what our own policy asked for: no choice


def is_default_chosen(event: dict[str, Any], customer_id: str | None) -> bool:
    """Does an event tell that somebody chose another default for a customer, or the same one again?"""
    data = fields(event.get("data"))
    customer, before = fields(data.get("object")), fields(data.get("previous_attributes"))
    now, was = fields(customer.get("invoice_settings")), fields(before.get("invoice_settings"))
    is_other = "default_payment_method" in was and was["default_payment_method"] != now.get(
        "default_payment_method"
    )
    is_choice = CHOICE in fields(before.get("metadata"))
    is_policys = str(fields(event.get("request")).get("idempotency_key")).startswith(BY_POLICY)
    is_theirs = event.get("type") == "customer.updated" and customer.get("id") == customer_id
    return is_theirs and (is_other or is_choice) and not is_policys
