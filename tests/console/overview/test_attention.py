"""The overview lists what needs attention, the most urgent first, and is calm when nothing does."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps, doctor, payers, portal
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.doctor import Examination
from app.simulator import Simulator
from app.webhooks import Event
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_customers import install_another, names
from tests.support.console_overview import concerns, customer, funnel
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World


def test_is_calm_when_nothing_needs_attention(app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")

    assert "All clear." in Page.of(console.get("/operator/")).text
    assert concerns(console) == {}


def test_names_a_profile_that_leads_to_no_stripe_account(
    app: Flask, console: FlaskClient, simulator: Simulator
) -> None:
    second = install_another(app, simulator)
    with app.app_context():
        session = db.session()
        profiles = {"default": portal.Profile(), "nord": portal.Profile(name="Nordwind", app_id=second)}
        portal.publish(session, portal.PortalSettings(profiles=profiles), actor="command")
        session.commit()
    admin = sign_in(app, "admin")
    assert concerns(console) == {}

    uninstall(app, second)

    [(title, panel)] = concerns(console).items()
    assert "Profiles without a Stripe account" in title
    assert "Nordwind" in panel.text
    assert panel.all("a", href="/operator/portal") == []  # only admins get there
    assert concerns(admin)[title].all("a", href="/operator/portal")
    assert "Uninstalled" in Page.of(admin.get("/operator/portal")).text

    install_again(app)

    assert concerns(console) == {}
    assert "Uninstalled" not in Page.of(admin.get("/operator/portal")).text


def uninstall(app: Flask, app_id: str) -> None:
    """Uninstall an app."""
    with app.app_context():
        session = db.session()
        payers.uninstall(session, app_id, actor="test")
        session.commit()


def install_again(app: Flask) -> None:
    """Install the second account another time: that app takes over."""
    with app.app_context():
        session = db.session()
        apps.install(session, "sk_test_second", public_url=PORTAL, actor="test", name="Second again")
        session.commit()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("failed", "Declined"),
        ("abandoned", "Abandoned"),
        ("expired", "Expired"),
        ("expiring", "Expiring soon"),
        ("removed", "Removed"),
        ("needs_action", "3-D Secure unfinished"),
        ("customer_gone", "Deleted at Stripe"),
    ],
)
def test_asks_for_attention_to_customers_who_are(
    status: str, title: str, app: Flask, console: FlaskClient, now: datetime
) -> None:
    for days in range(4):
        customer(app, status, name=f"{days} days", status_since=now - timedelta(days=days))
    customer(app, "saved")

    panel = concerns(console)[f"4 {title}"]

    assert [item.one("a").text for item in panel.all("li")] == ["0 days", "1 days", "2 days"]
    assert panel.all("a", href=f"/operator/customers?status={status}")
    assert [form["action"].rsplit("/", 1)[-1] for form in panel.all("form")] == ["links"] * 3


def test_counts_sign_ups_that_wait_for_approval(app: Flask, console: FlaskClient) -> None:
    for name in ("Ada", "Bob"):
        customer(app, "none", name=name)
    with app.app_context():
        db.session().execute(sa.update(Customer).values(approval="waiting"))
        db.session().commit()

    panel = concerns(console)["2 Sign-ups waiting for approval"]

    assert [item.one("a").text for item in panel.all("li")] == ["Ada", "Bob"]
    [link] = [each for each in panel.all("a") if each.text == "View all"]
    assert names(Page.of(console.get(link["href"]))) == ["Ada", "Bob"]


def test_gives_viewers_nothing_to_press(app: Flask) -> None:
    customer(app, "failed")

    assert not concerns(sign_in(app, "viewer"))["1 Declined"].all("form")


def test_makes_a_link_for_whoever_was_declined(app: Flask, console: FlaskClient) -> None:
    customer(app, "failed")
    form = concerns(console)["1 Declined"].all("form")[0]

    page = Page.of(console.get(post(console, form["action"]).location))

    assert "/start/" in page.one("input", id="once")["value"]


def test_says_what_was_done_last_and_offers_to_renew(
    app: Flask, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    customer(app, "failed")
    form = concerns(console)["1 Declined"].all("form")[0]
    post(console, form["action"])
    clock.shift(timedelta(minutes=14))

    concern = concerns(console)["1 Declined"]
    [button] = concern.all("button")
    answer = post(console, concern.one("form")["action"])

    assert "Link made 14 minutes ago" in concern.text
    assert "not opened yet" in concern.text
    assert button.text == "Renew the link"
    assert "/start/" in Page.of(console.get(answer.location)).one("input", id="once")["value"]


def test_follows_somebody_from_declined_to_saved(world: World, person: Person) -> None:
    console = sign_in(world.app)
    person.save_card("4000000000000002")
    person.return_to_portal()
    before = list(concerns(console))
    person.save_card()
    world.settle()

    assert before == ["1 Declined"]
    assert concerns(console) == {}
    assert funnel(console)["Saved a method"] == "1 100%"


def test_asks_for_attention_to_failed_events(
    world: World, person: Person, postbox: Postbox, console: FlaskClient, rows: Rows
) -> None:
    for number in range(4):
        postbox.post(event(id=f"evt_{number}"))
    with world.app.app_context():
        db.session().execute(sa.update(Event).values(state="dead"))
        db.session().commit()

    panel = concerns(console)["4 Failed events"]
    post(console, panel.one("form")["action"])

    assert len(panel.all("li")) == 3
    assert panel.all("a", href="/operator/events?state=dead")
    assert {found.state for found in rows(Event)} == {"new"}


def test_asks_for_attention_to_an_app_whose_key_is_rejected(app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")
    with app.app_context():
        db.session().execute(sa.update(App).values(status="unauthorized"))
        db.session().commit()

    panel = concerns(console)["1 Stripe rejects the API key"]

    assert panel.all("a", href="/operator/stripe")


def test_asks_for_attention_to_an_app_that_the_doctor_found_ill(app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")
    with app.app_context():
        session = db.session()
        found = doctor.Finding(
            code="endpoint", state=doctor.State.RED, title="The endpoint is gone", detail=""
        )
        session.merge(
            Examination(app_id=apps.find(session).id, at=utcnow(), actor="test", findings=[found.facts()])
        )
        session.commit()

    assert "The endpoint is gone" in concerns(console)["1 A Stripe app has problems"].text


def test_asks_for_attention_to_changes_of_which_no_event_told(app: Flask, console: FlaskClient) -> None:
    somebody = customer(app, "saved", drift="payment_method.removed", verified_at=utcnow())

    panel = concerns(console)["1 Changes without events"]

    assert "removed" in panel.text
    assert panel.one("form")["action"] == f"/operator/customers/{somebody}/check"


def test_asks_for_attention_when_no_worker_runs(
    postbox: Postbox, app: Flask, clock: time_machine.Traveller
) -> None:
    customer(app, "saved")
    postbox.post(event())
    soon = list(concerns(sign_in(app)))
    clock.shift(timedelta(minutes=11))

    later = concerns(sign_in(app))

    assert soon == []
    assert list(later) == ["1 Events are delayed"]
