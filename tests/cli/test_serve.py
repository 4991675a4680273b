"""`gangway serve` answers, runs the worker, and leaves nothing half done when it stops."""

import hashlib
import json
import signal
import socket
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.operators.models import OneTimeLink
from app.payers import Payer
from app.serving.server import Server
from app.simulator import Simulator
from app.sync import Backfill, WorkerHeartbeat
from app.sync.workers.worker import STOP_TIMEOUT
from tests.conftest import make_settings
from tests.support.commands import environment, rows, run_command
from tests.support.logs import lines_of
from tests.support.processes import PATIENCE, PROCESS_MARKS, fetch, free_port, gangway, start
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import bearer


def test_has_time_to_give_back_before_it_is_killed() -> None:
    grace = Server(create_app, make_settings(), "127.0.0.1:0").cfg.graceful_timeout

    assert grace - STOP_TIMEOUT >= 1
    assert grace < 10


class TestProgram:
    """In another process. `tests/monitoring/test_processes.py` has several processes."""

    pytestmark = PROCESS_MARKS

    def test_answers_and_says_in_its_log_how_the_first_operator_is_made(self, database_url: str) -> None:
        address = f"127.0.0.1:{free_port()}"

        with gangway("serve", "--bind", address, **environment(database_url, LOG_LEVEL="WARNING")) as server:
            server.wait_for(f"http://{address}/healthz")
            ready = fetch(f"http://{address}/readyz")
            page = fetch(f"http://{address}/signup")
            status = server.tell(signal.SIGTERM)
            _, _, said = server.end()

        assert ready[0] == 200
        assert "Your details" in page[1]
        assert status == 0
        [line] = [line for line in lines_of(said) if line["event"] == "no_operator_yet"]
        token = line["set_up_once_at"].removeprefix("http://127.0.0.1:8000/operator/setup?token=")
        assert [link.token_hash for link in rows(database_url, OneTimeLink)] == [
            hashlib.sha256(token.encode()).hexdigest()
        ]

    @pytest.mark.usefixtures("unverified_payer")
    def test_converges_by_itself_and_stops_on_ctrl_c(self, stripe_url: str, database_url: str) -> None:
        address, settings = f"127.0.0.1:{free_port()}", environment(database_url, STRIPE_API_BASE=stripe_url)

        with gangway("serve", "--bind", address, **settings) as server:
            server.wait_until(lambda: rows(database_url, Payer)[0].verified_at is not None)
            status = server.tell(signal.SIGINT)

        assert status == 0
        assert rows(database_url, WorkerHeartbeat) == []

    @pytest.mark.usefixtures("unverified_payer")
    def test_gives_back_what_stripe_keeps_waiting(
        self, app: Flask, stripe_url: str, simulator: Simulator, database_url: str
    ) -> None:
        headers = bearer(app)
        simulator.fault_settings.latency = 10 * PATIENCE  # until the simulator is closed
        calls, port = StripeCalls.of(simulator), free_port()
        settings = environment(database_url, STRIPE_API_BASE=stripe_url, WORKER_THREADS="2")

        with gangway("serve", "--bind", f"127.0.0.1:{port}", **settings) as server:
            server.wait_for(f"http://127.0.0.1:{port}/healthz")
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                ask_for_a_session(connection, headers)
                # a convergence, a look through the list of events, and the request
                server.wait_until(lambda: len(set(calls.made)) == 3)
                before = leases(database_url)

                status = server.tell(signal.SIGTERM)

        assert len(before - {None}) == 2  # the request has only reserved its payer
        assert leases(database_url) == {None}
        assert rows(database_url, WorkerHeartbeat) == []
        assert status == 0

    def test_says_why_a_process_ended_before_its_application_was_loaded(self, database_url: str) -> None:
        code = (
            "from app import create_app\n"
            "from app.core.config import Settings\n"
            "from app.serving.server import Server\n"
            "class Broken(Server):\n"
            "    def load(self):\n"
            "        raise RuntimeError('no luck today')\n"
            f"Broken(create_app, Settings.load(), '127.0.0.1:{free_port()}').run()\n"
        )

        with start(sys.executable, "-c", code, environment=environment(database_url)) as server:
            status, _, said = server.end()

        assert status == 3
        assert "RuntimeError: no luck today" in said
        assert "AttributeError" not in said


def leases(database_url: str) -> set[str | None]:
    """Return the leases of all payers and lists, and None if any is free."""
    return {row.lease for model in (Payer, Backfill) for row in rows(database_url, model)}


def ask_for_a_session(connection: HTTPConnection, headers: dict[str, str]) -> None:
    """Ask for a Checkout Session, and do not wait for the answer."""
    body = {
        "customer": {"name": "Grace", "usageAttribution": {"subjectKeys": ["grace"]}},
        "options": {"successURL": "https://example.com/", "currency": "USD"},
    }
    json_headers = headers | {"Content-Type": "application/json"}
    connection.request("POST", "/api/v1/stripe/checkout/sessions", json.dumps(body), json_headers)


class TestListening:
    """An address where nothing can listen gets one sentence."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "file").write_text("")
        return tmp_path

    def test_says_that_a_port_is_taken(self, database_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            result = run_command("serve", "--bind", f"127.0.0.1:{port}", **environment(database_url))

        assert result.exit_code == 1
        assert result.stderr == (
            f"Error: Port {port} of 127.0.0.1 is taken: stop what listens there, or choose another with"
            " --bind.\n"
        )

    @pytest.mark.parametrize(
        ("bind", "sentence"),
        [
            ("192.0.2.1:8000", "192.0.2.1 is not an address of this machine: choose another with --bind."),
            ("no.such.host.invalid:8000", "no.such.host.invalid is not an address of this machine"),
            ("unix:{folder}/none/socket", "The folder {folder}/none does not exist: create it"),
            ("unix:{folder}/file", "{folder}/file is not a socket: choose another path with --bind."),
            ("unix:{folder}/" + "a" * 100, "The path of the socket is longer than 103 bytes"),
        ],
    )
    def test_says_why_nothing_can_listen(
        self, database_url: str, folder: Path, bind: str, sentence: str
    ) -> None:
        address = bind.format(folder=folder)

        result = run_command("serve", "--bind", address, **environment(database_url))

        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {sentence.format(folder=folder)}")
        assert result.stderr.count("\n") == 1
