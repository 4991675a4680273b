"""Products and prices, as far as `stripe trigger checkout.session.completed` needs them.

Source: https://docs.stripe.com/api/products and https://docs.stripe.com/api/prices.
"""

from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import missing_parameter, missing_resource
from app.simulator.protocol.fields import merge_metadata
from app.simulator.store import JSON


@operation("POST /v1/products")
def create_product(call: Call) -> JSON:
    product = {
        "id": call.new_id("prod"),
        "object": "product",
        "active": True,
        "created": call.now,
        "description": call.params.get("description"),
        "livemode": False,
        "metadata": merge_metadata({}, call.params.get("metadata")),
        "name": call.params["name"],
    }
    return call.put(call.store.products, product)


@operation("POST /v1/prices")
def create_price(call: Call) -> JSON:
    given = call.params
    if call.store.products.find(given["product"], call.account) is None:
        raise missing_resource("product", given["product"], "product")
    price = {
        "id": call.new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": call.now,
        "currency": given["currency"],
        "livemode": False,
        "metadata": merge_metadata({}, given.get("metadata")),
        "product": given["product"],
        "type": "one_time",
        "unit_amount": given["unit_amount"],
    }
    return call.put(call.store.prices, price)


def purchase(call: Call) -> JSON:
    """Return the amounts of a session in payment mode, in integer minor units."""
    items = call.params.get("line_items")
    if not items:
        raise missing_parameter("line_items")
    total, currency = 0, None
    for number, item in enumerate(items):
        price = call.store.prices.find(item.get("price"), call.account)
        if price is None:
            raise missing_resource("price", str(item.get("price")), f"line_items[{number}][price]")
        total += price["unit_amount"] * item.get("quantity", 1)
        currency = price["currency"]
    return {
        "mode": "payment",
        "amount_subtotal": total,
        "amount_total": total,
        "currency": currency,
        "payment_method_collection": "if_required",
        "payment_status": "unpaid",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }
