"""Tax ids of customers, as at Stripe."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator


def held(sdk: stripe.StripeClient, customer: str) -> list[tuple[str, str]]:
    listed = sdk.v1.customers.tax_ids.list(customer)
    return [(each.type, each.value) for each in listed.data]


def test_come_with_a_new_customer_and_are_expanded(sdk: stripe.StripeClient) -> None:
    data: Any = [{"type": "eu_vat", "value": "DE123456789"}, {"type": "us_ein", "value": "12-3456789"}]

    customer = sdk.v1.customers.create({"name": "Ada", "tax_id_data": data})

    found = sdk.v1.customers.retrieve(customer.id, {"expand": ["tax_ids"]})
    assert [(each.type, each.country) for each in found.tax_ids.data] == [("us_ein", "US"), ("eu_vat", "DE")]  # type: ignore[union-attr]


def test_are_added_read_and_removed(sdk: stripe.StripeClient, inbox: Any, simulator: Simulator) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})

    tax_id = sdk.v1.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": "EL094259216"})
    read = sdk.v1.customers.tax_ids.retrieve(customer.id, tax_id.id)
    gone = sdk.v1.customers.tax_ids.delete(customer.id, tax_id.id)
    simulator.deliver_due()

    assert (read.customer, read.country, read.value) == (customer.id, "GR", "EL094259216")
    assert (gone.id, gone.deleted) == (tax_id.id, True)
    assert held(sdk, customer.id) == []
    assert inbox.types() == ["customer.created", "customer.tax_id.created", "customer.tax_id.deleted"]


@pytest.mark.parametrize(("kind", "value"), [("eu_vat", "12"), ("us_ein", "123456789"), ("au_abn", "-")])
def test_refuses_a_number_that_its_type_does_not_allow(
    sdk: stripe.StripeClient, kind: Any, value: str
) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.customers.tax_ids.create(customer.id, {"type": kind, "value": value})

    assert (refused.value.code, refused.value.param) == ("tax_id_invalid", "value")
    assert held(sdk, customer.id) == []


def test_refuses_more_than_five(sdk: stripe.StripeClient) -> None:
    data: Any = [{"type": "au_abn", "value": f"1234567890{n}"} for n in range(6)]

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.customers.create({"name": "Ada", "tax_id_data": data})

    assert refused.value.param == "tax_id_data[5][value]"


def test_are_not_found_at_another_or_deleted_customer(sdk: stripe.StripeClient) -> None:
    ada, bob = (sdk.v1.customers.create({"name": name}) for name in ("Ada", "Bob"))
    tax_id = sdk.v1.customers.tax_ids.create(ada.id, {"type": "au_abn", "value": "83914571673"})

    with pytest.raises(stripe.InvalidRequestError, match="No such tax_id"):
        sdk.v1.customers.tax_ids.retrieve(bob.id, tax_id.id)
    sdk.v1.customers.delete(ada.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        sdk.v1.customers.tax_ids.list(ada.id)
