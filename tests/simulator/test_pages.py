"""The hosted pages in a browser without JavaScript."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from werkzeug.test import Client

from app.simulator import Simulator
from app.simulator.pages.texts import LANGUAGES, TEXTS
from tests.support.processes import PATIENCE
from tests.support.simulator import Open
from tests.support.simulator_page import path, read

FORM = {
    "method": "card",
    "card_number": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "Ada Example",
    "country": "GB",
    "postal_code": "N1",
}


def test_shows_a_form_with_autocomplete(page: Client, open_session: Open) -> None:
    session = open_session(custom_text={"submit": {"message": "On the first."}})

    answer = page.get(path(session))

    shown = read(answer)
    assert answer.status_code == 200
    assert shown.control("card_number")["autocomplete"] == "cc-number"
    assert shown.control("expiry")["autocomplete"] == "cc-exp"
    assert shown.control("cvc")["autocomplete"] == "cc-csc"
    for text in ("Example Works", "ada@example.com", "Save card", "On the first.", "4242 4242 4242 4242"):
        assert text in shown.text
    assert 'href="https://portal.example.com/start"' in answer.get_data(as_text=True)
    assert "form-action 'self' https://portal.example.com" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("locale", "accepted", "language", "button"),
    [
        ("de", "fr", "de", "Karte speichern"),
        ("pt-BR", "", "pt-BR", "Salvar cartão"),
        ("es-419", "", "es", "Guardar tarjeta"),
        ("auto", "ar, ja;q=0.9, en;q=0.8", "ja", "カードを保存"),
        (None, "fr-CA", "fr", "Enregistrer la carte"),
        ("auto", "ar", "en", "Save card"),  # Stripe's pages have no Arabic
        ("ja", "", "ja", "カードを保存"),
    ],
)
def test_speaks_the_language_of_the_session(
    page: Client, open_session: Open, locale: str | None, accepted: str, language: str, button: str
) -> None:
    session = open_session(**({"locale": locale} if locale else {}))

    answer = page.get(path(session), headers={"Accept-Language": accepted})

    assert f'<html lang="{language}">' in answer.get_data(as_text=True)
    assert button in read(answer).text


def test_says_what_is_wrong_in_the_language_of_the_session(page: Client, open_session: Open) -> None:
    session = open_session(locale="ja")

    wrong = page.post(path(session), data=FORM | {"card_number": "4242", "cvc": "1"})
    declined = page.post(path(session), data=FORM | {"card_number": "4000 0000 0000 0002"})

    for text in (
        "カード番号に不備があります。",
        "セキュリティコードは3桁です。",
        "2件の入力内容をご確認ください。",
    ):
        assert text in read(wrong).text
    assert "カードが拒否されました。" in read(declined).text


def test_refuses_another_account_in_the_language_of_the_session(page: Client, open_session: Open) -> None:
    session = open_session(locale="de")
    form = {"method": "us_bank_account", "account_number": "1", "routing_number": "2", "name": "Ada"}

    shown = read(page.post(path(session), data=form | {"country": "US"}))

    assert "Das ist nicht das Testkonto." in shown.text
    assert "Das ist nicht die Testnummer." in shown.text
    assert "Nur die Testnummer: 110000000" in shown.text
    assert "Test number only" not in shown.text


def test_every_text_has_every_language() -> None:
    for text, translations in TEXTS.items():
        assert ["en", *translations] == list(LANGUAGES), text
        for translated in translations.values():
            assert sorted(re.findall(r"{\w+}", translated)) == sorted(re.findall(r"{\w+}", text)), text


def test_saves_a_card_and_redirects(simulator: Simulator, page: Client, open_session: Open) -> None:
    session = open_session()

    answer = page.post(path(session), data=FORM)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://portal.example.com/done?session_id={session.id}"
    (method,) = simulator.store.payment_methods.values()
    assert method["billing_details"]["address"]["country"] == "GB"
    assert method["billing_details"]["name"] == "Ada Example"
    for again in (page.post(path(session), data=FORM), page.get(path(session))):
        assert again.status_code == 200
        assert "all done here, or the page has timed out" in read(again).text
    assert len(simulator.store.payment_methods) == 1


def test_leaves_an_escaped_placeholder_alone(page: Client, open_session: Open) -> None:
    session = open_session(success_url="https://x.example/?s=%7BCHECKOUT_SESSION_ID%7D")

    answer = page.post(path(session), data=FORM)

    assert answer.headers["Location"] == "https://x.example/?s=%7BCHECKOUT_SESSION_ID%7D"


def test_marks_wrong_fields_without_showing_the_card(page: Client, open_session: Open) -> None:
    session = open_session()
    wrong = FORM | {"card_number": "4242424242424241", "expiry": "1/20", "cvc": "12", "name": " "}

    answer = page.post(path(session), data=wrong)

    shown = read(answer)
    assert answer.status_code == 422
    for name in ("card_number", "expiry", "cvc", "name"):
        control = shown.control(name)
        assert control["aria-invalid"] == "true"
        assert f"{name}-error" in str(control["aria-describedby"])
        assert f"{name}-error" in shown.ids
    assert "4242424242424241" not in answer.get_data(as_text=True)
    assert shown.control("card_number")["value"] == ""
    assert shown.control("postal_code")["value"] == "N1"


def test_shows_a_decline_and_the_form(page: Client, open_session: Open) -> None:
    session = open_session()

    declined = page.post(path(session), data=FORM | {"card_number": "4000000000000002"})

    shown = read(declined)
    assert declined.status_code == 422
    assert "Your card was declined." in shown.text
    assert shown.control("name")["value"] == "Ada Example"
    assert shown.control("card_number")["value"] == ""
    assert "Your card was declined." not in read(page.get(path(session))).text
    assert page.post(path(session), data=FORM).status_code == 303


def test_asks_for_three_d_secure(simulator: Simulator, page: Client, open_session: Open) -> None:
    session = open_session()
    card = FORM | {"card_number": "4000000000003220"}

    asked = page.post(path(session), data=card)
    question = page.get(asked.headers["Location"])
    failed = page.post(asked.headers["Location"], data={"answer": "fail"})
    declined = page.get(failed.headers["Location"])
    page.post(path(session), data=card)
    done = page.post(asked.headers["Location"], data={"answer": "complete"})

    assert asked.headers["Location"].endswith("/challenge")
    assert "3220" in read(question).text
    assert "unable to authenticate your payment method" in read(declined).text
    assert done.headers["Location"].startswith("https://portal.example.com/done")
    assert "timed out" in read(page.get(asked.headers["Location"])).text
    assert "timed out" in read(page.post(asked.headers["Location"])).text


@pytest.mark.parametrize(
    ("currency", "kind", "number", "routing"),
    [
        ("usd", "us_bank_account", "000123456789", "110000000"),
        ("eur", "sepa_debit", "DE89 3704 0044 0532 0130 00", ""),
        ("gbp", "bacs_debit", "00012345", "10-88-00"),
    ],
)
def test_bank_debits_have_tabs(
    *,
    currency: str,
    kind: str,
    number: str,
    routing: str,
    simulator: Simulator,
    page: Client,
    open_session: Open,
) -> None:
    session = open_session(currency=currency)
    form = {"method": kind, "account_number": number, "routing_number": routing, "name": "Ada"}

    shown = read(page.get(f"{path(session)}?method={kind}"))
    wrong = page.post(path(session), data=form | {"account_number": "1", "routing_number": "2", "name": ""})
    done = page.post(path(session), data=form)

    assert "Save bank account" in shown.text
    assert wrong.status_code == 422
    assert read(wrong).control("account_number")["aria-invalid"] == "true"
    assert done.status_code == 303
    assert simulator.store.setup_intents[session.setup_intent]["status"] == "succeeded"


def test_verifies_micro_deposits_on_a_page(
    simulator: Simulator, sdk: stripe.StripeClient, page: Client, open_session: Open
) -> None:
    session = open_session()
    form = {"method": "us_bank_account", "account_number": "000123456789", "routing_number": "110000000"}
    page.post(path(session), data=form | {"name": "Ada", "verify": "later"})
    intent: Any = sdk.v1.setup_intents.retrieve(session.setup_intent)
    url = urlsplit(intent.next_action.verify_with_microdeposits.hosted_verification_url).path

    asked = page.get(url)
    wrong = page.post(url, data={"code": "SMXXXX"})
    right = page.post(url, data={"code": "sm11aa"})

    assert "Verify your bank account" in read(asked).text
    assert wrong.status_code == 422
    assert "This code is wrong" in read(wrong).text
    assert right.status_code == 303
    assert "Nothing to verify" in read(page.get(url)).text
    assert "Nothing to verify" in read(page.post(url, data={"code": "SM11AA"})).text
    assert page.get("/c/microdeposits/seti_nope").status_code == 404
    assert simulator.store.setup_intents[session.setup_intent]["status"] == "succeeded"


def test_asks_for_the_fields_of_the_session(simulator: Simulator, page: Client, open_session: Open) -> None:
    simulator.fault_settings.terms_url = True
    session = open_session(
        customer_creation="always",
        phone_number_collection={"enabled": True},
        consent_collection={"terms_of_service": "required"},
        custom_text={"terms_of_service_acceptance": {"message": "I agree to it all."}},
    )

    shown = read(page.get(path(session)))
    wrong = page.post(path(session), data=FORM | {"country": "XX"})
    more = {"email": "ada@example.com", "phone": "+1555", "agrees": "yes", "country": "XX"}
    done = page.post(path(session), data=FORM | more)

    assert "I agree to it all." in shown.text
    assert wrong.status_code == 422
    for field in ("email", "phone", "agrees"):
        assert f"{field}-error" in read(wrong).ids
    assert done.status_code == 303
    (customer,) = simulator.store.customers.values()
    assert (customer["email"], customer["name"]) == ("ada@example.com", "Ada Example")
    (method,) = simulator.store.payment_methods.values()
    assert method["billing_details"]["address"]["country"] == "US"


def test_asks_for_the_whole_address_and_stores_it(
    simulator: Simulator, page: Client, open_session: Open
) -> None:
    session = open_session(billing_address_collection="required", customer_update={"address": "auto"})

    wrong = page.post(path(session), data=FORM)
    done = page.post(path(session), data=FORM | {"line1": "1 New Road", "city": "London"})

    assert wrong.status_code == 422
    assert {"line1-error", "city-error"} <= set(read(wrong).ids)
    assert done.status_code == 303
    (customer,) = simulator.store.customers.values()
    (method,) = simulator.store.payment_methods.values()
    address = {"line1": "1 New Road", "line2": None, "city": "London", "state": None}
    address |= {"postal_code": "N1", "country": "GB"}
    assert customer["address"] == method["billing_details"]["address"] == address


def test_asks_for_a_tax_id_and_stores_it_once(simulator: Simulator, page: Client, open_session: Open) -> None:
    asked = {"tax_id_collection": {"enabled": True}, "customer_update": {"name": "auto"}}
    first = open_session(**asked)

    wrong = page.post(path(first), data=FORM | {"tax_id": "12"})
    page.post(path(first), data=FORM | {"tax_id": "GB123456789"})
    (customer,) = simulator.store.customers.values()
    second = open_session(customer=customer["id"], **asked)
    page.post(path(second), data=FORM | {"tax_id": "GB123456789"})

    assert "tax_id-error" in read(wrong).ids
    (tax_id,) = simulator.store.tax_ids.values()
    assert (tax_id["customer"], tax_id["type"]) == (customer["id"], "gb_vat")
    done = simulator.store.checkout_sessions[second.id]
    assert done["customer_details"]["tax_ids"] == [{"type": "gb_vat", "value": "GB123456789"}]


def test_unknown_and_expired_sessions_look_the_same(
    simulator: Simulator, page: Client, open_session: Open
) -> None:
    session = open_session()
    simulator.advance(24 * 3600 + 1)

    expired, unknown = page.get(path(session)), page.get("/c/pay/cs_test_nope")

    assert (expired.status_code, unknown.status_code) == (200, 404)
    assert read(expired).text == read(unknown).text
    assert "Refresh" not in expired.headers


def test_a_double_click_saves_once(simulator: Simulator, open_session: Open) -> None:
    session = open_session()
    together = threading.Barrier(8)

    def click(_: int) -> int:
        together.wait(PATIENCE)
        return Client(simulator.wsgi).post(path(session), data=FORM).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(click, range(8)))

    assert statuses == [200] * 7 + [303]
    assert len(simulator.store.payment_methods) == 1


def test_changes_the_default_and_removes_a_method(
    simulator: Simulator, sdk: stripe.StripeClient, page: Client, open_session: Open
) -> None:
    first = open_session()
    simulator.save_card(first.id)
    second = open_session(customer=first.customer)
    simulator.save_card(second.id, "5555555555554444")
    visa, master = simulator.store.payment_methods
    session = sdk.v1.billing_portal.sessions.create(
        {"customer": first.customer, "return_url": "https://x.example/"}
    )

    empty = page.post(path(session), data={"payment_method": "pm_nope", "do": "remove"})
    page.post(path(session), data={"payment_method": master, "do": "default"})
    shown = page.get(path(session))
    page.post(path(session), data={"payment_method": visa, "do": "remove"})

    assert empty.status_code == 303
    assert "Mastercard … 4444" in read(shown).text
    assert 'href="https://x.example/"' in shown.get_data(as_text=True)
    customer = simulator.store.customers[first.customer]
    assert customer["invoice_settings"]["default_payment_method"] == master
    assert simulator.store.payment_methods[visa]["customer"] is None
    simulator.delete_customer(first.customer)
    assert page.get(path(session)).status_code == 404
    assert page.post(path(session), data={"payment_method": master}).status_code == 303
    assert page.get("/p/session/test_nope").status_code == 404


def test_serves_its_own_stylesheet(page: Client) -> None:
    answer = page.get("/_static/simulator.css")

    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    assert "prefers-color-scheme: dark" in answer.get_data(as_text=True)
    answer.close()
