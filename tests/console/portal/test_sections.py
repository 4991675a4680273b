"""The sections of form, policies and the way back are written into the draft."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.core import db
from app.core.config import Settings
from tests.conftest import make_settings
from tests.console.portal.test_portal import save
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import sign_in


def edited(app: Flask) -> portal.Profile:
    """The default profile as the draft has it."""
    with app.app_context():
        return portal.edited(db.session()).default


def changed(app: Flask, section: str, **fields: Any) -> portal.Profile:
    """Save fields of a section, and return the profile."""
    console: FlaskClient = sign_in(app, "admin")
    answer = save(console, section, **fields)
    assert answer.status_code == 303, Page.of(answer).text
    return edited(app)


def test_take_the_fields_of_the_form(app: Flask) -> None:
    form = changed(
        app,
        "form",
        field_phone="optional",
        field_key="hidden",
        currencies="EUR\n\n usd ",
        default_currency="EUR",
        subject_key_pattern="customer-*",
        subject_keys_from_handover_only="y",
    ).form

    assert (form.fields["phone"], form.fields["key"], form.fields["name"]) == (
        "optional",
        "hidden",
        "required",
    )
    assert (form.currencies, form.default_currency) == (("EUR", "USD"), "EUR")
    assert (form.subject_key_pattern, form.subject_keys_from_handover_only) == ("customer-*", True)


def test_take_questions_in_lines_and_show_them_again(app: Flask) -> None:
    lines = "team | choice | optional | Team; de: Gruppe | Sales, Support\n\nnews | checkbox | hidden | News"

    first = changed(app, "form", custom_fields=lines).form.custom_fields
    again = changed(app, "form").form.custom_fields

    assert first == again
    assert first[0].label == {"en": "Team", "de": "Gruppe"}
    assert first[0].choices == ("Sales", "Support")
    assert (first[1].kind, first[1].choices) == ("checkbox", ())


def test_take_the_labels_of_choices(app: Flask) -> None:
    lines = "team | choice | optional | Team | Sales; de: Vertrieb; ja: 営業, IT"

    [first] = changed(app, "form", custom_fields=lines).form.custom_fields
    [again] = changed(app, "form").form.custom_fields

    assert first == again
    assert first.choices == ("Sales", "IT")
    assert first.choice_labels == {"Sales": {"de": "Vertrieb", "ja": "営業"}}


def test_take_the_texts_of_stripes_page(app: Flask) -> None:
    profile = changed(app, "texts", checkout_submit="We charge monthly.", checkout_terms="I agree.")

    assert profile.texts["checkout_submit"] == {"en": "We charge monthly."}
    assert profile.texts["checkout_terms"] == {"en": "I agree."}


def test_take_policies(app: Flask) -> None:
    profile = changed(
        app,
        "policies",
        sign_up="approval",
        payment_method_policy="ask",
        may_remove_last="y",
        consent="checkbox",
        consent_version="2026-11",
        billing_address_collection="required",
        tax_id_collection="y",
        allowed_payment_method_types="card\nsepa_debit",
    )

    assert (profile.sign_up, profile.payment_method_policy) == ("approval", "ask")
    assert profile.billing.may_remove_last
    assert (profile.consent.kind, profile.consent.version) == ("checkbox", "2026-11")
    assert profile.checkout.billing_address_collection == "required"
    assert profile.checkout.tax_id_collection
    assert profile.checkout.allowed_payment_method_types == ("card", "sepa_debit")


def test_take_the_way_back(app: Flask) -> None:
    profile = changed(
        app,
        "after",
        return_url="https://app.example.com/done",
        label="en: Continue to Acme\nde: Weiter zu Acme",
        redirect_seconds="5",
        is_signed="y",
        allowed_return_hosts="app.example.com",
        embed_origins="https://app.example.com",
    )
    kept = changed(app, "after")

    assert profile == kept
    assert profile.after.return_url == "https://app.example.com/done"
    assert profile.after.label == {"en": "Continue to Acme", "de": "Weiter zu Acme"}
    assert (profile.after.redirect_seconds, profile.after.is_signed) == (5, True)
    assert profile.embed_origins == ("https://app.example.com",)


def test_a_name_without_a_language_is_in_the_default_one(app: Flask) -> None:
    save(sign_in(app, "admin"), "languages", default="de", others=["de", "fr"])
    save(sign_in(app, "admin"), "after", label="Acme: Konto\nfr: Acme")

    assert changed(app, "after").after.label == {"de": "Acme: Konto", "fr": "Acme"}


@for_each(
    "wrong",
    [
        ("form", {"custom_fields": "team"}, "Write each question as"),
        ("form", {"custom_fields": "team | picture | optional | Team"}, "Input should be"),
        ("form", {"field_name": "sometimes"}, "Not a valid choice"),
        ("form", {"currencies": "XXQ"}, "is not a currency that Stripe knows"),
        ("form", {"default_currency": "EURO"}, "Enter a code such as EUR"),
        ("after", {"label": "sv: Acme"}, "Write the language first"),
        ("after", {"label": "Acme\nAcme Cloud"}, "Write the language first"),
        ("after", {"redirect_seconds": "1"}, "Enter 3 to 60"),
        ("after", {"redirect_seconds": "soon"}, "Not a valid integer"),
        ("after", {"embed_origins": "*"}, "must be a scheme and host"),
        ("after", {"return_url": "javascript:alert(1)"}, "Enter a URL"),
        ("after", {"return_url": "https://-/done"}, "Enter a URL"),
        ("after", {"embed_origins": "https://a..b"}, "must be a scheme and host"),
        ("after", {"allowed_return_hosts": "app.example.com\n-"}, "Enter names of hosts"),
        ("after", {"allowed_return_hosts": "app.example.com:99999"}, "Enter names of hosts"),
        ("links", {"imprint_url": "https://./imprint"}, "Enter a URL"),
        ("policies", {"sign_up": "nobody"}, "Not a valid choice"),
        ("policies", {"consent_version": "x" * 41}, "Use 40 characters or fewer"),
        ("general", {"name": ""}, "Enter a name"),
        ("languages", {"default": "xx"}, "Not a valid choice"),
    ],
)
def test_say_what_is_wrong_and_keep_what_was_typed(
    app: Flask, wrong: tuple[str, dict[str, str], str]
) -> None:
    section, fields, said = wrong

    answer = save(sign_in(app, "admin"), section, **fields)
    page = Page.of(answer)

    assert answer.status_code == 422
    assert said in page.text
    with app.app_context():
        assert portal.open_draft(db.session())[1] is None


class TestBesideVariables:
    """A browser sends no field that a variable decides."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(
            database_url=database_url,
            company_name="Northwind Metering",
            default_currency="EUR",
            payment_method_policy="keep",
            signup_subject_keys="hidden",
        )

    @for_each(
        ("section", "changes"),
        [
            ("brand", {"corner_radius": "large"}),
            ("form", {"field_phone": "optional"}),
            ("policies", {"consent_version": "2026-11"}),
        ],
    )
    def test_the_others_are_saved(self, app: Flask, section: str, changes: dict[str, str]) -> None:
        before = edited(app)

        after = changed(app, section, **changes)

        assert after != before
        assert after.brand.company_name == before.brand.company_name
        assert after.payment_method_policy == before.payment_method_policy
