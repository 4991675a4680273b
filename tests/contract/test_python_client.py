"""OpenMeter's official Python client, unmodified."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from corehttp.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from openmeter import Client
from openmeter.aio import Client as AsyncClient
from openmeter.models import (
    CheckoutSessionUIMode,
    CreateStripeCheckoutSessionRequest,
    CreateStripeCheckoutSessionRequestOptions,
    CustomerCreate,
    CustomerKey,
    CustomerUsageAttribution,
)

from app.customers import Customer
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.contract.conftest import Place
from tests.support.rows import Rows

EXAMPLE: Any = {
    "customer": {
        "name": "ACME, Inc.",
        "key": "my-database-id",
        "usageAttribution": {"subjectKeys": ["my-usage-event-subject"]},
    },
    "options": {"successURL": "https://example.com/success", "currency": "USD"},
}


@pytest.fixture
def openmeter(place: Place) -> Iterator[Client]:
    """The client; untyped in the tests, because its overloads don't know of every body that it takes."""
    with Client(endpoint=place.url, token=place.token) as client:
        yield client


def customer(**details: Any) -> Any:
    return {"name": "ACME, Inc.", "key": "acme"} | details


def test_opens_a_page_for_the_documentations_example_twice(
    openmeter: Any, simulator: Simulator, rows: Rows
) -> None:
    first, second = (openmeter.app_stripe.create_checkout_session(EXAMPLE) for _ in range(2))

    [row] = rows(Customer)
    assert first.customer_id == second.customer_id == row.id
    assert first.stripe_customer_id == second.stripe_customer_id
    assert first.session_id != second.session_id
    assert second.url == simulator.store.checkout_sessions[second.session_id]["url"]
    assert simulator.store.checkout_sessions[first.session_id]["status"] == "expired"
    assert (first.mode, first.currency, first.status) == ("setup", "USD", "open")
    assert isinstance(first.created_at, datetime)
    assert len(simulator.store.customers) == 1


def test_opens_a_page_for_models(openmeter: Any) -> None:
    made = openmeter.customers.create(
        CustomerCreate(
            name="ACME", key="acme", usage_attribution=CustomerUsageAttribution(subject_keys=["meter"])
        )
    )

    opened = openmeter.app_stripe.create_checkout_session(
        CreateStripeCheckoutSessionRequest(
            customer=CustomerKey(key="acme"),
            options=CreateStripeCheckoutSessionRequestOptions(
                ui_mode=CheckoutSessionUIMode.HOSTED,
                success_url="https://example.com/success",
                metadata={"plan": "pro"},
            ),
        )
    )

    assert opened.customer_id == made.id
    assert opened.metadata == {"plan": "pro"}


def test_keeps_customers(openmeter: Any) -> None:
    made = openmeter.customers.create(customer(usageAttribution={"subjectKeys": ["b", "a"]}))
    found = openmeter.customers.get("acme")
    replaced = openmeter.customers.update(made.id, customer(name="New"))
    listed = openmeter.customers.list(page_size=1000, key="ACM", include_deleted=True)
    openmeter.customers.delete(made.id)
    left = openmeter.customers.list()

    assert found == made
    assert made.usage_attribution is not None
    assert made.usage_attribution.subject_keys == ["a", "b"]
    assert (replaced.name, replaced.usage_attribution) == ("New", None)
    assert [item.id for item in listed.items_property] == [made.id]
    assert openmeter.customers.get(made.id).deleted_at is not None
    assert (left.total_count, left.items_property) == (0, [])


def test_reaches_a_key_with_a_slash(openmeter: Any) -> None:
    made = openmeter.customers.create(customer(key="a/ß?#%"))

    assert openmeter.customers.get("a/ß?#%").id == made.id


def test_knows_stripes_side_of_a_customer(openmeter: Any) -> None:
    opened = openmeter.app_stripe.create_checkout_session(EXAMPLE)
    known = openmeter.customer_stripe.get(opened.customer_id)
    bound = openmeter.customer_stripe.upsert(
        opened.customer_id, {"stripeCustomerId": opened.stripe_customer_id}
    )
    portal = openmeter.customer_stripe.create_portal_session(
        opened.customer_id, {"returnUrl": "https://example.com/back"}
    )
    data = openmeter.customer_apps.list_app_data(opened.customer_id)
    kept = openmeter.customer_apps.upsert_app_data(
        opened.customer_id,
        [{"type": "stripe", "stripeCustomerId": opened.stripe_customer_id}],
    )
    app_id = openmeter.apps.list().items_property[0]["id"]
    openmeter.customer_apps.delete_app_data(opened.customer_id, app_id)

    assert known.stripe_customer_id == bound.stripe_customer_id == opened.stripe_customer_id
    assert portal.url.startswith("http")
    assert data.total_count == len(kept) == 1
    assert openmeter.customer_apps.list_app_data(opened.customer_id).total_count == 0


def test_installs_and_uninstalls(openmeter: Any) -> None:
    app_id = openmeter.apps.list().items_property[0]["id"]
    renamed = openmeter.apps.update(app_id, {"type": "stripe", "name": "Mine"})
    openmeter.app_stripe.update_stripe_api_key(app_id, {"secretAPIKey": DEFAULT_API_KEY})
    openmeter.apps.uninstall(app_id)
    none = openmeter.apps.list()
    listing = openmeter.marketplace.get("stripe")
    listings = openmeter.marketplace.list()
    installed = openmeter.marketplace.install_with_api_key(
        "stripe", {"apiKey": DEFAULT_API_KEY, "name": "New"}
    )

    assert renamed["name"] == "Mine"
    assert none.items_property == []
    assert listings.items_property == [listing]
    assert openmeter.apps.get(installed.app["id"])["name"] == "New"
    assert openmeter.app_stripe.create_checkout_session(EXAMPLE).url


def test_tells_errors_apart(openmeter: Any, place: Place) -> None:
    openmeter.customers.create(customer())

    with pytest.raises(ResourceNotFoundError) as unknown:
        openmeter.customers.get("nobody")
    with pytest.raises(ResourceExistsError) as taken:
        openmeter.customers.create(customer())
    with pytest.raises(HttpResponseError) as wrong:
        openmeter.customers.create(customer(name=""))
    with (
        Client(endpoint=place.url, token="nonsense") as stranger,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        stranger.customers.list()

    problems: dict[str, Any] = {
        name: caught.value
        for name, caught in (("unknown", unknown), ("taken", taken), ("wrong", wrong), ("refused", refused))
    }
    assert problems["unknown"].model.detail.startswith("not found error: ")
    assert problems["taken"].response.json()["status"] == 409
    assert problems["wrong"].model.extensions["validationErrors"][0]["field"] == "/name"
    assert problems["refused"].model.title == "Unauthorized"


def test_opens_pages_at_once(place: Place, simulator: Simulator, rows: Rows) -> None:
    async def open_all() -> list[Any]:
        async with AsyncClient(endpoint=place.url, token=place.token) as client:
            return await asyncio.gather(
                *(client.app_stripe.create_checkout_session(EXAMPLE) for _ in range(8))
            )

    with ThreadPoolExecutor(1) as thread:  # another test's browser may keep a loop running in this one
        opened = thread.submit(lambda: asyncio.run(open_all())).result()

    assert len({page.customer_id for page in opened}) == len(rows(Customer)) == 1
    assert len(simulator.store.customers) == 1
