"""The overview counts how far the customers of a span of days came, as a chart and as a table."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import apps, payers
from app.apps import App
from app.console.overview.funnel import SlowAnswers
from app.core import db
from app.customers import Customer
from tests.support.browser import Page
from tests.support.console_overview import concerns, customer, funnel

# A later status changes no number here.
STATUSES = (
    "none", "in_progress", "processing", "needs_action", "failed", "saved", "expiring", "expired", "removed",
    "customer_gone", "abandoned",
)  # fmt: skip


def test_counts_how_far_those_came_who_signed_up(app: Flask, console: FlaskClient) -> None:
    for status in STATUSES:
        customer(app, status)
    customer(app)  # in no app yet
    customer(app, None)

    assert funnel(console) == {
        "Signed up": "13",
        "Went to Stripe": "10 77%",
        "Saved a method": "2 15%",
        "Sign-ups that need attention": "7 54%",
    }


def test_says_why_more_saved_a_method_than_need_nothing(app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")
    before = Page.of(console.get("/operator/")).one("figcaption").text
    customer(app, "expiring")
    after = Page.of(console.get("/operator/")).one("figcaption").text

    assert "also saved a method" not in before
    assert "1 of those who need attention also saved a method. It can be charged until it expires." in after


def test_counts_the_same_as_needing_attention_above_and_below(
    app: Flask, console: FlaskClient, now: datetime
) -> None:
    for status in STATUSES:
        customer(app, status)
        customer(app, status, created_at=now - timedelta(days=60))

    page = Page.of(console.get("/operator/"))

    assert funnel(console)["Sign-ups that need attention"].startswith("7 ")
    assert funnel(console, "?span=90d")["Sign-ups that need attention"].startswith("14 ")
    assert sum(int(title.split()[0]) for title in concerns(console)) == 14
    assert "14 open now, across all customers" in page.text


def test_shows_the_same_numbers_as_a_chart_and_as_a_table(
    app: Flask, console: FlaskClient, now: datetime
) -> None:
    for status in ("saved", "saved", "failed"):
        customer(app, status)
    customer(app, "in_progress", created_at=now - timedelta(days=1))

    page = Page.of(console.get("/operator/?span=7d"))

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
    query: str, count: int, app: Flask, console: FlaskClient, now: datetime
) -> None:
    for days in (0, 6, 29, 89, 400):
        customer(app, "saved", created_at=now - timedelta(days=days))

    query = query.format(old=(now - timedelta(days=89)).date())

    assert funnel(console, query)["Signed up"] == str(count)


def test_counts_days_as_utc_has_them(app: Flask, console: FlaskClient, now: datetime) -> None:
    midnight = now.replace(hour=0)
    customer(app, "saved", created_at=midnight)
    customer(app, "saved", created_at=midnight - timedelta(microseconds=1))

    page = Page.of(console.get("/operator/?span=7d"))

    rows = page.one("div", class_="table-scroll").all("tr")[1:3]
    assert [row.all("td")[0].text for row in rows] == ["1", "1"]
    assert funnel(console, "?span=today")["Signed up"] == "1"


def test_draws_weeks_where_days_would_be_too_thin(app: Flask, console: FlaskClient, now: datetime) -> None:
    customer(app, "saved", created_at=now - timedelta(days=300))
    customer(app, "saved")

    page = Page.of(console.get(f"/operator/?from={(now - timedelta(days=364)).date()}"))

    assert len(page.one("svg", role="img").all("g")) == 53
    assert "Sign-ups by week" in page.text


def test_leaves_out_who_was_deleted(app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")
    gone = customer(app, "saved", name="Gone")
    with app.app_context():
        session = db.session()
        payers.delete_customer(session, session.get_one(Customer, gone), actor="test")
        session.commit()

    page = Page.of(console.get("/operator/"))

    assert funnel(console)["Signed up"] == "1"
    assert "Gone" not in page.text


def test_counts_whom_older_code_has_noted_without_a_day(
    app: Flask, console: FlaskClient, now: datetime
) -> None:
    yesterday = now - timedelta(days=1)
    for status in ("saved", "failed", "none"):
        customer(app, status, created_at=yesterday, signed_up_on=None)
    customer(app, "saved", created_at=yesterday)
    customer(app, "saved", created_at=now - timedelta(days=60), signed_up_on=None)

    page = Page.of(console.get("/operator/?span=7d"))

    rows = page.one("div", class_="table-scroll").all("tr")[1:3]
    assert [[cell.text for cell in row.all("td")] for row in rows] == [["0"] * 5, ["4", "2", "0", "1", "1"]]
    assert funnel(console, "?span=90d")["Saved a method"].startswith("3 ")


def test_counts_on_the_day_of_the_sign_up_whoever_came_to_stripe_later(
    app: Flask, console: FlaskClient, now: datetime
) -> None:
    old = customer(app, created_at=now - timedelta(days=60))
    with app.app_context():
        db.start_write(db.session())
        session = db.session()
        reserved, _ = payers.reserve(session, apps.find(session), old)
        session.commit()
        assert reserved.signed_up_on == (now - timedelta(days=60)).date()
        reserved.status = "saved"
        session.commit()

    assert funnel(console)["Signed up"] == "0"
    assert funnel(console, "?span=90d")["Saved a method"] == "1 100%"


def test_says_when_it_counted(app: Flask, console: FlaskClient, now: datetime) -> None:
    app.extensions["gangway.slow_answers"] = SlowAnswers(worth=0.0, times=1e9)
    pages, counts = [], []

    for _ in range(2):
        customer(app, "saved")
        pages.append(Page.of(console.get("/operator/")))
        counts.append(funnel(console)["Signed up"])

    instants = [page.one("p", class_="small counted").one("time")["datetime"] for page in pages]
    assert datetime.fromisoformat(instants[0]) >= now
    assert instants == instants[:1] * 2  # the numbers are those of that instant
    assert counts == ["1", "1"]


def test_says_so_when_nobody_signed_up_in_a_span(app: Flask, console: FlaskClient, now: datetime) -> None:
    customer(app, "saved", created_at=now - timedelta(days=3))

    page = Page.of(console.get("/operator/?span=today"))

    assert "No sign-ups in this period." in page.text
    assert funnel(console, "?span=today")["Saved a method"] == "0 0%"


def test_rounds_no_one_away(app: Flask, console: FlaskClient) -> None:
    for number in range(201):
        customer(app, "failed" if number == 0 else "saved")

    assert funnel(console)["Sign-ups that need attention"] == "1 under 1%"
    assert funnel(console)["Saved a method"] == "200 over 99%"


@pytest.mark.parametrize("query", ["?span=custom", "?from=x", "?span=custom&from=2026-02-02&to=2026-02-01"])
def test_says_what_is_wrong_with_a_span(query: str, app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")

    answer = console.get(f"/operator/{query}")

    assert answer.status_code == 422
    assert Page.of(answer).error("from")


def test_counts_one_app_at_a_time(app: Flask, console: FlaskClient) -> None:
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

    page = Page.of(console.get("/operator/"))

    links = {link.text: link["href"] for link in page.one("nav", aria_label="Stripe app").all("a")}
    assert set(links) == {"Stripe (test)", "Second"}
    assert funnel(console)["Saved a method"] == "0 0%"
    assert funnel(console, links["Second"].removeprefix("/operator/"))["Saved a method"] == "1 50%"
    assert list(concerns(console)) == ["1 Declined"]  # of whichever app


def test_lists_the_newest_customers(app: Flask, console: FlaskClient, now: datetime) -> None:
    for days in range(10):
        customer(
            app, "saved" if days else None, name=f"{days} days old", created_at=now - timedelta(days=days)
        )

    page = Page.of(console.get("/operator/"))

    newest = page.one("ul", class_="newest").all("li")
    assert [item.one("a").text for item in newest] == [f"{days} days old" for days in range(8)]
    assert "Not started" in newest[0].text
    assert "Saved" in newest[1].text
