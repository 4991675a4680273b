"""An operator enters what invoices name: Stripe's customer gets it, and what Stripe refuses is said."""

from collections.abc import Callable

import pytest
from flask import Flask

from app import payers
from app.customers import Customer
from app.simulator import Payer, Simulator
from tests.console.test_customer_form import Form
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.console_customer import look, section
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World

REFUSAL = {"type": "invalid_request_error", "message": "Invalid value for eu_vat.", "code": "tax_id_invalid"}


Edit = Callable[..., Page]


@pytest.fixture
def edit(app: Flask, person: Person) -> Edit:
    """Change some fields in the form of the person's customer. Return the page that follows."""
    client = sign_in(app, "operator")
    path = f"/operator/customers/{person.payer.customer_id}/edit"

    def send(**changes: str) -> Page:
        form = Form(client, path)
        answer = form.send(**changes)
        return Page.of(client.get(answer.location)) if answer.status_code == 303 else form.page

    return send


def tax_ids(simulator: Simulator) -> list[tuple[str, str]]:
    return sorted((each["type"], each["value"]) for each in simulator.store.tax_ids.values())


def test_reach_stripe_and_the_page(
    app: Flask, edit: Edit, person: Person, simulator: Simulator, world: World
) -> None:
    edit(
        contact_name="Ada King",
        tax_id="de 136 695 976",
        purchase_order="PO-7",
        line1="1 Main St",
        city="Ulm",
        country="DE",
        phone_number="+49 731 1",
    )
    world.settle()

    there = simulator.store.customers[person.stripe_customer_id]
    assert (there["individual_name"], there["business_name"]) == ("Ada King", "Ada Lovelace Ltd")
    assert (there["phone"], there["address"]["city"]) == ("+49 731 1", "Ulm")
    assert there["metadata"]["purchase_order"] == "PO-7"
    assert tax_ids(simulator) == [("eu_vat", "DE136695976")]
    details = section(look(person, app), "Details").text
    assert "Ada King" in details
    assert "DE136695976" in details
    assert "PO-7" in details


def test_another_tax_id_replaces_the_first_and_no_other(
    edit: Edit, person: Person, simulator: Simulator, world: World
) -> None:
    edit(tax_id="DE136695976", country="DE")
    path = f"/v1/customers/{person.stripe_customer_id}/tax_ids"
    world.stripe("POST", path, type="us_ein", value="12-3456789")

    edit(tax_id="FR40303265045", country="FR")
    edit(phone_number="+49 731 1")

    assert tax_ids(simulator) == [("eu_vat", "FR40303265045"), ("us_ein", "12-3456789")]
    edit(tax_id="")
    assert tax_ids(simulator) == [("us_ein", "12-3456789")]
    assert "purchase_order" not in simulator.store.customers[person.stripe_customer_id]["metadata"]


def test_a_number_that_the_country_has_not_is_refused(edit: Edit, rows: Rows) -> None:
    page = edit(tax_id="DE136695978", country="DE")

    assert "This can't be a tax id of Germany. One looks like DE136695976." in page.text
    assert page.value("tax_id") == "DE136695978"
    assert rows(Customer)[0].invoice_details is None


def test_a_stored_number_may_stay_in_any_country(edit: Edit, rows: Rows) -> None:
    edit(tax_id="136695976", country="DE")

    edit(country="FR", tax_id="DE136695976")

    assert rows(Customer)[0].invoice_details == {"tax_id_type": "eu_vat", "tax_id": "DE136695976"}


def test_what_stripe_says_against_a_tax_id_is_shown(
    edit: Edit, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}/tax_ids"] = REFUSAL

    page = edit(tax_id="DE136695976", country="DE", phone_number="+49 731 1")

    assert "Saved, but Stripe refused a change: Tax id: Invalid value for eu_vat." in page.text
    assert person.payer.told_tax_id is None
    assert not person.payer.is_contact_due


def test_a_key_that_may_not_send_a_tax_id_holds_up_nothing_else(
    edit: Edit, person: Person, calls: StripeCalls, simulator: Simulator
) -> None:
    lacking = {
        "http": "403 Forbidden",
        "type": "invalid_request_error",
        "message": "A permission is missing.",
    }
    calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}/tax_ids"] = lacking

    edit(tax_id="DE136695976", country="DE", phone_number="+49 731 1")

    assert simulator.store.customers[person.stripe_customer_id]["phone"] == "+49 731 1"
    assert person.payer.contact_refusal
    assert person.payer.last_error is None
    assert not person.payer.is_contact_due


def test_survive_what_a_program_replaces(edit: Edit, api: Api, rows: Rows) -> None:
    edit(tax_id="DE136695976", country="DE")
    [customer] = rows(Customer)

    answer = api.put(f"/customers/{customer.id}", {"name": "Ada", "key": "ada-1"})

    assert answer.status_code == 200
    assert "DE136695976" not in answer.text
    assert rows(Customer)[0].invoice_details == {"tax_id_type": "eu_vat", "tax_id": "DE136695976"}


class TestWhatCheckoutAskedFor:
    """Stripe keeps it on the session, so it could come back from there after it was cleared here."""

    def test_does_not_come_back_once_cleared(
        self, edit: Edit, person: Person, simulator: Simulator, world: World
    ) -> None:
        person.save_card(payer=Payer(country="US", postal_code="12345"))
        world.settle()

        edit(postal_code="", country="")
        world.settle()
        world.settle()

        assert person.payer.customer.billing_address is None
        assert payers.differences(person.payer) == []
        assert not simulator.store.customers[person.stripe_customer_id]["address"]

    def test_is_taken_when_it_is_asked_for_again(self, edit: Edit, person: Person, world: World) -> None:
        person.save_card(payer=Payer(country="US", postal_code="12345"))
        world.settle()
        edit(postal_code="", country="")
        world.settle()

        person.open_another_session()
        person.save_card(payer=Payer(country="GB", postal_code="N1"))
        world.settle()

        assert person.payer.customer.billing_address == {"country": "GB", "postalCode": "N1"}
