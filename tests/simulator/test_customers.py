"""Customers and their metadata, as at Stripe."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.simulator import Raw


def test_updates_and_unsets_fields(sdk: stripe.StripeClient, inbox: Any, simulator: Simulator) -> None:
    address: Any = {"line1": "1 Main St", "country": "US"}
    customer = sdk.v1.customers.create(
        {
            "name": "Ada",
            "phone": "+1555",
            "address": address,
            "shipping": {"name": "Ada", "address": address, "phone": "+1"},
            "metadata": {"a": "1", "b": "2"},
            "business_name": "Engines",
            "tax_exempt": "exempt",
        }
    )
    changes: Any = {
        "name": "",
        "address": "",
        "shipping": "",
        "business_name": "",
        "tax_exempt": "",
        "metadata": {"a": "", "c": "3"},
        "invoice_settings": {
            "footer": "Thanks",
            "rendering_options": {"amount_tax_display": "include_inclusive_tax"},
        },
    }

    changed: Any = sdk.v1.customers.update(customer.id, changes)
    sdk.v1.customers.update(customer.id, {"metadata": {"c": "3"}})
    emptied = sdk.v1.customers.update(
        customer.id, {"metadata": "", "invoice_settings": {"rendering_options": ""}}
    )
    simulator.deliver_due()

    assert (changed.name, changed.address, changed.shipping) == (None, None, None)
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert changed.tax_exempt == "none"
    assert changed.invoice_settings.footer == "Thanks"
    assert emptied.metadata.to_dict() == {}  # type: ignore[union-attr]
    assert inbox.types() == ["customer.created", "customer.updated", "customer.updated"]
    assert inbox.events[1]["data"]["previous_attributes"]["metadata"] == {"a": "1", "c": None}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"k" * 41: "v"}, "up to 40 characters"),
        ({"k": "v" * 501}, "up to 500 characters"),
        ({str(n): "v" for n in range(51)}, "up to 50 metadata keys"),
    ],
)
def test_limits_metadata(metadata: dict[str, str], message: str, sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        sdk.v1.customers.create({"metadata": metadata})


def test_refuses_brackets_in_metadata_keys(raw: Raw) -> None:
    answer = raw("POST", "/v1/customers", "metadata[a%5B]=1")

    assert answer.status_code == 400


def test_the_default_must_be_attached_to_the_customer(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"payment_method": "pm_card_visa"})
    other = sdk.v1.customers.create({})
    (method,) = sdk.v1.customers.payment_methods.list(customer.id).data
    default: Any = {"invoice_settings": {"default_payment_method": method.id}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.customers.update(other.id, default)
    kept: Any = sdk.v1.customers.update(customer.id, default)
    cleared: Any = sdk.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": ""}})

    assert refused.value.param == "invoice_settings[default_payment_method]"
    assert refused.value.code == "resource_missing"
    assert kept.invoice_settings.default_payment_method == method.id
    assert cleared.invoice_settings.default_payment_method is None


def test_deletes_a_customer_and_detaches_its_methods(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    customer = sdk.v1.customers.create({"name": "Ada", "payment_method": "pm_card_visa"})

    gone = sdk.v1.customers.delete(customer.id)
    simulator.deliver_due()

    assert gone.deleted is True
    assert sdk.v1.customers.retrieve(customer.id).deleted is True
    assert sdk.v1.customers.list().data == []
    assert inbox.types()[-2:] == ["payment_method.detached", "customer.deleted"]
    assert inbox.events[-1]["data"]["object"]["name"] == "Ada"
    attempts: list[Callable[[], Any]] = [
        lambda: sdk.v1.customers.update(customer.id, {"name": "x"}),
        lambda: sdk.v1.customers.delete(customer.id),
        lambda: sdk.v1.customers.retrieve("cus_nope"),
    ]
    for attempt in attempts:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            attempt()
        assert (refused.value.http_status, refused.value.param) == (404, "id")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.setup_intents.create({"customer": customer.id})
    assert (refused.value.http_status, refused.value.param) == (400, "customer")
