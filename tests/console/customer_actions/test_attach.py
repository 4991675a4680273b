"""An operator binds a customer to a Stripe customer that exists, and to no one else's."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.core import db
from app.core.db import new_id
from app.payers import Payer
from app.simulator import Simulator, add_account, add_key
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.console_customer import Console, ConsoleOf, told
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World


class TestAttaching:
    @pytest.fixture
    def there(self, world: World) -> str:
        """A customer that exists at Stripe, with a card."""
        made = world.stripe("POST", "/v1/customers", name="Ada & Co", email="ada@co.example")
        method = world.stripe("POST", "/v1/payment_methods/pm_card_visa/attach", customer=made["id"])
        default = {"invoice_settings[default_payment_method]": method["id"]}
        world.stripe("POST", f"/v1/customers/{made['id']}", **default)
        return str(made["id"])

    @pytest.fixture
    def fields(self, app: Flask, there: str) -> dict[str, str]:
        """The form, filled in."""
        with app.app_context():
            return {"app_id": apps.find(db.session()).id, "stripe_customer_id": there}

    def test_first_shows_whom_stripe_knows(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], rows: Rows
    ) -> None:
        console = Console(client, customer["id"])
        asked = Page.of(client.get(f"{console.path}/attach"))

        answer = console.press("attach", **fields)

        page = Page.of(answer)
        assert asked.field("stripe_customer_id")
        assert answer.status_code == 200
        assert "Name at Stripe Ada & Co Email at Stripe ada@co.example" in page.text
        assert "Test" in page.text
        assert "Visa •••• 4242" in page.text
        assert rows(Payer) == []

    def test_then_lets_it_stand_for_the_customer(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], rows: Rows
    ) -> None:
        console = Console(client, customer["id"])
        confirm = Page.of(console.press("attach", **fields)).one("main").one("form")
        sent = {field["name"]: field.get("value") for field in confirm.all("input")}

        answer = client.post(f"{console.path}/attach", data=sent)

        assert answer.status_code == 303
        assert "Saved Visa •••• 4242 is saved and is the default payment method." in console.page.text
        [payer] = rows(Payer)
        assert (payer.customer_id, payer.stripe_customer_id) == (customer["id"], fields["stripe_customer_id"])
        assert told(rows, "stripe_customer.bound")[0][0].startswith("operator:")

    def test_is_done_once_when_it_is_confirmed_twice(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], rows: Rows
    ) -> None:
        console = Console(client, customer["id"])
        console.press("attach", confirmed="yes", **fields)

        again = console.press("attach", confirmed="yes", **fields)

        assert again.status_code == 422
        assert "It is already attached to this customer." in Page.of(again).error("stripe_customer_id")
        assert len(rows(Payer)) == 1

    def test_warns_before_another_is_replaced(
        self, saved: Person, console_of: ConsoleOf, fields: dict[str, str], rows: Rows
    ) -> None:
        page = Page.of(console_of(saved).press("attach", **fields))
        console_of(saved).press("attach", confirmed="yes", **fields)

        assert f"{saved.stripe_customer_id} and no longer use its payment methods" in page.text
        assert "Differs from ours: ada@example.com" in page.text
        living = [row.stripe_customer_id for row in rows(Payer) if row.deleted_at is None]
        assert living == [fields["stripe_customer_id"]]

    @pytest.mark.parametrize(
        ("id_", "said"),
        [
            ("", "Enter a Stripe customer id."),
            ("pm_123", "Enter an id that starts with cus_."),
            ("cus_unknown", "Stripe has no such customer in account"),
        ],
    )
    def test_refuses_what_is_no_customer(
        self, id_: str, said: str, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str]
    ) -> None:
        answer = Console(client, customer["id"]).press("attach", **(fields | {"stripe_customer_id": id_}))

        assert answer.status_code == 422
        assert said in Page.of(answer).error("stripe_customer_id")

    def test_refuses_an_app_that_is_not_installed(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str]
    ) -> None:
        answer = Console(client, customer["id"]).press("attach", **(fields | {"app_id": new_id()}))

        assert answer.status_code == 422

    def test_refuses_one_that_was_deleted_at_stripe(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], simulator: Simulator
    ) -> None:
        simulator.delete_customer(fields["stripe_customer_id"])

        answer = Console(client, customer["id"]).press("attach", **fields)

        assert "This customer was deleted at Stripe." in Page.of(answer).error("stripe_customer_id")

    def test_refuses_one_that_stands_for_another(
        self, saved: Person, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str]
    ) -> None:
        answer = Console(client, customer["id"]).press(
            "attach", **(fields | {"stripe_customer_id": saved.stripe_customer_id})
        )

        said = Page.of(answer).error("stripe_customer_id")
        assert "It already belongs to another customer: Ada Lovelace Ltd." in said

    def test_says_so_when_stripe_is_away(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "*", times=9)

        answer = Console(client, customer["id"]).press("attach", confirmed="yes", **fields)

        assert "Stripe had a problem." in Page.of(answer).error("stripe_customer_id")

    def test_lets_choose_among_several_apps(
        self, app: Flask, client: FlaskClient, customer: dict[str, Any], simulator: Simulator
    ) -> None:
        add_account(simulator.store, "acct_second", 1)
        add_key(simulator.store, "sk_test_second", account="acct_second")
        with app.app_context():
            apps.install(db.session(), "sk_test_second", public_url=PORTAL, name="Second", actor="test")
            db.session().commit()

        page = Page.of(client.get(f"/operator/customers/{customer['id']}/attach"))

        choices = [option.text for option in page.field("app_id").all("option")]
        assert len(choices) == 2
        assert "Second (test, acct_second)" in choices[1]
