"""A tax id that Checkout asked for is taken where we have none, else an operator decides."""

import pytest
from flask import Flask

from app import payers
from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.simulator import Payer, Simulator
from tests.console.test_invoice_details import Edit, edit, tax_ids
from tests.support.api import Api
from tests.support.cases import for_each
from tests.support.console import sign_in
from tests.support.console_customer import Console, look, section
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World

__all__ = ["edit"]

GERMAN, FRENCH = ("eu_vat", "DE136695976"), ("eu_vat", "FR40303265045")
HEADING = "Different details at Stripe"


def collect(person: Person, world: World, number: str, country: str = "DE") -> None:
    """Let the customer enter a tax id on Stripe's page."""
    person.open_another_session(tax_id_collection={"enabled": True}, customer_update={"name": "auto"})
    payer = Payer(name="Ada Lovelace Ltd", country=country, postal_code="89073", tax_id=number)
    assert person.save_card(payer=payer) == "succeeded"
    world.settle()


def held(rows: Rows) -> tuple[str, str]:
    """The tax id that we have."""
    [customer] = rows(Customer)
    return customer.invoice_details["tax_id_type"], customer.invoice_details["tax_id"]


def test_is_taken_where_we_have_none(
    app: Flask, person: Person, simulator: Simulator, world: World, rows: Rows
) -> None:
    collect(person, world, GERMAN[1])

    assert held(rows) == GERMAN
    assert tax_ids(simulator) == [GERMAN]
    assert person.payer.told_tax_id == {"type": GERMAN[0], "value": GERMAN[1]}
    facts = [entry.facts["changed"] for entry in rows(Entry) if entry.kind == "customer.adopted"]
    assert any("tax_id" in said for said in facts)
    assert GERMAN[1] in section(look(person, app), "Details").text


def test_does_not_come_back_once_cleared(
    edit: Edit, person: Person, simulator: Simulator, world: World, rows: Rows
) -> None:
    collect(person, world, GERMAN[1])

    edit(tax_id="")
    for _ in range(2):
        world.settle()

    assert rows(Customer)[0].invoice_details is None
    assert tax_ids(simulator) == []
    assert payers.differences(person.payer) == []


def test_stays_a_difference_after_another_edit(edit: Edit, person: Person, world: World, rows: Rows) -> None:
    edit(tax_id=FRENCH[1], country="FR")
    collect(person, world, GERMAN[1])

    edit(phone_number="+49 731 1")
    world.settle()

    assert held(rows) == FRENCH
    assert [each.part for each in payers.differences(person.payer)] == ["tax_id"]


def test_an_operator_takes_it_in_place_of_ours(
    app: Flask, edit: Edit, person: Person, simulator: Simulator, world: World, rows: Rows
) -> None:
    edit(tax_id=FRENCH[1], country="FR")
    collect(person, world, GERMAN[1])
    assert tax_ids(simulator) == [GERMAN, FRENCH]
    console = Console(sign_in(app, "operator"), person.payer.customer_id)
    form = section(console.page, HEADING).one("form")
    fields = {each["name"]: each.get("value") for each in form.all("input")}
    assert fields["tax_id"] == "DE136695976 (eu_vat)"

    assert "tax id" in console.said("adopt", **fields)
    world.settle()

    assert held(rows) == GERMAN
    assert tax_ids(simulator) == [GERMAN]
    assert payers.differences(person.payer) == []


def test_is_no_difference_where_it_is_ours(
    edit: Edit, person: Person, simulator: Simulator, world: World, rows: Rows
) -> None:
    edit(tax_id=GERMAN[1], country="DE")

    collect(person, world, GERMAN[1])

    assert held(rows) == GERMAN
    assert tax_ids(simulator) == [GERMAN]
    assert payers.differences(person.payer) == []


@for_each("text", ["DE136695976", "1234 (unknown)"])
def test_without_a_type_it_is_shown_alone(app: Flask, person: Person, text: str, rows: Rows) -> None:
    with app.app_context():
        payer = payers.fresh(db.session(), person.payer.id)
        payer.stripe_contact = {"name": payer.customer.name, "collected": {"tax_ids": [text]}}
        payers.adopt_missing(db.session(), [payer])
        db.session().commit()

    assert rows(Customer)[0].invoice_details is None
    [difference] = [each for each in payers.differences(person.payer) if each.part == "tax_id"]
    assert not difference.is_adoptable


def test_a_program_neither_sees_nor_removes_it(api: Api, person: Person, world: World, rows: Rows) -> None:
    collect(person, world, GERMAN[1])
    path = f"/customers/{person.payer.customer_id}"
    known = api.get(path).get_json()

    body = {name: known[name] for name in ("name", "key", "usageAttribution")}
    answer = api.put(path, body)

    assert answer.status_code == 200
    assert held(rows) == GERMAN
    assert "tax_id" in rows(Customer)[0].adopted


@pytest.mark.parametrize("contact", ["", "Ada King"])
def test_leaves_the_other_invoice_details(
    edit: Edit, person: Person, world: World, rows: Rows, contact: str
) -> None:
    edit(purchase_order="PO-7", contact_name=contact)

    collect(person, world, GERMAN[1])

    details = rows(Customer)[0].invoice_details
    assert (details["purchase_order"], details.get("contact_name", "")) == ("PO-7", contact)
