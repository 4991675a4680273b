"""What Stripe has otherwise than we stands on the customer's page, with one button to adopt it."""

import pytest
from flask import Flask

from app import payers
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.console_customer import ConsoleOf, look, section, told
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World

HEADING = "Different details at Stripe"


@pytest.fixture
def changed(world: World, saved: Person) -> Person:
    """A customer with a name and email changed in Stripe's Dashboard."""
    path = f"/v1/customers/{saved.stripe_customer_id}"
    world.stripe("POST", path, name="Ada & Sons", email="sons@example.com")
    world.settle()
    return saved


def panels(page: Page) -> list[str]:
    return [title.text for title in page.all("h2") if HEADING in title.text]


def test_shows_ours_and_stripes(app: Flask, changed: Person) -> None:
    text = section(look(changed, app), HEADING).text

    for said in ("Ada Lovelace Ltd", "Ada & Sons", "ada@example.com", "sons@example.com"):
        assert said in text


def test_one_button_adopts_all(changed: Person, console_of: ConsoleOf, rows: Rows, world: World) -> None:
    console = console_of(changed)
    form = section(console.page, HEADING).one("form")
    fields = {each["name"]: each.get("value") for each in form.all("input")}

    assert "Adopted from Stripe: name, email." in console.said("adopt", **fields)

    customer = changed.payer.customer
    assert (customer.name, customer.primary_email) == ("Ada & Sons", "sons@example.com")
    assert panels(console.page) == []
    [(actor, facts)] = [entry for entry in told(rows, "customer.adopted") if entry[0] != "stripe"]
    assert actor.startswith("operator:")
    assert facts == {"changed": "name, primary_email"}
    world.settle()
    assert world.simulator.store.customers[changed.stripe_customer_id]["name"] == "Ada & Sons"


def test_adopts_nothing_that_the_operator_did_not_see(changed: Person, console_of: ConsoleOf) -> None:
    app_id = changed.payer.app_id

    said = console_of(changed).said("adopt", app_id=app_id, name="Ada & Daughters")

    assert "the details have changed since you opened the page" in said
    assert changed.payer.customer.name == "Ada Lovelace Ltd"


def test_another_app_is_unknown(changed: Person, console_of: ConsoleOf) -> None:
    assert "Nothing was changed" in console_of(changed).said("adopt", app_id="0" * 26, name="Ada & Sons")


def test_a_viewer_sees_them_without_the_button(app: Flask, changed: Person) -> None:
    panel = section(look(changed, app, "viewer"), HEADING)

    assert "Ada & Sons" in panel.text
    assert panel.all("form") == []


def test_needs_the_forms_own_token(app: Flask, changed: Person) -> None:
    client = sign_in(app, "operator")
    path = f"/operator/customers/{changed.payer.customer_id}/adopt"

    answer = client.post(path, data={"app_id": changed.payer.app_id, "name": "Ada & Sons"})

    assert answer.status_code == 400
    assert payers.differences(changed.payer)


def test_nothing_stands_there_while_all_agree(app: Flask, saved: Person) -> None:
    assert panels(look(saved, app)) == []


def test_tax_ids_are_shown(app: Flask, world: World, person: Person) -> None:
    session = world.simulator.store.checkout_sessions
    person.save_card()
    done = session[person.session_id]
    done["customer_details"]["tax_ids"] = [{"type": "eu_vat", "value": "DE123456789"}]
    with world.simulator.store.transaction():
        session[person.session_id] = done
    world.settle()

    assert "DE123456789 (eu_vat)" in section(look(person, app), "At Stripe").text
