"""A browser is remembered for 90 days after its last visit, because banks take days. On a shared computer,
the customer can have it forgotten: then it shows nothing, and neither does a copy of its cookie."""

from datetime import timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import utcnow
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.portal import SignupPage, client_cookie, sign_up
from tests.support.return_page import look


def forget(client: FlaskClient, path: str) -> Page:
    """Press "Forget this browser" on a page; the page that it leads to."""
    page = Page.of(client.get(path))
    assert "Forget this browser" in [button.text for button in page.all("button")]
    answer = client.post("/forget", data={"csrf_token": page.all("input", name="csrf_token")[0]["value"]})
    assert (answer.status_code, answer.location) == (303, "/forgotten")
    return Page.of(client.get(answer.location))


def test_is_known_again_after_weeks(client: FlaskClient, simulator: Simulator) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        for _ in range(3):
            clock.shift(timedelta(days=80))
            assert client.get("/return").status_code == 200


def test_a_form_that_was_not_finished_is_kept_for_weeks(client: FlaskClient) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        sign_up(client, name="Ada Ltd")
        clock.shift(timedelta(days=30))

        form = SignupPage(client)

        assert form.page.value("name") == "Ada Ltd"
        assert form.submit(name="Ada Ltd").status_code == 303


def test_is_forgotten_on_request(client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client))
    look(client)
    kept = client_cookie(client)

    page = forget(client, "/return")

    assert page.h1 == "We\u2019ve forgotten this browser"
    assert client.get("/return").status_code == 404
    assert Page.of(client.get("/signup")).value("name") == ""
    client.set_cookie("gangway", kept)
    assert client.get("/return").status_code == 404


def test_is_forgotten_from_every_page_that_shows_somebody(app: Flask, simulator: Simulator) -> None:
    for path, is_saved in (("/signup", False), ("/cancelled", False), ("/signup", True), ("/return", True)):
        client = app.test_client()
        session_id = sign_up(client, key="", subject_keys=[f"{path}{is_saved}"])
        if is_saved:
            simulator.save_card(session_id)
            look(client)

        forget(client, path)

        assert client.get("/return").status_code == 404


def test_forgets_nobody_without_a_token(client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client))

    answer = client.post("/forget")

    assert answer.status_code == 400
    assert client.get("/return").status_code == 200
