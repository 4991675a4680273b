"""The audit log says who did what and when, the newest first, and can be narrowed by words, day and app."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps, audit, operators
from app.apps import App
from app.core import db
from app.core.db import utcnow
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import operator, post, sign_in
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World

NOBODY = "01J00000000000000000000000"


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The browser of somebody who may only look."""
    return sign_in(app, "viewer")


def note(app: Flask, kind: str, actor: str = "test", **facts: str) -> None:
    with app.app_context():
        audit.note(db.session(), kind, actor=actor, **facts)
        db.session().commit()


def titles(client: FlaskClient, query: str = "") -> list[str]:
    """What the page tells, from the top."""
    page = Page.of(client.get(f"/operator/audit{query}"))
    return [title.text for title in page.all("p", class_="timeline-what")]


def test_opens_whatever_stripe_called_its_things(app: Flask, console: FlaskClient, rows: Rows) -> None:
    note(app, "setup.succeeded", "stripe", setup_intent_id="seti_\ud800\x00", payment_method_id="pm_1")

    assert "Setup succeeded" in titles(console)
    [entry] = [entry for entry in rows(audit.Entry) if entry.kind == "setup.succeeded"]
    assert entry.facts["setup_intent_id"] == "seti_?"


def test_reports_everything_the_newest_first(world: World, person: Person, console: FlaskClient) -> None:
    person.save_card()
    world.settle()

    told = titles(console)

    assert told[-3:] == ["Checkout session opened", "Customer created", "Stripe app installed"]
    assert {"Setup succeeded", "Visa •••• 4242 saved"} <= set(told[:-3])


def test_links_to_the_customer_and_to_the_event(
    world: World, person: Person, console: FlaskClient, rows: Rows
) -> None:
    customer, app_id = person.payer.customer_id, person.payer.app_id
    note(world.app, "event.retried", customer_id=customer, app_id=app_id, event_id="evt_1")

    page = Page.of(console.get("/operator/audit"))

    entry = page.one("ol", aria_label="Entries, the newest first").all("li")[0]
    assert [(link["href"], link.text) for link in entry.all("a")] == [
        (f"/operator/customers/{customer}", "Ada Lovelace Ltd"),
        (f"/operator/events/{app_id}/evt_1", "evt_1"),
    ]


def test_names_whoever_did_something(app: Flask, console: FlaskClient) -> None:
    grace = operator(app, "operator", name="Grace Hopper")
    unnamed = operator(app, "operator", name="", email="unnamed@example.com")
    with app.app_context():
        token, _ = operators.create_token(db.session(), "billing job", scope="read", actor="command")
        db.session().commit()
    for actor in ("visitor", "stripe", "worker", "command", f"token:{token.id}"):
        note(app, "customer.updated", actor)
    note(app, "customer.updated", f"operator:{grace.id}")
    note(app, "customer.updated", f"operator:{unnamed.id}")
    note(app, "customer.updated", f"operator:{NOBODY}")

    text = Page.of(console.get("/operator/audit?kind=customer.updated")).text

    for name in (
        "Stripe",
        "Command line",
        "API token “billing job”",
        "Grace Hopper",
        "unnamed@example.com",
    ):
        assert name in text


def test_tells_the_reason_where_there_is_one(app: Flask, console: FlaskClient) -> None:
    note(app, "event.ignored", reason="Our own test")

    assert "Reason: Our own test" in Page.of(console.get("/operator/audit")).text


def test_reports_kinds_that_it_has_no_words_for(app: Flask, console: FlaskClient) -> None:
    note(app, "something.unheard_of", odd_fact="<b>")

    page = Page.of(console.get("/operator/audit"))

    assert "Something unheard of" in page.text
    assert "Odd fact: <b>" in page.text


@for_each(
    ("query", "fits"),
    [
        ("actor=visitor", {"Details changed"}),
        ("actor=nobody", set()),
        ("kind=customer.updated", {"Details changed"}),
        ("kind=strange", {"Details changed", "Stripe app installed", "Customer restored"}),
        ("kind=customer.updated&actor=worker", set()),
        (f"customer={NOBODY}", {"Customer restored"}),
        ("span=today", {"Details changed", "Stripe app installed", "Customer restored"}),
        ("span=custom&from=2001-01-01&to=2001-02-01", set()),
        ("span=custom&from=0001-01-01&to=0001-01-01", set()),
        ("span=custom&from=1969-12-31&to=1969-12-31", set()),
    ],
)
def test_finds(
    query: str, fits: set[str], noon: time_machine.Traveller, app: Flask, console: FlaskClient
) -> None:
    note(app, "customer.updated", "visitor")
    note(app, "customer.restored", "worker", customer_id=NOBODY)

    assert set(titles(console, f"?{query}")) == fits


def test_finds_by_day(noon: time_machine.Traveller, app: Flask, console: FlaskClient) -> None:
    note(app, "customer.updated")
    today = utcnow().date()
    noon.shift(timedelta(days=2))
    note(app, "customer.restored")
    console = sign_in(app, "viewer")  # the session of two days ago is over

    assert titles(console, f"?from={today}&to={today}") == ["Details changed", "Stripe app installed"]
    assert titles(console, f"?from={today + timedelta(days=1)}") == ["Customer restored"]


def test_finds_by_app_where_there_are_several(app: Flask, console: FlaskClient) -> None:
    with app.app_context():
        session = db.session()
        first = apps.find(session)
        second = App(
            name="Second",
            stripe_account_id="acct_2",
            livemode=True,
            api_key_sealed="",
            masked_api_key="sk_live_***",
            webhook_endpoint_id="we_2",
            is_default=False,
        )
        session.add(second)
        session.commit()
    note(app, "app.changed", app_id=second.id)

    assert titles(console, f"?app={second.id}") == ["Stripe app changed"]
    assert titles(console, f"?app={first.id}") == ["Stripe app installed"]
    assert ", in Second" in Page.of(console.get("/operator/audit")).text


def test_says_what_is_wrong_with_a_span(console: FlaskClient) -> None:
    answer = console.get("/operator/audit?span=custom&from=x")

    assert answer.status_code == 422
    assert "Enter a date such as" in Page.of(answer).error("from")


def test_goes_from_page_to_page_without_leaving_out_or_repeating_any(
    app: Flask, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    for number in range(120):
        note(app, "customer.updated", shown=f"number {number}")
        clock.shift(0.01)

    page = Page.of(console.get("/operator/audit?kind=customer.updated"))
    pages = [page]
    while page.all("a", rel="next"):
        note(app, "customer.updated", shown="later")
        page = Page.of(console.get(page.one("a", rel="next")["href"]))
        pages.append(page)
    back = Page.of(console.get(pages[2].one("a", rel="prev")["href"]))

    said = [
        detail.text
        for page in pages
        for detail in page.all("p", class_="timeline-meta")
        if "number" in detail.text
    ]
    assert said == [f"Payment method: number {number}" for number in reversed(range(120))]
    assert [entry["id"] for entry in back.one("ol", aria_label="Entries, the newest first").all("li")] == [
        entry["id"] for entry in pages[1].one("ol", aria_label="Entries, the newest first").all("li")
    ]


def test_says_what_to_do_where_there_is_nothing(app: Flask, console: FlaskClient) -> None:
    no_fit = Page.of(console.get("/operator/audit?actor=nobody"))
    past_the_end = Page.of(console.get("/operator/audit?before=00000000000000000000000000"))
    with app.app_context():
        db.session().execute(sa.delete(audit.Entry))
        db.session().commit()
    nothing = Page.of(console.get("/operator/audit"))

    assert "No matching entries" in no_fit.text
    assert "No matching entries" in past_the_end.text
    assert nothing.one("main").all("a", href="/operator/stripe")


def test_has_what_operators_do(world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    world.settle()
    acting = sign_in(world.app, "operator", who=operator(world.app, "operator", name="Grace Hopper"))
    post(acting, "/operator/events/fetch", app=person.payer.app_id)

    page = Page.of(acting.get("/operator/audit?kind=backfill.asked"))

    assert "Missed events requested" in page.text
    assert "Grace Hopper" in page.one("ol", aria_label="Entries, the newest first").text
