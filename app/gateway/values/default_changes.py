"""Who chose which default, as Stripe's list of events tells it."""

from dataclasses import dataclass
from typing import Any

from app.gateway.values.answers import fields

CHOICE = "om_default_chosen"  # in a customer's metadata: an id for the last choice made through us
BY_POLICY = "gangway-policy-"  # begins the idempotency key of what our own policy asked for: no choice


@dataclass(frozen=True)
class DefaultChange:
    """An event that somebody chose another default for a customer, or the same one again."""

    customer_id: str

    @classmethod
    def of(cls, event: dict[str, Any]) -> "DefaultChange | None":
        """Read an event; None when it is about something else."""
        data = fields(event.get("data"))
        customer, before = fields(data.get("object")), fields(data.get("previous_attributes"))
        now, was = fields(customer.get("invoice_settings")), fields(before.get("invoice_settings"))
        is_other = "default_payment_method" in was and was["default_payment_method"] != now.get(
            "default_payment_method"
        )
        is_choice = CHOICE in fields(before.get("metadata"))
        is_policys = str(fields(event.get("request")).get("idempotency_key")).startswith(BY_POLICY)
        is_about_it = event.get("type") == "customer.updated" and (is_other or is_choice) and not is_policys
        return cls(str(customer.get("id"))) if is_about_it else None
