"""The first page of the desk."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps, customers, db, doctor, operators
from app.apps import App
from app.config import Settings
from app.customers import Customer
from app.db import new_id, utcnow
from app.desk.figures import Remembered
from app.doctor import Examination
from app.payers import Payer, PaymentStatus
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.browser import Element, Page
from tests.support.desk import operator, post, sign_in
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.sync_people import Person, World


@pytest.fixture
def now(clock: time_machine.Traveller) -> datetime:
    """Noon, so that some hours more or less are the same day."""
    noon = utcnow().replace(hour=12, minute=0, second=0, microsecond=0)
    clock.move_to(noon)
    return noon


@pytest.fixture
def desk(app: Flask, now: datetime) -> FlaskClient:
    """The browser of an operator."""
    return sign_in(app, "operator")


def customer(
    app: Flask,
    status: str | None = None,
    *,
    name: str = "Somebody",
    created_at: datetime | None = None,
    app_id: str | None = None,
    **payer: Any,
) -> str:
    """Somebody who stands somewhere; without a status, in no app at all. The id."""
    with app.app_context():
        session, at = db.session(), created_at or utcnow()
        made = Customer(id=new_id(), name=name, created_at=at)
        session.add(made)
        session.flush()
        if status is not None:
            session.add(
                Payer(
                    app_id=app_id or apps.find(session).id,
                    customer_id=made.id,
                    stripe_customer_id=f"cus_{made.id}",
                    status=status,
                    created_at=at,
                    **({"status_since": at} | payer),
                )
            )
        session.commit()
        return made.id


def funnel(client: FlaskClient, query: str = "") -> dict[str, str]:
    """The four numbers, each with its part of the whole."""
    page = Page.of(client.get(f"/operator/{query}"))
    pairs = page.one("dl", class_="funnel").all("div")
    return {pair.one("dt").text: pair.all("dd")[0].text for pair in pairs}


def concerns(client: FlaskClient) -> dict[str, Element]:
    """What needs attention, by its title with the count."""
    page = Page.of(client.get("/operator/"))
    panels = [panel for panel in page.all("section") if "concern" in panel.get("class").split()]
    return {panel.one("h3").text: panel for panel in panels}


def test_counts_how_far_those_came_who_signed_up(app: Flask, desk: FlaskClient) -> None:
    for status in PaymentStatus:
        customer(app, status)
    customer(app)  # in no app yet
    customer(app, None)

    assert funnel(desk) == {
        "Signed up": "13",
        "Went to Stripe": "10 77 %",
        "Saved a method": "2 15 %",
        "Need attention": "5 38 %",
    }


def test_shows_the_same_numbers_as_a_chart_and_as_a_table(
    app: Flask, desk: FlaskClient, now: datetime
) -> None:
    for status in ("saved", "saved", "failed"):
        customer(app, status)
    customer(app, "in_progress", created_at=now - timedelta(days=1))

    page = Page.of(desk.get("/operator/?span=7d"))

    chart = page.one("svg", role="img")
    assert chart.one("desc").text.startswith("7 bars from")
    assert chart.all("g")[-1].one("title").text.endswith("3 signed up, 2 saved, 1 need attention")
    heights = {bar["class"]: float(bar["height"]) for bar in chart.all("g")[-1].all("rect")}
    assert heights == {"chart-saved": 66.67, "chart-troubled": 33.33}
    rows = [
        [cell.text for cell in row.all("td")] for row in page.one("div", class_="table-scroll").all("tr")[1:]
    ]
    assert rows == [["3", "2", "0", "1", "0"], ["1", "0", "1", "0", "0"], *[["0"] * 5] * 5]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?span=today", 1),
        ("?span=7d", 2),
        ("?span=90d", 4),
        ("?span=custom&from={old}&to={old}", 1),
        ("?from={old}", 4),
        ("?span=strange", 3),
    ],
)
def test_counts_in_a_span_of_days(
    query: str, count: int, app: Flask, desk: FlaskClient, now: datetime
) -> None:
    for days in (0, 6, 29, 89, 400):
        customer(app, "saved", created_at=now - timedelta(days=days))

    query = query.format(old=(now - timedelta(days=89)).date())

    assert funnel(desk, query)["Signed up"] == str(count)


def test_counts_days_as_utc_has_them(app: Flask, desk: FlaskClient, now: datetime) -> None:
    midnight = now.replace(hour=0)
    customer(app, "saved", created_at=midnight)
    customer(app, "saved", created_at=midnight - timedelta(microseconds=1))

    page = Page.of(desk.get("/operator/?span=7d"))

    rows = page.one("div", class_="table-scroll").all("tr")[1:3]
    assert [row.all("td")[0].text for row in rows] == ["1", "1"]
    assert funnel(desk, "?span=today")["Signed up"] == "1"


def test_draws_weeks_where_days_would_be_too_thin(app: Flask, desk: FlaskClient, now: datetime) -> None:
    customer(app, "saved", created_at=now - timedelta(days=300))
    customer(app, "saved")

    page = Page.of(desk.get(f"/operator/?from={(now - timedelta(days=364)).date()}"))

    assert len(page.one("svg", role="img").all("g")) == 53
    assert "Sign-ups by week" in page.text


def test_leaves_out_who_was_deleted(app: Flask, desk: FlaskClient) -> None:
    customer(app, "saved")
    gone = customer(app, "saved", name="Gone")
    with app.app_context():
        session = db.session()
        customers.delete(session, session.get_one(Customer, gone), actor="test")
        session.commit()

    page = Page.of(desk.get("/operator/"))

    assert funnel(desk)["Signed up"] == "1"
    assert "Gone" not in page.text


def test_says_so_when_nobody_signed_up_in_a_span(app: Flask, desk: FlaskClient, now: datetime) -> None:
    customer(app, "saved", created_at=now - timedelta(days=3))

    page = Page.of(desk.get("/operator/?span=today"))

    assert "Nobody signed up in this time." in page.text
    assert funnel(desk, "?span=today")["Saved a method"] == "0 0 %"


def test_rounds_no_one_away(app: Flask, desk: FlaskClient) -> None:
    for number in range(201):
        customer(app, "failed" if number == 0 else "saved")

    assert funnel(desk)["Need attention"] == "1 under 1 %"
    assert funnel(desk)["Saved a method"] == "200 over 99 %"


@pytest.mark.parametrize("query", ["?span=custom", "?from=x", "?span=custom&from=2026-02-02&to=2026-02-01"])
def test_says_what_is_wrong_with_a_span(query: str, app: Flask, desk: FlaskClient) -> None:
    customer(app, "saved")

    answer = desk.get(f"/operator/{query}")

    assert answer.status_code == 422
    assert Page.of(answer).error("from")


def test_counts_one_app_at_a_time(app: Flask, desk: FlaskClient) -> None:
    with app.app_context():
        session = db.session()
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
    customer(app, "failed")
    customer(app, "saved", app_id=second.id)

    page = Page.of(desk.get("/operator/"))

    links = {link.text: link["href"] for link in page.one("nav", aria_label="Stripe app").all("a")}
    assert set(links) == {"Stripe (test)", "Second"}
    assert funnel(desk)["Saved a method"] == "0 0 %"
    assert funnel(desk, links["Second"].removeprefix("/operator/"))["Saved a method"] == "1 50 %"
    assert list(concerns(desk)) == ["1 Declined"]  # of whichever app


def test_lists_the_newest_customers(app: Flask, desk: FlaskClient, now: datetime) -> None:
    for days in range(10):
        customer(
            app, "saved" if days else None, name=f"{days} days old", created_at=now - timedelta(days=days)
        )

    page = Page.of(desk.get("/operator/"))

    newest = page.one("ul", class_="newest").all("li")
    assert [item.one("a").text for item in newest] == [f"{days} days old" for days in range(8)]
    assert "Not begun" in newest[0].text
    assert "Saved" in newest[1].text


def test_is_calm_when_nothing_needs_attention(app: Flask, desk: FlaskClient) -> None:
    customer(app, "saved")

    assert "Nothing does." in Page.of(desk.get("/operator/")).text
    assert concerns(desk) == {}


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("failed", "Declined"),
        ("abandoned", "Abandoned"),
        ("expired", "Expired cards"),
        ("expiring", "Cards that expire soon"),
        ("removed", "Removed"),
        ("customer_gone", "Deleted at Stripe"),
    ],
)
def test_asks_for_attention_to_customers_who_are(
    status: str, title: str, app: Flask, desk: FlaskClient, now: datetime
) -> None:
    for days in range(4):
        customer(app, status, name=f"{days} days", status_since=now - timedelta(days=days))
    customer(app, "saved")

    panel = concerns(desk)[f"4 {title}"]

    assert [item.one("a").text for item in panel.all("li")] == ["0 days", "1 days", "2 days"]
    assert panel.all("a", href=f"/operator/customers?status={status}")
    assert [form["action"].rsplit("/", 1)[-1] for form in panel.all("form")] == ["links"] * 3


def test_gives_viewers_nothing_to_press(app: Flask) -> None:
    customer(app, "failed")

    assert not concerns(sign_in(app, "viewer"))["1 Declined"].all("form")


def test_makes_a_link_for_whoever_was_declined(app: Flask, desk: FlaskClient) -> None:
    customer(app, "failed")
    form = concerns(desk)["1 Declined"].all("form")[0]

    page = Page.of(post(desk, form["action"]))

    assert "/start/" in page.one("input", id="once")["value"]


def test_follows_somebody_from_declined_to_saved(world: World, person: Person) -> None:
    desk = sign_in(world.app)
    person.saves("4000000000000002")
    person.returns()
    before = list(concerns(desk))
    person.saves()
    world.settle()

    assert before == ["1 Declined"]
    assert concerns(desk) == {}
    assert funnel(desk)["Saved a method"] == "1 100 %"


def test_asks_for_attention_to_failed_events(
    world: World, person: Person, postbox: Postbox, desk: FlaskClient, rows: Rows
) -> None:
    for number in range(4):
        postbox.post(event(id=f"evt_{number}"))
    with world.app.app_context():
        db.session().execute(sa.update(Event).values(state="dead"))
        db.session().commit()

    panel = concerns(desk)["4 Failed events"]
    post(desk, panel.one("form")["action"])

    assert len(panel.all("li")) == 3
    assert panel.all("a", href="/operator/events?state=dead")
    assert {found.state for found in rows(Event)} == {"new"}


def test_asks_for_attention_to_an_app_whose_key_is_rejected(app: Flask, desk: FlaskClient) -> None:
    customer(app, "saved")
    with app.app_context():
        db.session().execute(sa.update(App).values(status="unauthorized"))
        db.session().commit()

    panel = concerns(desk)["1 Stripe rejects the API key"]

    assert panel.all("a", href="/operator/stripe")


def test_asks_for_attention_to_an_app_that_the_doctor_found_ill(app: Flask, desk: FlaskClient) -> None:
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

    assert "The endpoint is gone" in concerns(desk)["1 A Stripe app is not well"].text


def test_asks_for_attention_to_changes_of_which_no_event_told(app: Flask, desk: FlaskClient) -> None:
    somebody = customer(app, "saved", drift="payment_method.removed", verified_at=utcnow())

    panel = concerns(desk)["1 Changes of which Stripe never told"]

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
    assert list(later) == ["1 Events wait too long"]


class TestFreshInstallation:
    """What the page says before the first customer."""

    def test_says_what_to_do_first(self, bare_app: Flask) -> None:
        page = Page.of(sign_in(bare_app).get("/operator/"))

        steps = page.one("ol", class_="steps")
        assert [step.one("h2").text for step in steps.all("li")] == [
            "Install your Stripe account",
            "Put your name on the pages (done)",
            "Protect your account",
            "Let your programs in",
            "Share your sign-up page",
        ]
        assert page.one("input", id="once")["value"] == "http://127.0.0.1:8000/signup"
        assert not page.all("svg", role="img")

    def test_ticks_off_what_is_done(self, app: Flask) -> None:
        admin = operator(app, "admin", totp_enabled_at=utcnow())
        with app.app_context():
            operators.create_token(db.session(), "a job", scope="read", actor="test")
            db.session().commit()

        page = Page.of(sign_in(app, who=admin).get("/operator/"))

        ticked = [item for item in page.one("ol", class_="steps").all("li") if "step-done" in item["class"]]
        assert len(ticked) == 4

    def test_sends_nobody_where_they_may_not_go(self, app: Flask) -> None:
        page = Page.of(sign_in(app, "operator").get("/operator/"))

        assert not page.one("main").all("a", href="/operator/tokens")

    def test_shows_trouble_as_well(self, app: Flask, desk: FlaskClient) -> None:
        with app.app_context():
            db.session().execute(sa.update(App).values(status="unauthorized"))
            db.session().commit()

        assert list(concerns(desk)) == ["1 Stripe rejects the API key"]

    def test_gives_way_to_the_numbers_with_the_first_customer(self, app: Flask, desk: FlaskClient) -> None:
        customer(app)

        page = Page.of(desk.get("/operator/"))

        assert not page.all("ol", class_="steps")


class TestUnnamedInstallation:
    """One whose company has no name yet."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, company_name="Acme Cloud")

    def test_is_told_to_put_a_name_on_its_pages(self, app: Flask) -> None:
        page = Page.of(sign_in(app).get("/operator/"))

        step = page.one("ol", class_="steps").all("li")[1]
        assert "step-done" not in step["class"]


class TestRemembering:
    """Numbers that took long to count are kept for a while."""

    def test_finds_anew_what_took_no_time(self) -> None:
        counts = iter(range(9))
        remembered = Remembered()

        assert [remembered.get("a", lambda: next(counts)) for _ in range(3)] == [0, 1, 2]

    def test_keeps_what_took_long_in_proportion(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counts, ticks = iter(range(9)), [0.0]
        monkeypatch.setattr("time.monotonic", lambda: ticks[0])
        remembered = Remembered(worth=0.2, times=30)

        def find() -> int:
            ticks[0] += 1.0
            return next(counts)

        found = [remembered.get("a", find), remembered.get("a", find), remembered.get("b", find)]
        ticks[0] += 28.5
        found.append(remembered.get("a", find))
        ticks[0] += 1.0
        found.append(remembered.get("a", find))

        assert found == [0, 0, 1, 0, 2]

    def test_is_asked_by_many_at_once(self) -> None:
        remembered, found = Remembered(worth=0.0), []

        threads = [
            threading.Thread(target=lambda: found.append(remembered.get("a", lambda: 1))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert found == [1] * 8


def test_is_read_again_by_itself_at_its_own_address(app: Flask, desk: FlaskClient) -> None:
    customer(app, "saved")

    page = Page.of(desk.get("/operator/?span=7d"))

    assert page.one(id="live")["data-live"] == "/operator/?span=7d"


def test_that_reads_itself_again_keeps_nobody_logged_in(
    app: Flask, desk: FlaskClient, clock: time_machine.Traveller
) -> None:
    customer(app, "saved")

    statuses = []
    for _ in range(4):
        clock.shift(timedelta(minutes=20))
        statuses.append(desk.get("/operator/", headers={"X-Gangway-Live": "1"}).status_code)

    assert statuses == [200, 200, 303, 303]
