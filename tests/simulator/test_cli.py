"""The official Stripe CLI, if it is on PATH or STRIPE_CLI names it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.simulator import DEFAULT_API_KEY, Simulator, serve
from tests.support.processes import PROCESS_MARKS, start

CLI = os.environ.get("STRIPE_CLI") or shutil.which("stripe")
pytestmark = [
    *PROCESS_MARKS,
    pytest.mark.skipif(CLI is None, reason="needs the Stripe CLI on PATH or in STRIPE_CLI"),
]

# It reports its use and looks for a newer version: a proxy that nobody serves keeps it on this machine,
# and a race in its reports can end a command that has succeeded.
QUIET = {"STRIPE_CLI_TELEMETRY_OPTOUT": "true", "HTTPS_PROXY": "http://127.0.0.1:9"}

Run = Callable[..., str]


@pytest.fixture
def run(simulator: Simulator, tmp_path: Path) -> Iterator[Run]:
    server = serve(simulator, "127.0.0.1", 0)

    def command(*words: str) -> str:
        options = ("--api-base", server.url, "--api-key", DEFAULT_API_KEY)
        environment = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), **QUIET}
        with start(str(CLI), *words, *options, environment=environment) as program:
            status, printed, error = program.end()
        assert status == 0, printed + error
        return printed

    yield command
    server.close()


@pytest.mark.parametrize(
    "event",
    [
        "checkout.session.completed",
        "checkout.session.expired",
        "customer.created",
        "customer.deleted",
        "customer.updated",
        "payment_method.attached",
        "payment_method.detached",
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
    ],
)
def test_triggers(event: str, simulator: Simulator, run: Run) -> None:
    run("trigger", event)

    assert event in {told["type"] for told in simulator.store.events.values()}


def test_creates_customers(simulator: Simulator, run: Run) -> None:
    customer = json.loads(run("customers", "create", "-d", "name=Ada", "-d", "metadata[a]=b"))

    assert simulator.store.customers[customer["id"]]["metadata"] == {"a": "b"}


def test_resends_an_event(simulator: Simulator, run: Run) -> None:
    received: list[str] = []

    def take(_url: str, body: bytes, _headers: dict[str, str]) -> int:
        received.append(json.loads(body)["id"])
        return 200

    simulator.send = take
    path = "url=http://localhost/hook"
    endpoint = json.loads(run("webhook_endpoints", "create", "-d", path, "-d", "enabled_events[]=*"))
    run("customers", "create", "-d", "name=Ada")
    simulator.deliver_due()

    run("events", "resend", received[0])
    run("events", "resend", received[0], "--webhook-endpoint", endpoint["id"])
    simulator.deliver_due()

    assert received == [received[0]] * 3
