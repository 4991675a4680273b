"""The page of a customer shows everything that is known about the customer, with links to Stripe's
Dashboard. Viewers see no buttons."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import apps, webhooks
from app.core import db
from app.core.db import new_id
from app.simulator import Simulator, add_account, add_key
from tests.conftest import PORTAL
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_customer import CLOCK, check, diagnosis, look, section, tags
from tests.support.statements import counted
from tests.support.world import World

MAX_STATEMENTS = 9  # the names of actors besides


def test_shows_everything_that_is_known_of_the_customer(app: Flask, api: Api) -> None:
    body = {
        "name": "Ärzte & Söhne 🎉",
        "key": "k-1",
        "usageAttribution": {"subjectKeys": [f"subject-{n:02}" for n in range(12)]},
        "primaryEmail": "ada@example.com",
        "currency": "EUR",
        "description": "A long-standing one",
        "billingAddress": {
            "line1": "Main Street 1",
            "postalCode": "10115",
            "city": "Berlin",
            "country": "DE",
        },
        "metadata": {"tier": "gold"},
    }
    customer = api.post("/customers", body).get_json()

    page = look(customer["id"], app, "viewer")

    assert page.h1 == "Ärzte & Söhne 🎉"
    details = section(page, "Details").text
    for told in (
        "ada@example.com",
        "k-1",
        "subject-09",
        "2 more",
        "subject-11",
        "EUR",
        "Main Street 1, 10115 Berlin, DE",
    ):
        assert told in details
    assert "A long-standing one" in details
    assert "tier gold" in details


@pytest.mark.parametrize(
    ("email", "html"),
    [
        ("ada@example.com", "ada@example.com"),
        ("accounts-payable@litware.example", "accounts-payable@litware.example"),
        (
            "o'brien.accounts-payable@office.litware.example",
            "o&#39;brien.<wbr>accounts-payable@<wbr>office.<wbr>litware.<wbr>example",
        ),
    ],
)
def test_a_long_email_stands_below_its_label_and_breaks_between_words(
    email: str, html: str, app: Flask, api: Api
) -> None:
    customer = api.post("/customers", {"name": "Ada", "key": "k-1", "primaryEmail": email}).get_json()

    page = look(customer["id"], app, "viewer")

    row = section(page, "Details").one("dl").all("div")[0]
    assert row.get("class") == ("whole" if len(email) > 22 else "")
    assert "".join(row.one("dd").text.split()) == email
    assert html in page.html


def test_a_viewer_sees_no_button_that_acts(app: Flask, world: World) -> None:
    person = world.person()
    person.save_card("4000000000009995")
    check(person, app)

    page = look(person, app, "viewer")

    forms = [form["action"] for form in page.one("main").all("form")]
    assert forms == []
    assert "Edit" not in [link.text for link in page.all("a")]


def test_ids_of_stripes_lead_to_where_they_can_be_seen(app: Flask, world: World) -> None:
    person = world.person()

    page = look(person, app)

    known = {link.text.split(" ")[0]: link["href"] for link in page.all("a", rel="noreferrer")}
    assert known[person.stripe_customer_id] == "http://127.0.0.1:12111/_control"
    assert {person.session_id, person.checkout_sessions[0].setup_intent_id} <= known.keys()


def test_says_when_stripe_was_asked_last_and_is_asked_next(app: Flask, world: World) -> None:
    person = world.person()
    before = section(look(person, app), "At Stripe").text
    check(person, app)

    after = section(look(person, app), "At Stripe").text

    assert "Last checked never Next check in 2 minutes" in before
    assert "Last checked 1 second ago" in after or "Last checked 0 seconds ago" in after


def test_an_overdue_look_is_named(app: Flask, world: World, clock: time_machine.Traveller) -> None:
    person = world.person()
    clock.shift(timedelta(minutes=10))

    page = look(person, app)

    assert "Overdue" in tags(section(page, "At Stripe"))
    assert "A check with Stripe is overdue Overdue" in section(page, "Timeline").text


def test_events_that_nobody_dealt_with_are_named(
    app: Flask, world: World, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    person = world.person()
    person.save_card()
    while simulator.deliver_due():
        pass
    with app.app_context():
        webhooks.dispatch(db.session())
    clock.shift(timedelta(minutes=5))

    page = look(person, app)

    assert "events are not processed yet Overdue" in section(page, "Timeline").text
    assert "Waiting" in tags(section(page, "Events"))


def test_a_long_timeline_leads_to_the_audit_log(app: Flask, world: World) -> None:
    person = world.person()
    client = sign_in(app, "operator")
    for _ in range(27):
        post(client, f"/operator/customers/{person.payer.customer_id}/links")

    page = look(person, app)

    timeline = section(page, "Timeline")
    assert timeline.one("a", href=f"/operator/audit?customer={person.payer.customer_id}")
    assert (
        len(timeline.all("li", class_="timeline-info") + timeline.all("li", class_="timeline-warning")) >= 25
    )
    assert "22 older links" in section(page, "Onboarding links").text


def test_an_app_besides_the_default_one_is_shown_apart(
    app: Flask, world: World, simulator: Simulator
) -> None:
    person = world.person()
    person.save_card()
    world.settle()
    add_account(simulator.store, "acct_second", int(CLOCK.timestamp()))
    add_key(simulator.store, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        apps.install(
            session, "sk_test_second", public_url=PORTAL, name="Second", takes_default=True, actor="test"
        )
        session.commit()

    page = look(person, app)

    assert "Not started" in diagnosis(page)
    assert section(page, "Payment method in Second")
    assert "Visa" in section(page, "Payment method in Stripe").text


def test_is_read_in_one_transaction(app: Flask, world: World) -> None:
    path, viewer = f"/operator/customers/{world.person().payer.customer_id}", sign_in(app, "viewer")
    viewer.get(path)

    with counted(app) as asked:
        viewer.get(path)

    assert asked.commits == 0, asked
    assert len(asked.sent) <= MAX_STATEMENTS, asked


def test_an_unknown_customer_is_not_found_in_the_frame_of_the_console(app: Flask) -> None:
    client = sign_in(app, "viewer")

    answers = [client.get(f"/operator/customers/{id_}") for id_ in (new_id(), "no-id", "%00")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    page = Page.of(answers[0])
    assert page.h1 == "We can’t find this page"
    assert "There is no such customer." in page.text
    assert page.one("nav", id="console-nav")


def test_an_address_that_is_none_is_told_without_the_menu(app: Flask) -> None:
    answer = app.test_client().get("/operator/no/such/page")

    assert answer.status_code == 404
    assert Page.of(answer).all("nav") == []
