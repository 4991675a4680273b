"""A deleted customer frees its names and loses its payer. Stripe hears nothing of it."""

from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import customers, payers
from app.core import db
from app.customers import Customer
from app.payers import Payer, PaymentMethod
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.payers import ADA, CUSTOMERS, NOBODY, attach, create, stripe_customer
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile
from tests.support.world import World


class TestDeletedCustomer:
    def test_frees_its_key_and_subjects_and_is_found_by_id(self, api: FlaskClient) -> None:
        body = {"name": "Ada", "key": "ada", "usageAttribution": {"subjectKeys": ["engine"]}}
        first = api.post(CUSTOMERS, json=body).get_json()["id"]

        answer = api.delete(ADA)

        assert (answer.status_code, answer.data) == (204, b"")
        assert datetime.fromisoformat(api.get(f"{CUSTOMERS}/{first}").get_json()["deletedAt"])
        assert api.post(CUSTOMERS, json=body).get_json()["id"] != first

    def test_can_be_deleted_once(self, api: FlaskClient, ada: str) -> None:
        api.delete(f"{CUSTOMERS}/{ada}")

        by_id, by_key = api.delete(f"{CUSTOMERS}/{ada}"), api.delete(ADA)

        detail, _ = problem(by_id, 412)
        assert detail == f"precondition failed error: customer {ada} is deleted"
        problem(by_key, 404)

    def test_is_deleted_once_by_two_at_once(self, app: Flask, api: FlaskClient, ada: str) -> None:
        def delete(session: Session) -> None:
            held = session.get_one(Customer, ada, with_for_update=True)
            payers.delete_customer(session, held, actor="test")

        answer = commits_meanwhile(app, delete, lambda: api.delete(f"{CUSTOMERS}/{ada}"))

        problem(answer, 412)
        with app.app_context():
            assert customers.count_live(db.session()) == 0

    def test_is_found_under_a_key_with_slashes(self, api: FlaskClient) -> None:
        create(api, "a/b/c")

        answer = api.delete(f"{CUSTOMERS}/a%2Fb%2Fc")

        assert answer.status_code == 204
        problem(api.get(f"{CUSTOMERS}/a%2Fb%2Fc/apps"), 404)

    def test_no_longer_has_a_payer_and_stripe_is_not_told(
        self, api: FlaskClient, world: World, calls: StripeCalls, rows: Rows
    ) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        before = world.simulator.store.customers.snapshot()
        calls.clear()

        api.delete(f"{CUSTOMERS}/person-1")
        world.settle()

        [payer] = rows(Payer)
        assert payer.deleted_at is not None
        assert (payer.due_at, payer.lease) == (None, None)
        assert calls.made == []
        assert world.simulator.store.customers.snapshot() == before

    def test_leaves_its_stripe_customer_to_another(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        card = attach(world, customer)
        body = {"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": card}
        api.put(f"{ADA}/stripe", json=body)
        api.delete(ADA)
        create(api, "eve")

        answer = api.put(f"{CUSTOMERS}/eve/stripe", json=body)
        world.settle()

        assert answer.get_json()["stripeDefaultPaymentMethodId"] == card
        living = next(payer for payer in rows(Payer) if payer.deleted_at is None)
        assert [method.payer_id for method in rows(PaymentMethod)] == [living.id]
        assert living.verified_at is not None

    @for_each(
        ("method", "path", "body"),
        [
            ("GET", "apps", None),
            ("PUT", "apps", [{"type": "stripe", "stripeCustomerId": "cus_x"}]),
            ("DELETE", f"apps/{NOBODY}", None),
            ("GET", "stripe", None),
            ("PUT", "stripe", {"stripeCustomerId": "cus_x"}),
            ("POST", "stripe/portal", {}),
        ],
    )
    def test_has_nothing_at_stripe(
        self, method: str, path: str, body: Any, api: FlaskClient, ada: str, calls: StripeCalls
    ) -> None:
        api.delete(ADA)

        deleted = api.open(f"{CUSTOMERS}/{ada}/{path}", method=method, json=body)
        unknown = api.open(f"{ADA}/{path}", method=method, json=body)

        problem(deleted, 412)
        problem(unknown, 404)
        assert calls.made == []

    def test_is_not_bound_when_it_was_deleted_meanwhile(
        self, app: Flask, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        calls.after("GET /v1/customers/*", meanwhile(app, "DELETE", ADA))

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        problem(answer, 412)
        assert rows(Payer) == []
