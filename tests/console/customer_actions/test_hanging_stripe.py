"""Stripe hangs while an operator waits: every action answers within ten seconds, and says what is unknown."""

import pytest
from flask import Flask

from app.gateway.transport import time_budget
from tests.support.browser import Page
from tests.support.console_customer import ConsoleOf
from tests.support.hanging_stripe import Clock, HangingStripe, hang
from tests.support.people import Person

MAX_SECONDS = 10.0


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the page's time budget."""
    clock = Clock()
    monkeypatch.setattr(time_budget, "monotonic", clock)
    return clock


@pytest.mark.parametrize("connects", [True, False])
@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("edit", "Saved here. Stripe didn't answer, so we'll send it the changes later."),
        ("check", "Stripe did not answer. This page shows the last known state."),
        ("charge", "We check again within a minute"),
        ("detach", "We check again within a minute"),
    ],
)
def test_every_action_answers_in_time(
    *, action: str, said: str, connects: bool, app: Flask, saved: Person, console_of: ConsoleOf, waited: Clock
) -> None:
    console = console_of(saved)
    form = Page.of(console.client.get(f"{console.path}/edit")).one("main").one("form", method="post")
    edited = {each["name"]: each.get("value") for each in form.all("input")} | {"name": "Ada Ltd"}
    method = {"app_id": saved.payer.app_id, "method_id": str(saved.stripe_default)}
    hang(app, HangingStripe(waited, connects=connects))

    text = console.said(action, **edited if action == "edit" else method)

    assert said in text
    assert 0 < waited.now < MAX_SECONDS
    assert time_budget.time_left() is None
