"""A customer that is restored has the Stripe customer that it had last, and no earlier one."""

import pytest
from flask import Flask

from app.payers import Payer
from app.simulator import Simulator
from tests.support.api import Api, api
from tests.support.console import post, sign_in
from tests.support.rows import Rows
from tests.support.world import World

__all__ = ["api"]


@pytest.fixture
def customer(api: Api) -> str:
    """The id of a customer."""
    return str(api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()["id"])


def at_stripe(world: World) -> str:
    """One more Stripe customer (cus_…)."""
    return str(world.stripe("POST", "/v1/customers", name="Ada at Stripe")["id"])


def bind(api: Api, customer: str, stripe_customer_id: str) -> None:
    answer = api.put(f"/customers/{customer}/stripe", {"stripeCustomerId": stripe_customer_id})
    assert answer.status_code == 200


def restore(app: Flask, api: Api, customer: str) -> None:
    assert api.delete(f"/customers/{customer}").status_code == 204
    assert post(sign_in(app, "operator"), f"/operator/customers/{customer}/restore").status_code == 303


def bound(rows: Rows) -> list[str]:
    return [row.stripe_customer_id for row in rows(Payer) if row.deleted_at is None]


def test_not_one_that_was_replaced(app: Flask, api: Api, customer: str, world: World, rows: Rows) -> None:
    first, second = at_stripe(world), at_stripe(world)
    bind(api, customer, first)
    bind(api, customer, second)

    restore(app, api, customer)

    assert bound(rows) == [second]


def test_not_one_that_was_unbound(app: Flask, api: Api, customer: str, world: World, rows: Rows) -> None:
    bind(api, customer, at_stripe(world))
    app_id = api.get("/apps").get_json()["items"][0]["id"]
    assert api.delete(f"/customers/{customer}/apps/{app_id}").status_code == 204

    restore(app, api, customer)

    assert bound(rows) == []


def test_not_one_that_stripe_deleted_and_that_was_replaced(
    app: Flask, api: Api, customer: str, world: World, simulator: Simulator, rows: Rows
) -> None:
    lost, second = at_stripe(world), at_stripe(world)
    bind(api, customer, lost)
    simulator.delete_customer(lost)
    world.settle()
    bind(api, customer, second)

    restore(app, api, customer)

    assert bound(rows) == [second]


def test_not_one_of_an_earlier_deletion(
    app: Flask, api: Api, customer: str, world: World, rows: Rows
) -> None:
    first, second = at_stripe(world), at_stripe(world)
    bind(api, customer, first)
    restore(app, api, customer)
    bind(api, customer, second)

    restore(app, api, customer)

    assert bound(rows) == [second]
