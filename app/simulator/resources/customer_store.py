"""Customers in the store: find one, or make an empty one."""

from app.simulator.protocol.errors import missing_resource
from app.simulator.protocol.work import Work
from app.simulator.store import JSON, ids


def find_customer(work: Work, customer: str | None, param: str = "customer") -> JSON | None:
    """Return the customer with this id, or None without an id. Raises StripeError if there is none."""
    if customer is None:
        return None
    found = work.store.customers.find(customer, work.account)
    if found is None or found.get("deleted"):
        raise missing_resource("customer", customer, param)
    return found


def new_customer(work: Work) -> JSON:
    """Make an empty customer. The caller fills it in and stores it."""
    return {
        "id": ids.customer(),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": work.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": ids.random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
