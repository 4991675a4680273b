"""Nobody has to invent a machine name: account or device names (the usage subject keys) are optional on the
form. Left blank, the customer's id serves as the subject key, and no page shows it to the customer."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.config import Settings
from app.customers import Customer
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.portal import SignupPage, sign_up
from tests.support.return_page import look
from tests.support.rows import Rows

BLANK = {"key": "", "subject_keys": [""]}


def test_the_id_serves_when_none_is_given(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    simulator.save_card(sign_up(client, **BLANK))

    page = look(client)

    [customer] = rows(Customer)
    assert customer.subject_keys == [customer.id]
    assert "Account or device" not in page.one("main").text
    assert customer.id not in page.one("main").text


def test_the_form_says_that_it_is_optional(client: FlaskClient) -> None:
    page = SignupPage(client).page

    group = page.one("fieldset", id="subject_keys")
    assert group.one("legend").text == "Account or device names optional"
    assert "Leave this blank" in group.text


def test_the_form_stays_blank_for_who_comes_back(client: FlaskClient, rows: Rows) -> None:
    sign_up(client, **BLANK)

    form = SignupPage(client)
    form.submit(**BLANK, name="Renamed Ltd")

    [customer] = rows(Customer)
    assert form.page.value("name") == "Ada Lovelace Ltd"
    assert (customer.name, customer.subject_keys) == ("Renamed Ltd", [customer.id])


def test_a_name_given_later_takes_its_place(client: FlaskClient, rows: Rows) -> None:
    sign_up(client, **BLANK)

    SignupPage(client).submit(key="", subject_keys=["engine-1"])

    assert [customer.subject_keys for customer in rows(Customer)] == [["engine-1"]]


def test_the_same_details_in_two_tabs_make_one_customer(
    client: FlaskClient, rows: Rows, simulator: Simulator
) -> None:
    first, second = SignupPage(client), SignupPage(client)

    answers = [form.submit(**BLANK) for form in (first, second, first)]

    assert [answer.status_code for answer in answers] == [303] * 3
    assert len(rows(Customer)) == len(simulator.store.customers) == 1


def test_other_details_make_another_customer(client: FlaskClient, rows: Rows) -> None:
    first, second = SignupPage(client), SignupPage(client)

    first.submit(**BLANK)
    second.submit(**BLANK, name="Somebody Else Ltd")
    sign_up(client.application.test_client(), **BLANK)

    assert len(rows(Customer)) == 3


class TestThatAreRequired:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, signup_subject_keys="required")

    @pytest.mark.parametrize("keys", [[], ["", "  "], ["\u200b"]])
    def test_refuses_a_blank(self, client: FlaskClient, rows: Rows, keys: list[str]) -> None:
        form = SignupPage(client)

        answer = form.submit(subject_keys=keys)

        assert answer.status_code == 422
        assert "Enter at least one account or device name." in form.page.errors("subject_keys")[0]
        assert rows(Customer) == []


class TestThatAreHidden:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, signup_subject_keys="hidden")

    def test_asks_for_none_and_takes_none(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        form = SignupPage(client)

        answer = form.submit(subject_keys=["smuggled"])

        [customer] = rows(Customer)
        assert answer.status_code == 303
        assert not form.page.all("input", name="subject_keys")
        assert customer.subject_keys == [customer.id]

    def test_tells_beside_the_reference_that_it_is_taken(self, app: Flask, client: FlaskClient) -> None:
        sign_up(client)
        form = SignupPage(app.test_client())

        answer = form.submit()

        assert answer.status_code == 422
        assert "can’t be used for a new sign-up" in form.page.error("key")
