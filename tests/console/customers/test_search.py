"""The list of customers finds a customer by part of a name, and by any id, ours or Stripe's."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import webhooks
from app.core import db
from app.core.db import utcnow
from tests.support.browser import Page
from tests.support.console_customers import LIST, delete, look, names
from tests.support.crowd import add, bill
from tests.support.people import Person
from tests.support.world import World


def leads_to(answer: TestResponse) -> str:
    """The customer that an answer leads to."""
    assert answer.status_code == 303, Page.of(answer).text
    return answer.location.rsplit("/", 1)[-1]


def stored_events(app: Flask) -> list[Any]:
    """The inbox."""
    with app.app_context():
        return list(db.session().query(webhooks.Event))


class TestSearch:
    """One box for everything."""

    def test_finds_by_parts_of_every_field(self, app: Flask, console: FlaskClient) -> None:
        add(
            app, "Ärzte ohne Grenzen", key="B-77", primary_email="info@msf.example", subject_keys=("METER-9",)
        )
        add(app, "Beta 100%", key="1")
        wanted = {
            "ärzte": ["Ärzte ohne Grenzen"],
            "ARZTE": ["Ärzte ohne Grenzen"],
            "grenzen ärzte": ["Ärzte ohne Grenzen"],
            "msf.example": ["Ärzte ohne Grenzen"],
            "grenzen b-77": ["Ärzte ohne Grenzen"],
            "meter-9": ["Ärzte ohne Grenzen"],
            "oh": ["Ärzte ohne Grenzen"],
            "b": ["Ärzte ohne Grenzen", "Beta 100%"],
            "ta": [],  # one or two letters begin a word
            "eta": ["Beta 100%"],
            "100%": ["Beta 100%"],
            "1%0": [],
            "_": [],
            "ärzte beta": [],
            "a b c d e f g h i j k": [],
            "\u0301": ["Ärzte ohne Grenzen", "Beta 100%"],
            "   ": ["Ärzte ohne Grenzen", "Beta 100%"],
            "x" * 3000: [],
        }

        found = {text: names(look(console, q=text, sort="-name")) for text in wanted}

        assert found == wanted

    def test_finds_a_long_sentence_as_it_is(self, app: Flask, console: FlaskClient) -> None:
        add(app, "one two three four five six seven eight nine")

        assert names(look(console, q="two three four five six seven eight nine")) != []
        assert names(look(console, q="one two three four five six seven eight nin")) != []
        assert names(look(console, q="two one three four five six seven eight nine")) == []

    def test_leads_to_whoever_an_id_of_stripes_belongs_to(
        self, console: FlaskClient, person: Person, world: World
    ) -> None:
        person.save_card()
        world.settle()
        page, [method] = person.checkout_sessions[0], person.methods

        session_id = page.stripe_session_id
        ids = (person.stripe_customer_id, session_id, page.setup_intent_id, method.id, f" {session_id} ")
        found = {id_: console.get(LIST, query_string={"q": id_}) for id_ in ids}

        assert {answer.status_code for answer in found.values()} == {303}
        assert {leads_to(answer) for answer in found.values()} == {person.payer.customer_id}

    def test_leads_to_whoever_an_event_told_of(
        self, app: Flask, console: FlaskClient, person: Person, world: World
    ) -> None:
        person.save_card()
        world.settle()
        told = [event for event in stored_events(app) if event.payer_id]

        answer = console.get(LIST, query_string={"q": told[0].id})

        assert leads_to(answer) == person.payer.customer_id

    def test_leads_to_whoever_an_id_of_ours_belongs_to(self, app: Flask, console: FlaskClient) -> None:
        made = add(app, "ACME")
        delete(app, made)

        answers = [console.get(LIST, query_string={"q": id_}) for id_ in (made, made.lower())]

        assert [leads_to(answer) for answer in answers] == [made, made]

    def test_shows_all_whom_an_id_belonged_to(self, app: Flask, console: FlaskClient) -> None:
        first, second = add(app, "First"), add(app, "Second")
        bill(app, [first], "saved", stripe_customer_id="cus_twice", deleted_at=utcnow())
        bill(app, [second], "saved", stripe_customer_id="cus_twice")

        assert names(look(console, q="cus_twice", sort="name")) == ["First", "Second"]

    def test_takes_what_only_looks_like_an_id_for_a_text(self, app: Flask, console: FlaskClient) -> None:
        add(app, "ACME", key="cus_1234567")

        assert names(look(console, q="cus_1234567")) == ["ACME"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("cus_unknown", "No customer has the id cus_unknown"),
            ("evt_unknown", "Not every event belongs to a customer"),
            ("nobody", "One or two letters must start a word"),
        ],
    )
    def test_says_why_nobody_fits(self, app: Flask, console: FlaskClient, text: str, said: str) -> None:
        add(app, "ACME")

        page = look(console, q=text)

        assert said in page.one("main").text
        assert page.value("q") == text
        assert page.one("a", href=LIST, class_="button secondary compact").text == "Show all customers"

    def test_points_to_the_deleted_who_fit(self, app: Flask, console: FlaskClient) -> None:
        delete(app, add(app, "ACME"))

        page = look(console, q="acme")

        [link] = [link for link in page.all("a") if "deleted customer matches" in link.text]
        assert link.text == "1 deleted customer matches"
        assert names(Page.of(console.get(link["href"]))) == ["ACME"]
