"""Two customers who want one Stripe customer at the same moment: one has it, the other hears why not."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import new_id, utcnow
from app.payers import Payer
from tests.support.api import Api, api
from tests.support.console import post, sign_in
from tests.support.rivals import comes_first
from tests.support.rows import Rows
from tests.support.world import World

__all__ = ["api"]


@pytest.fixture
def at_stripe(world: World) -> str:
    """A Stripe customer (cus_…) that is bound to nobody yet."""
    return str(world.stripe("POST", "/v1/customers", name="Ada at Stripe")["id"])


@pytest.fixture
def ours(api: Api) -> str:
    """The id of the customer that comes too late."""
    return str(api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()["id"])


@pytest.fixture
def theirs(api: Api) -> str:
    """The id of the customer that is quicker."""
    return str(api.post("/customers", {"name": "Bob", "key": "bob"}).get_json()["id"])


def bound_to(rows: Rows, stripe_customer_id: str) -> list[str]:
    """The customers that have a Stripe customer now."""
    return [
        row.customer_id
        for row in rows(Payer)
        if row.stripe_customer_id == stripe_customer_id and row.deleted_at is None
    ]


def binding(app_id: str, customer_id: str, stripe_customer_id: str) -> sa.Executable:
    """What makes a payer."""
    made: dict[str, Any] = {"id": new_id(), "app_id": app_id, "created_at": utcnow()}
    return sa.insert(Payer).values(customer_id=customer_id, stripe_customer_id=stripe_customer_id, **made)


@pytest.fixture
def app_id(api: Api) -> str:
    """The app that is installed."""
    return str(api.get("/apps").get_json()["items"][0]["id"])


def test_a_program_hears_a_failed_precondition(
    app: Flask, api: Api, app_id: str, ours: str, theirs: str, at_stripe: str, rows: Rows
) -> None:
    with comes_first(app, "INSERT INTO payer ", binding(app_id, theirs, at_stripe)):
        answer = api.put(f"/customers/{ours}/stripe", {"stripeCustomerId": at_stripe})

    assert answer.status_code == 412
    assert "is bound to another customer" in answer.get_json()["detail"]
    assert ours not in bound_to(rows, at_stripe)


def test_a_customer_is_not_restored_with_it(
    app: Flask, api: Api, app_id: str, ours: str, theirs: str, at_stripe: str, rows: Rows
) -> None:
    api.put(f"/customers/{ours}/stripe", {"stripeCustomerId": at_stripe})
    api.delete(f"/customers/{ours}")
    console = sign_in(app, "operator")

    with comes_first(app, "UPDATE payer ", binding(app_id, theirs, at_stripe)):
        answer = post(console, f"/operator/customers/{ours}/restore")

    assert answer.status_code == 409
    assert ours not in bound_to(rows, at_stripe)


def test_a_program_that_opens_a_checkout_session_is_answered_as_if_it_had_come_later(
    app: Flask, api: Api, app_id: str, theirs: str, at_stripe: str, rows: Rows
) -> None:
    body = {
        "customer": {"name": "Ada", "usageAttribution": {"subjectKeys": ["ada"]}},
        "stripeCustomerId": at_stripe,
        "options": {"successURL": "https://example.com/", "currency": "USD"},
    }

    with comes_first(app, "INSERT INTO payer ", binding(app_id, theirs, at_stripe)):
        answer = api.post("/stripe/checkout/sessions", body)

    assert answer.status_code == 412
    assert bound_to(rows, at_stripe) in ([theirs], [])  # on SQLite, the rival went with our transaction
