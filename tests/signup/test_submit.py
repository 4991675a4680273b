"""Sending the sign-up form."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.checkout import CheckoutSession
from app.config import Settings
from app.customers import Customer
from app.db import utcnow
from app.journal import Entry
from app.payers import Payer
from app.signup.models import Signup
from app.simulator import Simulator
from tests.conftest import PORTAL, STRIPE, make_settings
from tests.support.browser import Page
from tests.support.links import bind_newest, make_customer
from tests.support.portal import DETAILS, SignupPage, session_of, sign_up
from tests.support.processes import free_port
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program

TAKEN = "can't be used for a new sign-up"


def assert_nothing_stored(rows: Rows) -> None:
    for table in (Customer, Payer, CheckoutSession, Signup):
        assert rows(table) == []


def test_makes_one_customer_one_stripe_customer_and_one_session(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    session_id = sign_up(client)

    [customer] = rows(Customer)
    assert customer.name == DETAILS["name"]
    assert customer.primary_email == DETAILS["email"]
    assert customer.currency == DETAILS["currency"]
    assert customer.key == DETAILS["key"]
    assert customer.subject_keys == DETAILS["subject_keys"]
    [at_stripe] = simulator.books.customers.values()
    assert (at_stripe["name"], at_stripe["email"]) == (DETAILS["name"], DETAILS["email"])
    [payer] = rows(Payer)
    assert (payer.customer_id, payer.stripe_customer_id) == (customer.id, at_stripe["id"])
    [page] = rows(CheckoutSession)
    assert page.id == session_id
    assert list(simulator.books.checkout_sessions) == [session_id]


def test_leads_to_the_page_that_stripe_named(client: FlaskClient, simulator: Simulator) -> None:
    answer = SignupPage(client).submit()

    [opened] = simulator.books.checkout_sessions.values()
    assert (answer.status_code, answer.location) == (303, opened["url"])
    assert answer.location.startswith(f"{STRIPE}/c/pay/")


def test_asks_stripe_for_a_page_that_saves_a_method_and_leads_back(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    sign_up(client)

    [opened] = simulator.books.checkout_sessions.values()
    [customer] = rows(Customer)
    assert (opened["mode"], opened["currency"]) == ("setup", "eur")
    assert opened["success_url"] == f"{PORTAL}/return?customer={customer.id}"
    assert opened["cancel_url"] == f"{PORTAL}/cancelled?customer={customer.id}"


def test_marks_everything_at_stripe_as_its_own(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    sign_up(client)

    [app], [customer] = rows(App), rows(Customer)
    mark = {"om_namespace": "default", "om_app_id": app.id, "om_customer_id": customer.id}
    for books in (
        simulator.books.customers,
        simulator.books.checkout_sessions,
        simulator.books.setup_intents,
    ):
        assert [thing["metadata"] for thing in books.values()] == [mark]


def test_is_told_in_the_journal(client: FlaskClient, rows: Rows) -> None:
    sign_up(client)

    told = {entry.kind: entry for entry in rows(Entry)}
    assert {"customer.created", "checkout.started"} <= set(told)
    assert told["checkout.started"].actor == "visitor"
    assert DETAILS["email"] not in str([entry.facts for entry in told.values()])


def test_twice_makes_one_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)

    first, second = form.submit(), form.submit()

    assert first.location == second.location
    assert len(rows(Customer)) == len(simulator.books.customers) == len(rows(CheckoutSession)) == 1
    assert len(calls.made) == 2


def test_again_after_coming_back_makes_one_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    first = SignupPage(client).submit()

    second = SignupPage(client).submit()

    assert first.location == second.location
    assert len(rows(Customer)) == len(simulator.books.customers) == 1


def test_with_corrected_details_corrects_the_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    first = form.submit()

    second = form.submit(
        name="Babbage & Co", email="charles@example.com", key="", subject_keys=["engine-2", "mill"]
    )

    assert first.location == second.location
    [customer] = rows(Customer)
    assert (customer.name, customer.primary_email, customer.key) == (
        "Babbage & Co",
        "charles@example.com",
        None,
    )
    assert customer.subject_keys == ["engine-2", "mill"]
    [at_stripe] = simulator.books.customers.values()
    assert (at_stripe["name"], at_stripe["email"]) == ("Babbage & Co", "charles@example.com")


def test_in_another_currency_opens_another_page(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    first = session_of(form.submit(currency="EUR"))

    second = session_of(form.submit(currency="JPY"))

    books = simulator.books.checkout_sessions
    assert (books[first]["status"], books[second]["status"]) == ("expired", "open")
    assert books[second]["currency"] == "jpy"
    assert [customer.currency for customer in rows(Customer)] == ["JPY"]
    assert len(simulator.books.customers) == 1


def test_in_another_currency_and_back_opens_a_third_page(client: FlaskClient, simulator: Simulator) -> None:
    form = SignupPage(client)

    opened = [session_of(form.submit(currency=currency)) for currency in ("EUR", "JPY", "EUR")]

    assert len(set(opened)) == 3
    assert simulator.books.checkout_sessions[opened[2]]["status"] == "open"


def test_in_a_second_tab_finds_the_same_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    one, other = SignupPage(client), SignupPage(client)
    assert one.page.value("nonce") != other.page.value("nonce")

    first, second = one.submit(), other.submit()

    assert first.location == second.location
    assert len(rows(Customer)) == len(rows(Signup)) == len(simulator.books.customers) == 1


def test_in_ten_tabs_at_once_makes_one_customer(
    client: FlaskClient, app: Flask, simulator: Simulator, rows: Rows
) -> None:
    tabs = [SignupPage(client).fields() for _ in range(10)]
    cookie = client_cookie(client)
    together = Barrier(len(tabs))

    def send(fields: dict[str, Any]) -> str:
        tab = app.test_client()
        tab.set_cookie("gangway", cookie, domain="localhost")
        together.wait()
        return session_of(tab.post("/signup", data=fields))

    with ThreadPoolExecutor(len(tabs)) as crowd:
        opened = set(crowd.map(send, tabs))

    assert len(opened) == len(simulator.books.customers) == len(simulator.books.checkout_sessions) == 1
    assert len(rows(Customer)) == len(rows(Signup)) == len(rows(CheckoutSession)) == 1


def test_for_another_company_under_a_name_of_the_first_changes_nothing(
    client: FlaskClient, rows: Rows
) -> None:
    one, other = SignupPage(client), SignupPage(client)
    one.submit()
    [before] = rows(Customer)

    answer = other.submit(name="Babbage & Co", subject_keys=["engine-2", "mill"], key="")

    assert answer.status_code == 422
    [customer] = rows(Customer)
    assert (customer.name, customer.subject_keys) == (before.name, before.subject_keys)


def test_in_a_second_tab_with_other_names_makes_another_customer(client: FlaskClient, rows: Rows) -> None:
    one, other = SignupPage(client), SignupPage(client)

    one.submit()
    other.submit(key="ada-2", subject_keys=["mill"])

    assert sorted(customer.key for customer in rows(Customer)) == ["ada-1", "ada-2"]


@pytest.mark.parametrize(
    "details",
    [
        {"key": "ada-1", "subject_keys": ["free"]},  # the same reference
        {"key": "free", "subject_keys": ["free", "engine-1"]},  # the same subject key
        {"key": "engine-2", "subject_keys": ["free"]},  # a reference that is somebody's subject key
        {"key": "ada-1", "subject_keys": ["engine-1", "engine-2"], "email": "ada@example.com"},  # all of it
    ],
)
def test_by_a_stranger_with_taken_names_tells_nothing(
    app: Flask,
    client: FlaskClient,
    rows: Rows,
    calls: StripeCalls,
    details: dict[str, str],
) -> None:
    sign_up(client)
    calls.clear()
    form = SignupPage(app.test_client())

    answer = form.submit(**({"name": "Mallory", "email": "m@example.com"} | details))

    assert answer.status_code == 422
    assert TAKEN in form.page.errors("subject_keys")[0]
    assert "help@example.com" in form.page.text
    assert "Lovelace" not in form.page.html
    assert form.page.value("name") == "Mallory"
    assert len(rows(Customer)) == 1
    assert calls.made == []


def test_by_a_stranger_with_an_id_for_a_reference_is_refused(
    app: Flask, client: FlaskClient, rows: Rows
) -> None:
    sign_up(client)
    form = SignupPage(app.test_client())

    answer = form.submit(key=rows(Customer)[0].id, subject_keys=["free"])

    assert answer.status_code == 422
    assert TAKEN in form.page.text


def test_with_the_form_of_another_browser_makes_a_customer_of_its_own_at_most(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    stranger = SignupPage(app.test_client())
    calls.clear()

    answer = stranger.submit(nonce=form.page.value("nonce"), name="Mallory", key="m", subject_keys=["m"])

    assert answer.status_code == 422
    assert "send it once more" in stranger.page.text
    assert stranger.page.value("name") == "Mallory"
    assert [customer.name for customer in rows(Customer)] == [DETAILS["name"]]
    assert calls.made == []
    assert stranger.submit(nonce=stranger.page.value("nonce"), key="m", subject_keys=["m"]).status_code == 303
    assert len(rows(Customer)) == 2


def test_of_a_deleted_customer_makes_another_at_the_second_try(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    program(app).delete(f"/api/v1/customers/{rows(Customer)[0].id}")
    calls.clear()

    first = form.submit(name="Babbage & Co")

    assert first.status_code == 422
    assert "send it once more" in form.page.text
    assert form.page.value("name") == "Babbage & Co"
    assert calls.made == []
    assert form.submit(name="Babbage & Co").status_code == 303
    assert sorted(customer.name for customer in rows(Customer)) == [DETAILS["name"], "Babbage & Co"]


def test_of_a_customer_deleted_while_a_correction_was_on_its_way_changes_nothing(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    customer_id = rows(Customer)[0].id
    calls.after("POST /v1/customers/*", meanwhile(app, "DELETE", f"/api/v1/customers/{customer_id}"))

    answer = form.submit(name="Too late")

    assert answer.status_code == 422
    assert [customer.name for customer in rows(Customer)] == [DETAILS["name"]]


@pytest.mark.parametrize(
    ("details", "told"), [({}, TAKEN), ({"key": "b", "subject_keys": ["b"]}, "send it once more")]
)
def test_with_one_form_in_two_browsers_at_once_makes_a_customer_of_one(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls, details: dict[str, Any], told: str
) -> None:
    form = SignupPage(client)
    other = SignupPage(app.test_client())
    nonce = form.page.value("nonce")
    in_thread = ThreadPoolExecutor(1)
    quicker = []
    calls.after(
        "POST /v1/checkout/sessions",
        lambda: quicker.append(in_thread.submit(other.submit, nonce=nonce).result()),
    )

    answer = form.submit(**details)

    in_thread.shutdown()
    assert (quicker[0].status_code, answer.status_code) == (303, 422)
    assert told in form.page.text
    assert len(rows(Signup)) == len(rows(Customer)) == 1


def test_leaves_its_stripe_customer_to_another_who_was_given_it(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    other = make_customer(app, key="other", subject_keys=("other",))
    calls.after("POST /v1/customers", lambda: bind_newest(app, simulator, other))

    opened = sign_up(client)

    given_away, own = simulator.books.customers
    assert simulator.books.checkout_sessions[opened]["customer"] == own
    assert {payer.stripe_customer_id for payer in rows(Payer) if payer.customer_id == other} == {given_away}


def test_asks_to_be_sent_again_when_another_is_given_each_of_its_stripe_customers(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    other = make_customer(app, key="other", subject_keys=("other",))

    def give_away() -> None:
        bind_newest(app, simulator, other)
        calls.after("POST /v1/checkout/sessions", give_away)

    calls.after("POST /v1/checkout/sessions", give_away)

    answer = form.submit()

    assert answer.status_code == 409
    assert "send it once more" in Page.of(answer).text
    assert [customer.id for customer in rows(Customer)] == [other]


def test_correction_to_taken_names_changes_nothing(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    sign_up(app.test_client(), key="other", subject_keys=["taken"])
    form = SignupPage(client)
    form.submit()
    calls.clear()

    answer = form.submit(name="New name", subject_keys=["engine-1", "taken"])

    assert answer.status_code == 422
    assert TAKEN in form.page.text
    assert {customer.name for customer in rows(Customer)} == {DETAILS["name"]}
    assert calls.made == []


def test_names_taken_while_stripe_was_asked_are_refused(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    other = SignupPage(app.test_client())
    in_thread = ThreadPoolExecutor(1)
    calls.after("POST /v1/checkout/sessions", lambda: in_thread.submit(other.submit).result())

    answer = form.submit(name="Too late")

    in_thread.shutdown()
    assert answer.status_code == 422
    assert TAKEN in form.page.text
    assert [customer.name for customer in rows(Customer)] == [DETAILS["name"]]
    assert len(rows(Payer)) == len(rows(CheckoutSession)) == len(rows(Signup)) == 1


def test_names_taken_while_a_correction_was_on_its_way_are_refused(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    other = SignupPage(app.test_client())
    in_thread = ThreadPoolExecutor(1)
    calls.after(
        "POST /v1/customers/*",
        lambda: in_thread.submit(other.submit, key="x", subject_keys=["mill"]).result(),
    )

    answer = form.submit(name="Too late", subject_keys=["mill"])

    in_thread.shutdown()
    assert answer.status_code == 422
    assert sorted(customer.subject_keys for customer in rows(Customer)) == [
        ["engine-1", "engine-2"],
        ["mill"],
    ]


def test_a_twin_that_is_quicker_wins(
    client: FlaskClient, app: Flask, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    fields = form.fields()
    twin = app.test_client()
    twin.set_cookie("gangway", client_cookie(client), domain="localhost")
    in_thread = ThreadPoolExecutor(1)
    calls.after(
        "POST /v1/checkout/sessions", lambda: in_thread.submit(twin.post, "/signup", data=fields).result()
    )

    answer = form.send(fields)

    in_thread.shutdown()
    assert answer.status_code == 303
    assert [page.url for page in rows(CheckoutSession)] == [answer.location]
    assert (
        len(rows(Customer)) == len(simulator.books.customers) == len(simulator.books.checkout_sessions) == 1
    )


def client_cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("gangway")
    assert cookie is not None
    return cookie.value


def test_fifty_times_at_once_makes_one_customer(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    fields, cookie = SignupPage(client).fields(), client_cookie(client)

    def submit(_number: int) -> tuple[int, str]:
        browser = app.test_client()
        browser.set_cookie("gangway", cookie, domain="localhost")
        answer = browser.post("/signup", data=fields)
        return answer.status_code, answer.location

    with ThreadPoolExecutor(50) as crowd:
        answers = set(crowd.map(submit, range(50)))

    [page] = rows(CheckoutSession)
    assert answers == {(303, page.url)}
    assert (
        len(rows(Customer)) == len(simulator.books.customers) == len(simulator.books.checkout_sessions) == 1
    )


def test_twenty_different_ones_at_once_make_twenty_customers(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    def submit(number: int) -> int:
        form = SignupPage(app.test_client())
        return form.submit(key=f"k{number}", subject_keys=[f"s{number}"]).status_code

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(submit, range(20)))

    assert answers == [303] * 20
    assert len(rows(Customer)) == len(simulator.books.customers) == 20


def test_of_twenty_strangers_who_want_one_name_one_gets_it(
    app: Flask, client: FlaskClient, rows: Rows
) -> None:
    def submit(number: int) -> int:
        return SignupPage(app.test_client()).submit(key=f"k{number}", subject_keys=["wanted"]).status_code

    with ThreadPoolExecutor(20) as crowd:
        answers = sorted(crowd.map(submit, range(20)))

    assert answers == [303] + [422] * 19
    assert len(rows(Customer)) == len(rows(Payer)) == len(rows(CheckoutSession)) == 1


@pytest.mark.parametrize("token", ["", "nonsense", None])
def test_without_its_token_stores_nothing_and_keeps_what_was_typed(
    client: FlaskClient, rows: Rows, calls: StripeCalls, token: str | None
) -> None:
    form = SignupPage(client)
    fields = form.fields()
    fields["csrf_token"] = token
    if token is None:
        del fields["csrf_token"]

    answer = form.send(fields)

    assert answer.status_code == 422
    assert "send it once more" in form.page.text
    assert form.page.value("name") == DETAILS["name"]
    assert form.page.values("subject_keys") == DETAILS["subject_keys"]
    assert_nothing_stored(rows)
    assert calls.made == []
    assert form.submit().status_code == 303


def test_from_elsewhere_without_a_cookie_stores_nothing(app: Flask, client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)
    elsewhere = SignupPage(app.test_client())
    stranger = app.test_client()

    answer = stranger.post("/signup", data=form.fields())

    page = Page.of(answer)
    assert answer.status_code == 422
    assert page.value("name") == DETAILS["name"]
    assert_nothing_stored(rows)
    assert elsewhere.send(form.fields()).status_code == 422


def test_without_cookies_at_all_never_gets_further_but_says_why(app: Flask, rows: Rows) -> None:
    stranger = app.test_client(use_cookies=False)
    form = SignupPage(stranger)

    answers = [form.submit() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "did not send our cookie" in form.page.text
    assert form.page.value("name") == DETAILS["name"]
    assert_nothing_stored(rows)


@pytest.mark.parametrize("nonce", ["", "made-up", "x" * 5000])
def test_without_a_nonce_of_ours_stores_nothing_and_gets_one(
    client: FlaskClient, rows: Rows, nonce: str
) -> None:
    form = SignupPage(client)

    answer = form.submit(nonce=nonce)

    assert answer.status_code == 422
    assert "send it once more" in form.page.text
    assert_nothing_stored(rows)
    assert form.submit().status_code == 303


def test_after_a_day_gets_a_fresh_form(client: FlaskClient, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        form = SignupPage(client)
        clock.shift(timedelta(hours=21))

        answer = form.submit()

        assert answer.status_code == 422
        assert "open for a long time" in form.page.text
        assert_nothing_stored(rows)
        assert form.submit().status_code == 303


def test_after_a_card_was_saved_shows_the_card(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    form = SignupPage(client)
    simulator.save_card(session_of(form.submit()))
    client.get("/return")

    answer = form.submit()

    assert answer.status_code == 303
    assert answer.location == f"/return?customer={rows(Customer)[0].id}"
    assert "4242" in Page.of(client.get(answer.location)).text


def test_in_a_second_tab_after_a_card_was_saved_shows_the_card(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    one, other = SignupPage(client), SignupPage(client)
    simulator.save_card(session_of(one.submit()))
    client.get("/return")

    answer = other.submit()

    assert answer.location == f"/return?customer={rows(Customer)[0].id}"


def test_of_more_than_64_kilobytes_is_refused(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)

    answer = form.send(form.fields(name="x" * 70_000))

    assert answer.status_code == 413
    assert "more than this page takes" in Page.of(answer).text
    assert_nothing_stored(rows)


def test_in_two_parts_of_a_multipart_body_is_taken(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)

    answer = form.send(form.fields(), content_type="multipart/form-data")

    assert answer.status_code == 303


def test_with_five_hundred_parts_is_refused(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)

    answer = form.send(form.fields(subject_keys=["k"] * 501), content_type="multipart/form-data")

    assert answer.status_code == 413
    assert_nothing_stored(rows)


def test_never_shows_a_body_that_is_not_utf8(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)
    body = (
        f"csrf_token={form.page.value('csrf_token')}&nonce={form.page.value('nonce')}&name=%ff%fe&email=%80"
    )

    answer = client.post("/signup", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 422
    assert Page.of(answer).error("email")


class TestWithABudget:
    """Sign-ups from one address are counted."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_signup="2 per hour")

    def test_ends_with_a_page_that_says_so(self, app: Flask, rows: Rows) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(3)]

        answers = [form.submit(key=f"k{n}", subject_keys=[f"s{n}"]) for n, form in enumerate(forms)]

        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert "Wait" in Page.of(answers[2]).text
        assert len(rows(Customer)) == 2

    def test_begins_anew_after_its_time(self, app: Flask) -> None:
        with time_machine.travel(utcnow(), tick=True) as clock:
            for number in range(2):
                sign_up(app.test_client(), key=f"k{number}", subject_keys=[f"s{number}"])
            clock.shift(timedelta(hours=2))

            sign_up(app.test_client(), key="k3", subject_keys=["s3"])

    def test_does_not_count_repeats_of_one_form(self, app: Flask) -> None:
        form = SignupPage(app.test_client())

        answers = [form.submit() for _ in range(5)]

        assert [answer.status_code for answer in answers] == [303] * 5
        sign_up(app.test_client(), key="k", subject_keys=["s"])

    def test_does_not_count_what_is_refused_beside_its_fields(self, app: Flask) -> None:
        form = SignupPage(app.test_client())

        answers = [form.submit(email="") for _ in range(5)]

        assert [answer.status_code for answer in answers] == [422] * 5
        assert form.submit().status_code == 303

    def test_counts_guesses_at_taken_names(self, app: Flask) -> None:
        sign_up(app.test_client())
        form = SignupPage(app.test_client())

        answers = [form.submit(key=f"guess-{number}").status_code for number in range(3)]

        assert answers == [422, 429, 429]

    def test_counts_by_address(self, app: Flask) -> None:
        for number in range(2):
            sign_up(app.test_client(), key=f"k{number}", subject_keys=[f"s{number}"])
        form = SignupPage(app.test_client())

        answer = form.send(form.fields(), environ_base={"REMOTE_ADDR": "192.0.2.7"})

        assert answer.status_code == 303

    def test_believes_no_forwarded_address(self, app: Flask) -> None:
        for number in range(2):
            sign_up(app.test_client(), key=f"k{number}", subject_keys=[f"s{number}"])
        form = SignupPage(app.test_client())

        answer = form.send(form.fields(), headers={"X-Forwarded-For": "192.0.2.7"})

        assert answer.status_code == 429


class TestWithoutTheSharedCount:
    """When the place where sign-ups are counted is away, each process counts for itself."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        storage = f"redis://127.0.0.1:{free_port()}"
        return make_settings(
            database_url=database_url, rate_limit_signup="2 per hour", rate_limit_storage=storage
        )

    def test_goes_on_and_is_counted(self, app: Flask) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(3)]

        answers = [form.submit(key=f"k{n}", subject_keys=[f"s{n}"]) for n, form in enumerate(forms)]

        assert [answer.status_code for answer in answers] == [303, 303, 429]


class TestBehindAProxy:
    """The proxy's word for who asks is taken, and the visitor's own is not."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_signup="1 per hour", trusted_proxies=1)

    def test_counts_by_the_address_that_the_proxy_names(self, app: Flask) -> None:
        answers = []
        for number, forwarded in enumerate(("192.0.2.7", "192.0.2.8", "203.0.113.9, 192.0.2.8")):
            form = SignupPage(app.test_client())
            fields = form.fields(key=f"k{number}", subject_keys=[f"s{number}"])
            answers.append(form.send(fields, headers={"X-Forwarded-For": forwarded}).status_code)

        assert answers == [303, 303, 429]


def test_without_an_installed_app_says_that_payments_are_away(bare_app: Flask) -> None:
    form = SignupPage(bare_app.test_client())

    answer = form.submit()

    assert answer.status_code == 503
    assert form.page.value("name") == DETAILS["name"]
