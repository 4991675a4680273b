"""The return page."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import db, sync
from app.config import Settings
from app.db import utcnow
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.portal import DETAILS, SignupPage, session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

SECRETS = (
    DETAILS["name"],
    DETAILS["email"],
    DETAILS["key"],
    *DETAILS["subject_keys"],
    "4242",
    "cus_",
    "cs_test",
)
EXPIRES_SOON = "Saved, but your card expires soon"
DECLINED, WANTS_3DS, DECLINED_AFTER_3DS = "4000000000000002", "4000002500003155", "4000008400001629"


def look(client: FlaskClient, path: str = "/return") -> Page:
    answer = client.get(path)
    assert answer.status_code == 200
    return Page.of(answer)


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
    at_stripe = simulator.books.customers[payer.stripe_customer_id]
    assert at_stripe["invoice_settings"]["default_payment_method"] == method.id
    assert (method.brand, method.last4, method.exp_month, method.exp_year) == ("visa", "4242", 12, 2034)


def test_is_where_stripe_leads_back_to(client: FlaskClient, simulator: Simulator) -> None:
    opened = simulator.books.checkout_sessions[sign_up(client)]
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

    assert page.h1 == "Your payment method was not saved"
    assert words in page.text
    assert page.one("form", action="/resume")


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

    assert page.h1 == "Not finished on Stripe yet"
    assert page.one("form", action="/resume")


def test_asks_to_finish_3d_secure_and_then_shows_the_card(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    assert simulator.save_card(session_id, WANTS_3DS) == "requires_action"

    unfinished = look(client)
    simulator.authenticate(session_id)
    finished = look(client)

    assert unfinished.h1 == "Your bank wants you to confirm"
    assert finished.h1 == "Your payment method is saved"


def test_tells_that_3d_secure_failed(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id, WANTS_3DS)
    simulator.authenticate(session_id, ok=False)

    page = look(client)

    assert page.h1 == "Your payment method was not saved"
    assert "unable to authenticate" in page.text


def test_tells_a_decline_after_3d_secure(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id, DECLINED_AFTER_3DS)
    simulator.authenticate(session_id)

    page = look(client)

    assert page.h1 == "Your payment method was not saved"
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
    assert simulator.books.checkout_sessions[second]["status"] == "open"
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

    assert waiting.h1 == "One step is left: confirm your bank account"
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

    assert page.h1 == "Your payment method was not saved"
    assert page.one("form", action="/resume")


def test_shows_a_bank_account_verified_at_once(client: FlaskClient, simulator: Simulator) -> None:
    simulator.pay_by_bank(sign_up(client, currency="USD"))

    page = look(client)

    assert page.h1 == "Your payment method is saved"
    assert "6789" in page.text


def test_sees_a_card_that_was_removed(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(timedelta(minutes=2))

        page = look(client)

        assert page.h1 == "Your payment method was removed"
        assert "4242" in page.one("main").text
        assert page.one("form", action="/resume")


def test_does_not_call_removed_what_is_only_not_chosen(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.choose_default(rows(Payer)[0].stripe_customer_id, None)
        clock.shift(timedelta(minutes=2))

        page = look(client)

        assert page.h1 == "No payment method is chosen"
        assert "no longer kept" not in page.text
        assert page.one("form", action="/resume")


def test_sees_a_customer_that_was_deleted_at_stripe(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.delete_customer(rows(Payer)[0].stripe_customer_id)
        clock.shift(timedelta(minutes=2))

        page = look(client)

        assert page.h1 == "Your record on Stripe was deleted"
        assert page.one("form", action="/resume")


@pytest.mark.parametrize(
    ("then", "first", "now", "second"),
    [
        ("2034-12-01T23:00Z", "Your payment method is saved", "2034-12-02T00:01Z", EXPIRES_SOON),
        ("2034-12-31T23:00Z", EXPIRES_SOON, "2035-01-01T00:01Z", "Your card has expired"),
    ],
)
def test_tells_when_the_card_expires(
    client: FlaskClient, simulator: Simulator, then: str, first: str, now: str, second: str
) -> None:
    with time_machine.travel(datetime.fromisoformat(then), tick=True) as clock:
        simulator.save_card(sign_up(client), expiry="12/34")
        before = look(client)
        clock.move_to(datetime.fromisoformat(now))

        after = look(client)

        assert (before.h1, after.h1) == (first, second)
        assert "4242" in after.text


def test_says_which_of_two_methods_is_charged(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(timedelta(minutes=2))
        look(client)
        answer = client.post("/resume", data=resume_fields(look(client)))
        simulator.save_card(session_of(answer), "5555555555554444")

        page = look(client)

        assert page.h1 == "Your payment method is saved"
        assert "Mastercard" in page.text
        assert "Visa" not in page.one("main").text


def resume_fields(page: Page) -> dict[str, str]:
    form = page.one("form", action="/resume")
    return {field["name"]: field.get("value") for field in form.all("input")}


class TestWhileStripeIsAway:
    """What is known is shown, and said to be old."""

    def test_says_nothing_that_may_be_false_by_now(self, client: FlaskClient, simulator: Simulator) -> None:
        session_id = sign_up(client)
        simulator.save_card(session_id, "4000000000000002")
        assert look(client).h1 == "Your payment method was not saved"
        simulator.save_card(session_id)
        simulator.faults.add("reset", times=50)

        page = look(client)

        assert page.h1 == "We can\u2019t say yet"
        assert "declined" not in page.text
        assert "last we know" not in page.text
        assert page.all("form", action="/resume") == []
        assert "We could not check with Stripe just now" in page.text
        assert "4242" not in page.text

        simulator.faults.clear()
        assert look(client).h1 == "Your payment method is saved"

    def test_says_from_when_a_saved_card_is_known(self, client: FlaskClient, simulator: Simulator) -> None:
        with time_machine.travel(datetime(2026, 3, 4, 5, 6, tzinfo=UTC), tick=False) as clock:
            simulator.save_card(sign_up(client))
            look(client)
            clock.shift(timedelta(minutes=5))
            simulator.faults.add("503", times=50)

            page = look(client)

            assert page.h1 == "Your payment method is saved"
            assert "4 March 2026 at 05:06 UTC" in page.text

    def test_does_not_ask_at_once_again_when_the_state_is_final(
        self, client: FlaskClient, simulator: Simulator, calls: StripeCalls
    ) -> None:
        simulator.save_card(sign_up(client))
        look(client)
        calls.clear()
        simulator.faults.add("reset", times=50)

        page = look(client)

        assert "could not reach" not in page.text
        assert calls.made == []


class TestToAStranger:
    """Whoever did not sign up in this very browser learns nothing."""

    @pytest.fixture
    def address(self, client: FlaskClient, simulator: Simulator) -> str:
        """The address that Stripe leads back to, of somebody with a saved card."""
        opened = simulator.books.checkout_sessions[sign_up(client)]
        simulator.save_card(opened["id"])
        look(client)
        return str(opened["success_url"]).removeprefix("http://127.0.0.1:8000")

    def assert_tells_nothing(self, page: Page, rows: Rows) -> None:
        secrets = (*SECRETS, rows(Payer)[0].id, rows(PaymentMethod)[0].id)
        assert [secret for secret in secrets if secret in page.html] == []

    def test_without_cookies(self, app: Flask, address: str, rows: Rows, calls: StripeCalls) -> None:
        answer = app.test_client(use_cookies=False).get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)
        assert calls.made == []

    def test_with_a_cookie_of_its_own(self, app: Flask, address: str, rows: Rows) -> None:
        stranger = app.test_client()
        stranger.get("/signup")

        answer = stranger.get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)

    def test_with_a_sign_up_of_its_own(self, app: Flask, address: str, rows: Rows) -> None:
        stranger = app.test_client()
        sign_up(stranger, name="Mallory", email="m@example.com", key="m", subject_keys=["m"])

        answer = stranger.get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)

    def test_with_a_forged_cookie(self, app: Flask, client: FlaskClient, address: str, rows: Rows) -> None:
        cookie = client.get_cookie("gangway")
        assert cookie is not None
        stranger = app.test_client()
        stranger.set_cookie("gangway", cookie.value[:-2] + "xx", domain="localhost")

        answer = stranger.get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)

    @pytest.mark.parametrize(
        "query", ["?customer=nobody", "?customer=%00", "?customer=" + "x" * 3000, "?customer=1%27--"]
    )
    def test_answers_made_up_ids_alike(self, client: FlaskClient, address: str, query: str) -> None:
        real = client.application.test_client().get(address)

        made_up = client.get(f"/return{query}")

        assert made_up.status_code == real.status_code == 404
        assert Page.of(made_up).one("main").text == Page.of(real).one("main").text

    def test_the_session_id_opens_nothing(
        self, app: Flask, address: str, simulator: Simulator, rows: Rows
    ) -> None:
        [session_id] = simulator.books.checkout_sessions

        answer = app.test_client().get(f"/return?session_id={session_id}")

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)


def test_ends_with_its_cookie(client: FlaskClient, simulator: Simulator) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        clock.shift(timedelta(days=2))

        answer = client.get("/return")

        assert answer.status_code == 404


def test_shows_the_sign_up_that_stripe_leads_back_to(client: FlaskClient, simulator: Simulator) -> None:
    first = simulator.books.checkout_sessions[sign_up(client)]
    second = SignupPage(client, "/signup?new=1").submit(name="Second", key="second", subject_keys=["second"])
    simulator.save_card(session_of(second), "5555555555554444")
    simulator.save_card(first["id"])

    of_first = look(client, first["success_url"].removeprefix("http://127.0.0.1:8000"))
    latest = look(client)

    assert "4242" in of_first.text
    assert "4444" in latest.text


def next_look(page: Page) -> tuple[int, str] | None:
    """When and where a browser without scripts looks again."""
    found = page.all("meta", http_equiv="refresh")
    if not found:
        return None
    seconds, _, url = found[0]["content"].partition(";")
    return int(seconds), url.strip().removeprefix("url=")


def test_refreshes_itself_a_few_times_and_then_leaves_a_link(client: FlaskClient) -> None:
    sign_up(client)

    waits, path = [], "/return"
    for _ in range(20):
        page = look(client, path)
        coming = next_look(page)
        if coming is None:
            break
        waits.append(coming[0])
        path = coming[1]

    assert waits == [2, 3, 5, 10, 20, 30]
    assert page.one("main").all("a", class_="roomy")[0]["href"].startswith("/return")


@pytest.mark.parametrize("tries", ["-5", "nonsense", "99999999999999999999", "1e3"])
def test_is_not_confused_by_a_strange_count(client: FlaskClient, tries: str) -> None:
    sign_up(client)

    page = look(client, f"/return?n={tries}")

    assert page.h1 == "Not finished on Stripe yet"


def test_does_not_refresh_when_all_is_said(client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client), DECLINED)

    page = look(client)

    assert next_look(page) is None


def test_shows_one_truth_to_ten_looks_at_once(
    app: Flask, client: FlaskClient, simulator: Simulator, calls: StripeCalls
) -> None:
    simulator.save_card(sign_up(client))
    cookie = client.get_cookie("gangway")
    assert cookie is not None
    calls.clear()

    def look_again(_number: int) -> str:
        browser = app.test_client()
        browser.set_cookie("gangway", cookie.value, domain="localhost")
        return look(browser).h1

    with ThreadPoolExecutor(10) as crowd:
        headings = set(crowd.map(look_again, range(10)))

    assert headings == {"Your payment method is saved"}
    assert len(calls.made) == 2


class TestWithABudget:
    """Looks are counted by address, because each may ask Stripe."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_return="3 per minute")

    def test_ends_with_a_page_that_says_so(self, client: FlaskClient) -> None:
        sign_up(client)

        answers = [client.get("/return") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert "Wait" in Page.of(answers[3]).text


@pytest.mark.parametrize(
    ("then", "now"), [("2034-12-01T23:00Z", "2034-12-02T00:01Z"), ("2034-12-31T23:00Z", "2035-01-01T00:01Z")]
)
def test_leads_to_a_new_page_when_the_card_expires(
    client: FlaskClient, simulator: Simulator, then: str, now: str
) -> None:
    with time_machine.travel(datetime.fromisoformat(then), tick=True) as clock:
        simulator.save_card(sign_up(client), expiry="12/34")
        look(client)
        clock.move_to(datetime.fromisoformat(now))

        session_id = session_of(client.post("/resume", data=resume_fields(look(client))))
        simulator.save_card(session_id, "5555555555554444", expiry="12/40")
        page = look(client)

        assert page.h1 == "Your payment method is saved"
        assert "It replaces Visa" in page.text.replace("\xa0", " ")


def test_says_that_a_look_takes_longer_while_another_is_under_way(
    app: Flask, client: FlaskClient, rows: Rows
) -> None:
    sign_up(client)
    with app.app_context():
        sync.claim(db.session(), rows(Payer)[0].id)  # by somebody who was killed meanwhile

    page = look(client)

    assert "We are still checking with Stripe" in page.text
    assert "could not" not in page.text
    assert next_look(page) is not None


class TestThatKeepsMethods:
    """With the policy `keep`, a second method does not take the place of the first."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, payment_method_policy="keep")

    def test_makes_the_first_method_the_one_charged(
        self, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.save_card(sign_up(client))

        look(client)

        assert rows(Payer)[0].default_method_id == rows(PaymentMethod)[0].id
