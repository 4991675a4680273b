"""The inbox at the desk."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps, db
from app.db import utcnow
from app.journal import Entry
from app.payers import Payer, PaymentStatus
from app.sync import Backfill
from app.webhooks import Event
from tests.support.browser import Page
from tests.support.desk import post, sign_in
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.sync_people import Person, World


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """The browser of an operator."""
    return sign_in(app, "operator")


def listed(client: FlaskClient, query: str = "") -> list[str]:
    """The ids of the events that the list shows, from the top."""
    page = Page.of(client.get(f"/operator/events{query}"))
    return [code.text for code in page.all("span", class_="under code")]


def change(app: Flask, event_id: str = "", **values: object) -> None:
    """Have events be something, one or all."""
    with app.app_context():
        change = sa.update(Event).values(**values)
        db.session().execute(change.where(Event.id == event_id) if event_id else change)
        db.session().commit()


def address_of(rows: Rows, event_id: str = "evt_1") -> str:
    """The page of an event."""
    [found] = [found for found in rows(Event) if found.id == event_id]
    return f"/operator/events/{found.app_id}/{event_id}"


def told(client: FlaskClient, answer: TestResponse) -> Page:
    """The page to which an action leads, which says what it did."""
    assert answer.status_code == 303, answer.text
    return Page.of(client.get(answer.location))


def notes(rows: Rows, kind: str) -> list[Entry]:
    return [entry for entry in rows(Entry) if entry.kind == kind]


def test_shows_what_came_the_newest_first(
    world: World, person: Person, desk: FlaskClient, rows: Rows
) -> None:
    person.saves()
    world.settle()

    page = Page.of(desk.get("/operator/events"))

    table = page.one("table")
    newest = sorted(rows(Event), key=lambda found: (found.received_at, found.id), reverse=True)
    assert [code.text for code in table.all("span", class_="under code")] == [found.id for found in newest]
    assert "Setup succeeded" in table.text
    assert "Ada Lovelace" in table.text
    assert "Done" in table.text


def test_counts_what_is_unfinished(app: Flask, postbox: Postbox, desk: FlaskClient) -> None:
    for number in range(3):
        postbox.post(event(id=f"evt_{number}"))
    change(app, "evt_0", state="dead")

    page = Page.of(desk.get("/operator/events"))

    tallies = page.one("ul", aria_label="Unfinished events")
    assert [item.text for item in tallies.all("li")] == ["2 New", "0 Waiting", "1 Failed"]
    assert listed(desk, tallies.all("a")[2]["href"].removeprefix("/operator/events")) == ["evt_0"]


@pytest.mark.parametrize(
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
        ("span=custom&from=2025-06-01", {"evt_new", "evt_dead"}),
        ("find=evt_new", {"evt_new"}),
        ("find=evt_", set()),
        ("find=%00", {"evt_new", "evt_dead", "evt_old"}),
        ("state=strange", {"evt_new", "evt_dead", "evt_old"}),
        ("customer=nobody", set()),
    ],
)
def test_finds(query: str, fits: set[str], app: Flask, postbox: Postbox, desk: FlaskClient) -> None:
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

    assert set(listed(desk, f"?{query}")) == fits


def test_finds_the_events_of_a_customer_by_any_id_of_theirs(
    world: World, person: Person, desk: FlaskClient, rows: Rows
) -> None:
    other = world.person()
    person.saves()
    other.saves()
    world.settle()
    payer = person.payer
    theirs = {found.id for found in rows(Event) if found.payer_id == payer.id}

    for name in (
        payer.id,
        payer.customer_id.lower(),
        payer.stripe_customer_id,
        person.page_id,
        person.pages[0].setup_intent_id,
        payer.default_method_id,
    ):
        assert set(listed(desk, f"?find={name}")) == theirs
    assert set(listed(desk, f"?customer={payer.customer_id}")) == theirs


def test_finds_by_app_where_there_are_several(
    world: World, person: Person, desk: FlaskClient, rows: Rows
) -> None:
    person.saves()
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

    page = Page.of(desk.get("/operator/events"))

    assert [option.text for option in page.one("select", name="app").all("option")] == [
        "All",
        first.name,
        "Second",
    ]
    assert f"{first.name} (test)" in page.one("table").text
    assert len(listed(desk, f"?app={first.id}")) == len(rows(Event))
    assert listed(desk, f"?app={second}") == []


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("span=custom", "from", "Enter the first day"),
        ("from=yesterday", "from", "Enter a day such as 2026-03-31."),
        ("span=custom&from=2026-01-01&to=never", "to", "Enter a day such as"),
        ("span=custom&from=2026-01-02&to=2026-01-01", "from", "after the last one"),
        ("span=custom&from=2020-01-01&to=2026-01-01", "from", "more than two years"),
        ("span=custom&from=9999-12-30&to=9999-12-31", "to", "nearer"),
    ],
)
def test_says_what_is_wrong_with_a_span(query: str, field: str, said: str, desk: FlaskClient) -> None:
    answer = desk.get(f"/operator/events?{query}")

    assert answer.status_code == 422
    assert said in Page.of(answer).error(field)


def test_goes_from_page_to_page_without_leaving_out_or_repeating_any(
    app: Flask, postbox: Postbox, desk: FlaskClient, clock: time_machine.Traveller
) -> None:
    for number in range(120):
        postbox.post(event(id=f"evt_{number:03}"))
    change(app, "evt_119", received_at=utcnow() - timedelta(days=1))  # the oldest, though its id is the last

    seen, page = [], Page.of(desk.get("/operator/events?type=invoice.paid"))
    pages = [page]
    while page.all("a", rel="next"):
        postbox.post(event(id=f"evt_later_{len(pages)}"))  # what comes meanwhile shifts nothing
        page = Page.of(desk.get(page.one("a", rel="next")["href"]))
        pages.append(page)
    for page in pages:
        seen += [code.text for code in page.all("span", class_="under code")]
    back = Page.of(desk.get(pages[2].one("a", rel="prev")["href"]))
    first = Page.of(desk.get(back.one("a", rel="prev")["href"]))

    assert len(pages) == 3
    assert sorted(seen) == sorted(f"evt_{number:03}" for number in range(120))
    assert seen[-1] == "evt_119"
    assert back.one("table").text == pages[1].one("table").text
    assert first.one("table").text == pages[0].one("table").text
    assert first.all("a", rel="prev")  # those that came meanwhile
    assert "evt_later_2" in listed(desk)


@pytest.mark.parametrize("place", ["before=x", "after=2026-01-01~evt_1", "before=2026-01-01T00:00:00Z~%00"])
def test_begins_at_the_top_where_the_place_makes_no_sense(
    place: str, postbox: Postbox, desk: FlaskClient
) -> None:
    postbox.post(event())

    assert listed(desk, f"?{place}") == ["evt_1"]


def test_says_that_a_page_past_the_end_has_nothing(postbox: Postbox, desk: FlaskClient) -> None:
    postbox.post(event())

    assert listed(desk, "?before=2001-01-01T00:00:00%2B00:00~evt_1") == []


def test_says_what_to_do_where_there_is_nothing(app: Flask, desk: FlaskClient) -> None:
    no_event = Page.of(desk.get("/operator/events"))
    no_fit = Page.of(desk.get("/operator/events?state=dead"))
    with app.app_context():
        db.session().execute(sa.update(apps.App).values(deleted_at=utcnow(), is_default=False))
        db.session().commit()
    no_app = Page.of(desk.get("/operator/events"))

    assert no_event.all("a", href="/signup")
    assert "No event fits" in no_fit.text
    assert no_app.one("main").all("a", href="/operator/stripe")


class TestOneEvent:
    """The page of one event."""

    def test_shows_what_the_convergence_that_settled_it_changed(
        self, world: World, person: Person, desk: FlaskClient, rows: Rows
    ) -> None:
        person.saves()
        world.settle()
        [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

        page = Page.of(desk.get(address_of(rows, succeeded.id)))

        assert page.h1 == "Setup succeeded"
        assert "Visa •••• 4242 saved" in page.one("section", aria_labelledby="changed").text
        assert page.one("main").all("a", href=f"/operator/customers/{person.payer.customer_id}")

    def test_says_when_it_told_nothing_new(
        self, world: World, person: Person, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event("customer.updated", world.simulator.books.customers[person.stripe_id]))
        world.work()

        page = Page.of(desk.get(address_of(rows)))

        assert "It tells nothing new." in page.one("section", aria_labelledby="became").text
        assert "known already" in page.one("section", aria_labelledby="changed").text

    def test_says_how_often_stripe_was_asked_in_vain(
        self, world: World, person: Person, desk: FlaskClient, rows: Rows
    ) -> None:
        person.saves()
        world.simulator.faults.add("500", "GET *", times=100)
        world.settle()
        [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

        page = Page.of(desk.get(address_of(rows, succeeded.id)))

        became = page.one("section", aria_labelledby="became").text
        assert "Waiting" in became
        assert "after 1 failed try" in became
        assert "Stripe had a problem of its own." in became
        assert "Nothing yet." in page.text

    @pytest.mark.parametrize(
        ("state", "said"),
        [("new", "Looked at next"), ("dead", "Failed with"), ("ignored", "Because")],
    )
    def test_says_how_one_stands_that_is(
        self, state: str, said: str, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, state=state, reason=None if state == "new" else "For a reason.", attempts=2)

        page = Page.of(desk.get(address_of(rows)))

        assert said in page.one("section", aria_labelledby="became").text

    def test_says_that_one_was_fetched(
        self, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, origin="backfill")

        assert "Stripe never delivered it" in desk.get(address_of(rows)).text

    @pytest.mark.parametrize("address", ["/operator/events/x/evt_1", "/operator/events/{app}/evt_2"])
    def test_is_not_found_where_there_is_none(
        self, address: str, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        answer = desk.get(address.format(app=rows(Event)[0].app_id))

        assert answer.status_code == 404
        assert "There is no such event." in Page.of(answer).text

    def test_escapes_whatever_stripe_sent(self, postbox: Postbox, desk: FlaskClient, rows: Rows) -> None:
        evil = "<script>alert(1)</script>"
        postbox.post(event(evil, {"id": evil, "object": evil, evil: evil}))

        page = Page.of(desk.get(address_of(rows)))

        assert page.h1 == evil
        assert evil not in page.html

    def test_says_when_the_payload_is_no_longer_kept(
        self, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, state="ignored", payload="")

        page = Page.of(desk.get(address_of(rows)))

        assert "90 days after an event is finished, what it said is forgotten" in page.text
        assert "Retry now" not in page.text


class TestPersonalData:
    """What an event says of a person."""

    PERSON = {  # noqa: RUF012
        "id": "cus_Person12",
        "object": "customer",
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "phone": "+15550100",
        "address": {"line1": "12 Analytical Row"},
        "client_secret": "seti_1_secret_2",
        "url": "https://checkout.stripe.com/c/pay/cs_1#secret",
        "metadata": {"om_app_id": "ours", "nickname": "The Countess"},
        "card": {"brand": "visa", "last4": "4242"},
        "status": "requires_action",
        "something_new": "Ada again",
    }
    PRIVATE = ("ada@example.com", "Ada", "+15550100", "Analytical", "Countess", "4242")

    def test_is_folded_for_everybody(self, app: Flask, postbox: Postbox, rows: Rows) -> None:
        postbox.post(event("customer.updated", self.PERSON))

        for role in ("viewer", "operator", "admin"):
            text = sign_in(app, role).get(address_of(rows)).text
            payload = Page(text).one("pre").text
            assert not [word for word in self.PRIVATE if word in payload]
            for shown in ("cus_Person12", "customer.updated", "visa", "requires_action", "ours"):
                assert shown in payload

    def test_is_opened_by_operators_and_that_is_journaled(
        self, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event("customer.updated", self.PERSON))

        answer = post(desk, address_of(rows) + "/personal-data")

        payload = Page.of(answer).one("pre").text
        assert [word for word in self.PRIVATE if word not in payload] == []
        [entry] = notes(rows, "event.personal_data_shown")
        assert entry.actor.startswith("operator:")
        assert entry.facts == {"event_id": "evt_1", "event_type": "customer.updated"}

    def test_is_not_opened_by_viewers(self, app: Flask, postbox: Postbox, rows: Rows) -> None:
        postbox.post(event("customer.updated", self.PERSON))
        viewer = sign_in(app, "viewer")

        answer = post(viewer, address_of(rows) + "/personal-data")

        assert answer.status_code == 403
        assert "ada@example.com" not in answer.text
        assert notes(rows, "event.personal_data_shown") == []
        assert "Only operators can open them." in viewer.get(address_of(rows)).text

    def test_never_shows_secrets(self, postbox: Postbox, desk: FlaskClient, rows: Rows) -> None:
        postbox.post(event("customer.updated", self.PERSON))

        opened = post(desk, address_of(rows) + "/personal-data").text

        assert "seti_1_secret_2" not in opened
        assert "#secret" not in opened

    def test_is_not_offered_where_there_is_none(
        self, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        assert "Show personal data" not in desk.get(address_of(rows)).text

    def test_of_what_can_not_be_read_shows_nothing(
        self, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, payload="Ada Lovelace, no JSON")

        page = Page.of(desk.get(address_of(rows)))

        assert "Lovelace" not in page.text


class TestActions:
    """What operators do about events."""

    def test_a_failed_event_is_retried(
        self, world: World, person: Person, desk: FlaskClient, rows: Rows
    ) -> None:
        person.saves()
        world.simulator.deliver_due()
        change(world.app, state="dead")
        [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

        page = told(desk, post(desk, address_of(rows, succeeded.id) + "/retry"))
        world.work()

        assert "looked at again" in page.text
        assert person.status == PaymentStatus.SAVED

    def test_a_retry_that_is_not_possible_is_explained(
        self, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, state="done")

        page = told(desk, post(desk, address_of(rows) + "/retry"))

        assert "This event is done" in page.text

    def test_an_event_is_ignored_with_a_reason(self, postbox: Postbox, desk: FlaskClient, rows: Rows) -> None:
        postbox.post(event())

        page = told(desk, post(desk, address_of(rows) + "/ignore", reason="It is ours"))

        assert "Nothing more will happen" in page.text
        assert "An operator decided so: It is ours" in page.text
        again = told(desk, post(desk, address_of(rows) + "/ignore", reason="Again"))
        assert "This event is ignored already." in again.text

    def test_an_event_is_not_ignored_without_a_reason(
        self, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        answer = post(desk, address_of(rows) + "/ignore", reason=" ")

        assert answer.status_code == 422
        assert "Say in 1 to 500 characters" in Page.of(answer).error("reason")
        assert rows(Event)[0].state == "new"

    def test_all_failed_ones_are_retried_and_their_number_is_shown_first(
        self, app: Flask, postbox: Postbox, desk: FlaskClient, rows: Rows
    ) -> None:
        for number in range(3):
            postbox.post(event(id=f"evt_{number}"))
        change(app, state="dead")
        before = Page.of(desk.get("/operator/events"))

        page = told(desk, post(desk, "/operator/events/retry-failed"))
        again = told(desk, post(desk, "/operator/events/retry-failed"))

        assert "Look at 3 failed events again now?" in before.text
        assert "3 failed events will be looked at again." in page.text
        assert {found.state for found in rows(Event)} == {"new"}
        assert "No event had failed any more." in again.text
        assert "Retry all failed" not in again.text

    def test_missed_events_are_fetched_on_demand(
        self, app: Flask, desk: FlaskClient, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        with app.app_context():
            session, later = db.session(), utcnow() + timedelta(hours=1)
            app_id = apps.find(session).id
            session.merge(
                Backfill(app_id=app_id, next_run_at=later, last_error="Stripe can't be reached.", found=3)
            )
            session.commit()

        page = told(desk, post(desk, "/operator/events/fetch", app=app_id))

        [run] = rows(Backfill)
        assert run.next_run_at <= utcnow()
        assert [entry.app_id for entry in notes(rows, "backfill.asked")] == [app_id]
        fetching = page.one("section", id="fetching").text
        assert "Asked for" in fetching
        assert "3 that no webhook had brought" in fetching
        assert "Stripe can't be reached." in fetching
        with app.app_context():
            db.session().execute(sa.update(Backfill).values(last_run_at=utcnow() + timedelta(seconds=1)))
            db.session().commit()
        assert "Asked for" not in Page.of(desk.get("/operator/events")).one("section", id="fetching").text

    def test_missed_events_of_no_app_are_not_fetched(self, desk: FlaskClient, rows: Rows) -> None:
        assert post(desk, "/operator/events/fetch", app="none").status_code == 404
        assert notes(rows, "backfill.asked") == []

    @pytest.mark.parametrize("action", ["/retry", "/ignore"])
    def test_viewers_do_nothing(self, action: str, app: Flask, postbox: Postbox, rows: Rows) -> None:
        postbox.post(event())
        change(app, state="dead")
        viewer = sign_in(app, "viewer")

        page = Page.of(viewer.get(address_of(rows)))

        assert not page.one("main").all("form")
        assert post(viewer, address_of(rows) + action, reason="x").status_code == 403
        assert rows(Event)[0].state == "dead"

    def test_an_event_of_an_ended_customer_can_still_be_looked_at(
        self, world: World, person: Person, desk: FlaskClient, rows: Rows
    ) -> None:
        person.saves()
        world.settle()
        with world.app.app_context():
            db.session().execute(sa.update(Payer).values(deleted_at=utcnow()))
            db.session().commit()

        for found in rows(Event):
            assert desk.get(address_of(rows, found.id)).status_code == 200
