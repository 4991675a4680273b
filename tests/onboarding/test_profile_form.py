"""The form asks for what the profile says, and each answer reaches the customer and Stripe."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.audit import Entry
from app.customers import Customer
from app.onboarding.form.forms import SignupForm
from app.simulator import Simulator
from tests.onboarding.conftest import Publish
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.handovers import HandoverPage, make_secret, sign
from tests.support.portal import SignupPage, resume, session_of, sign_up
from tests.support.rows import Rows
from tests.support.world import World
from tests.support.world_fixtures import world

__all__ = ["world"]

EVERYTHING: dict[str, Any] = {
    "name": "required",
    "company": "optional",
    "phone": "required",
    "billing_address": "required",
    "tax_id": "optional",
    "purchase_order": "optional",
}
QUESTIONS = (
    portal.CustomField(
        name="team",
        kind="choice",
        label={"en": "Team"},
        choices=("Sales", "Support"),
        choice_labels={"Sales": {"ja": "営業"}},
    ),
    portal.CustomField(name="cost_center", label={"en": "Cost center"}, presence="required"),
    portal.CustomField(name="news", kind="checkbox", label={"en": "Send me news"}),
)
ANSWERS = {
    "name": "Ada King",
    "company": "Analytical Engines",
    "phone": "+49 731 12345",
    "line1": "1 Main St",
    "city": "Ulm",
    "postal_code": "89073",
    "country": "DE",
    "tax_id": "136695976",
    "purchase_order": "PO-7",
    "team": "Sales",
    "cost_center": "42",
    "news": "1",
}


def form(fields: dict[str, Any] | None = None, **more: Any) -> portal.Form:
    return portal.Form(fields=fields or {}, **more)


def errors(page: Page, field: str) -> str:
    return page.error(field)


class TestFields:
    def test_every_answer_is_stored_and_stripe_gets_its_part(
        self, publish: Publish, client: FlaskClient, simulator: Simulator, rows: Rows, world: World
    ) -> None:
        publish(form=form(EVERYTHING, custom_fields=QUESTIONS))

        sign_up(client, **ANSWERS)
        world.settle()

        [customer] = rows(Customer)
        assert customer.name == "Analytical Engines"
        assert customer.invoice_details == {
            "contact_name": "Ada King",
            "tax_id_type": "eu_vat",
            "tax_id": "DE136695976",
            "purchase_order": "PO-7",
        }
        assert customer.billing_address == {
            "line1": "1 Main St",
            "city": "Ulm",
            "postalCode": "89073",
            "country": "DE",
            "phoneNumber": "+49 731 12345",
        }
        assert customer.extra == {"team": "Sales", "cost_center": "42", "news": "yes"}

        [there] = simulator.store.customers.values()
        assert (there["business_name"], there["individual_name"]) == ("Analytical Engines", "Ada King")
        assert (there["phone"], there["address"]["city"]) == ("+49 731 12345", "Ulm")
        [tax_id] = simulator.store.tax_ids.values()
        assert (tax_id["type"], tax_id["value"]) == ("eu_vat", "DE136695976")

    def test_shows_a_choice_in_the_language_of_the_reader(
        self, publish: Publish, client: FlaskClient
    ) -> None:
        publish(form=portal.Form(custom_fields=QUESTIONS))

        shown = {
            language: Page.of(client.get("/signup", query_string={"language": language}))
            .one("select", id="team")
            .all("option")
            for language in ("en", "ja")
        }

        assert [each["value"] for each in shown["ja"]] == ["", "Sales", "Support"]
        assert [each.text for each in shown["ja"]][1:] == ["営業", "Support"]
        assert [each.text for each in shown["en"]][1:] == ["Sales", "Support"]

    def test_a_correction_shows_and_changes_what_was_typed(
        self, publish: Publish, client: FlaskClient, rows: Rows
    ) -> None:
        publish(form=form(EVERYTHING, custom_fields=QUESTIONS))
        sign_up(client, **ANSWERS)

        page = SignupPage(client)
        shown = {name: page.page.value(name) for name in ANSWERS if name not in {"tax_id", "news"}}
        page.submit(**{**ANSWERS, "tax_id": "", "company": "", "news": "", "purchase_order": ""})

        assert shown == {name: text for name, text in ANSWERS.items() if name not in {"tax_id", "news"}}
        [customer] = rows(Customer)
        assert (customer.name, customer.invoice_details) == ("Ada King", None)
        assert customer.billing_address is not None

    @for_each(
        ("field", "typed", "message"),
        [
            ("phone", "", "Enter a phone number."),
            ("phone", "call me", "Enter a phone number like"),
            ("line1", "", "Enter the street and number."),
            ("country", "", "Choose a country."),
            ("tax_id", "136695978", "This can’t be a tax id of Germany. One looks like DE136695976."),
            ("cost_center", "", "Please answer this."),
            ("team", "Other", "Not a valid choice"),
        ],
    )
    def test_says_what_is_wrong(
        self, publish: Publish, client: FlaskClient, rows: Rows, field: str, typed: str, message: str
    ) -> None:
        publish(form=form(EVERYTHING, custom_fields=QUESTIONS))
        page = SignupPage(client)

        answer = page.submit(**{**ANSWERS, field: typed})

        assert answer.status_code == 422
        assert message in page.page.error(field)
        assert rows(Customer) == []

    def test_a_tax_id_alone_asks_for_its_country(
        self, publish: Publish, client: FlaskClient, rows: Rows
    ) -> None:
        publish(form=form({"tax_id": "optional"}))
        page = SignupPage(client)

        page.submit(tax_id="DE136695976")

        assert "Choose the country of the tax id." in page.page.error("country")
        assert page.submit(tax_id="DE136695976", country="DE").status_code == 303
        assert rows(Customer)[0].billing_address == {"country": "DE"}

    def test_ignores_what_is_hidden_or_locked(
        self, publish: Publish, client: FlaskClient, rows: Rows
    ) -> None:
        publish(form=form({"key": "hidden", "subject_keys": "locked", "phone": "locked"}))

        sign_up(client, phone="+49 731 12345")

        [customer] = rows(Customer)
        assert (customer.key, customer.subject_keys, customer.billing_address) == (None, [customer.id], None)

    def test_names_of_visitors_follow_the_pattern(
        self, publish: Publish, client: FlaskClient, rows: Rows
    ) -> None:
        publish(form=form(subject_key_pattern="visitor-*"))
        page = SignupPage(client)

        page.submit(subject_keys=["engine-1"])

        assert "Use one like visitor-*." in page.page.text
        assert page.submit(subject_keys=["visitor-1"]).status_code == 303

    def test_names_may_come_from_hand_overs_only(
        self, publish: Publish, client: FlaskClient, rows: Rows
    ) -> None:
        publish(form=form({"key": "required"}, subject_keys_from_handover_only=True))

        sign_up(client, key="customer-42")

        [customer] = rows(Customer)
        assert (customer.key, customer.subject_keys) == (None, [customer.id])

    def test_hand_overs_bring_names_that_visitors_may_not_type(
        self, app: Flask, publish: Publish, client: FlaskClient, rows: Rows
    ) -> None:
        publish(form=form(subject_keys_from_handover_only=True))

        HandoverPage(client, sign(make_secret(app))).submit(key="evil", subject_keys=["evil"])

        [customer] = rows(Customer)
        assert (customer.key, sorted(customer.subject_keys)) == ("customer-42", ["meter-1", "meter-2"])


class TestMoreDetails:
    def test_wait_behind_a_summary(self, client: FlaskClient) -> None:
        more = Page.of(client.get("/signup")).one("details", class_="more")

        assert "open" not in more.attributes
        assert {each["name"] for each in more.all("input")} == {"key", "subject_keys"}

    def test_are_open_when_they_hold_a_value_or_an_error(self, client: FlaskClient) -> None:
        page = SignupPage(client)

        page.submit(name="", key="k", subject_keys=[])
        with_value = page.page.one("details", class_="more")
        page.submit(name="", key="", subject_keys=["a" * 300])
        with_error = page.page.one("details", class_="more")

        assert "open" in with_value.attributes
        assert "open" in with_error.attributes


class TestCurrencies:
    def test_one_is_not_asked_for(self, publish: Publish, client: FlaskClient, rows: Rows) -> None:
        publish(form=form(currencies=("CHF",)))

        assert Page.of(client.get("/signup")).all("select", name="currency") == []
        sign_up(client, currency="USD")

        assert rows(Customer)[0].currency == "CHF"

    def test_few_keep_their_order_and_have_names_in_the_readers_language(
        self, publish: Publish, client: FlaskClient
    ) -> None:
        publish(form=form(currencies=("CHF", "EUR")))

        page = Page.of(client.get("/signup?language=de"))

        options = {each["value"]: each.text for each in page.field("currency").all("option")}
        assert options == {"CHF": "Schweizer Franken (CHF)", "EUR": "Euro (EUR)"}


class TestEmails:
    def test_a_typing_error_is_asked_about_once(self, client: FlaskClient, rows: Rows) -> None:
        page = SignupPage(client)

        asked = page.submit(email="ada@gmial.com")

        assert asked.status_code == 422
        assert "Did you mean ada@gmail.com?" in page.page.text
        assert rows(Customer) == []
        hidden = page.page.one("input", name="email_asked")["value"]
        assert page.submit(email="ada@gmial.com", email_asked=hidden).status_code == 303
        assert rows(Customer)[0].primary_email == "ada@gmial.com"

    def test_the_first_button_keeps_what_was_typed(self, client: FlaskClient) -> None:
        """Enter in a field presses it."""
        page = SignupPage(client)

        page.submit(email="ada@gmial.com")

        keeps, uses = page.page.one("form", id="details").all("button")[:2]
        assert (keeps.text, keeps.get("name")) == ("Keep what I entered", "")
        assert (uses.text, uses["name"]) == ("Use ada@gmail.com", "use_email")

    def test_one_click_takes_the_other_address(self, client: FlaskClient, rows: Rows) -> None:
        page = SignupPage(client)
        page.submit(email="ada@hotmail.con")

        page.submit(email="ada@hotmail.con", use_email="ada@hotmail.com")

        assert rows(Customer)[0].primary_email == "ada@hotmail.com"

    @for_each("email", ["ada@acme.co", "ada@mail.com", "ada@web.de", "ada@gmail.com", "ada@example.com"])
    def test_real_domains_raise_no_question(self, client: FlaskClient, email: str) -> None:
        page = SignupPage(client, "/signup?new=1")

        assert page.submit(email=email, key="", subject_keys=[]).status_code == 303


class TestStripesPage:
    def test_asks_what_the_profile_says(
        self, publish: Publish, client: FlaskClient, simulator: Simulator
    ) -> None:
        simulator.fault_settings.terms_url = True
        publish(
            checkout=portal.CheckoutOptions(
                billing_address_collection="required",
                tax_id_collection=True,
                phone_number_collection=True,
                allowed_payment_method_types=("card",),
                consent_collection=True,
            ),
            texts={
                "checkout_submit": {"en": "We charge monthly."},
                "checkout_terms": {"en": "I agree."},
            },
        )

        sign_up(client)

        [opened] = simulator.store.checkout_sessions.values()
        assert opened["billing_address_collection"] == "required"
        assert opened["tax_id_collection"] == {"required": "never", "enabled": True}
        assert opened["phone_number_collection"] == {"enabled": True}
        assert opened["payment_method_types"] == ["card"]
        assert opened["consent_collection"]["terms_of_service"] == "required"
        assert opened["custom_text"]["submit"] == {"message": "We charge monthly."}
        assert opened["custom_text"]["terms_of_service_acceptance"] == {"message": "I agree."}

    def test_opens_again_when_the_profile_says_something_else(
        self, publish: Publish, client: FlaskClient, simulator: Simulator
    ) -> None:
        publish(texts={"checkout_submit": {"en": "We charge monthly."}})
        first = sign_up(client)
        same = session_of(resume(client))
        publish(texts={"checkout_submit": {"en": "We charge each week."}})

        second = session_of(resume(client))

        sessions = simulator.store.checkout_sessions
        assert same == first
        assert sessions[first]["status"] == "expired"
        assert sessions[second]["custom_text"]["submit"] == {"message": "We charge each week."}

    def test_does_without_an_option_that_stripe_refuses(
        self, publish: Publish, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.fault_settings.terms_url = False
        publish(
            checkout=portal.CheckoutOptions(consent_collection=True, phone_number_collection=True),
            texts={"checkout_terms": {"en": "I agree."}},
        )

        sign_up(client)

        [opened] = simulator.store.checkout_sessions.values()
        assert opened["consent_collection"] is None
        assert opened["phone_number_collection"] == {"enabled": True}
        [entry] = [each for each in rows(Entry) if each.kind == "checkout.option_refused"]
        assert "terms of service" in entry.facts["reason"]
        assert session_of(resume(client)) == opened["id"]


@for_each("name", ["address", "data", "errors", "profile", "asked", "more", "drawn", "validate", "wanted"])
def test_a_hidden_question_of_any_name_harms_nothing(
    app: Flask, publish: Publish, rows: Rows, name: str
) -> None:
    question = portal.CustomField(name=name, label={"en": "Odd"}, presence="hidden")
    publish(form=form(custom_fields=(question,)))

    answer = SignupPage(app.test_client()).submit(key=name, subject_keys=[name])

    assert answer.status_code == 303
    assert name in {customer.key for customer in rows(Customer)}


@for_each(("said", "stored"), [("yes", "yes"), ("no", "no")])
def test_an_app_answers_a_checkbox(app: Flask, publish: Publish, rows: Rows, said: str, stored: str) -> None:
    box = portal.CustomField(name="vat_free", kind="checkbox", label={"en": "VAT"}, presence="locked")
    publish(form=form(custom_fields=(box,)))
    token = sign(make_secret(app), key=said, subjectKeys=None, customFields={"vat_free": said})

    assert HandoverPage(app.test_client(), token).submit().status_code == 303

    [customer] = [found for found in rows(Customer) if found.key == said]
    assert customer.extra == {"vat_free": stored}


def test_a_question_of_any_name_can_be_answered(client: FlaskClient, publish: Publish, rows: Rows) -> None:
    names = ("on_submit", "validate", "process", "data", "app")
    publish(
        form=form(custom_fields=tuple(portal.CustomField(name=name, label={"en": name}) for name in names))
    )

    sign_up(client, **dict.fromkeys(names, "x"))

    assert rows(Customer)[0].extra == dict.fromkeys(names, "x")
    assert not any(getattr(SignupForm, name) for name in dir(SignupForm) if name.startswith("validate_"))
