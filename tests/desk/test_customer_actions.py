"""What an operator does on the page of a customer."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps, db, doctor, journal, links, payers, webhooks
from app.checkout import CheckoutSession
from app.customers import Customer
from app.db import new_id
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator, accounts
from tests.conftest import PORTAL
from tests.support.api import Api, api
from tests.support.browser import Page
from tests.support.desk import operator, post, sign_in
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_people import Person, World
from tests.support.tokens import meanwhile

__all__ = ["api"]


class Desk:
    """An operator before the page of one customer."""

    def __init__(self, client: FlaskClient, customer_id: str) -> None:
        self.client = client
        self.path = f"/operator/customers/{customer_id}"

    def press(self, what: str, **fields: str) -> TestResponse:
        """Press a button, by the end of its address."""
        return post(self.client, f"{self.path}/{what}", **fields)

    def said(self, what: str, **fields: str) -> str:
        """Press a button; what the page says then."""
        answer = self.press(what, **fields)
        assert answer.status_code == 303, Page.of(answer).text
        return Page.of(self.client.get(answer.location)).one("main").text

    @property
    def page(self) -> Page:
        """The page, as it is now."""
        return Page.of(self.client.get(self.path))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """The browser of an operator called Grace Hopper."""
    return sign_in(app, who=operator(app, "operator", name="Grace Hopper"))


@pytest.fixture
def desk_of(client: FlaskClient) -> Callable[[Person], Desk]:
    """The page of a person."""
    return lambda person: Desk(client, person.payer.customer_id)


@pytest.fixture
def saved(world: World) -> Person:
    """Somebody who has saved a card."""
    person = world.person()
    person.saves()
    world.settle()
    return person


@pytest.fixture
def customer(api: Api) -> dict[str, Any]:
    """A customer whom Stripe does not know."""
    body = {"name": "Ada", "key": "k-1", "usageAttribution": {"subjectKeys": ["s-1", "s-2"]}}
    made: dict[str, Any] = api.post("/customers", body).get_json()
    return made


DeskOf = Callable[[Person], Desk]


def told(rows: Rows, kind: str) -> list[tuple[str, dict[str, str]]]:
    """Who did something of that kind, and its facts."""
    return [(entry.actor, entry.facts) for entry in rows(journal.Entry) if entry.kind == kind]


class TestCheckingNow:
    def test_says_that_nothing_has_changed(self, saved: Person, desk_of: DeskOf, rows: Rows) -> None:
        assert "Nothing has changed: Stripe says what stands here." in desk_of(saved).said("check")

        [(actor, facts)] = told(rows, "customer.checked")
        assert actor.startswith("operator:")
        assert facts == {"outcome": "nothing has changed"}

    def test_asks_stripe_even_if_it_was_asked_just_now(
        self, saved: Person, desk_of: DeskOf, calls: StripeCalls
    ) -> None:
        desk_of(saved).press("check")
        calls.clear()

        desk_of(saved).press("check")

        assert calls.made

    def test_says_what_has_changed(self, person: Person, desk_of: DeskOf) -> None:
        person.saves()

        said = desk_of(person).said("check")

        assert "Stripe knew more. Before: On Stripe's page, now Saved (Visa •••• 4242)." in said
        assert "Asked Stripe now: On Stripe's page, now Saved (Visa •••• 4242) " in said

    def test_says_so_when_only_what_is_attached_has_changed(
        self, saved: Person, desk_of: DeskOf, world: World
    ) -> None:
        world.attach_card(saved)

        assert "Before: payment methods changed." in desk_of(saved).said("check")

    def test_stays_calm_when_stripe_is_away(
        self, saved: Person, desk_of: DeskOf, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.faults.add("503", "*", times=20)

        said = desk_of(saved).said("check")

        assert "Stripe could not be asked just now. What stands here is the last that we know." in said
        assert "Visa •••• 4242" in said
        assert told(rows, "customer.checked")[0][1] == {"outcome": "it gave no answer"}

    def test_does_no_harm_to_whom_stripe_does_not_know(
        self, client: FlaskClient, customer: dict[str, Any]
    ) -> None:
        assert "Nothing has changed" in Desk(client, customer["id"]).said("check")

    def test_names_what_keeps_events_away(
        self, person: Person, desk_of: DeskOf, simulator: Simulator
    ) -> None:
        endpoint = simulator.books.webhook_endpoints.snapshot()[0]["id"]
        simulator.change_endpoint(endpoint, enabled=False)
        person.saves()

        said = desk_of(person).said("check")

        assert "The reason why no event told us: The endpoint is disabled." in said

    def test_suspects_the_webhook_until_an_event_comes(
        self, person: Person, desk_of: DeskOf, world: World, rows: Rows
    ) -> None:
        person.saves()

        at_once = desk_of(person).said("check")
        world.settle()
        later = desk_of(person).page.text

        assert "The reason" not in at_once
        assert "Events were missed A look" in at_once
        assert "found what no event had told: On Stripe's page, now Saved (Visa •••• 4242)." in at_once
        assert "deleted, disabled, or its secret rolled there" in at_once
        assert "Events were missed" not in later
        assert len(told(rows, "sync.untold")) == 1

    def test_suspects_nothing_when_an_event_has_told(
        self, app: Flask, person: Person, desk_of: DeskOf, simulator: Simulator, rows: Rows
    ) -> None:
        person.saves()
        while simulator.deliver_due():
            pass
        with app.app_context():
            webhooks.sort(db.session())

        desk_of(person).press("check")

        assert told(rows, "sync.untold") == []
        assert "Events were missed" not in desk_of(person).page.text

    def test_examines_an_app_whose_events_are_in_doubt(
        self, app: Flask, saved: Person, desk_of: DeskOf, rows: Rows
    ) -> None:
        with app.app_context():
            payers.fresh(db.session(), saved.payer.id).drift = "setup.succeeded"
            db.session().commit()

        desk_of(saved).press("check")

        assert len(rows(doctor.Examination)) == 1


class TestDeleting:
    def test_marks_the_customer_and_leaves_stripe_alone(
        self, saved: Person, desk_of: DeskOf, simulator: Simulator, rows: Rows
    ) -> None:
        said = desk_of(saved).said("delete")

        assert "Deleted here This customer was deleted" in said
        assert "by Grace Hopper" in said
        assert rows(Customer)[0].deleted_at is not None
        assert rows(Payer)[0].deleted_at is not None
        assert not simulator.books.customers[saved.stripe_id].get("deleted")
        assert told(rows, "customer.deleted")[0][0].startswith("operator:")

    def test_leaves_to_be_seen_what_was(self, saved: Person, desk_of: DeskOf) -> None:
        desk_of(saved).press("delete")

        page = desk_of(saved).page

        assert saved.stripe_id in page.text
        assert "Visa •••• 4242" in page.text
        assert "it is not followed any more" in page.text
        assert [form["action"] for form in page.one("main").all("form")] == [f"{desk_of(saved).path}/restore"]

    def test_is_done_once_when_it_is_pressed_twice(self, saved: Person, desk_of: DeskOf, rows: Rows) -> None:
        desk_of(saved).press("delete")

        again = desk_of(saved).press("delete")

        assert again.status_code == 303
        assert len(told(rows, "customer.deleted")) == 1

    def test_ends_what_can_be_done(self, saved: Person, desk_of: DeskOf) -> None:
        desk_of(saved).press("delete")

        for what in ("check", "links", "attach"):
            answer = desk_of(saved).press(what)
            assert answer.status_code == 412
            assert "precondition failed error" not in Page.of(answer).text
        method = saved.payer.methods[0]
        for what in ("charge", "detach"):
            said = desk_of(saved).said(what, app_id=method.app_id, method_id=method.id)
            assert "not attached to this customer any more" in said


class TestRestoring:
    def test_brings_back_customer_payer_and_names(
        self, saved: Person, desk_of: DeskOf, world: World, rows: Rows, api: Api
    ) -> None:
        before = api.get(f"/customers/{saved.payer.customer_id}").get_json()
        desk_of(saved).press("delete")

        said = desk_of(saved).said("restore")
        world.settle()

        assert "The customer is restored." in said
        assert "Saved Visa •••• 4242" in said
        after = api.get(f"/customers/{saved.payer.customer_id}").get_json()
        assert after | {"updatedAt": ""} == before | {"updatedAt": ""}
        assert api.get("/customers").get_json()["totalCount"] == 1
        assert rows(Payer)[0].deleted_at is None
        assert told(rows, "customer.restored")[0][0].startswith("operator:")

    def test_learns_what_happened_meanwhile(
        self, saved: Person, desk_of: DeskOf, world: World, simulator: Simulator
    ) -> None:
        desk_of(saved).press("delete")
        simulator.detach_payment_method(saved.payer.methods[0].id)
        world.settle()

        desk_of(saved).press("restore")
        world.settle()

        assert saved.status == "removed"

    def test_says_which_name_is_taken_by_whom(
        self, client: FlaskClient, customer: dict[str, Any], api: Api, rows: Rows
    ) -> None:
        desk = Desk(client, customer["id"])
        desk.press("delete")
        body = {"name": "Bob", "key": "k-2", "usageAttribution": {"subjectKeys": ["s-1", "s-2"]}}
        other = api.post("/customers", body).get_json()

        answer = desk.press("restore")

        page = Page.of(answer)
        assert answer.status_code == 409
        assert "It can't be restored: a name is taken s-1, s-2 belongs to Bob by now." in page.text
        assert page.all("a", href=f"/operator/customers/{other['id']}")
        assert next(row for row in rows(Customer) if row.id == customer["id"]).deleted_at is not None

    def test_is_done_once_when_it_is_pressed_twice(
        self, client: FlaskClient, customer: dict[str, Any], rows: Rows
    ) -> None:
        desk = Desk(client, customer["id"])
        desk.press("delete")

        answers = [desk.press("restore"), desk.press("restore")]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(told(rows, "customer.restored")) == 1

    def test_leaves_out_a_stripe_customer_that_stands_for_another_by_now(
        self, saved: Person, desk_of: DeskOf, client: FlaskClient, customer: dict[str, Any], rows: Rows
    ) -> None:
        desk_of(saved).press("delete")
        fields = {"app_id": saved.payer.app_id, "stripe_customer_id": saved.stripe_id, "confirmed": "yes"}
        Desk(client, customer["id"]).press("attach", **fields)

        said = desk_of(saved).said("restore")

        assert f"Stripe customer {saved.stripe_id} stands for another customer by now" in said
        assert [row.customer_id for row in rows(Payer) if row.deleted_at is None] == [customer["id"]]

    def test_leaves_out_an_app_that_was_uninstalled(
        self, app: Flask, saved: Person, desk_of: DeskOf, rows: Rows
    ) -> None:
        desk_of(saved).press("delete")
        with app.app_context():
            payers.uninstall(db.session(), saved.payer.app_id, actor="test")
            db.session().commit()

        said = desk_of(saved).said("restore")

        assert "or its app was uninstalled" in said
        assert [row for row in rows(Payer) if row.deleted_at is None] == []


class TestAttaching:
    @pytest.fixture
    def there(self, world: World) -> str:
        """A customer that exists at Stripe, with a card."""
        made = world.stripe("POST", "/v1/customers", name="Ada & Co", email="ada@co.example")
        method = world.stripe("POST", "/v1/payment_methods/pm_card_visa/attach", customer=made["id"])
        default = {"invoice_settings[default_payment_method]": method["id"]}
        world.stripe("POST", f"/v1/customers/{made['id']}", **default)
        return str(made["id"])

    @pytest.fixture
    def fields(self, app: Flask, there: str) -> dict[str, str]:
        """The form, filled in."""
        with app.app_context():
            return {"app_id": apps.find(db.session()).id, "stripe_customer_id": there}

    def test_first_shows_whom_stripe_knows(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], rows: Rows
    ) -> None:
        desk = Desk(client, customer["id"])
        asked = Page.of(client.get(f"{desk.path}/attach"))

        answer = desk.press("attach", **fields)

        page = Page.of(answer)
        assert asked.field("stripe_customer_id")
        assert answer.status_code == 200
        assert "Name there Ada & Co E-mail there ada@co.example" in page.text
        assert "Test" in page.text
        assert "Visa •••• 4242" in page.text
        assert rows(Payer) == []

    def test_then_lets_it_stand_for_the_customer(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], rows: Rows
    ) -> None:
        desk = Desk(client, customer["id"])
        confirm = Page.of(desk.press("attach", **fields)).one("main").one("form")
        sent = {field["name"]: field.get("value") for field in confirm.all("input")}

        answer = client.post(f"{desk.path}/attach", data=sent)

        assert answer.status_code == 303
        assert "Saved Visa •••• 4242 is saved and will be charged." in desk.page.text
        [payer] = rows(Payer)
        assert (payer.customer_id, payer.stripe_customer_id) == (customer["id"], fields["stripe_customer_id"])
        assert told(rows, "stripe_customer.bound")[0][0].startswith("operator:")

    def test_is_done_once_when_it_is_confirmed_twice(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], rows: Rows
    ) -> None:
        desk = Desk(client, customer["id"])
        desk.press("attach", confirmed="yes", **fields)

        again = desk.press("attach", confirmed="yes", **fields)

        assert again.status_code == 422
        assert "It stands for this customer already." in Page.of(again).error("stripe_customer_id")
        assert len(rows(Payer)) == 1

    def test_warns_before_another_is_replaced(
        self, saved: Person, desk_of: DeskOf, fields: dict[str, str], rows: Rows
    ) -> None:
        page = Page.of(desk_of(saved).press("attach", **fields))
        desk_of(saved).press("attach", confirmed="yes", **fields)

        assert f"{saved.stripe_id} is not followed any more then" in page.text
        assert "Not the one known here: ada@example.com" in page.text
        living = [row.stripe_customer_id for row in rows(Payer) if row.deleted_at is None]
        assert living == [fields["stripe_customer_id"]]

    @pytest.mark.parametrize(
        ("id_", "said"),
        [
            ("", "Enter the id of a Stripe customer."),
            ("pm_123", "Enter an id that begins with cus_."),
            ("cus_unknown", "Stripe has no such customer in account"),
        ],
    )
    def test_refuses_what_is_no_customer(
        self, id_: str, said: str, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str]
    ) -> None:
        answer = Desk(client, customer["id"]).press("attach", **(fields | {"stripe_customer_id": id_}))

        assert answer.status_code == 422
        assert said in Page.of(answer).error("stripe_customer_id")

    def test_refuses_an_app_that_is_not_installed(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str]
    ) -> None:
        answer = Desk(client, customer["id"]).press("attach", **(fields | {"app_id": new_id()}))

        assert answer.status_code == 422

    def test_refuses_one_that_was_deleted_at_stripe(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], simulator: Simulator
    ) -> None:
        simulator.delete_customer(fields["stripe_customer_id"])

        answer = Desk(client, customer["id"]).press("attach", **fields)

        assert "This customer was deleted at Stripe." in Page.of(answer).error("stripe_customer_id")

    def test_refuses_one_that_stands_for_another(
        self, saved: Person, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str]
    ) -> None:
        answer = Desk(client, customer["id"]).press(
            "attach", **(fields | {"stripe_customer_id": saved.stripe_id})
        )

        said = Page.of(answer).error("stripe_customer_id")
        assert "It stands for another customer here: Ada Lovelace Ltd." in said

    def test_says_so_when_stripe_is_away(
        self, client: FlaskClient, customer: dict[str, Any], fields: dict[str, str], simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "*", times=9)

        answer = Desk(client, customer["id"]).press("attach", confirmed="yes", **fields)

        assert "Stripe had a problem of its own." in Page.of(answer).error("stripe_customer_id")

    def test_lets_choose_among_several_apps(
        self, app: Flask, client: FlaskClient, customer: dict[str, Any], simulator: Simulator
    ) -> None:
        accounts.add_account(simulator.books, "acct_second", 1)
        accounts.add_key(simulator.books, "sk_test_second", account="acct_second")
        with app.app_context():
            apps.install(db.session(), "sk_test_second", public_url=PORTAL, name="Second", actor="test")
            db.session().commit()

        page = Page.of(client.get(f"/operator/customers/{customer['id']}/attach"))

        choices = [option.text for option in page.field("app_id").all("option")]
        assert len(choices) == 2
        assert "Second (test, acct_second)" in choices[1]


class TestMethods:
    @pytest.fixture
    def other(self, saved: Person, world: World, desk_of: DeskOf) -> dict[str, str]:
        """A second card, which is not charged; as the buttons send it."""
        method_id = world.attach_card(saved)
        desk_of(saved).press("check")
        return {"app_id": saved.payer.app_id, "method_id": method_id}

    def test_another_one_is_charged(
        self, saved: Person, other: dict[str, str], desk_of: DeskOf, rows: Rows
    ) -> None:
        said = desk_of(saved).said("charge", **other)

        assert "Mastercard •••• 4444 is charged from now on." in said
        assert saved.stripe_default == saved.payer.default_method_id == other["method_id"]
        assert told(rows, "default_method.changed")[-1][0].startswith("operator:")

    def test_choosing_it_twice_is_choosing_it(
        self, saved: Person, other: dict[str, str], desk_of: DeskOf
    ) -> None:
        desk_of(saved).press("charge", **other)

        assert "is charged from now on" in desk_of(saved).said("charge", **other)

    def test_one_is_removed_at_stripe(
        self, saved: Person, other: dict[str, str], desk_of: DeskOf, simulator: Simulator, rows: Rows
    ) -> None:
        said = desk_of(saved).said("detach", **other)

        assert "Mastercard •••• 4444 is removed at Stripe." in said
        assert simulator.books.payment_methods[other["method_id"]]["customer"] is None
        assert [method.id for method in saved.methods] == [saved.stripe_default]
        assert told(rows, "payment_method.detached")[0][0].startswith("operator:")

    def test_the_one_that_is_charged_is_removed(self, saved: Person, desk_of: DeskOf) -> None:
        method = saved.methods[0]

        said = desk_of(saved).said("detach", app_id=method.app_id, method_id=method.id)

        assert "Removed Visa •••• 4242 was removed here" in said
        assert "by Grace Hopper" in said

    def test_removing_it_twice_is_removing_it(
        self, saved: Person, other: dict[str, str], desk_of: DeskOf, simulator: Simulator
    ) -> None:
        simulator.detach_payment_method(other["method_id"])

        first, second = (desk_of(saved).said("detach", **other) for _ in range(2))

        assert "is removed at Stripe" in first
        assert "not attached to this customer any more" in second

    def test_nothing_is_done_to_somebody_elses(self, saved: Person, desk_of: DeskOf, world: World) -> None:
        stranger = world.person()
        stranger.saves()
        world.settle()
        theirs = {"app_id": stranger.payer.app_id, "method_id": str(stranger.stripe_default)}

        for what in ("charge", "detach"):
            assert "not attached to this customer any more" in desk_of(saved).said(what, **theirs)
        assert stranger.status == "saved"

    @pytest.mark.parametrize("what", ["charge", "detach"])
    def test_nothing_is_done_when_stripe_is_away(
        self, what: str, saved: Person, other: dict[str, str], desk_of: DeskOf, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "*", times=9)

        assert "Stripe had a problem of its own." in desk_of(saved).said(what, **other)
        assert len(saved.methods) == 2

    @pytest.mark.parametrize("what", ["charge", "detach"])
    def test_a_rejected_key_is_noted(
        self, what: str, saved: Person, other: dict[str, str], desk_of: DeskOf, simulator: Simulator
    ) -> None:
        accounts.revoke_key(simulator.books, DEFAULT_API_KEY)

        said = desk_of(saved).said(what, **other)

        assert "Stripe rejected the API key of this app." in said
        assert "Stripe rejects our API key" in said


class TestPages:
    def test_an_open_one_is_closed(
        self, person: Person, desk_of: DeskOf, simulator: Simulator, rows: Rows
    ) -> None:
        said = desk_of(person).said("close-page", session_id=person.page_id)

        assert "The page is closed." in said
        assert simulator.books.checkout_sessions[person.page_id]["status"] == "expired"
        assert rows(CheckoutSession)[0].status == "expired"
        assert told(rows, "checkout.closed")[0][0].startswith("operator:")

    def test_one_that_is_closed_already_stays_so(self, person: Person, desk_of: DeskOf, rows: Rows) -> None:
        desk_of(person).press("close-page", session_id=person.page_id)

        said = desk_of(person).said("close-page", session_id=person.page_id)

        assert "The page was not open any more." in said
        assert len(told(rows, "checkout.closed")) == 1

    def test_that_of_somebody_else_is_left_alone(
        self, person: Person, desk_of: DeskOf, world: World, simulator: Simulator
    ) -> None:
        stranger = world.person()

        for page_id in (stranger.page_id, "cs_unknown"):
            assert "This customer has no such page." in desk_of(person).said("close-page", session_id=page_id)
        assert simulator.books.checkout_sessions[stranger.page_id]["status"] == "open"

    def test_it_stays_open_when_stripe_is_away(
        self, person: Person, desk_of: DeskOf, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "*", times=9)

        said = desk_of(person).said("close-page", session_id=person.page_id)

        assert "Stripe had a problem of its own." in said
        assert person.pages[0].status == "open"


class TestLinks:
    @pytest.fixture
    def desk(self, client: FlaskClient, customer: dict[str, Any]) -> Desk:
        """The page of a customer who has no link."""
        return Desk(client, customer["id"])

    @staticmethod
    def _url(answer: TestResponse) -> str:
        assert answer.status_code == 200
        return Page.of(answer).one("input", id="once")["value"]

    @staticmethod
    def _button(page: Page, label: str) -> Iterator[dict[str, str]]:
        for form in page.one("main").all("form"):
            if any(button.text == label for button in form.all("button")):
                yield {"action": form["action"]} | {f["name"]: f.get("value") for f in form.all("input")}

    def test_one_is_made_and_shown_once(self, desk: Desk, rows: Rows) -> None:
        url = self._url(desk.press("links"))

        [link] = rows(links.OnboardingLink)
        assert url.startswith(f"{PORTAL}/start/")
        assert link.created_by.startswith("operator:")
        assert url not in desk.page.html
        assert "Not opened" in desk.page.text
        assert "by Grace Hopper" in desk.page.text

    def test_it_leads_the_customer_to_stripe(self, app: Flask, desk: Desk) -> None:
        url = self._url(desk.press("links"))

        page = Page.of(app.test_client().get(url.removeprefix(PORTAL)))

        assert "Ada" in page.text

    def test_a_button_pressed_twice_leaves_one_that_works(
        self, app: Flask, desk: Desk, client: FlaskClient, rows: Rows
    ) -> None:
        button = next(self._button(desk.page, "Make a link"))
        action = button.pop("action")

        first, second = (self._url(client.post(action, data=button)) for _ in range(2))

        working = [link for link in rows(links.OnboardingLink) if link.works]
        assert len(working) == 1
        assert first != second
        assert app.test_client().get(second.removeprefix(PORTAL)).status_code == 200

    def test_a_further_one_may_be_made(self, desk: Desk, client: FlaskClient, rows: Rows) -> None:
        desk.press("links")
        button = next(self._button(desk.page, "Make another link"))

        client.post(button.pop("action"), data=button)

        assert [link.works for link in rows(links.OnboardingLink)] == [True, True]

    def test_one_is_renewed(self, desk: Desk, client: FlaskClient, rows: Rows) -> None:
        first = self._url(desk.press("links"))
        button = next(self._button(desk.page, "Renew"))
        action = button.pop("action")

        second, third = (self._url(client.post(action, data=button)) for _ in range(2))

        assert len({first, second, third}) == 3
        assert [link.works for link in rows(links.OnboardingLink)].count(True) == 1
        assert "Renewed" in desk.page.text

    def test_one_that_was_renewed_long_ago_is_not_renewed_again(
        self, desk: Desk, client: FlaskClient, clock: time_machine.Traveller
    ) -> None:
        desk.press("links")
        button = next(self._button(desk.page, "Renew"))
        action = button.pop("action")
        client.post(action, data=button)
        clock.shift(timedelta(minutes=10))

        answer = client.post(action, data=button)

        assert answer.status_code == 303
        assert "This link was renewed already." in desk.page.text

    def test_one_is_revoked(self, app: Flask, desk: Desk, client: FlaskClient, rows: Rows) -> None:
        url = self._url(desk.press("links"))
        button = next(self._button(desk.page, "Revoke the link"))
        action = button.pop("action")

        answers = [client.post(action, data=button) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert app.test_client().get(url.removeprefix(PORTAL)).status_code in {404, 410}
        assert len(told(rows, "link.revoked")) == 1
        assert "Revoked" in desk.page.text

    def test_that_of_somebody_else_is_left_alone(
        self, desk: Desk, client: FlaskClient, api: Api, rows: Rows
    ) -> None:
        other = api.post("/customers", {"name": "Bob", "key": "bob"}).get_json()
        Desk(client, other["id"]).press("links")
        link = rows(links.OnboardingLink)[0]

        answers = [desk.press(f"links/{link.id}/{what}") for what in ("renew", "revoke")]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert rows(links.OnboardingLink)[0].works

    def test_one_that_is_out_is_remembered_before_another_is_made(
        self, app: Flask, person: Person, desk_of: DeskOf
    ) -> None:
        url = self._url(desk_of(person).press("links")).removeprefix(PORTAL)
        sent = desk_of(person).page.text
        visitor = app.test_client()
        token = Page.of(visitor.get(url)).all("input", name="csrf_token")[0]["value"]
        visitor.post(f"{url}/opened", data={"csrf_token": token})

        assert "and works: nobody has opened it yet." in sent
        assert "and its button not pressed." in desk_of(person).page.text

    def test_states_are_told(self, app: Flask, desk: Desk) -> None:
        url = self._url(desk.press("links")).removeprefix(PORTAL)
        visitor = app.test_client()
        token = Page.of(visitor.get(url)).all("input", name="csrf_token")[0]["value"]
        for _ in range(2):
            visitor.post(url, data={"csrf_token": token})

        page = desk.page

        assert "and works: it was used last" in page.text
        assert "Used" in page.text
        assert "Used 2 times, first" in page.text
        assert "On Stripe's page" in page.text


ACTIONS = (
    "edit",
    "delete",
    "restore",
    "check",
    "attach",
    "charge",
    "detach",
    "close-page",
    "links",
    f"links/{'0' * 26}/renew",
    f"links/{'0' * 26}/revoke",
)


@pytest.mark.parametrize("what", ACTIONS)
def test_a_viewer_may_do_nothing(what: str, app: Flask, customer: dict[str, Any], rows: Rows) -> None:
    before = len(rows(journal.Entry))

    answer = Desk(sign_in(app, "viewer"), customer["id"]).press(what, name="Changed", key="k")

    assert answer.status_code == 403
    assert "This needs the role operator" in Page.of(answer).text
    assert len(rows(journal.Entry)) == before


def test_a_viewer_may_not_make_a_customer(app: Flask, rows: Rows) -> None:
    client = sign_in(app, "viewer")

    answers = [client.get("/operator/customers/new")]
    answers.append(post(client, "/operator/customers/new", customer_id=new_id(), name="Ada", key="k"))

    assert [answer.status_code for answer in answers] == [403, 403]
    assert rows(Customer) == []


@pytest.mark.parametrize("what", ACTIONS)
def test_an_unknown_customer_is_not_found(what: str, client: FlaskClient) -> None:
    assert Desk(client, new_id()).press(what).status_code == 404


def test_an_admin_may_do_what_an_operator_may(app: Flask, saved: Person) -> None:
    said = Desk(sign_in(app, "admin"), saved.payer.customer_id).said("check")

    assert "Nothing has changed" in said


def test_a_restored_customer_whose_name_is_taken_at_that_very_moment_is_refused(
    app: Flask, client: FlaskClient, customer: dict[str, Any], rows: Rows
) -> None:
    desk = Desk(client, customer["id"])
    desk.press("delete")
    meanwhile(app, "POST", "/api/v1/customers", {"name": "Bob", "key": "k-1"})()

    answer = desk.press("restore")

    assert answer.status_code == 409
    assert "k-1 belongs to Bob by now." in Page.of(answer).text
