"""A code of six digits, sent to the stored address, lets its owner in. Nobody learns who is known."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.onboarding.billing.codes.holders import holders_of
from app.onboarding.billing.models import BillingCode
from app.onboarding.browsers.keyed_hash import keyed_hash
from app.onboarding.models import BillingAccess
from app.simulator import Simulator
from app.web.mail import Mailbox
from tests.support.billing import AMEX, BillingPage, add_method, after, plain, press
from tests.support.browser import Page
from tests.support.portal import sign_up
from tests.support.rivals import comes_first
from tests.support.rows import Rows
from tests.support.statements import counted

ADDRESS = "ada@example.com"
WRONG = "This code isn't right, or it no longer works."


def ask(client: FlaskClient, address: str = ADDRESS) -> TestResponse:
    """Ask for a code on the billing page."""
    return press(client, BillingPage(client).page.one("form", action="/billing/code"), email=address)


def enter(client: FlaskClient, code: str) -> TestResponse:
    """Enter a code on the page that asks for it."""
    page = Page.of(client.get("/billing/code"))
    page.check()
    return press(client, page.one("form", action="/billing/code/check"), code=code)


def sent_code(mailbox: Mailbox) -> str:
    """The code in the newest message."""
    found = re.search(r"\b\d{6}\b", mailbox.messages[-1].text)
    assert found is not None
    return found.group()


def other_than(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06}"


def test_lets_the_owner_of_the_address_in(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    answer = ask(other, "  ADA@example.com ")
    assert answer.location == "/billing/code"
    assert "If we know ADA@example.com" in plain(Page.of(other.get("/billing/code")).text)

    page = after(other, enter(other, sent_code(mailbox)))

    assert mailbox.messages[0].to.lower() == ADDRESS
    assert "Ada Lovelace" not in mailbox.messages[0].text  # a stranger may have typed it with this address
    assert page.titles == ["Mastercard •••• 4444", "Visa •••• 4242"]
    assert page.removal("Visa •••• 4242").page.h1 == "Remove this payment method?"
    [entered] = [entry for entry in rows(Entry) if entry.kind == "billing_page.entered"]
    assert (entered.actor, entered.facts) == ("visitor", {"way": "code"})


@pytest.mark.parametrize("stored", ["ADA@Example.COM", "ada@example.com"])
@pytest.mark.parametrize("typed", ["ada@example.com", " Ada@EXAMPLE.com\t"])
def test_goes_to_the_address_as_it_is_stored(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, stored: str, typed: str
) -> None:
    _set_address(app, stored)

    ask(other, typed)

    assert [message.to for message in mailbox.messages] == [stored]
    after(other, enter(other, sent_code(mailbox)))


def test_takes_no_other_letter_for_a_letter(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    _set_address(app, "kate@example.com")

    ask(other, "\u212aate@example.com")  # the Kelvin sign: its lower case is k

    assert not mailbox.messages


def test_leads_through_stripe_and_back(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, simulator: Simulator
) -> None:
    ask(other)
    enter(other, sent_code(mailbox))

    add_method(other, simulator, AMEX)

    assert BillingPage(other).titles[0] == "American Express •••• 0005"


def test_accepts_a_code_with_spaces(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    code = sent_code(mailbox)

    after(other, enter(other, f" {code[:3]} {code[3:]}"))


def test_answers_the_same_for_an_unknown_address(
    saved: FlaskClient, app: Flask, mailbox: Mailbox, rows: Rows
) -> None:
    answers, made = [], []
    for address in (ADDRESS, "eve@example.com"):
        client = app.test_client()
        BillingPage(client)
        with counted(app) as seen:
            answers.append(ask(client, address))
        made.append((seen.sent, seen.commits))

    first, second = answers
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert made[0] == made[1]
    assert [message.to for message in mailbox.messages] == [ADDRESS]
    assert len(rows(BillingCode)) == 2
    assert "example.com" not in str([vars(row) for row in rows(BillingCode)])
    assert sent_code(mailbox) not in str([vars(row) for row in rows(BillingCode)])


def test_is_hashed_with_the_key_of_the_installation(
    app: Flask,
    saved: FlaskClient,
    other: FlaskClient,
    mailbox: Mailbox,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(other)
    code, [row] = sent_code(mailbox), rows(BillingCode)

    def hashed() -> str:
        with app.app_context():
            return keyed_hash("code", f"{row.id}:{code}")

    assert hashed() == row.code_hash
    monkeypatch.setattr(app, "secret_key", "the key of another installation")
    assert hashed() != row.code_hash


def test_refuses_a_wrong_code_for_known_and_unknown_alike(
    saved: FlaskClient, app: Flask, mailbox: Mailbox
) -> None:
    texts = []
    for address in (ADDRESS, "eve@example.com"):
        client = app.test_client()
        ask(client, address)
        answer = enter(client, other_than(sent_code(mailbox)))
        assert answer.status_code == 422
        texts.append(plain(Page.of(answer).text).replace(address, ""))

    assert WRONG in texts[0]
    assert texts[0] == texts[1]


def test_works_for_five_tries(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    code = sent_code(mailbox)
    for _ in range(4):
        assert enter(other, other_than(code)).status_code == 422

    after(other, enter(other, code))


def test_is_dead_after_five_wrong_tries(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    code = sent_code(mailbox)
    for _ in range(5):
        assert enter(other, other_than(code)).status_code == 422

    assert enter(other, code).status_code == 422
    assert "4242" not in BillingPage(other).text


def test_is_dead_after_fifteen_minutes(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    code = sent_code(mailbox)
    with time_machine.travel(db.utcnow() + timedelta(minutes=15), tick=True):
        assert enter(other, code).status_code == 422


def test_works_once(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows) -> None:
    ask(other)
    form = Page.of(other.get("/billing/code")).one("form", action="/billing/code/check")
    code = sent_code(mailbox)

    first = press(other, form, code=code)
    again = press(other, form, code=code)

    assert first.status_code == 303
    assert again.location == "/billing"
    assert len(rows(BillingAccess)) == 1
    with other.session_transaction() as cookie:
        cookie["billing_address"] = ADDRESS
    assert enter(other, code).status_code == 422


def test_works_only_in_the_browser_that_asked(
    saved: FlaskClient, app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    ask(other)
    code = sent_code(mailbox)
    thief = app.test_client()
    BillingPage(thief)
    with thief.session_transaction() as cookie:
        cookie["billing_address"] = ADDRESS

    for _ in range(6):  # and takes no tries away
        assert enter(thief, code).status_code == 422
    after(other, enter(other, code))


def test_a_new_one_ends_the_one_before(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    first = sent_code(mailbox)
    ask(other)
    second = sent_code(mailbox)

    if first != second:
        assert enter(other, first).status_code == 422
    after(other, enter(other, second))


def visitor(app: Flask, number: int) -> FlaskClient:
    """A browser somewhere else."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = f"203.0.113.{number}"
    return client


def test_survives_that_strangers_ask_for_the_address(
    saved: FlaskClient, app: Flask, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    ask(other)
    code = sent_code(mailbox)
    for number in range(4):
        stranger = visitor(app, number)
        for _ in range(5):
            ask(stranger)
        assert enter(stranger, code).status_code == 422

    assert len(rows(BillingCode)) == 5
    after(other, enter(other, code))


def test_is_limited_for_each_visitor_and_address(saved: FlaskClient, app: Flask, mailbox: Mailbox) -> None:
    for address in (ADDRESS, "eve@example.com"):
        for number in range(2):
            for _ in range(5):
                assert ask(visitor(app, number), address).status_code == 303
            assert ask(visitor(app, number), address.capitalize()).status_code == 429
    assert len(mailbox.messages) == 10


def test_is_limited_for_each_visitor_and_address_in_a_day(app: Flask, mailbox: Mailbox) -> None:
    begun = db.utcnow()
    statuses = []
    for hours in range(3):
        with time_machine.travel(begun + timedelta(hours=2 * hours), tick=True):
            statuses += [ask(visitor(app, 1)).status_code for _ in range(5)]

    assert statuses == [303] * 10 + [429] * 5


def test_is_limited_for_each_address(saved: FlaskClient, app: Flask, mailbox: Mailbox) -> None:
    for address in (ADDRESS, "eve@example.com"):
        for number in range(20):
            assert ask(visitor(app, number), address).status_code == 303
        assert ask(visitor(app, 20), address.capitalize()).status_code == 429
    assert len(mailbox.messages) == 20


def test_is_limited_for_each_client(app: Flask, other: FlaskClient, mailbox: Mailbox) -> None:
    for number in range(20):
        assert ask(other, f"eve-{number}@example.com").status_code == 303

    assert ask(other, "eve@example.com").status_code == 429
    assert not mailbox.messages


def test_opens_all_customers_of_the_address(
    saved: FlaskClient, app: Flask, other: FlaskClient, mailbox: Mailbox, simulator: Simulator, rows: Rows
) -> None:
    second = app.test_client()
    with_cards_of(second, simulator, "Ada Two")
    ask(other)
    newest = after(other, enter(other, sent_code(mailbox)))

    assert "Saved for Ada Two at" in plain(newest.text)
    assert "Saved for Ada Two at" in plain(BillingPage(other).text)
    for row in rows(Customer):
        page = BillingPage(other, f"/billing?customer={row.id}")
        assert f"Saved for {row.name} at" in plain(page.text)


def test_finds_many_customers_in_three_statements(app: Flask, saved: FlaskClient) -> None:
    for name in ("Ada Two", "Ada Three"):
        sign_up(app.test_client(), name=name, key=name, subject_keys=[name])

    with app.app_context(), counted(app) as seen:
        holders = holders_of(db.session(), ADDRESS)

    assert len(holders) == 3
    assert len(seen.sent) == 3  # first persons, invited ones, profiles


def with_cards_of(client: FlaskClient, simulator: Simulator, name: str) -> None:
    """Sign up somebody else with the same address, and save a card."""
    simulator.save_card(sign_up(client, name=name, key=name, subject_keys=[name]))
    client.get("/return")


def test_does_not_open_a_deleted_customer(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    ask(other)
    code = sent_code(mailbox)
    with app.app_context():
        db.session().execute(sa.update(Customer).values(deleted_at=db.utcnow()))
        db.session().commit()

    assert enter(other, code).status_code == 422


def test_ends_with_the_browser_forgotten(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    ask(other)
    page = after(other, enter(other, sent_code(mailbox)))

    press(other, page.page.one("form", action="/forget"))

    assert BillingPage(other).page.h1 == "See your payment methods"
    assert rows(BillingAccess) == []  # somebody may have a copy of the cookie


def test_ends_after_the_days_of_a_browser(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    enter(other, sent_code(mailbox))

    with time_machine.travel(db.utcnow() + timedelta(days=91), tick=True):
        assert "4242" not in BillingPage(other).text


def test_lets_one_of_two_in_that_enter_it_at_once(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    ask(other)
    code = sent_code(mailbox)
    used = sa.update(BillingCode).values(used_at=db.utcnow())

    with comes_first(app, "UPDATE billing_code SET browser_hash", used):
        answer = enter(other, code)

    assert answer.status_code == 422
    assert rows(BillingAccess) == []


@pytest.mark.parametrize("path", ["/billing", "/return"])
def test_ends_after_its_days_though_the_browser_comes_again_and_again(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, path: str
) -> None:
    ask(other)
    after(other, enter(other, sent_code(mailbox)))
    entered = db.utcnow()

    shown = []
    for days in (60, 91):
        with time_machine.travel(entered + timedelta(days=days), tick=True):
            shown.append(Page.of(other.get(path)).tells("4242"))

    assert shown == [True, False]


@pytest.mark.parametrize(("days", "after_days"), [(30, 40), (365, 91)])
def test_ends_after_the_days_of_then_and_of_now(
    app: Flask,
    saved: FlaskClient,
    other: FlaskClient,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    after_days: int,
) -> None:
    ask(other)
    after(other, enter(other, sent_code(mailbox)))
    entered = db.utcnow()
    changed = app.extensions["gangway.settings"].model_copy(update={"browser_days": days})
    monkeypatch.setitem(app.extensions, "gangway.settings", changed)

    shown = []
    for passed in (20, after_days):
        with time_machine.travel(entered + timedelta(days=passed), tick=True):
            shown.append(Page.of(other.get("/billing")).tells("4242"))

    assert shown == [True, False]


@pytest.mark.parametrize("path", ["/billing", "/billing?customer="])
def test_gives_a_browser_access_again_that_signed_up_long_ago(
    saved: FlaskClient, mailbox: Mailbox, rows: Rows, path: str
) -> None:
    [customer] = rows(Customer)
    own = path + customer.id if path.endswith("=") else path
    begun = db.utcnow()
    with time_machine.travel(begun + timedelta(days=60), tick=True):
        saved.get(own)
    with time_machine.travel(begun + timedelta(days=91), tick=True):
        assert "4242" not in BillingPage(saved, own).text
        ask(saved)

        entered = after(saved, enter(saved, sent_code(mailbox)))

        assert entered.titles == BillingPage(saved, own).titles == ["Mastercard •••• 4444", "Visa •••• 4242"]


def test_old_ones_are_deleted(saved: FlaskClient, app: Flask, mailbox: Mailbox, rows: Rows) -> None:
    ask(app.test_client(), "eve@example.com")
    with time_machine.travel(db.utcnow() + timedelta(hours=1), tick=True):
        ask(app.test_client())

    assert len(rows(BillingCode)) == 1


@pytest.mark.parametrize("address", ["", "x", "a" * 250 + "@example.com"])
def test_needs_an_address(other: FlaskClient, mailbox: Mailbox, address: str) -> None:
    answer = ask(other, address)

    assert answer.status_code == 422
    assert Page.of(answer).error("email")
    assert not mailbox.messages


def test_needs_digits(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)

    answer = enter(other, "abc")

    assert answer.status_code == 422
    assert "Enter the six digits" in Page.of(answer).error("code")


class TestWithoutEmail:
    """As every installation is today."""

    def test_says_how_to_get_a_link(self, app: Flask, other: FlaskClient) -> None:
        page = BillingPage(other)

        assert not page.page.all("form", action="/billing/code")
        assert "ask for a link" in page.text

    def test_sends_no_codes(self, app: Flask, other: FlaskClient) -> None:
        token = Page.of(other.get("/signup")).all("input", name="csrf_token")[0]["value"]

        for path in ("/billing/code", "/billing/code/check"):
            fields = {"csrf_token": token, "email": ADDRESS, "code": "1"}
            assert other.post(path, data=fields).status_code == 404
        assert other.get("/billing/code").location == "/billing"

    def test_asks_for_no_code_before_one_was_sent(
        self, app: Flask, other: FlaskClient, mailbox: Mailbox
    ) -> None:
        token = Page.of(other.get("/signup")).all("input", name="csrf_token")[0]["value"]

        assert other.get("/billing/code").location == "/billing"
        answer = other.post("/billing/code/check", data={"csrf_token": token, "code": "123456"})
        assert answer.location == "/billing"


def test_takes_digits_of_other_scripts(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    ask(other)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in sent_code(mailbox))

    assert after(other, enter(other, arabic)).titles == ["Mastercard •••• 4444", "Visa •••• 4242"]


def test_an_address_that_stripe_filled_in_opens_nothing(
    saved: FlaskClient, app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    """Somebody who came by a forwarded link may have typed it on Stripe's page."""
    with app.app_context():
        db.session().execute(sa.update(Customer).values(adopted=["primary_email"]))
        db.session().commit()

    ask(other)

    assert not mailbox.messages


def _set_address(app: Flask, address: str) -> None:
    with app.app_context():
        db.session().execute(sa.update(Customer).values(primary_email=address))
        db.session().commit()


def test_counts_tries_that_come_at_once(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    ask(other)
    code = sent_code(mailbox)
    form = Page.of(other.get("/billing/code")).one("form", action="/billing/code/check")
    fields = {field["name"]: field.get("value") for field in form.all("input")}
    fields["code"] = other_than(code)
    cookie = other.get_cookie("gangway")
    assert cookie is not None

    def guess(_number: int) -> int:
        client = other.application.test_client()
        client.set_cookie("gangway", cookie.value)
        return client.post("/billing/code/check", data=fields).status_code

    with ThreadPoolExecutor(8) as crowd:
        statuses = set(crowd.map(guess, range(8)))

    assert statuses == {422}
    assert [row.tries for row in rows(BillingCode)] == [5]
    assert enter(other, code).status_code == 422
