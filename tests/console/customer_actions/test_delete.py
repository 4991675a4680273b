"""An operator deletes a customer and can restore it, while its names are free."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import payers
from app.core import db
from app.customers import Customer
from app.payers import Payer
from app.simulator import Simulator
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console_customer import Console, ConsoleOf, told
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.tokens import meanwhile
from tests.support.world import World


class TestDeleting:
    def test_marks_the_customer_and_leaves_stripe_alone(
        self, saved: Person, console_of: ConsoleOf, simulator: Simulator, rows: Rows
    ) -> None:
        said = console_of(saved).said("delete")

        assert "Deleted This customer was deleted" in said
        assert "by Grace Hopper" in said
        assert rows(Customer)[0].deleted_at is not None
        assert rows(Payer)[0].deleted_at is not None
        assert not simulator.store.customers[saved.stripe_customer_id].get("deleted")
        assert told(rows, "customer.deleted")[0][0].startswith("operator:")

    def test_leaves_to_be_seen_what_was(self, saved: Person, console_of: ConsoleOf) -> None:
        console_of(saved).press("delete")

        page = console_of(saved).page

        assert saved.stripe_customer_id in page.text
        assert "Visa •••• 4242" in page.text
        assert "we no longer follow it" in page.text
        assert [form["action"] for form in page.one("main").all("form")] == [
            f"{console_of(saved).path}/restore"
        ]

    def test_is_done_once_when_it_is_pressed_twice(
        self, saved: Person, console_of: ConsoleOf, rows: Rows
    ) -> None:
        console_of(saved).press("delete")

        again = console_of(saved).press("delete")

        assert again.status_code == 303
        assert len(told(rows, "customer.deleted")) == 1

    def test_ends_what_can_be_done(self, saved: Person, console_of: ConsoleOf) -> None:
        console_of(saved).press("delete")

        for what in ("check", "links", "attach"):
            answer = console_of(saved).press(what)
            assert answer.status_code == 412
            assert "precondition failed error" not in Page.of(answer).text
        method = saved.payer.methods[0]
        for what in ("charge", "detach"):
            said = console_of(saved).said(what, app_id=method.app_id, method_id=method.id)
            assert "no longer attached to this customer" in said


class TestRestoring:
    def test_brings_back_customer_payer_and_names(
        self, saved: Person, console_of: ConsoleOf, world: World, rows: Rows, api: Api
    ) -> None:
        before = api.get(f"/customers/{saved.payer.customer_id}").get_json()
        console_of(saved).press("delete")

        said = console_of(saved).said("restore")
        world.settle()

        assert "Customer restored." in said
        assert "Saved Visa •••• 4242" in said
        after = api.get(f"/customers/{saved.payer.customer_id}").get_json()
        assert after | {"updatedAt": ""} == before | {"updatedAt": ""}
        assert api.get("/customers").get_json()["totalCount"] == 1
        assert rows(Payer)[0].deleted_at is None
        assert told(rows, "customer.restored")[0][0].startswith("operator:")

    def test_learns_what_happened_meanwhile(
        self, saved: Person, console_of: ConsoleOf, world: World, simulator: Simulator
    ) -> None:
        console_of(saved).press("delete")
        simulator.detach_payment_method(saved.payer.methods[0].id)
        world.settle()

        console_of(saved).press("restore")
        world.settle()

        assert saved.status == "removed"

    def test_says_which_name_is_taken_by_whom(
        self, client: FlaskClient, customer: dict[str, Any], api: Api, rows: Rows
    ) -> None:
        console = Console(client, customer["id"])
        console.press("delete")
        body = {"name": "Bob", "key": "k-2", "usageAttribution": {"subjectKeys": ["s-1", "s-2"]}}
        other = api.post("/customers", body).get_json()

        answer = console.press("restore")

        page = Page.of(answer)
        assert answer.status_code == 409
        assert "This customer can't be restored: a key is taken s-1, s-2 now belongs to Bob ." in page.text
        assert page.all("a", href=f"/operator/customers/{other['id']}")
        assert next(row for row in rows(Customer) if row.id == customer["id"]).deleted_at is not None

    def test_is_done_once_when_it_is_pressed_twice(
        self, client: FlaskClient, customer: dict[str, Any], rows: Rows
    ) -> None:
        console = Console(client, customer["id"])
        console.press("delete")

        answers = [console.press("restore"), console.press("restore")]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(told(rows, "customer.restored")) == 1

    def test_leaves_out_a_stripe_customer_that_stands_for_another_by_now(
        self, saved: Person, console_of: ConsoleOf, client: FlaskClient, customer: dict[str, Any], rows: Rows
    ) -> None:
        console_of(saved).press("delete")
        fields = {
            "app_id": saved.payer.app_id,
            "stripe_customer_id": saved.stripe_customer_id,
            "confirmed": "yes",
        }
        Console(client, customer["id"]).press("attach", **fields)

        said = console_of(saved).said("restore")

        assert f"Stripe customer {saved.stripe_customer_id} was not attached" in said
        assert [row.customer_id for row in rows(Payer) if row.deleted_at is None] == [customer["id"]]

    def test_leaves_out_an_app_that_was_uninstalled(
        self, app: Flask, saved: Person, console_of: ConsoleOf, rows: Rows
    ) -> None:
        console_of(saved).press("delete")
        with app.app_context():
            payers.uninstall(db.session(), saved.payer.app_id, actor="test")
            db.session().commit()

        said = console_of(saved).said("restore")

        assert "or its app was uninstalled" in said
        assert [row for row in rows(Payer) if row.deleted_at is None] == []


def test_a_restored_customer_whose_name_is_taken_at_that_very_moment_is_refused(
    app: Flask, client: FlaskClient, customer: dict[str, Any], rows: Rows
) -> None:
    console = Console(client, customer["id"])
    console.press("delete")
    meanwhile(app, "POST", "/api/v1/customers", {"name": "Bob", "key": "k-1"})()

    answer = console.press("restore")

    assert answer.status_code == 409
    assert "k-1 now belongs to Bob ." in Page.of(answer).text
