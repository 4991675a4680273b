"""A browser that is let in gets a new name: a copy of its cookie from before lets nobody in."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.web.mail import Mailbox
from tests.onboarding.billing.test_codes import ask, sent_code
from tests.onboarding.billing.test_people import invited
from tests.support.billing import BillingPage, press
from tests.support.browser import Element, Page
from tests.support.handovers import HandoverPage, make_secret, sign
from tests.support.portal import client_cookie

Button = tuple[Element, dict[str, Any]]  # a form, and what is typed into it


def code(_app: Flask, _saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> Button:
    """The page that asks for the code."""
    ask(other)
    page = Page.of(other.get("/billing/code"))
    return page.one("form", action="/billing/code/check"), {"code": sent_code(mailbox)}


def invitation(_app: Flask, saved: FlaskClient, other: FlaskClient, _mailbox: Mailbox) -> Button:
    """The page of an invitation."""
    path = invited(saved)
    other.get("/signup")  # anything that gives it a cookie
    return Page.of(other.get(path)).one("form", action=path), {}


def handover(app: Flask, _saved: FlaskClient, other: FlaskClient, _mailbox: Mailbox) -> Button:
    """The page of a hand-over that one browser may use once."""
    page = HandoverPage(other, sign(make_secret(app), key="ada-1", subjectKeys=None, singleUse=True)).page
    return page.one("form", action="/handover"), {}


@pytest.fixture(params=[code, invitation, handover], ids=lambda begin: begin.__name__)
def button(
    request: pytest.FixtureRequest, app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> Button:
    """Each form that lets the other browser in."""
    made: Button = request.param(app, saved, other, mailbox)
    return made


def copy_of(app: Flask, client: FlaskClient) -> FlaskClient:
    """Another browser with the cookie that this one has now."""
    copy = app.test_client()
    copy.set_cookie("gangway", client_cookie(client))
    return copy


def name_of(client: FlaskClient) -> str:
    """The name that a browser has in its cookie."""
    with client.session_transaction() as cookie:
        return str(cookie["browser"])


def is_in(client: FlaskClient, answer: TestResponse) -> bool:
    """Does an answer lead to a billing page that shows a payment method?"""
    found = re.match(r"/billing\?customer=", answer.location or "")
    return bool(found and BillingPage(client, answer.location).titles)


def test_a_copy_of_the_cookie_gives_nobody_access(app: Flask, other: FlaskClient, button: Button) -> None:
    form, typed = button
    copy = copy_of(app, other)

    answer = press(other, form, **typed)

    assert is_in(other, answer)
    assert BillingPage(copy, answer.location).titles == []
    assert BillingPage(copy).titles == []
    assert copy.get("/return").status_code == 404


def test_a_double_click_is_accepted_by_either_answer(app: Flask, other: FlaskClient, button: Button) -> None:
    form, typed = button
    again = copy_of(app, other)

    answers = press(other, form, **typed), press(again, form, **typed)

    assert is_in(other, answers[0])
    assert is_in(again, answers[1])
    assert name_of(other) == name_of(again)


def test_a_repeat_that_comes_later_is_none(app: Flask, other: FlaskClient, button: Button) -> None:
    form, typed = button
    copy = copy_of(app, other)
    assert is_in(other, press(other, form, **typed))

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=6), tick=True):
        answer = press(copy, form, **typed)

        assert answer.status_code in {404, 410, 422}
        assert BillingPage(copy).titles == []


def test_the_browser_keeps_what_it_began(app: Flask, other: FlaskClient, button: Button) -> None:
    form, typed = button
    once = sign(
        make_secret(app),
        name="Bob",
        email="bob@example.com",
        key="bob-1",
        subjectKeys=["bob-1"],
        singleUse=True,
    )
    assert HandoverPage(other, once).submit().status_code == 303
    copy = copy_of(app, other)

    answer = press(other, form, **typed)

    assert is_in(other, answer)
    assert "Bob" in BillingPage(other, answer.location).text
    own = HandoverPage(other, once).answer
    assert own.status_code == 303
    assert other.get(own.location).status_code == 200
    assert copy.get(own.location).status_code == 404
    assert HandoverPage(copy, once).answer.status_code == 410
