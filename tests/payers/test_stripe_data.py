"""A program binds a customer to a Stripe customer and chooses its default payment method. The choice is
made at Stripe too, and only for a Stripe customer that exists and is free."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.audit import Entry
from app.payers import Payer, PaymentMethod
from app.simulator import DEFAULT_API_KEY, revoke_key
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.database_contents import contents
from tests.support.payers import ADA, CUSTOMERS, attach, create, default_at_stripe, stripe_customer
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile
from tests.support.world import World


def choose(world: World, customer: str, method: str) -> None:
    """Choose in the Dashboard which method is charged."""
    default = {"invoice_settings[default_payment_method]": method}
    world.stripe("POST", f"/v1/customers/{customer}", **default)


class TestStripeData:
    def test_is_what_was_bound(
        self, api: FlaskClient, world: World, ada: str, installed: App, calls: StripeCalls
    ) -> None:
        customer = stripe_customer(world)
        calls.clear()

        answer = api.put(f"{ADA}/stripe", json={"STRIPEcustomerID": customer})

        assert answer.status_code == 200
        assert answer.get_json() == {
            "id": installed.id,
            "type": "stripe",
            "stripeCustomerId": customer,
            "app": api.get(f"/api/v1/apps/{installed.id}").get_json(),
        }
        assert calls.made == [f"GET /v1/customers/{customer}"]
        assert api.get(f"{ADA}/stripe").get_json() == answer.get_json()
        assert api.get(f"{CUSTOMERS}/{ada}/stripe").get_json() == answer.get_json()
        assert len(calls.made) == 1

    def test_is_missing_before(self, api: FlaskClient, ada: str) -> None:
        detail, _ = problem(api.get(f"{ADA}/stripe"), 412)

        assert detail == f"precondition failed error: Customer {ada} has no Stripe customer."

    def test_is_missing_without_an_app(self, api: FlaskClient, ada: str, installed: App) -> None:
        api.delete(f"/api/v1/apps/{installed.id}")

        for answer in (
            api.get(f"{ADA}/stripe"),
            api.put(f"{ADA}/stripe", json={"stripeCustomerId": "cus_x"}),
            api.put(f"{ADA}/apps", json=[{"type": "stripe", "stripeCustomerId": "cus_x"}]),
            api.post(f"{ADA}/stripe/portal", json={}),
        ):
            detail, _ = problem(answer, 412)
            assert detail == "precondition failed error: No Stripe app is installed."

    def test_shows_the_card_that_a_page_saved(self, api: FlaskClient, world: World) -> None:
        person = world.person()
        person.save_card()
        world.settle()

        body = api.get(f"{CUSTOMERS}/person-1/stripe").get_json()

        assert body["stripeCustomerId"] == person.stripe_customer_id
        assert body["stripeDefaultPaymentMethodId"] == person.stripe_default

    def test_chooses_the_method_at_stripe_too(
        self, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        first, second = attach(world, customer), attach(world, customer, "pm_card_mastercard")
        choose(world, customer, first)
        calls.clear()

        answer = api.put(
            f"{ADA}/stripe", json={"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": second}
        )

        assert answer.get_json()["stripeDefaultPaymentMethodId"] == second
        assert default_at_stripe(world, customer) == second
        assert calls.made == [
            f"GET /v1/customers/{customer}",
            f"GET /v1/payment_methods/{second}",
            f"POST /v1/customers/{customer}",
        ]
        world.settle()
        assert api.get(f"{ADA}/stripe").get_json() == answer.get_json()
        assert {method.id for method in rows(PaymentMethod)} == {first, second}

    def test_that_is_put_again_changes_nothing(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        body = {
            "stripeCustomerId": customer,
            "stripeDefaultPaymentMethodId": attach(world, customer),
        }
        first = api.put(f"{ADA}/stripe", json=body)

        second = api.put(f"{ADA}/stripe", json=body)

        assert second.get_json() == first.get_json()
        assert len(rows(Payer)) == 1
        kinds = [entry.kind for entry in rows(Entry) if entry.customer_id == ada]
        assert kinds == ["customer.created", "stripe_customer.bound", "default_method.changed"]

    def test_without_a_method_takes_back_what_was_asked_for(
        self, api: FlaskClient, world: World, ada: str
    ) -> None:
        customer = stripe_customer(world)
        body = {"stripeCustomerId": customer}
        card = attach(world, customer)
        api.put(f"{ADA}/stripe", json=body | {"stripeDefaultPaymentMethodId": card})

        answer = api.put(f"{ADA}/stripe", json=body)

        assert "stripeDefaultPaymentMethodId" not in answer.get_json()
        assert default_at_stripe(world, customer) is None
        world.settle()
        assert "stripeDefaultPaymentMethodId" not in api.get(f"{ADA}/stripe").get_json()

    def test_without_a_method_never_undoes_the_choice_of_others(
        self, api: FlaskClient, world: World, ada: str
    ) -> None:
        """Linking an old Stripe customer, once or ten times, must not end its charges."""
        customer = stripe_customer(world)
        theirs, ours = attach(world, customer), attach(world, customer, "pm_card_mastercard")
        choose(world, customer, theirs)
        body = {"stripeCustomerId": customer}

        first, second = (api.put(f"{ADA}/stripe", json=body).get_json() for _ in range(2))
        api.put(f"{ADA}/stripe", json=body | {"stripeDefaultPaymentMethodId": ours})
        choose(world, customer, theirs)
        third = api.put(f"{ADA}/stripe", json=body).get_json()

        assert first == second == third
        assert first["stripeDefaultPaymentMethodId"] == theirs
        assert default_at_stripe(world, customer) == theirs

    def test_bound_again_begins_a_new_story(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        old, new = stripe_customer(world), stripe_customer(world)
        card = attach(world, old)
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": old, "stripeDefaultPaymentMethodId": card})

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": new})
        world.settle()

        assert answer.get_json()["stripeCustomerId"] == new
        assert "stripeDefaultPaymentMethodId" not in answer.get_json()
        ended, living = sorted(rows(Payer), key=lambda payer: payer.id)
        assert (ended.stripe_customer_id, living.stripe_customer_id) == (old, new)
        assert ended.deleted_at is not None
        assert living.deleted_at is None
        assert default_at_stripe(world, old) == card

    def test_bound_again_is_asked_about_though_it_was_checked_just_now(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})
        world.work()
        [before] = rows(Payer)

        api.delete(f"{ADA}/apps/{before.app_id}")
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        [again] = rows(Payer)
        assert before.verified_at is not None
        assert (again.id, again.deleted_at, again.verified_at) == (before.id, None, None)

    def test_bound_again_takes_its_methods_along(
        self, api: FlaskClient, world: World, ada: str, installed: App, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        body = {"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": attach(world, customer)}
        attach(world, customer, "pm_card_mastercard")
        api.put(f"{ADA}/stripe", json=body)
        world.settle()
        api.delete(f"{ADA}/apps/{installed.id}")

        answer = api.put(f"{ADA}/stripe", json=body)
        world.settle()

        assert answer.status_code == 200
        living = next(payer for payer in rows(Payer) if payer.deleted_at is None)
        assert {method.payer_id for method in rows(PaymentMethod)} == {living.id}
        assert (living.attempts, living.due_at) == (0, None)

    @for_each(
        ("change", "field"),
        [
            ({"stripeCustomerId": ""}, "/stripeCustomerId"),
            ({"stripeCustomerId": None}, "/stripeCustomerId"),
            ({"stripeCustomerId": 5}, "/stripeCustomerId"),
            ({"stripeCustomerId": "cus_\x00"}, "/stripeCustomerId"),
            ({"stripeCustomerId": "cus_\udfff"}, "/stripeCustomerId"),
            ({"stripeCustomerId": "cus_" + "x" * 300}, "/stripeCustomerId"),
            ({"stripeDefaultPaymentMethodId": ""}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": None}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": "card_x"}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": 10**400}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": ["pm_x"]}, "/stripeDefaultPaymentMethodId"),
        ],
    )
    def test_that_makes_no_sense_is_refused_unasked(
        self, change: dict[str, Any], field: str, api: FlaskClient, ada: str, calls: StripeCalls
    ) -> None:
        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": "cus_x"} | change)

        assert problem(answer, 400)[1] == {field}
        assert calls.made == []

    @for_each("body", [{}, [], "x", 5, None, [{}]])
    def test_is_an_object_with_a_customer(self, body: Any, api: FlaskClient, ada: str) -> None:
        problem(api.put(f"{ADA}/stripe", data=json.dumps(body), content_type="application/json"), 400)

    @for_each("strange", ["cus_x", "nonsense", "cus_/../x", "..", ".", "a b", "ü", "search", "?a=b"])
    def test_must_be_known_to_stripe(
        self, strange: str, app: Flask, api: FlaskClient, ada: str, rows: Rows
    ) -> None:
        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": strange})

        assert answer.status_code in {400, 412}
        assert strange != "cus_x" or answer.status_code == 412
        assert rows(Payer) == []

    def test_must_not_be_deleted_at_stripe(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        world.stripe("DELETE", f"/v1/customers/{customer}")

        detail, _ = problem(api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer}), 412)

        assert detail == f"precondition failed error: Stripe customer {customer} is deleted."
        assert rows(Payer) == []

    def test_must_name_a_method_of_that_customer(
        self, app: Flask, api: FlaskClient, world: World, ada: str
    ) -> None:
        customer, other = stripe_customer(world), stripe_customer(world)
        for method in ("pm_unknown", attach(world, other)):
            body = {"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": method}
            problem(api.put(f"{ADA}/stripe", json=body), 412)

        assert contents(app)["payer"] == []
        assert default_at_stripe(world, customer) is None

    def test_must_be_nobody_elses(
        self, app: Flask, api: FlaskClient, world: World, ada: str, calls: StripeCalls
    ) -> None:
        customer = stripe_customer(world)
        create(api, "eve")
        api.put(f"{CUSTOMERS}/eve/stripe", json={"stripeCustomerId": customer})
        before = contents(app)["payer"]
        calls.clear()

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        assert "bound to another customer" in problem(answer, 412)[0]
        assert contents(app)["payer"] == before
        assert calls.made == []

    def test_must_be_nobody_elses_at_the_last_moment(
        self, app: Flask, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        eve = create(api, "eve")
        body = {"stripeCustomerId": customer}
        calls.after("GET /v1/customers/*", meanwhile(app, "PUT", f"{CUSTOMERS}/eve/stripe", body))

        answer = api.put(f"{ADA}/stripe", json=body)

        assert "bound to another customer" in problem(answer, 412)[0]
        assert [payer.customer_id for payer in rows(Payer)] == [eve]

    @pytest.mark.parametrize("fault", ["503", "timeout", "reset"])
    def test_is_kept_when_stripe_does_not_answer(
        self, fault: str, app: Flask, api: FlaskClient, world: World, ada: str
    ) -> None:
        customer = stripe_customer(world)
        world.simulator.faults.add(fault, "GET *", times=10)

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        problem(answer, 412)
        assert contents(app)["payer"] == []

    def test_tells_when_stripe_rejects_our_key(
        self, api: FlaskClient, world: World, ada: str, installed: App
    ) -> None:
        customer = stripe_customer(world)
        revoke_key(world.simulator.store, DEFAULT_API_KEY)

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        assert "Stripe rejected the API key of this app" in problem(answer, 412)[0]
        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "unauthorized"


class TestConvergence:
    """A binding and what the worker does beside it end in Stripe's truth."""

    def test_that_was_under_way_does_not_undo_a_choice(
        self, app: Flask, api: FlaskClient, world: World, calls: StripeCalls
    ) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        theirs, ours = world.attach_card(person), world.attach_card(person, "pm_card_visa")
        body = {"stripeCustomerId": person.stripe_customer_id, "stripeDefaultPaymentMethodId": ours}
        calls.after(
            "GET /v1/customers/*/payment_methods",
            meanwhile(app, "PUT", f"{CUSTOMERS}/person-1/stripe", body),
        )

        world.choose_default(person, theirs)
        world.settle()

        assert person.stripe_default == ours
        assert person.payer.default_method_id == ours

    def test_that_was_under_way_leaves_an_ended_payer_alone(
        self, app: Flask, api: FlaskClient, world: World, calls: StripeCalls, rows: Rows
    ) -> None:
        person = world.person()
        person.save_card()
        calls.after("GET *", meanwhile(app, "DELETE", f"{CUSTOMERS}/person-1"))

        world.settle()

        [payer] = rows(Payer)
        assert payer.deleted_at is not None
        assert (payer.due_at, payer.lease, payer.default_method_id) == (None, None, None)
