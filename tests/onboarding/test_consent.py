"""A customer who signs up agrees to the terms once for each version, and we keep what was agreed to."""

from typing import Literal

from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.customers import Customer
from app.onboarding import Consent
from tests.onboarding.conftest import Publish
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.links import make_customer, make_link
from tests.support.portal import SignupPage, sign_up
from tests.support.rows import Rows

TERMS = portal.Links(terms_url="https://example.com/terms", privacy_url="https://example.com/privacy")


def test_a_sentence_is_evidence_with_version_and_time(
    publish: Publish, client: FlaskClient, rows: Rows, app: Flask
) -> None:
    publish(links=TERMS, consent=portal.Consent(kind="sentence", version="2030-01"))

    sign_up(client)
    SignupPage(client).submit()

    [consent] = rows(Consent)
    assert (consent.kind, consent.version, consent.language) == ("sentence", "2030-01", "en")
    assert consent.terms_url == "https://example.com/terms"
    [customer] = rows(Customer)
    page = Page.of(sign_in(app, "viewer").get(f"/operator/customers/{customer.id}"))
    assert "version 2030-01" in page.text


def test_a_box_must_be_ticked(publish: Publish, client: FlaskClient, rows: Rows) -> None:
    publish(links=TERMS, consent=portal.Consent(kind="checkbox", version="2"))
    page = SignupPage(client)

    refused = page.submit()

    assert refused.status_code == 422
    assert "Please agree to the terms to continue." in page.page.error("consent")
    assert page.submit(consent="1").status_code == 303
    assert [each.kind for each in rows(Consent)] == ["checkbox"]


def test_a_new_version_must_be_ticked_again(publish: Publish, client: FlaskClient, rows: Rows) -> None:
    publish(links=TERMS, consent=portal.Consent(kind="checkbox", version="2"))
    assert SignupPage(client).submit(consent="1").status_code == 303
    ticked = SignupPage(client).page.one("input", name="consent").attributes
    publish(links=TERMS, consent=portal.Consent(kind="checkbox", version="3"))

    page = SignupPage(client)

    assert "checked" in ticked
    assert "checked" not in page.page.one("input", name="consent").attributes
    assert page.submit().status_code == 422
    assert page.submit(consent="1").status_code == 303
    assert sorted(each.version for each in rows(Consent)) == ["2", "3"]


def test_nothing_is_asked_without_terms(publish: Publish, client: FlaskClient, rows: Rows) -> None:
    publish(consent=portal.Consent(kind="checkbox"))

    sign_up(client)

    assert rows(Consent) == []


def test_a_link_asks_once(publish: Publish, client: FlaskClient, path: str, rows: Rows) -> None:
    publish(links=TERMS, consent=portal.Consent(kind="checkbox"))
    page = Page.of(client.get(path))
    token = page.one("form", id="go-on").one("input", name="csrf_token")["value"]

    refused = client.post(path, data={"csrf_token": token})
    led = client.post(path, data={"csrf_token": token, "consent": "1"})

    assert (refused.status_code, led.status_code) == (422, 303)
    assert "Please agree to the terms" in Page.of(refused).text
    assert [each.kind for each in rows(Consent)] == ["checkbox"]
    assert Page.of(client.get(path)).all("input", name="consent") == []


def test_a_link_asks_again_about_other_terms(
    publish: Publish, app: Flask, client: FlaskClient, path: str
) -> None:
    def is_asked(kind: Literal["sentence", "checkbox"], version: str, path: str = path) -> bool:
        publish(links=TERMS, consent=portal.Consent(kind=kind, version=version))
        page = Page.of(client.get(path))
        asked = bool(page.all("input", name="consent"))
        token = page.one("form", id="go-on").one("input", name="csrf_token")["value"]
        assert client.post(path, data={"csrf_token": token, "consent": "1"}).status_code == 303
        return asked

    theirs = make_link(app, make_customer(app, key="eve", subject_keys=("eve",)))

    assert not is_asked("sentence", "1")
    assert is_asked("checkbox", "1")
    assert not is_asked("checkbox", "1")
    assert is_asked("checkbox", "2")
    assert is_asked("checkbox", "2", theirs)
