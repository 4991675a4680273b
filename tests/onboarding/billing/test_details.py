"""Customers change their own contact and tax data, and Stripe gets it."""

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import portal, sync
from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.payers import Payer
from app.portal.sections.form import DEFAULT_FIELDS
from app.simulator import Simulator
from tests.support.billing import BillingPage, after, press
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.links import LinkPage, make_link
from tests.support.profiles import publish_profiles
from tests.support.rivals import comes_first
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

ADDRESS = {"line1": "Am Kai 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}
LINES = ["line1", "line2", "postal_code", "city", "state", "country"]
FULL = {"company": "optional", "phone": "optional", "billing_address": "optional", "tax_id": "optional"}
TAX_ID_REFUSAL = {"type": "invalid_request_error", "message": "No.", "code": "tax_id_invalid"}


class DetailsPage:
    """The form, reached from the billing page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        [link] = [each for each in BillingPage(client).page.all("a") if "/billing/details" in each["href"]]
        self.page = Page.of(client.get(link["href"]))
        self.page.check()

    @property
    def fields(self) -> list[str]:
        """What may be changed."""
        hidden = {"csrf_token", "customer", "updated_at"}
        form = self.page.one("form", action="/billing/details")
        return [each["name"] for each in form.all() if each.get("name") and each["name"] not in hidden]

    def save(self, **typed: str) -> TestResponse:
        """Press the button."""
        form = self.page.one("form", action="/billing/details")
        chosen = {
            each["name"]: option["value"]
            for each in form.all("select")
            for option in each.all("option")
            if "selected" in option.attributes
        }
        answer = press(self.client, form, **(chosen | typed))
        if answer.status_code in {409, 422}:
            self.page = Page.of(answer)
            self.page.check()
        return answer


def publish(app: Flask, **fields: str) -> None:
    """Publish what the form of the profile asks for."""
    form = portal.Form.model_validate({"fields": {**DEFAULT_FIELDS, **fields}})
    publish_profiles(app, portal.Profile(form=form))


def test_reach_stripe_and_the_page(app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    publish(app, **FULL)
    answer = DetailsPage(saved).save(
        company="Engines Ltd", name="Ada King", email="king@example.com", tax_id="136695976", **ADDRESS
    )

    page = after(saved, answer)

    assert "Your details are saved" in page.text
    assert "Stripe has them too." in page.text
    for shown in ("Engines Ltd", "king@example.com", "20457 Hamburg", "DE136695976 (eu_vat)"):
        assert shown in page.page.one("aside").text
    [there] = simulator.store.customers.values()
    assert (there["name"], there["email"]) == ("Engines Ltd", "king@example.com")
    assert (there["individual_name"], there["address"]["city"]) == ("Ada King", "Hamburg")
    assert [each["value"] for each in simulator.store.tax_ids.values()] == ["DE136695976"]
    [entry] = [each for each in rows(Entry) if each.kind == "customer.updated"]
    assert entry.actor == "visitor"


def test_keep_what_the_form_does_not_ask_for(saved: FlaskClient, rows: Rows) -> None:
    [before] = rows(Customer)

    after(saved, DetailsPage(saved).save(name="Ada King"))

    [now] = rows(Customer)
    assert (before.name, now.name) == ("Ada Lovelace Ltd", "Ada King")
    for kept in ("key", "subject_keys", "currency", "primary_email", "extra", "billing_address"):
        assert getattr(now, kept) == getattr(before, kept)


def test_change_nothing_twice(saved: FlaskClient, rows: Rows, simulator: Simulator) -> None:
    page = after(saved, DetailsPage(saved).save())

    assert "saved" not in page.page.one("main").one("h1").text
    assert [each for each in rows(Entry) if each.kind == "customer.updated"] == []


def test_follow_later_when_stripe_does_not_answer(
    app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = DetailsPage(saved)
    simulator.faults.add("503", times=50)

    page = after(saved, form.save(email="king@example.com"))

    assert "Stripe didn't answer just now." in page.text
    assert rows(Payer)[0].is_contact_due
    simulator.faults.clear()
    with app.app_context():
        sync.refresh(db.session(), rows(Payer)[0].id, force=True)
    [there] = simulator.store.customers.values()
    assert there["email"] == "king@example.com"


def test_of_who_is_deleted_meanwhile_do_not_change(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    form = DetailsPage(saved)
    deleted = sa.update(Customer).values(deleted_at=db.utcnow())

    with comes_first(app, "SELECT customer.", deleted, skip=1):  # the first finds who asks
        answer = form.save(name="Ada King")

    assert answer.status_code == 412
    assert rows(Customer)[0].name == "Ada Lovelace Ltd"
    assert [each for each in rows(Entry) if each.kind == "customer.updated"] == []


def test_say_when_stripe_refuses_one(app: Flask, saved: FlaskClient, calls: StripeCalls, rows: Rows) -> None:
    publish(app, **FULL)
    [payer] = rows(Payer)
    calls.refusals[f"POST /v1/customers/{payer.stripe_customer_id}/tax_ids"] = TAX_ID_REFUSAL

    page = after(saved, DetailsPage(saved).save(tax_id="DE136695976", **ADDRESS))

    assert "Stripe didn't accept all of your details" in page.text
    assert rows(Customer)[0].invoice_details["tax_id"] == "DE136695976"


@for_each(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "Ada\x07"}, "name"),
        ({"name": "x" * 257}, "name"),
        ({"email": "nobody"}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"tax_id": "DE1", "country": "DE"}, "tax_id"),
        ({"tax_id": "DE136695976", "country": ""}, "country"),
        ({"country": "ZZ"}, "country"),
    ],
)
def test_refuse_what_can_not_be_right(
    app: Flask, saved: FlaskClient, rows: Rows, typed: dict[str, str], field: str
) -> None:
    publish(app, **FULL)
    [before] = rows(Customer)
    form = DetailsPage(saved)

    assert form.save(**typed).status_code == 422

    assert form.page.error(field)
    assert rows(Customer)[0].updated_at == before.updated_at


def test_may_stay_as_they_are_stored(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    publish(app, **FULL)
    with app.app_context():
        customer = db.session().get_one(Customer, rows(Customer)[0].id)
        customer.primary_email = "nobody"
        customer.billing_address = {"country": "AN", "phoneNumber": "extension twelve"}
        customer.invoice_details = {"tax_id": "123"}
        db.session().commit()

    after(saved, DetailsPage(saved).save(name="Ada King"))

    [customer] = rows(Customer)
    assert (customer.name, customer.primary_email) == ("Ada King", "nobody")
    assert customer.billing_address == {"country": "AN", "phoneNumber": "extension twelve"}
    assert customer.invoice_details == {"tax_id": "123"}


def test_are_not_overwritten_from_a_page_that_is_old(saved: FlaskClient, rows: Rows) -> None:
    first, second = DetailsPage(saved), DetailsPage(saved)
    after(saved, first.save(name="Ada King"))

    answer = second.save(email="king@example.com")

    assert answer.status_code == 409
    assert "These details were changed in the meantime" in second.page.text
    assert rows(Customer)[0].primary_email == "ada@example.com"
    after(saved, second.save(name="Ada King"))
    assert rows(Customer)[0].primary_email == "king@example.com"


def test_are_closed_to_a_guest(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    [customer] = rows(Customer)
    guest = app.test_client()
    link = LinkPage(guest, make_link(app, customer.id))
    guest.post(link.path, data=link.token | {"another": "1"})
    page = BillingPage(guest)
    path = f"/billing/details?customer={customer.id}"

    assert not [each for each in page.page.all("a") if "/billing/details" in each["href"]]
    token = page.page.one("form", action="/resume").one("input", name="csrf_token")["value"]
    fields = {"csrf_token": token, "customer": customer.id, "name": "Eve", "updated_at": "x"}
    answers = [guest.get(path), guest.post("/billing/details", data=fields)]
    answers.append(app.test_client().get(path))

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert rows(Customer)[0].name == "Ada Lovelace Ltd"


def test_leave_the_address_for_codes_to_the_first_person(
    saved: FlaskClient, other: FlaskClient, rows: Rows
) -> None:
    from tests.onboarding.billing.test_people import accept, invited  # noqa: PLC0415

    accept(other, invited(saved))
    form = DetailsPage(other)

    after(other, form.save(name="Ada King", email="eve@example.com"))

    assert "email" not in form.fields
    [customer] = rows(Customer)
    assert (customer.name, customer.primary_email) == ("Ada King", "ada@example.com")


@for_each(
    ("fields", "changeable"),
    [
        ({}, ["name", "email"]),
        ({"email": "locked"}, ["name"]),
        ({"name": "locked", "company": "required"}, ["email"]),
        ({"name": "hidden", "company": "required"}, ["name", "company", "email"]),
        ({"tax_id": "optional"}, ["name", "email", "tax_id"]),
        ({"billing_address": "hidden"}, ["name", "email", *LINES]),  # Stripe's page has collected one
    ],
)
def test_offer_what_the_profile_does_not_lock(
    app: Flask, saved: FlaskClient, fields: dict[str, str], changeable: list[str]
) -> None:
    publish(app, **{"billing_address": "locked"} | fields)

    assert DetailsPage(saved).fields == changeable


def test_check_a_tax_id_by_the_locked_country(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    publish(app, billing_address="locked", tax_id="optional")
    form = DetailsPage(saved)

    refused = form.save(tax_id="DE136695976")
    after(saved, form.save(tax_id="911144442"))

    assert refused.status_code == 422
    assert rows(Customer)[0].invoice_details == {"tax_id_type": "us_ein", "tax_id": "91-1144442"}


def test_leave_a_locked_company_alone(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    with app.app_context():
        customer = db.session().get_one(Customer, rows(Customer)[0].id)
        customer.invoice_details = {"contact_name": "Ada King"}
        db.session().commit()
    publish(app, company="locked", billing_address="locked")

    form = DetailsPage(saved)
    after(saved, form.save(email="king@example.com"))

    assert form.fields == ["email"]
    [customer] = rows(Customer)
    assert customer.name == "Ada Lovelace Ltd"
    assert customer.invoice_details == {"contact_name": "Ada King"}


def test_offer_nothing_where_all_is_locked(app: Flask, saved: FlaskClient) -> None:
    publish(app, name="locked", company="required", email="locked", billing_address="locked")

    page = BillingPage(saved)

    assert "To change them, ask us." in page.page.one("aside").text
    assert not [each for each in page.page.all("a") if "/billing/details" in each["href"]]


def test_asks_for_an_address_in_the_order_of_the_language(saved: FlaskClient, app: Flask) -> None:
    publish(app, billing_address="optional")
    lines = ["postal_code", "state", "city", "line1", "line2", "country"]
    for language, order in (("en", LINES), ("ja", lines)):
        saved.get("/billing", query_string={"language": language})
        page = DetailsPage(saved)

        assert [each for each in page.fields if each in LINES] == order
