"""The page of the portal lists what a draft changes, in the words of the forms."""

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.console.portal.test_portal import PNG, publish, save
from tests.support.browser import Page
from tests.support.console import post, sign_in


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    return sign_in(app, "admin")


def listed(console: FlaskClient) -> list[tuple[str, str, str]]:
    """What the page says of the draft: each setting, what is published, and the draft."""
    panel = Page.of(console.get("/operator/portal")).one("section", aria_labelledby="draft")
    rows = [(row.one("th").text, *(cell.text for cell in row.all("td"))) for row in panel.all("tr")[1:]]
    return [(name, before, after) for name, before, after in rows]


@pytest.mark.parametrize(
    ("section", "fields", "line"),
    [
        ("form", {"field_phone": "optional"}, ("Default, Form, Phone", "Hidden", "Optional")),
        (
            "form",
            {"currencies": "EUR\nUSD"},
            ("Default, Form, Currencies you offer", "none", "EUR, USD"),
        ),
        (
            "form",
            {"custom_fields": "team | choice | required | Team | Sales, IT"},
            (
                "Default, Form, Your own questions",
                "none",
                "team | choice | required | en: Team | Sales, IT",
            ),
        ),
        ("languages", {"default": "ja", "others": []}, ("Default, Languages", None, "日本語")),
        ("after", {"is_signed": "y"}, (None, "no", "yes")),
        (
            "after",
            {"label": "de: Acme"},
            ("Default, After saving, Name of that place (Deutsch)", "none", "Acme"),
        ),
        ("texts", {"charges": "Monthly."}, (None, "none", "Monthly.")),
        (
            "policies",
            {"billing_address_collection": "auto"},
            ("Default, Policies, Billing address on Stripe’s page", "As Stripe decides", "When it is needed"),
        ),
    ],
)
def test_names_a_setting_and_its_values(
    app: Flask, section: str, fields: dict[str, Any], line: tuple[str | None, str | None, str]
) -> None:
    console = sign_in(app, "admin")
    save(console, section, **fields)

    [found] = listed(console)

    assert all(wanted in (None, given) for wanted, given in zip(line, found, strict=True)), found


def test_shows_a_picture_by_its_digest(console: FlaskClient) -> None:
    save(console, "brand", logo=(io.BytesIO(PNG), "logo.png"))

    found = listed(console)

    assert {name.split(", ")[:3] == ["Default", "Brand", "Logo"] for name, *_ in found} == {True}
    assert any(after.startswith("sha256:") for *_, after in found)


def test_says_of_a_new_profile_how_it_differs_from_the_default_one(console: FlaskClient) -> None:
    post(console, "/operator/portal/profiles", name="Nordwind", slug="nordwind")
    save(console, "brand", "nordwind", company_name="Nordwind GmbH")

    assert listed(console) == [
        ("Nordwind", "none", "New: like the default profile, but for what follows"),
        ("Nordwind, Brand, Company name", "Northwind Metering", "Nordwind GmbH"),
    ]


def test_names_a_deleted_and_the_default_profile(console: FlaskClient) -> None:
    for name in ("Old", "New"):
        post(console, "/operator/portal/profiles", name=name, slug=name.lower())
    publish(console)

    post(console, "/operator/portal/profiles/new/default")
    post(console, "/operator/portal/profiles/old/delete")

    assert listed(console) == [("Old", "Published", "Deleted"), ("Default profile", "Default", "New")]
