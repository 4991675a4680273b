"""An operator makes an onboarding link for a customer, sees what became of it, and can revoke it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.onboarding import links
from tests.conftest import PORTAL
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console_customer import Console, ConsoleOf, told
from tests.support.people import Person
from tests.support.rows import Rows


class TestLinks:
    @pytest.fixture
    def console(self, client: FlaskClient, customer: dict[str, Any]) -> Console:
        """The page of a customer who has no link."""
        return Console(client, customer["id"])

    @staticmethod
    def _url(console: Console, answer: TestResponse) -> str:
        assert answer.status_code == 303
        return Page.of(console.client.get(answer.location)).one("input", id="once")["value"]

    @staticmethod
    def _button(page: Page, label: str) -> Iterator[dict[str, str]]:
        for form in page.one("main").all("form"):
            if any(button.text == label for button in form.all("button")):
                yield {"action": form["action"]} | {f["name"]: f.get("value") for f in form.all("input")}

    def test_one_is_made_and_shown_once(self, console: Console, rows: Rows) -> None:
        url = self._url(console, console.press("links"))

        [link] = rows(links.OnboardingLink)
        assert url.startswith(f"{PORTAL}/start/")
        assert link.created_by.startswith("operator:")
        assert url not in console.page.html
        assert "Not opened" in console.page.text
        assert "by Grace Hopper" in console.page.text

    def test_it_leads_the_customer_to_stripe(self, app: Flask, console: Console) -> None:
        url = self._url(console, console.press("links"))

        page = Page.of(app.test_client().get(url.removeprefix(PORTAL)))

        assert "Ada" in page.text

    def test_a_button_pressed_twice_shows_the_one_link_that_it_made(
        self, app: Flask, console: Console, client: FlaskClient, rows: Rows
    ) -> None:
        button = next(self._button(console.page, "Make a link"))
        action = button.pop("action")

        first, second = (self._url(console, client.post(action, data=button)) for _ in range(2))

        [link] = rows(links.OnboardingLink)
        assert link.works
        assert first == second
        assert app.test_client().get(second.removeprefix(PORTAL)).status_code == 200

    def test_a_reload_leaves_the_link_alive_and_no_longer_shows_it(
        self, app: Flask, console: Console, client: FlaskClient, rows: Rows
    ) -> None:
        answer = console.press("links")
        url = self._url(console, answer)

        again = Page.of(client.get(answer.location))

        assert url not in again.html
        assert [link.works for link in rows(links.OnboardingLink)] == [True]
        assert app.test_client().get(url.removeprefix(PORTAL)).status_code == 200

    def test_another_page_leaves_the_link_to_be_shown(
        self, console: Console, client: FlaskClient, api: Api
    ) -> None:
        other = api.post("/customers", {"name": "Bob", "key": "bob"}).get_json()
        answer = console.press("links")
        client.get(f"/operator/customers/{other['id']}")

        assert "/start/" in self._url(console, answer)

    def test_an_old_page_makes_another_and_kills_none(
        self, console: Console, client: FlaskClient, clock: time_machine.Traveller, rows: Rows
    ) -> None:
        button = next(self._button(console.page, "Make a link"))
        action = button.pop("action")
        first = self._url(console, client.post(action, data=button))
        clock.shift(timedelta(minutes=20))

        second = self._url(console, client.post(action, data=button))

        assert first != second
        assert [link.works for link in rows(links.OnboardingLink)] == [True, True]

    def test_a_further_one_may_be_made(self, console: Console, client: FlaskClient, rows: Rows) -> None:
        console.press("links")
        button = next(self._button(console.page, "Make another link"))

        client.post(button.pop("action"), data=button)

        assert [link.works for link in rows(links.OnboardingLink)] == [True, True]

    def test_one_is_renewed(self, console: Console, client: FlaskClient, rows: Rows) -> None:
        first = self._url(console, console.press("links"))
        button = next(self._button(console.page, "Renew"))
        action = button.pop("action")

        second, third = (self._url(console, client.post(action, data=button)) for _ in range(2))

        assert first != second == third
        assert [link.works for link in rows(links.OnboardingLink)].count(True) == 1
        assert "Renewed" in console.page.text

    def test_one_that_was_renewed_long_ago_is_not_renewed_again(
        self, console: Console, client: FlaskClient, clock: time_machine.Traveller
    ) -> None:
        console.press("links")
        button = next(self._button(console.page, "Renew"))
        action = button.pop("action")
        client.post(action, data=button)
        clock.shift(timedelta(minutes=20))

        answer = client.post(action, data=button)

        assert answer.status_code == 303
        assert "This link was already renewed." in console.page.text

    def test_one_is_revoked(self, app: Flask, console: Console, client: FlaskClient, rows: Rows) -> None:
        url = self._url(console, console.press("links"))
        button = next(self._button(console.page, "Revoke the link"))
        action = button.pop("action")

        answers = [client.post(action, data=button) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert app.test_client().get(url.removeprefix(PORTAL)).status_code in {404, 410}
        assert len(told(rows, "link.revoked")) == 1
        assert "Revoked" in console.page.text

    def test_that_of_somebody_else_is_left_alone(
        self, console: Console, client: FlaskClient, api: Api, rows: Rows
    ) -> None:
        other = api.post("/customers", {"name": "Bob", "key": "bob"}).get_json()
        Console(client, other["id"]).press("links")
        link = rows(links.OnboardingLink)[0]

        answers = [console.press(f"links/{link.id}/{what}") for what in ("renew", "revoke")]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert rows(links.OnboardingLink)[0].works

    def test_one_that_is_out_is_remembered_before_another_is_made(
        self, app: Flask, person: Person, console_of: ConsoleOf, rows: Rows
    ) -> None:
        page = console_of(person)
        url = self._url(page, page.press("links")).removeprefix(PORTAL)
        out = console_of(person).page
        sent = out.text
        visitor = app.test_client()
        token = Page.of(visitor.get(url)).all("input", name="csrf_token")[0]["value"]
        visitor.post(f"{url}/opened", data={"csrf_token": token})

        assert "still works: it has not been opened yet." in sent
        offered = [button.text for button in out.one("section", class_="diagnosis").all("button")]
        assert "Renew the link" in offered
        assert "Make a link" not in offered
        ends = rows(links.OnboardingLink)[0].expires_at.isoformat(timespec="seconds")
        assert out.one("ol", class_="timeline").all(
            "time", datetime=ends
        )  # so it follows the zone of the page
        assert "but not used." in console_of(person).page.text

    def test_states_are_told(self, app: Flask, console: Console) -> None:
        url = self._url(console, console.press("links")).removeprefix(PORTAL)
        visitor = app.test_client()
        token = Page.of(visitor.get(url)).all("input", name="csrf_token")[0]["value"]
        for _ in range(2):
            visitor.post(url, data={"csrf_token": token})

        page = console.page

        assert "still works: last used" in page.text
        assert "Used" in page.text
        assert "Used 2 times, first" in page.text
        assert "On Stripe's page" in page.text
