"""The list of customers shows one row for each customer, in the columns that the operator chose, and says
what to do when it is empty."""

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.console_customers import LIST, cells, delete, install_another, look, names, rows
from tests.support.crowd import add, bill, crowd
from tests.support.people import Person
from tests.support.world import World

USUAL = ("email", "key", "subjects", "status", "method", "created", "verified")


class TestRow:
    """What is said of each customer."""

    def test_tells_who_and_how_they_pay(
        self, noon: time_machine.Traveller, app: Flask, console: FlaskClient, person: Person, world: World
    ) -> None:
        person.save_card()
        world.settle()

        page = look(console)

        [row] = rows(page)
        assert row.one("a")["href"] == f"{LIST}/{person.payer.customer_id}"
        assert row.one("th").text == "Ada Lovelace Ltd ada@example.com"
        found = cells(page)
        assert found["Key, subject keys"] == "person-1 Subject keys: person-1-1"
        assert found["Payment"] == "Saved Visa •••• 4242"
        assert found["Checked with Stripe"].endswith("ago")
        assert found["Created"].endswith("12:", 0, -2)

    def test_shows_a_few_of_many_subject_keys(self, app: Flask, console: FlaskClient) -> None:
        add(app, "Many", subject_keys=tuple("abcde"))

        assert cells(look(console))["Key, subject keys"] == "many Subject keys: a , b , c and 2 more"

    def test_says_nothing_where_nothing_is_known(self, app: Flask, console: FlaskClient) -> None:
        add(app, "Bare", key=None, subject_keys=("s",))

        found = cells(look(console, columns=["name", "key", "verified", "app", "status"]))

        assert found == {"Payment": "Not started"}

    def test_tells_what_nobody_has_looked_at(self, app: Flask, console: FlaskClient) -> None:
        bill(app, [add(app, "New")], None)

        assert cells(look(console))["Payment"] == "Not checked yet"

    def test_shows_any_name(self, app: Flask, console: FlaskClient) -> None:
        some = ["<script>alert(1)</script>", "شركة الاتصالات", "😀 Party", "A" * 256, "a'b\"c&d"]
        for name in some:
            add(app, name, key=f"{name}{'k' * 256}"[:256])

        page = look(console, sort="created")

        assert names(page) == some
        assert [row.one("th").one("bdi").text for row in rows(page)] == some

    def test_tells_the_app_and_the_ids_when_asked(self, app: Flask, console: FlaskClient) -> None:
        made = add(app, "ACME")
        bill(app, [made], "saved")

        page = look(console, columns=["name", "app", "stripe", "id"])

        found = cells(page)
        assert "Test" in found["Stripe app"]
        assert f"cus_{made}" in found["Stripe app"]
        assert found["Id"] == made
        assert names(page) == ["ACME"]

    def test_reports_the_app_that_counts_when_there_are_several(
        self, app: Flask, console: FlaskClient, simulator: Simulator
    ) -> None:
        other = install_another(app, simulator)
        made = add(app, "ACME")
        bill(app, [made], "failed")
        bill(app, [made], "saved", app_id=other, stripe_customer_id="cus_other")

        usual, filtered, by_app = (
            cells(look(console, columns=["name", "app", "stripe", "status"], **query))
            for query in ({}, {"status": "saved"}, {"app": other})
        )

        assert usual["Payment"] == "Declined in Stripe Saved in Second"
        assert usual["Stripe app"].endswith("(in Stripe, opens a new tab)")
        assert "and 1 more" in usual["Stripe app"]
        assert filtered["Payment"] == by_app["Payment"] == "Saved in Second Declined in Stripe"
        assert "cus_other" in filtered["Stripe app"]


class TestColumns:
    """The choice of columns, which stays in the address."""

    def test_are_those_that_were_chosen(self, app: Flask, console: FlaskClient) -> None:
        add(app, "ACME", primary_email="a@example.com")

        page = look(console, columns=["name", "created", "key"])

        assert [head.text for head in page.one("thead").all("th")] == ["Name", "Key", "Created ↓"]
        assert "a@example.com" not in page.one("tbody").text
        checked = [box["value"] for box in page.all("input", type="checkbox") if "checked" in box.attributes]
        assert checked == ["key", "created"]

    def test_may_be_none_beside_the_name(self, app: Flask, console: FlaskClient) -> None:
        add(app, "ACME")

        assert [head.text for head in look(console, columns="name").one("thead").all("th")] == ["Name"]

    def test_stay_in_every_link(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 30)

        page = look(console, columns=["name", "key"], size="25", sort="name")

        wanted = "size=25&columns=name&columns=key"
        assert page.one("a", rel="next")["href"].startswith(f"{LIST}?sort=name&{wanted}&after=")
        assert page.one("thead").one("a", class_="sort")["href"] == f"{LIST}?sort=-name&{wanted}"

    def test_are_the_usual_ones_when_nothing_is_said(self, app: Flask, console: FlaskClient) -> None:
        crowd(app, 30)

        page = look(console, columns=["name", *USUAL], size="25")

        assert page.one("a", rel="next")["href"].startswith(f"{LIST}?size=25&after=")


class TestEmpty:
    """Nobody is there."""

    def test_says_how_to_get_the_first(self, app: Flask) -> None:
        page = Page.of(sign_in(app, "operator").get(LIST))

        assert page.one("p", class_="empty-title").text == "No customers yet"
        links = {link.get("href") for link in page.one("main").all("a")}
        assert {"/signup", f"{LIST}/new", "/api/docs"} <= links
        assert not page.all("form", role="search")

    def test_offers_a_viewer_only_what_a_viewer_may(self, console: FlaskClient) -> None:
        links = {link.get("href") for link in look(console).one("main").all("a")}

        assert {"/signup", "/api/docs"} <= links
        assert f"{LIST}/new" not in links

    def test_points_to_the_deleted(self, app: Flask, console: FlaskClient) -> None:
        for name in ("Ada", "Bob"):
            delete(app, add(app, name))

        page = look(console)

        assert page.one("a", href=f"{LIST}?show=deleted").text == "2 deleted customers"
        assert page.one("form", role="search")
