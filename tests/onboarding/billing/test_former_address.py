"""When the email changes, the former address hears of it and opens nothing. Others keep their way in."""

import re

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.core import db
from app.customers import Customer
from app.onboarding.models import Consent
from app.outbox import OutboxMessage
from app.simulator import Simulator
from app.web.mail import Mailbox, Message
from tests.onboarding.billing.test_codes import WRONG, ask, enter, sent_code
from tests.onboarding.billing.test_details import DetailsPage
from tests.onboarding.billing.test_people import accept, invited
from tests.support.api import Api, api
from tests.support.billing import BillingPage, after, plain
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.profiles import publish_profiles
from tests.support.rivals import comes_first
from tests.support.rows import Rows

__all__ = ["api"]

FORMER, NEW = "ada@example.com", "king@example.com"
SUBJECT = "Your email address for the billing page was changed"


def notices(mailbox: Mailbox) -> list[Message]:
    """What was sent to addresses that were replaced."""
    return [each for each in mailbox.messages if not re.search(r"\b\d{6}\b", each.text)]


def change(client: FlaskClient, email: str = NEW) -> None:
    """Change the email on the billing page."""
    after(client, DetailsPage(client).save(email=email))


def let_in_by_code(client: FlaskClient, mailbox: Mailbox) -> None:
    """Open the billing page by a code."""
    ask(client, FORMER)
    after(client, enter(client, sent_code(mailbox)))


def is_in(client: FlaskClient) -> bool:
    """Does this browser see the payment methods?"""
    return BillingPage(client).methods != []


def test_is_told(saved: FlaskClient, mailbox: Mailbox) -> None:
    change(saved)

    [notice] = notices(mailbox)
    assert (notice.to, notice.reply_to, notice.subject) == (FORMER, "help@example.com", SUBJECT)
    assert "no longer uses this email address" in notice.text
    assert "king" not in notice.text
    assert "Lovelace" not in notice.text  # a stranger may have typed it with this address


def test_is_told_in_the_language_of_the_page(saved: FlaskClient, mailbox: Mailbox) -> None:
    saved.get("/billing?language=ja")

    change(saved)

    assert notices(mailbox)[0].subject == "お支払い管理ページのメールアドレスが変更されました"


def test_is_told_when_an_operator_changes_it(
    app: Flask, saved: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    [customer] = rows(Customer)
    with app.app_context():
        consent = Consent(customer_id=customer.id, kind="sentence", version="1", language="de")
        db.session().add(consent)
        db.session().commit()
    console = sign_in(app)
    path = f"/operator/customers/{customer.id}/edit"
    form = Page.of(console.get(path))
    held = {name: form.value(name) for name in ("name", "updated_at")}

    answer = post(console, path, **held, email=NEW)

    assert answer.status_code == 303
    [notice] = notices(mailbox)
    assert notice.to == FORMER
    assert notice.subject == "Ihre E-Mail-Adresse für die Seite mit den Zahlungsmethoden wurde geändert"


def test_is_told_when_a_program_changes_it(api: Api, mailbox: Mailbox) -> None:
    made = api.post("/customers", {"name": "Ada", "key": "ada", "primaryEmail": FORMER}).get_json()

    api.put(f"/customers/{made['id']}", {"name": "Ada", "key": "ada", "primaryEmail": "ADA@example.com"})
    api.put(f"/customers/{made['id']}", {"name": "Ada", "key": "ada"})

    assert [(notice.to, notice.subject) for notice in notices(mailbox)] == [("ADA@example.com", SUBJECT)]


def test_hears_nothing_of_other_changes(saved: FlaskClient, mailbox: Mailbox) -> None:
    after(saved, DetailsPage(saved).save(name="Ada King"))

    assert notices(mailbox) == []


def test_is_not_told_where_no_email_is_sent(saved: FlaskClient, rows: Rows) -> None:
    change(saved)

    assert rows(OutboxMessage) == []


def test_is_told_a_few_times_a_day(saved: FlaskClient, mailbox: Mailbox, rows: Rows) -> None:
    for number in range(7):
        change(saved, f"other{number}@example.com")
        change(saved, FORMER)

    assert [notice.to for notice in notices(mailbox)].count(FORMER) == 5
    assert rows(Customer)[0].primary_email == FORMER


def test_names_the_address_for_help(app: Flask, saved: FlaskClient, mailbox: Mailbox) -> None:
    publish_profiles(app, portal.Profile(links=portal.Links(support_email="help@example.com")))

    change(saved)

    assert "write to help@example.com." in plain(notices(mailbox)[0].text)


def test_opens_nothing_in_other_browsers(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    let_in_by_code(other, mailbox)

    change(saved)

    assert not is_in(other)
    assert is_in(saved)


def test_opens_nothing_by_a_code_that_was_asked_for(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    ask(other, FORMER)
    code = sent_code(mailbox)

    change(saved)

    assert WRONG in plain(Page.of(enter(other, code)).text)
    assert not is_in(other)


def test_opens_nothing_by_a_code_that_is_used_at_the_same_moment(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    ask(other, FORMER)
    code = sent_code(mailbox)
    changed = sa.update(Customer).values(primary_email=NEW)

    with comes_first(app, "SELECT customer.id \nFROM customer \nWHERE customer.id IN", changed):
        answer = enter(other, code)

    assert WRONG in plain(Page.of(answer).text)
    assert not is_in(other)


def test_keeps_the_browser_that_changed_it(other: FlaskClient, saved: FlaskClient, mailbox: Mailbox) -> None:
    let_in_by_code(other, mailbox)

    change(other)

    assert is_in(other)


def test_takes_nothing_from_others(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, simulator: Simulator
) -> None:
    grace = app.test_client()
    accept(other, invited(saved, "grace@example.com"))
    ask(grace, "grace@example.com")
    after(grace, enter(grace, sent_code(mailbox)))

    change(saved)

    assert [is_in(each) for each in (saved, other, grace)] == [True, True, True]
    mallory = app.test_client()
    ask(mallory, NEW)
    after(mallory, enter(mallory, sent_code(mailbox)))
