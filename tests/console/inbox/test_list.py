"""The inbox lists every Stripe event that arrived, the newest first. An operator filters it and pages
through it without gaps or repeats."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.core import db
from app.core.db import utcnow
from app.webhooks import Event
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console_inbox import change
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World


def listed(client: FlaskClient, query: str = "") -> list[str]:
    """The ids of the events that the list shows, from the top."""
    page = Page.of(client.get(f"/operator/events{query}"))
    return [code.text for code in page.all("span", class_="id")]


def test_shows_what_came_the_newest_first(
    world: World, person: Person, console: FlaskClient, rows: Rows
) -> None:
    person.save_card()
    world.settle()

    page = Page.of(console.get("/operator/events"))

    table = page.one("table")
    newest = sorted(rows(Event), key=lambda found: (found.received_at, found.id), reverse=True)
    assert [code.text for code in table.all("span", class_="id")] == [found.id for found in newest]
    assert "Setup succeeded" in table.text
    assert "Ada Lovelace" in table.text
    assert "Done" in table.text


def test_counts_what_is_unfinished(app: Flask, postbox: Postbox, console: FlaskClient) -> None:
    for number in range(3):
        postbox.post(event(id=f"evt_{number}"))
    change(app, "evt_0", state="dead")

    page = Page.of(console.get("/operator/events"))

    tallies = page.one("ul", aria_label="Unfinished events")
    assert [item.text for item in tallies.all("li")] == ["2 New", "0 Waiting", "1 Failed"]
    assert listed(console, tallies.all("a")[2]["href"].removeprefix("/operator/events")) == ["evt_0"]


@for_each(
    ("query", "fits"),
    [
        ("state=dead", {"evt_dead"}),
        ("state=new&type=invoice.paid", {"evt_new"}),
        ("type=customer.updated", {"evt_dead"}),
        ("origin=backfill", {"evt_old"}),
        ("origin=webhook&state=ignored", set()),
        ("span=today", {"evt_new", "evt_dead"}),
        ("span=7d", {"evt_new", "evt_dead"}),
        ("from=2000-01-01&to=2000-01-02", {"evt_old"}),
        ("span=custom&from=2000-01-02&to=2000-01-03", set()),
        ("span=custom&from={yesterday}", {"evt_new", "evt_dead"}),
        ("find=evt_new", {"evt_new"}),
        ("find=evt_", set()),
        ("state=strange", {"evt_new", "evt_dead", "evt_old"}),
        ("customer=nobody", set()),
    ],
)
def test_finds(
    query: str,
    fits: set[str],
    noon: time_machine.Traveller,
    app: Flask,
    postbox: Postbox,
    console: FlaskClient,
) -> None:
    for name, kind in (("new", "invoice.paid"), ("dead", "customer.updated"), ("old", "charge.failed")):
        postbox.post(event(kind, id=f"evt_{name}"))
    change(app, "evt_dead", state="dead")
    change(
        app,
        "evt_old",
        state="ignored",
        origin="backfill",
        received_at=utcnow().replace(year=2000, month=1, day=1),
    )

    yesterday = utcnow().date() - timedelta(days=1)
    assert set(listed(console, f"?{query.format(yesterday=yesterday)}")) == fits


def test_finds_the_events_of_a_customer_by_any_id_of_theirs(
    world: World, person: Person, console: FlaskClient, rows: Rows
) -> None:
    other = world.person()
    person.save_card()
    other.save_card()
    world.settle()
    payer = person.payer
    theirs = {found.id for found in rows(Event) if found.payer_id == payer.id}

    for name in (
        payer.id,
        payer.customer_id.lower(),
        payer.stripe_customer_id,
        person.session_id,
        person.checkout_sessions[0].setup_intent_id,
        payer.default_method_id,
    ):
        assert set(listed(console, f"?find={name}")) == theirs
    assert set(listed(console, f"?customer={payer.customer_id}")) == theirs


def test_finds_by_app_where_there_are_several(
    world: World, person: Person, console: FlaskClient, rows: Rows
) -> None:
    person.save_card()
    world.settle()
    with world.app.app_context():
        session = db.session()
        first = apps.find(session)
        session.add(
            apps.App(
                name="Second",
                stripe_account_id="acct_2",
                livemode=True,
                api_key_sealed="",
                masked_api_key="sk_live_***",
                webhook_endpoint_id="we_2",
                is_default=False,
            )
        )
        session.commit()
        second = next(app.id for app in apps.installed(session) if app.id != first.id)

    page = Page.of(console.get("/operator/events"))

    assert [option.text for option in page.one("select", name="app").all("option")] == [
        "All",
        first.name,
        "Second",
    ]
    assert f"{first.name} (test)" in page.one("table").text
    assert len(listed(console, f"?app={first.id}")) == len(rows(Event))
    assert listed(console, f"?app={second}") == []


@for_each(
    ("query", "field", "said"),
    [
        ("span=custom", "from", "Enter the first date"),
        ("from=yesterday", "from", "Enter a date such as 2026-03-31."),
        ("span=custom&from=2026-01-01&to=never", "to", "Enter a date such as"),
        ("span=custom&from=2026-01-02&to=2026-01-01", "from", "before the last date"),
        ("span=custom&from=2020-01-01&to=2026-01-01", "from", "two years or less"),
        ("span=custom&from=9999-12-30&to=9999-12-31", "to", "earlier"),
    ],
)
def test_says_what_is_wrong_with_a_span(query: str, field: str, said: str, console: FlaskClient) -> None:
    answer = console.get(f"/operator/events?{query}")

    assert answer.status_code == 422
    assert said in Page.of(answer).error(field)


def test_goes_from_page_to_page_without_leaving_out_or_repeating_any(
    app: Flask, postbox: Postbox, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    for number in range(120):
        postbox.post(event(id=f"evt_{number:03}"))
    change(app, "evt_119", received_at=utcnow() - timedelta(days=1))  # the oldest, though its id is the last

    seen, page = [], Page.of(console.get("/operator/events?type=invoice.paid"))
    pages = [page]
    while page.all("a", rel="next"):
        postbox.post(event(id=f"evt_later_{len(pages)}"))  # what comes meanwhile shifts nothing
        page = Page.of(console.get(page.one("a", rel="next")["href"]))
        pages.append(page)
    for page in pages:
        seen += [code.text for code in page.all("span", class_="id")]
    back = Page.of(console.get(pages[2].one("a", rel="prev")["href"]))
    first = Page.of(console.get(back.one("a", rel="prev")["href"]))

    assert len(pages) == 3
    assert sorted(seen) == sorted(f"evt_{number:03}" for number in range(120))
    assert seen[-1] == "evt_119"
    assert back.one("table").text == pages[1].one("table").text
    assert first.one("table").text == pages[0].one("table").text
    assert first.all("a", rel="prev")  # those that came meanwhile
    assert "evt_later_2" in listed(console)


def test_says_that_a_page_past_the_end_has_nothing(postbox: Postbox, console: FlaskClient) -> None:
    postbox.post(event())

    assert listed(console, "?before=2001-01-01T00:00:00%2B00:00~evt_1") == []


def test_says_what_to_do_where_there_is_nothing(app: Flask, console: FlaskClient) -> None:
    no_event = Page.of(console.get("/operator/events"))
    no_fit = Page.of(console.get("/operator/events?state=dead"))
    with app.app_context():
        db.session().execute(sa.update(apps.App).values(deleted_at=utcnow(), is_default=False))
        db.session().commit()
    no_app = Page.of(console.get("/operator/events"))

    assert no_event.all("a", href="/signup")
    assert "No matching events" in no_fit.text
    assert no_app.one("main").all("a", href="/operator/stripe")
