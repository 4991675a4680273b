"""An answer that we cannot understand counts as a failure. The person sees a calm page."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog
import time_machine
from flask import Response, request

from app.simulator import Simulator
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.sync_failures import MAX_ATTEMPTS
from tests.support.world import World


@pytest.fixture
def oddities(simulator: Simulator) -> list[Callable[[Any], object]]:
    """What Stripe changes in a session before it answers: something that we never saw."""
    wanted: list[Callable[[Any], object]] = []

    @simulator.wsgi.after_request
    def _change(answer: Response) -> Response:
        if request.method == "GET" and request.path.startswith("/v1/checkout/sessions/"):
            body = answer.get_json()
            for change in wanted:
                change(body)
            answer.set_data(json.dumps(body))
        return answer

    return wanted


ODDITIES: dict[str, Callable[[Any], object]] = {
    "a page without its SetupIntent": lambda body: body.pop("setup_intent"),
    "a page of nobody": lambda body: body.update(customer=None),
    "a status that is no text": lambda body: body.update(status={"is": "open"}),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_to_understand_stripe_count_as_well(
    oddity: str,
    oddities: list[Callable[[Any], object]],
    clock: time_machine.Traveller,
    world: World,
    person: Person,
    rows: Rows,
) -> None:
    person.save_card()
    oddities.append(ODDITIES[oddity])
    with structlog.testing.capture_logs() as lines:
        while person.payer.due_at is not None:
            world.settle()
            clock.shift(3601)

    assert person.payer.attempts == MAX_ATTEMPTS
    assert "could not be understood or stored" in str(person.payer.last_error)
    assert [line["event"] for line in lines].count("convergence_broke") == MAX_ATTEMPTS
    assert {found.state for found in rows(Event)} == {"dead"}
    assert person.methods == []


def test_to_understand_stripe_show_a_calm_page(
    oddities: list[Callable[[Any], object]], world: World, person: Person
) -> None:
    person.save_card()
    oddities.append(ODDITIES["a page of nobody"])

    with structlog.testing.capture_logs():
        answer = person.return_to_portal()

    assert answer.status_code == 200
    assert "check with Stripe just now" in answer.get_data(as_text=True)
