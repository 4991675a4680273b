"""Customers at Stripe, as a program and the Dashboard change them."""

from flask.testing import FlaskClient

from tests.support.world import World

CUSTOMERS = "/api/v1/customers"
ADA = f"{CUSTOMERS}/ada"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def create(api: FlaskClient, key: str) -> str:
    """Make a customer; its id."""
    return str(api.post(CUSTOMERS, json={"name": "Ada", "key": key}).get_json()["id"])


def stripe_customer(world: World) -> str:
    """Make a Stripe customer in the Dashboard; cus_…."""
    return str(world.stripe("POST", "/v1/customers", name="Ada at Stripe")["id"])


def attach(world: World, customer: str, card: str = "pm_card_visa") -> str:
    """Attach a card to a Stripe customer in the Dashboard; pm_…."""
    return str(world.stripe("POST", f"/v1/payment_methods/{card}/attach", customer=customer)["id"])


def default_at_stripe(world: World, customer: str) -> str | None:
    """The method that Stripe charges, by its own data."""
    default: str | None = world.simulator.store.customers[customer]["invoice_settings"][
        "default_payment_method"
    ]
    return default
