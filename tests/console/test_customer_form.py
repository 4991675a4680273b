"""An operator makes or changes a customer by hand: every wrong field is named, a new name or email reaches
Stripe, and nobody's work is overwritten unseen."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import audit
from app.core.db import new_id
from app.customers import Customer
from app.simulator import DEFAULT_API_KEY, Simulator, revoke_key
from tests.support.api import Api, api
from tests.support.browser import Element, Page
from tests.support.cases import for_each
from tests.support.console import post, sign_in
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.tokens import meanwhile
from tests.support.world import World

__all__ = ["api"]

NEW = "/operator/customers/new"


class Form:
    """A form as it is drawn: its values are sent, except those that a test changes."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.client, self.path = client, path
        self.page = Page.of(client.get(path))

    def send(self, **given: str) -> TestResponse:
        """Press the button; a page that comes back takes the place of this one."""
        form = self.page.one("main").one("form", method="post")
        found = [element for element in form.all() if element.tag in {"input", "select", "textarea"}]
        fields = {element["name"]: self._value(element) for element in found}
        answer = self.client.post(self.path, data=fields | given)
        if answer.mimetype == "text/html" and answer.status_code != 303:
            self.page = Page.of(answer)
        return answer

    def follow(self, answer: TestResponse) -> str:
        """The text of the page to which an answer leads."""
        return Page.of(self.client.get(answer.location)).text

    def _value(self, field: Element) -> str:
        if field.tag == "textarea":
            return "".join(map(str, field.children)).strip()
        return field.get("value") if field.tag == "input" else self.page.value(field["name"])


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """The browser of an operator."""
    return sign_in(app, "operator")


@pytest.fixture
def form(client: FlaskClient) -> Callable[..., Form]:
    """Open the form of a new customer, or of a known one."""

    def opened(customer_id: str | None = None) -> Form:
        return Form(client, f"/operator/customers/{customer_id}/edit" if customer_id else NEW)

    return opened


OpenForm = Callable[..., Form]


class TestCreating:
    def test_stores_all_that_was_typed(self, form: OpenForm, rows: Rows) -> None:
        answer = form().send(
            name=" Ärzte & Söhne ",
            key="k-1",
            subject_keys="beta\r\nalpha\r\n\r\n",
            email="ada@example.com",
            currency="EUR",
            description="Two\r\nlines",
            line1="Main Street 1",
            postal_code="10115",
            city="Berlin",
            country="DE",
            metadata="tier: gold\r\nurl: https://example.com/a",
        )

        customer = rows(Customer)[0]
        assert answer.status_code == 303
        assert answer.location == f"/operator/customers/{customer.id}"
        assert (customer.name, customer.key, customer.primary_email) == (
            "Ärzte & Söhne",
            "k-1",
            "ada@example.com",
        )
        assert customer.subject_keys == ["alpha", "beta"]
        assert (customer.currency, customer.description) == ("EUR", "Two\nlines")
        assert customer.billing_address == {
            "line1": "Main Street 1",
            "postalCode": "10115",
            "city": "Berlin",
            "country": "DE",
        }
        assert customer.extra == {"tier": "gold", "url": "https://example.com/a"}

    def test_leaves_out_what_was_not_typed(self, form: OpenForm, rows: Rows) -> None:
        form().send(name="Ada", key="k-1")

        customer = rows(Customer)[0]
        assert (customer.primary_email, customer.currency, customer.description) == (None, None, None)
        assert (customer.billing_address, customer.extra, customer.subject_keys) == (None, None, [])

    def test_says_who_did_it(self, form: OpenForm, rows: Rows) -> None:
        form().send(name="Ada", key="k-1")

        entry = next(entry for entry in rows(audit.Entry) if entry.kind == "customer.created")
        assert entry.actor.startswith("operator:")

    def test_makes_one_customer_of_one_form_sent_twice(self, form: OpenForm, rows: Rows) -> None:
        opened = form()
        first, second = opened.send(name="Ada", key="k-1"), opened.send(name="Ada", key="k-1")

        assert first.status_code == second.status_code == 303
        assert first.location == second.location
        assert len(rows(Customer)) == 1

    @for_each(
        ("given", "field", "said"),
        [
            ({"name": ""}, "name", "Enter a name."),
            ({"name": "x" * 257}, "name", "256 characters or fewer"),
            ({"name": "a\x01b"}, "name", "characters that can’t be used"),
            ({"key": "", "subject_keys": ""}, "key", "Enter a key, or at least one usage subject key"),
            ({"key": "x" * 257}, "key", "256 characters or fewer"),
            ({"subject_keys": "a\na"}, "subject_keys", "entered “a” twice"),
            ({"subject_keys": "x" * 257}, "subject_keys", "256 characters or fewer"),
            ({"subject_keys": "a\x01"}, "subject_keys", "characters that can’t be used"),
            ({"subject_keys": "\n".join(map(str, range(101)))}, "subject_keys", "100 subject keys or fewer"),
            ({"email": "nobody"}, "email", "like name@example.com"),
            ({"email": f"{'x' * 250}@example.com"}, "email", "254 characters or fewer"),
            ({"description": "x" * 1025}, "description", "1024 characters or fewer"),
            ({"city": "x" * 501}, "city", "500 characters or fewer"),
            ({"metadata": "no colon"}, "metadata", "a name, a colon and a value"),
            ({"metadata": ": no name"}, "metadata", "a name, a colon and a value"),
            ({"metadata": "a: 1\na: 2"}, "metadata", "each name only once"),
            ({"currency": "???"}, "currency", "Not a valid choice"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, given: dict[str, str], field: str, said: str, form: OpenForm, rows: Rows
    ) -> None:
        opened = form()

        answer = opened.send(**({"name": "Ada", "key": "k-1"} | given))

        assert answer.status_code == 422
        assert said in opened.page.error(field)
        assert rows(Customer) == []

    def test_refuses_a_form_that_was_tampered_with(self, form: OpenForm, rows: Rows) -> None:
        assert form().send(name="Ada", key="k-1", customer_id="mine").status_code == 422
        assert rows(Customer) == []

    def test_names_the_name_that_is_taken_and_its_holder(self, form: OpenForm, api: Api) -> None:
        api.post("/customers", {"name": "Old", "key": "k-1", "usageAttribution": {"subjectKeys": ["s-1"]}})

        opened = form()
        opened.send(name="Ada", key="k-1", subject_keys="s-1")

        assert "“k-1” already belongs to Old." in opened.page.error("key")
        assert "“s-1” already belongs to Old." in opened.page.error("subject_keys")

    def test_says_so_when_the_name_is_an_id(self, form: OpenForm, api: Api) -> None:
        old = api.post("/customers", {"name": "Old", "key": "k-1"}).get_json()

        opened = form()
        opened.send(name="Ada", key=old["id"])

        assert "belongs to Old." in opened.page.error("key")

    def test_says_so_when_a_key_is_its_own_id(self, form: OpenForm) -> None:
        own = new_id()

        opened = form()
        answer = opened.send(name="Ada", key=own, customer_id=own)

        assert answer.status_code == 422
        assert "Another customer has this key" in opened.page.error("key")


class TestEditing:
    @pytest.fixture
    def customer(self, api: Api) -> dict[str, Any]:
        """A customer that a program has made."""
        body = {
            "name": "Ada",
            "key": "k-1",
            "usageAttribution": {"subjectKeys": ["s-1", "s-2"]},
            "primaryEmail": "ada@example.com",
            "metadata": {"tier": "gold"},
        }
        made: dict[str, Any] = api.post("/customers", body).get_json()
        return made

    def test_shows_what_is_known_and_stores_what_was_changed(
        self, form: OpenForm, customer: dict[str, Any], api: Api, rows: Rows
    ) -> None:
        answer = form(customer["id"]).send(name="Ada Ltd", subject_keys="s-1\ns-3")

        now = api.get(f"/customers/{customer['id']}").get_json()
        assert answer.status_code == 303
        assert now["name"] == "Ada Ltd"
        assert now["usageAttribution"]["subjectKeys"] == ["s-1", "s-3"]
        assert now["primaryEmail"] == "ada@example.com"
        assert now["metadata"] == {"tier": "gold"}
        entry = next(entry for entry in rows(audit.Entry) if entry.kind == "customer.updated")
        assert entry.facts == {"changed": "name, subject_keys"}
        assert entry.actor.startswith("operator:")

    def test_stores_nothing_when_nothing_was_changed(
        self, form: OpenForm, customer: dict[str, Any], rows: Rows
    ) -> None:
        answer = form(customer["id"]).send()

        assert answer.status_code == 303
        assert "customer.updated" not in [entry.kind for entry in rows(audit.Entry)]

    def test_loses_nothing_when_somebody_else_was_quicker(
        self, form: OpenForm, customer: dict[str, Any], api: Api
    ) -> None:
        opened = form(customer["id"])
        theirs = customer | {"name": "Ada of Others", "usageAttribution": {"subjectKeys": ["s-9"]}}
        api.put(f"/customers/{customer['id']}", theirs)

        refused = opened.send(name="Ada of Mine", subject_keys="s-1\ns-2")
        stored = api.get(f"/customers/{customer['id']}").get_json()
        shown = opened.page.one("table").text
        accepted = opened.send()

        assert refused.status_code == 409
        assert stored["name"] == "Ada of Others"
        assert "Name Ada of Others Ada of Mine" in shown
        assert "Usage subject keys s-9 s-1, s-2" in shown
        assert "Metadata" not in shown
        assert accepted.status_code == 303
        assert api.get(f"/customers/{customer['id']}").get_json()["name"] == "Ada of Mine"

    def test_notices_that_only_subject_keys_were_changed(
        self, form: OpenForm, customer: dict[str, Any], api: Api
    ) -> None:
        opened = form(customer["id"])
        api.put(f"/customers/{customer['id']}", customer | {"usageAttribution": {"subjectKeys": ["s-9"]}})

        assert opened.send(name="Ada of Mine").status_code == 409

    def test_is_stored_once_when_it_is_sent_twice(
        self, form: OpenForm, customer: dict[str, Any], rows: Rows
    ) -> None:
        opened = form(customer["id"])

        answers = [opened.send(name="Ada Ltd"), opened.send(name="Ada Ltd")]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert [entry.kind for entry in rows(audit.Entry)].count("customer.updated") == 1

    def test_gives_way_to_a_change_made_while_stripe_is_told(
        self, app: Flask, form: OpenForm, person: Person, calls: StripeCalls, rows: Rows, world: World
    ) -> None:
        customer = person.payer.customer
        body = {"name": "Theirs", "key": customer.key}
        opened = form(customer.id)
        calls.after("POST /v1/customers/*", meanwhile(app, "PUT", f"/api/v1/customers/{customer.id}", body))

        answer = opened.send(name="Mine")
        world.settle()

        assert answer.status_code == 303
        there = world.simulator.store.customers[person.stripe_customer_id]
        assert there["name"] == rows(Customer)[0].name == "Theirs"

    def test_is_done_when_another_call_was_quicker_while_stripe_was_asked(
        self, app: Flask, form: OpenForm, person: Person, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = person.payer.customer
        opened, twin = form(customer.id), form(customer.id)
        calls.after("POST /v1/customers/*", lambda: twin.send(name="Both"))

        answer = opened.send(name="Both")

        assert answer.status_code == 303
        assert [entry.kind for entry in rows(audit.Entry)].count("customer.updated") == 1

    def test_sends_a_new_name_and_address_to_stripe(
        self, form: OpenForm, person: Person, simulator: Simulator
    ) -> None:
        form(person.payer.customer_id).send(name="Ada Ltd", email="new@example.com")

        there = simulator.store.customers[person.stripe_customer_id]
        assert (there["name"], there["email"]) == ("Ada Ltd", "new@example.com")

    def test_asks_nothing_of_stripe_when_name_and_address_stay(
        self, form: OpenForm, person: Person, calls: StripeCalls
    ) -> None:
        calls.clear()

        form(person.payer.customer_id).send(description="Pays late")

        assert calls.made == []

    @pytest.mark.parametrize("fault", ["503", "reset_after"])
    def test_is_stored_when_stripe_is_away_and_reaches_it_later(
        self, form: OpenForm, person: Person, simulator: Simulator, rows: Rows, world: World, fault: str
    ) -> None:
        simulator.faults.add(fault, "POST /v1/customers/*", times=9)
        opened = form(person.payer.customer_id)

        answer = opened.send(name="Ada Ltd")

        assert answer.status_code == 303
        assert "Saved here. Stripe didn't answer, so we'll send it the changes" in opened.follow(answer)
        assert rows(Customer)[0].name == "Ada Ltd"
        world.heal()
        assert simulator.store.customers[person.stripe_customer_id]["name"] == "Ada Ltd"

    def test_is_stored_when_the_key_is_rejected(
        self, form: OpenForm, person: Person, simulator: Simulator, rows: Rows
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)

        answer = form(person.payer.customer_id).send(name="Ada Ltd")

        assert answer.status_code == 303
        assert rows(Customer)[0].name == "Ada Ltd"
        assert person.payer.is_contact_due

    def test_is_not_lost_when_somebody_looks_meanwhile(
        self,
        form: OpenForm,
        person: Person,
        calls: StripeCalls,
        simulator: Simulator,
        rows: Rows,
        world: World,
    ) -> None:
        opened = form(person.payer.customer_id)
        calls.before("POST /v1/customers/*", elsewhere(person.return_to_portal))

        answer = opened.send(name="Ada Ltd")
        world.settle()

        assert answer.status_code == 303
        there = world.simulator.store.customers[person.stripe_customer_id]
        assert there["name"] == rows(Customer)[0].name == "Ada Ltd"

    def test_repeats_what_stripe_says_against_it(
        self, form: OpenForm, person: Person, calls: StripeCalls
    ) -> None:
        error = {"type": "invalid_request_error", "message": "Invalid email address: x", "param": "email"}
        calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}"] = error
        opened = form(person.payer.customer_id)

        answer = opened.send(email="x@example.com")

        assert answer.status_code == 303
        assert "Stripe refused a change: Invalid email address: x" in opened.follow(answer)

    def test_may_be_done_when_stripe_no_longer_has_the_customer(
        self, form: OpenForm, world: World, simulator: Simulator, rows: Rows
    ) -> None:
        person = world.person()
        simulator.delete_customer(person.stripe_customer_id)
        unaware = form(person.payer.customer_id).send(name="Ada Ltd")
        world.settle()

        aware = form(person.payer.customer_id).send(name="Ada & Co")

        assert unaware.status_code == aware.status_code == 303
        assert rows(Customer)[0].name == "Ada & Co"

    def test_names_the_name_that_is_taken(self, form: OpenForm, customer: dict[str, Any], api: Api) -> None:
        api.post("/customers", {"name": "Other", "key": "k-2"})
        opened = form(customer["id"])

        answer = opened.send(key="k-2")

        assert answer.status_code == 422
        assert "“k-2” already belongs to Other." in opened.page.error("key")

    def test_says_what_is_wrong(self, form: OpenForm, customer: dict[str, Any]) -> None:
        opened = form(customer["id"])

        assert opened.send(name="").status_code == 422
        assert "Enter a name." in opened.page.error("name")

    def test_lets_stay_what_a_program_may_store(self, form: OpenForm, api: Api) -> None:
        body = {
            "name": "Ada",
            "usageAttribution": {"subjectKeys": [f"s-{n}" for n in range(150)]},
            "primaryEmail": "not an address",
            "currency": "XAU",
            "billingAddress": {"country": "QQ"},
            "metadata": {"note": "two\nlines"},
        }
        customer = api.post("/customers", body).get_json()
        opened = form(customer["id"])

        answer = opened.send(name="Ada Ltd")

        assert answer.status_code == 303
        assert "span several lines" in opened.page.text
        now = api.get(f"/customers/{customer['id']}").get_json()
        assert now["name"] == "Ada Ltd"
        assert {**now, "name": "Ada"}.items() >= {**body, "usageAttribution": now["usageAttribution"]}.items()
        assert len(now["usageAttribution"]["subjectKeys"]) == 150

    def test_is_not_possible_for_a_deleted_or_an_unknown_customer(
        self, client: FlaskClient, customer: dict[str, Any]
    ) -> None:
        post(client, f"/operator/customers/{customer['id']}/delete")

        for customer_id, status in ((customer["id"], 412), (new_id(), 404)):
            answers = [client.get(f"/operator/customers/{customer_id}/edit")]
            answers.append(post(client, f"/operator/customers/{customer_id}/edit", name="x", key="k"))
            kept = 409 if status == 412 else status
            assert [answer.status_code for answer in answers] == [status, kept]
            assert Page.of(answers[0]).one("nav", id="console-nav")

    def test_of_a_customer_deleted_meanwhile_keeps_what_was_typed_and_restores(
        self, app: Flask, form: OpenForm, client: FlaskClient, customer: dict[str, Any], rows: Rows
    ) -> None:
        opened = form(customer["id"])
        post(sign_in(app, "admin"), f"/operator/customers/{customer['id']}/delete")

        answer = opened.send(name="Ada Ltd")
        refused, typed = opened.page.text, opened.page.value("name")
        restored = opened.send(restore="yes")

        assert (answer.status_code, restored.status_code) == (409, 303)
        assert "This customer has been deleted" in refused
        assert "Some admin deleted it" in refused
        assert typed == "Ada Ltd"
        [stored] = rows(Customer)
        assert (stored.name, stored.deleted_at) == ("Ada Ltd", None)

    def test_of_a_deleted_customer_whose_name_is_taken_says_by_whom(
        self, form: OpenForm, client: FlaskClient, customer: dict[str, Any], api: Api
    ) -> None:
        opened = form(customer["id"])
        post(client, f"/operator/customers/{customer['id']}/delete")
        api.post("/customers", {"name": "Rival", "key": customer["key"]})
        opened.send(name="Ada Ltd")

        answer = opened.send(restore="yes")

        assert answer.status_code == 409
        assert "belongs to Rival" in opened.page.text


@for_each("field", ["key", "subject_keys"])
def test_refuses_a_key_with_a_character_that_nobody_can_see(
    client: FlaskClient, field: str, rows: Rows
) -> None:
    form = Form(client, NEW)

    answer = form.send(**({"name": "Acme", "key": "acme", field: "ac\u200bme"}))

    assert answer.status_code == 422
    assert form.page.one("p", id=f"{field}-error").text
    assert rows(Customer) == []


def test_keeps_a_stored_key_with_a_character_that_nobody_can_see(
    client: FlaskClient, api: Api, rows: Rows
) -> None:
    body = {"name": "Acme", "key": "ac\u200bme", "usageAttribution": {"subjectKeys": ["me\u200bter"]}}
    customer_id = api.post("/customers", body).get_json()["id"]

    answer = Form(client, f"/operator/customers/{customer_id}/edit").send(name="Acme Cloud")

    assert answer.status_code == 303
    assert [(customer.name, customer.key) for customer in rows(Customer)] == [("Acme Cloud", "ac\u200bme")]
