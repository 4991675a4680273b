"""The return page says honestly what came of the visit to Stripe: saved, declined, unfinished, expired, or
waiting for a bank."""

import pytest
from flask.testing import FlaskClient

from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.support.portal import DETAILS, session_of, sign_up
from tests.support.return_page import DECLINED, DECLINED_AFTER_3DS, WANTS_3DS, look
from tests.support.rows import Rows


def test_shows_the_saved_card_and_what_happens_next(client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client), expiry="12 / 34")

    page = look(client)

    assert page.h1 == "Your payment method is saved"
    assert "Visa" in page.text
    assert "4242" in page.text
    assert "12/2034" in page.text
    assert "What happens next" in page.text
    assert DETAILS["email"] in page.text
    assert "Done" in page.one("li", aria_current="step").text
    assert not page.all("meta", http_equiv="refresh")


def test_makes_the_saved_card_the_one_that_is_charged(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.save_card(sign_up(client))

    look(client)

    [method], [payer] = rows(PaymentMethod), rows(Payer)
    assert payer.default_method_id == method.id
    at_stripe = simulator.store.customers[payer.stripe_customer_id]
    assert at_stripe["invoice_settings"]["default_payment_method"] == method.id
    assert (method.brand, method.last4, method.exp_month, method.exp_year) == ("visa", "4242", 12, 2034)


def test_is_where_stripe_leads_back_to(client: FlaskClient, simulator: Simulator) -> None:
    opened = simulator.store.checkout_sessions[sign_up(client)]
    simulator.save_card(opened["id"])

    page = look(client, opened["success_url"].removeprefix("http://127.0.0.1:8000"))

    assert page.h1 == "Your payment method is saved"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (DECLINED, "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4000000000000127", "Your card's security code is incorrect."),
    ],
)
def test_tells_a_decline_in_stripes_words(
    client: FlaskClient, simulator: Simulator, number: str, words: str
) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id, number)

    page = look(client)

    assert page.h1 == "Your payment method wasn\u2019t saved"
    assert words in page.text
    assert page.one("form", action="/resume")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (DECLINED, "Ihre Karte wurde abgelehnt."),
        ("4000000000009995", "Ihre Karte ist nicht ausreichend gedeckt."),
        ("4000000000000069", "Ihre Karte ist abgelaufen."),
        ("4000000000000127", "Die Prüfziffer stimmt nicht."),
        ("4000000000009987", "Ihre Karte wurde abgelehnt."),
    ],
)
def test_tells_a_decline_in_the_language_of_the_reader(
    client: FlaskClient, simulator: Simulator, number: str, words: str
) -> None:
    simulator.save_card(sign_up(client), number)

    page = look(client, "/return?language=de")

    assert words in page.text
    assert "Your card" not in page.text


def test_tells_a_decline_in_stripes_words_where_we_have_none(
    client: FlaskClient, simulator: Simulator
) -> None:
    simulator.save_card(sign_up(client), DECLINED)
    [setup] = simulator.store.setup_intents.values()
    simulator.store.setup_intents[setup["id"]] = setup | {
        "last_setup_error": setup["last_setup_error"] | {"code": "new_code", "decline_code": "newer"}
    }

    [words] = look(client, "/return?language=de").all("bdi", lang="en")

    assert words.text == "Your card was declined."


@pytest.mark.parametrize("number", ["4000000000009987", "4000000000009979"])
def test_keeps_to_itself_that_a_card_is_reported(
    client: FlaskClient, simulator: Simulator, number: str
) -> None:
    simulator.save_card(sign_up(client), number)

    text = look(client).text

    assert "Use another card or a bank account." in text
    assert "Your bank can tell you" not in text
    assert "stolen" not in text


def test_shows_the_second_card_after_a_decline(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id, DECLINED)
    look(client)
    simulator.save_card(session_id, "5555555555554444")

    page = look(client)

    assert page.h1 == "Your payment method is saved"
    assert "Mastercard" in page.text


def test_is_honest_about_an_unfinished_page(client: FlaskClient) -> None:
    sign_up(client)

    page = look(client)

    assert page.h1 == "You haven\u2019t finished on Stripe yet"
    assert page.one("form", action="/resume")


def test_asks_to_finish_3d_secure_and_then_shows_the_card(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    assert simulator.save_card(session_id, WANTS_3DS) == "requires_action"

    unfinished = look(client)
    simulator.authenticate(session_id)
    finished = look(client)

    assert unfinished.h1 == "Your bank needs you to confirm"
    assert finished.h1 == "Your payment method is saved"


def test_tells_that_3d_secure_failed(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id, WANTS_3DS)
    simulator.authenticate(session_id, ok=False)

    page = look(client)

    assert page.h1 == "Your payment method wasn\u2019t saved"
    assert "unable to authenticate" in page.text


def test_tells_a_decline_after_3d_secure(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id, DECLINED_AFTER_3DS)
    simulator.authenticate(session_id)

    page = look(client)

    assert page.h1 == "Your payment method wasn\u2019t saved"
    assert "Your card was declined." in page.text


def test_offers_a_new_page_when_the_first_has_expired(client: FlaskClient, simulator: Simulator) -> None:
    first = sign_up(client)
    simulator.expire_session(first)

    page = look(client)
    form = page.one("form", action="/resume")
    answer = client.post("/resume", data={field["name"]: field.get("value") for field in form.all("input")})

    assert page.h1 == "The payment page timed out"
    second = session_of(answer)
    assert second != first
    assert simulator.store.checkout_sessions[second]["status"] == "open"
    simulator.save_card(second)
    assert look(client).h1 == "Your payment method is saved"


def test_waits_for_micro_deposits_and_then_shows_the_account(
    client: FlaskClient, simulator: Simulator
) -> None:
    session_id = sign_up(client, currency="USD")
    assert simulator.pay_by_bank(session_id, verify="later") == "requires_action"

    waiting = look(client)
    simulator.verify_microdeposits(session_id)
    saved = look(client)

    assert waiting.h1 == "One more step: confirm your bank account"
    assert "1 to 2 business days" in waiting.text
    assert "You have done your part" not in waiting.text
    assert not waiting.all("form", action="/resume")
    assert saved.h1 == "Your payment method is saved"
    assert "6789" in saved.text


def test_tells_that_micro_deposits_failed(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client, currency="USD")
    simulator.pay_by_bank(session_id, verify="later")
    look(client)
    simulator.verify_microdeposits(session_id, ok=False)

    page = look(client)

    assert page.h1 == "Your payment method wasn\u2019t saved"
    assert page.one("form", action="/resume")


def test_shows_a_bank_account_verified_at_once(client: FlaskClient, simulator: Simulator) -> None:
    simulator.pay_by_bank(sign_up(client, currency="USD"))

    page = look(client)

    assert page.h1 == "Your payment method is saved"
    assert "6789" in page.text
