"""After too many declined tries, a customer gets none for a day, and the console says so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.audit import Entry
from app.core.config import Settings
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.console_customer import Console, look, section
from tests.support.links import LinkPage, make_link
from tests.support.people import CARDS, Person
from tests.support.rows import Rows
from tests.support.tokens import program
from tests.support.world import World

SOON = 10  # seconds, in which the worker asks about a declined try


Decline = Callable[..., None]


@pytest.fixture
def settings(database_url: str) -> Settings:
    return make_settings(database_url=database_url, max_declines=3)


@pytest.fixture
def decline(world: World, person: Person, clock: time_machine.Traveller) -> Decline:
    """Type a card that the bank declines, again and again."""

    def type_card(times: int = 3) -> None:
        for _ in range(times):
            person.save_card(CARDS["declined"])
            world.settle()
            clock.shift(SOON)
            world.settle()

    return type_card


def at_stripe(world: World, person: Person) -> str:
    return str(world.simulator.store.checkout_sessions[person.session_id]["status"])


def test_its_open_session_is_closed_at_stripe(
    world: World, person: Person, rows: Rows, decline: Decline
) -> None:
    decline(2)
    assert at_stripe(world, person) == "open"

    decline(1)

    assert at_stripe(world, person) == person.checkout_sessions[0].status == "expired"
    assert person.payer.blocked_at is not None
    assert [entry.kind for entry in rows(Entry)].count("payer.blocked") == 1


def test_every_page_says_kindly_what_to_do(
    app: Flask, world: World, person: Person, decline: Decline
) -> None:
    fields = _fields(Page.of(person.client.get("/cancelled")))
    decline()

    pages = [
        person.client.post("/resume", data=fields),
        person.submit_form(),
        LinkPage(app.test_client(), make_link(app, person.payer.customer_id)).press(),
    ]

    for page in pages:
        assert page.status_code == 412
        text = Page.of(page).text
        assert "Please wait before you try again" in text
        assert "Try again tomorrow" in text


@pytest.mark.parametrize("path", ["/return", "/cancelled", "/signup"])
def test_no_page_says_that_another_can_be_opened(path: str, person: Person, decline: Decline) -> None:
    decline()

    page = Page.of(person.client.get(path, follow_redirects=True))

    assert page.one("h1").text == "Please wait before you try again"
    assert "Try again tomorrow" in page.text
    assert "timed out" not in page.text
    assert page.all("form", action="/resume") == []


def test_a_link_says_it_before_anybody_presses_the_button(
    app: Flask, person: Person, decline: Decline
) -> None:
    decline()

    page = LinkPage(app.test_client(), make_link(app, person.payer.customer_id))

    assert "Please wait before you try again" in page.page.text


def test_who_saved_a_card_before_still_reads_that(person: Person, world: World, decline: Decline) -> None:
    person.save_card()
    world.settle()
    person.open_another_session()

    decline()

    page = Page.of(person.client.get("/return"))
    assert page.one("h1").text == "Your payment method is saved"


def test_an_expired_card_and_the_wait_are_both_told(
    app: Flask, person: Person, world: World, decline: Decline
) -> None:
    person.save_card()
    world.settle()
    person.open_another_session()
    decline()
    world.simulator.renew_card(str(person.stripe_default), month=1, year=2020)
    world.settle()

    page = Page.of(person.client.get("/return"))

    assert page.one("h1").text == "Your card has expired"
    assert "Please wait before you try again" in page.text
    assert page.all("form", action="/resume") == []


def test_a_program_opens_none_either(app: Flask, world: World, person: Person, decline: Decline) -> None:
    decline()

    body = {"customer": {"id": person.payer.customer_id}, "options": {"currency": "USD"}}
    answer = program(app).post("/api/v1/stripe/checkout/sessions", json=body)

    assert answer.status_code == 412
    assert "were declined" in answer.get_json()["detail"]


def test_an_operator_is_told(app: Flask, world: World, person: Person, decline: Decline) -> None:
    decline()

    overview = Page.of(sign_in(app, "operator").get("/operator/")).text

    assert "Too many declined attempts" in overview
    assert "Abandoned They left" not in overview
    assert "Make a link" not in overview
    assert "Too many declined attempts" in section(look(person, app), "Payment method").text
    diagnosis = section(look(person, app), "Diagnosis").text
    assert diagnosis.startswith("Diagnosis Too many declined attempts")
    assert "Links open it again in 1 day" in diagnosis
    assert "expired" not in diagnosis


def test_an_operator_may_allow_more(
    app: Flask, world: World, person: Person, rows: Rows, decline: Decline
) -> None:
    decline()

    said = Console(sign_in(app, "operator"), person.payer.customer_id).said("allow")

    assert "The customer can try again." in said
    assert person.resume() is not None
    assert person.save_card() == "succeeded"
    world.settle()
    assert person.status == "saved"
    [allowed] = [entry for entry in rows(Entry) if entry.kind == "payer.allowed"]
    assert allowed.actor.startswith("operator:")


def test_who_may_try_again_is_not_blocked_for_what_others_tried(
    app: Flask, world: World, person: Person, decline: Decline
) -> None:
    decline()
    Console(sign_in(app, "operator"), person.payer.customer_id).said("allow")
    assert person.resume() is not None
    other = world.person()
    for _ in range(2):
        other.save_card(CARDS["declined"])
    world.settle()

    decline(1)

    assert at_stripe(world, person) == "open"
    assert person.payer.blocked_at is None


def test_it_ends_after_a_day(
    world: World, person: Person, clock: time_machine.Traveller, decline: Decline
) -> None:
    decline()

    clock.shift(timedelta(hours=25))
    answer = person.resume()

    assert answer is not None
    assert answer.status_code == 303


class TestWithoutALimit:
    """The setting turns it off."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, max_declines=0)

    def test_nobody_is_blocked(self, world: World, person: Person, decline: Decline) -> None:
        decline(5)

        assert at_stripe(world, person) == "open"
        assert person.payer.blocked_at is None


def _fields(page: Page) -> dict[str, str]:
    form = page.one("form", action="/resume")
    return {field["name"]: field.get("value") for field in form.all("input")}
