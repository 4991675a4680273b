"""A store in a file outlives its process, even a killed one."""

import http.client
import json
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from app.simulator import DEFAULT_API_KEY, Simulator, Store, add_key, revoke_key
from tests.support.processes import PATIENCE, Program, free_port, start

PROGRAM = """
import sys, threading
from pathlib import Path
from app.simulator import Simulator
from app.simulator import serve
simulator = Simulator(Path(sys.argv[1]), retry_schedule=(600, 600))
server = serve(simulator, "127.0.0.1", 0)
simulator.start()
print(server.url, flush=True)
threading.Event().wait()
"""


class Process:
    """A simulator in another process, which tests can kill."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._url = program.line().strip()

    def ask(self, path: str, key: str | None = None, **params: str) -> Any:
        headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
        if key:
            headers["Idempotency-Key"] = key
        body = urlencode(params) if params else None
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=PATIENCE)
        method = "POST" if body else "GET"
        connection.request(method, path, body, headers)
        answer = json.load(connection.getresponse())
        connection.close()
        return answer

    def kill(self) -> None:
        self._program.tell(signal.SIGKILL)


@contextmanager
def simulate(path: Path) -> Iterator[Process]:
    """Run a simulator with its store in this file."""
    with start(sys.executable, "-c", PROGRAM, str(path)) as program:
        yield Process(program)


@pytest.mark.process
@pytest.mark.timeout(600)
def test_answered_calls_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "store" / "stripe.db"
    made = []
    for turn in range(2):
        with simulate(path) as process:
            if turn == 0:
                form = {"url": f"http://127.0.0.1:{free_port()}/", "enabled_events[]": "*"}
                process.ask("/v1/webhook_endpoints", **form)
            made.append(process.ask("/v1/customers", f"key-{turn}", name=f"Ada {turn}")["id"])
            again = process.ask("/v1/customers", "key-0", name="Ada 0")["id"]
            assert again == made[0]
            process.kill()

    with simulate(path) as process:
        listed = [customer["id"] for customer in process.ask("/v1/customers")["data"]]
        events = [event["data"]["object"]["id"] for event in process.ask("/v1/events")["data"]]
        state = process.ask("/_control.json")
        process.kill()

    assert listed == events == made[::-1]
    assert state["counts"]["deliveries"] == 2
    assert len(state["tries"]) >= 1


def test_deliveries_keys_and_the_clock_survive_a_restart(
    tmp_path: Path, connect: Callable[..., stripe.StripeClient]
) -> None:
    path = tmp_path / "stripe.db"
    first = Simulator(path)
    add_key(first.store, "sk_test_second_key")
    revoke_key(first.store, DEFAULT_API_KEY)
    sdk = connect(first, "sk_test_second_key")
    endpoint = sdk.v1.webhook_endpoints.create({"url": "http://localhost/", "enabled_events": ["*"]})
    customer = sdk.v1.customers.create({"name": "Ada"})
    gone = sdk.v1.customers.create({"name": "Eve"})
    sdk.v1.webhook_endpoints.delete(endpoint.id)
    kept = sdk.v1.webhook_endpoints.create({"url": "http://localhost/2", "enabled_events": ["*"]})
    sdk.v1.customers.delete(gone.id)
    first.advance(3600)
    first.close()
    first.store.close()

    second = Simulator(path)
    sent: list[str] = []
    second.send = lambda url, _body, _headers: sent.append(url) or 200  # type: ignore[func-returns-value]
    sdk = connect(second, "sk_test_second_key")
    tries = second.deliver_due()

    assert [found.id for found in sdk.v1.customers.list().data] == [customer.id]
    assert [found.id for found in sdk.v1.webhook_endpoints.list().data] == [kept.id]
    assert (tries, sent) == (3, ["http://localhost/2"])
    assert second.clock.ahead == 3600
    with pytest.raises(stripe.AuthenticationError):
        connect(second).v1.accounts.retrieve_current()
    second.close()


def test_rolls_a_failed_transaction_back(simulator: Simulator) -> None:
    store = simulator.store
    before = {name: dict(collection) for name, collection in store.collections.items()}

    def fail() -> None:
        with store.transaction():
            store.customers["cus_a"] = {"id": "cus_a"}
            with store.transaction():
                store.customers["cus_b"] = {"id": "cus_b"}
            del store.accounts[next(iter(store.accounts))]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert {name: dict(collection) for name, collection in store.collections.items()} == before


def test_an_outer_transaction_survives_a_failed_inner_one(simulator: Simulator) -> None:
    store = simulator.store

    def fail() -> None:
        with store.transaction():
            store.customers["cus_b"] = {"id": "cus_b"}
            raise ZeroDivisionError

    with store.transaction():
        store.customers["cus_a"] = {"id": "cus_a"}
        with pytest.raises(ZeroDivisionError):
            fail()

    assert "cus_a" in store.customers


def test_rolls_memory_back_when_the_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "stripe.db")
    store.customers["cus_a"] = {"id": "cus_a", "name": "Ada"}

    with pytest.raises(TypeError):
        store.customers["cus_a"] = {"id": "cus_a", "name": object()}

    assert store.customers["cus_a"]["name"] == "Ada"
    store.close()


def test_reads_a_file_of_a_later_version(tmp_path: Path) -> None:
    path = tmp_path / "stripe.db"
    Store(path).close()
    with sqlite3.connect(path) as file:
        file.execute("INSERT INTO object VALUES ('invoices', 'in_1', 1, 'acct_1', '{}')")
    file.close()

    store = Store(path)

    assert "invoices" not in store.collections
    store.close()


def test_reads_a_file_of_an_earlier_version(tmp_path: Path) -> None:
    path = tmp_path / "stripe.db"
    Store(path).customers["cus_a"] = {"id": "cus_a"}
    with sqlite3.connect(path) as file:
        file.execute("ALTER TABLE object RENAME TO book")
    file.close()

    store = Store(path)

    assert list(store.customers) == ["cus_a"]
    store.close()


def test_reads_rows_in_order_and_by_customer(tmp_path: Path) -> None:
    path = tmp_path / "stripe.db"
    store = Store(path)
    for name, customer in (("c", "cus_1"), ("a", "cus_2"), ("b", "cus_1")):
        store.payment_methods.put(name, {"id": name, "customer": customer}, "acct_1")
    store.payment_methods.pop("a")
    before = [row.value for row in store.payment_methods.rows("acct_1", "cus_1")]
    store.close()

    store = Store(path)

    assert list(store.payment_methods) == ["c", "b"]
    assert [row.value for row in store.payment_methods.rows("acct_1", "cus_1")] == before
    assert [method["id"] for method in before] == ["b", "c"]
    assert not list(store.payment_methods.rows("acct_1", "cus_2"))
    store.close()
