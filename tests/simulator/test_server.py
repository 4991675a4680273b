"""Over HTTP: many connections that stay open, and faults that look like a broken network."""

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from app.simulator import DEFAULT_API_KEY, Server, Simulator, serve
from tests.support.processes import PATIENCE, wait_until

Raw = Callable[..., Any]
HEADERS = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
FORM = HEADERS | {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server(simulator: Simulator) -> Iterator[Server]:
    server = serve(simulator, "127.0.0.1", 0)
    yield server
    server.close()


@pytest.fixture
def connection(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    yield connection
    connection.close()


def over_http(server: Server, **more: Any) -> stripe.StripeClient:
    stripe.enable_telemetry = False
    client = stripe.RequestsClient(timeout=PATIENCE)
    return stripe.StripeClient(
        DEFAULT_API_KEY, base_addresses={"api": server.url}, http_client=client, **more
    )


def test_the_sdk_talks_to_it_unmodified(server: Server) -> None:
    sdk = over_http(server)

    customer = sdk.v1.customers.create({"name": "Ada Löv 🚢", "metadata": {"a/b": "c&d"}})

    assert sdk.v1.customers.retrieve(customer.id).name == "Ada Löv 🚢"
    sdk._requestor._get_http_client().close()  # type: ignore[no-untyped-call]


def test_fifty_connections_stay_open_at_once(server: Server) -> None:
    connections = [
        http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE) for _ in range(60)
    ]

    def ask(connection: http.client.HTTPConnection) -> int:
        connection.request("POST", "/v1/customers", "name=Ada", FORM)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    with ThreadPoolExecutor(60) as pool:
        statuses = [status for _ in range(3) for status in pool.map(ask, connections)]

    assert statuses == [200] * 180
    for connection in connections:
        connection.close()


def test_a_taken_port_is_an_error(server: Server, simulator: Simulator) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(simulator, "127.0.0.1", urlsplit(server.url).port or 0)


def test_listens_on_ipv6_too(simulator: Simulator) -> None:
    try:
        server = serve(simulator, "::1", 0)
    except OSError:
        pytest.skip("needs IPv6, which this machine does not have")

    assert server.url.startswith("http://[::1]:")
    server.close()


def test_closing_cuts_what_is_open(simulator: Simulator) -> None:
    server = serve(simulator, "127.0.0.1", 0)
    idle = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    idle.request("GET", "/_control.json")
    idle.getresponse().read()
    gone = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    gone.request("GET", "/_control.json")
    gone.getresponse().read()
    gone.close()

    server.close()

    assert idle.sock is not None
    assert idle.sock.recv(1) == b""
    idle.close()


def test_keeps_the_connection_after_an_error_and_answers_head(connection: http.client.HTTPConnection) -> None:
    statuses = []
    for method, path in (("GET", "/v1/nope"), ("HEAD", "/v1/account"), ("GET", "/v1/account")):
        connection.request(method, path, headers=HEADERS)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)

    assert statuses == [404, 200, 200]


@pytest.mark.parametrize("size", ["-1", "many", "2000000"])
def test_refuses_bodies_beyond_measure(size: str, connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("Content-Length", size)
    connection.endheaders()

    answer = connection.getresponse()
    answer.read()

    assert answer.status == 413
    assert answer.getheader("Connection") == "close"


def test_a_bug_is_answered_as_such(
    simulator: Simulator, connection: http.client.HTTPConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.store, "accounts_version", lambda _: 1 / 0)

    connection.request("GET", "/v1/account", headers=HEADERS)

    answer = connection.getresponse()
    assert (answer.status, b"ZeroDivisionError" in answer.read()) == (500, True)


# Faults


@pytest.mark.parametrize(
    ("kind", "status", "code", "again"),
    [
        ("429", 429, "rate_limit", None),
        ("lock", 429, "lock_timeout", None),
        ("500", 500, None, "true"),
        ("503", 503, None, "true"),
    ],
)
def test_faults_are_answered(
    *, kind: str, status: int, code: str | None, again: str | None, simulator: Simulator, raw: Raw
) -> None:
    simulator.faults.add(kind, "GET /v1/account")

    other, failed, well = (raw("GET", path) for path in ("/v1/customers", "/v1/account", "/v1/account"))

    assert (other.status_code, failed.status_code, well.status_code) == (200, status, 200)
    assert failed.get_json()["error"].get("code") == code
    assert failed.headers.get("Stripe-Should-Retry") == again


def test_a_500_is_replayed_and_a_503_is_not(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("500", "POST /v1/customers")
    first = [raw("POST", "/v1/customers", "", Idempotency_Key="a").status_code for _ in range(2)]
    simulator.faults.add("503", "POST /v1/*")
    second = [raw("POST", "/v1/customers", "", Idempotency_Key="b").status_code for _ in range(2)]

    assert first == [500, 500]
    assert second == [503, 200]
    assert len(simulator.store.customers) == 1


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        ("reset", ConnectionResetError, 0),
        ("reset_after", ConnectionResetError, 1),
        ("timeout", TimeoutError, 0),
        ("timeout_after", TimeoutError, 1),
    ],
)
def test_in_process_a_broken_connection_is_an_exception(
    kind: str, error: type[Exception], made: int, simulator: Simulator, raw: Raw
) -> None:
    simulator.faults.add(kind, "* /v1/customers")

    with pytest.raises(error):
        raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")

    assert len(simulator.store.customers) == made
    assert raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k").status_code == 200
    assert len(simulator.store.customers) == 1


@pytest.mark.parametrize("kind", ["reset", "reset_after"])
def test_over_http_the_connection_is_cut(
    kind: str, simulator: Simulator, connection: http.client.HTTPConnection
) -> None:
    simulator.faults.add(kind)

    connection.request("POST", "/v1/customers", "name=Ada", FORM)
    with pytest.raises(ConnectionResetError):
        connection.getresponse()

    assert len(simulator.store.customers) == (kind == "reset_after")


def test_over_http_no_answer_comes(simulator: Simulator, server: Server) -> None:
    simulator.faults.add("timeout_after", "POST /v1/customers", seconds=10 * PATIENCE)
    caller = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=PATIENCE)
    head = "POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    caller.sendall(f"{head}Authorization: Bearer {DEFAULT_API_KEY}\r\n\r\n".encode())

    wait_until(lambda: len(simulator.store.customers) == 1)
    caller.settimeout(0.2)
    with pytest.raises(TimeoutError):
        caller.recv(1)

    caller.close()


def test_the_sdk_survives_a_cut_with_its_own_retry(simulator: Simulator, server: Server) -> None:
    sdk = over_http(server, max_network_retries=2)
    simulator.faults.add("reset_after", "POST /v1/customers")

    sdk.v1.customers.create({"name": "Ada"})

    assert len(simulator.store.customers) == 1
    sdk._requestor._get_http_client().close()  # type: ignore[no-untyped-call]


def test_faults_last_as_often_as_they_were_ordered(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("503", times=2)

    assert [raw("GET", "/v1/account").status_code for _ in range(3)] == [503, 503, 200]


def test_slow_is_slow(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("slow", seconds=0.2)
    start = time.monotonic()

    assert raw("GET", "/v1/account").status_code == 200
    assert time.monotonic() - start >= 0.2


def test_faults_can_be_cleared(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("500", times=5)
    simulator.faults.clear()

    assert raw("GET", "/v1/account").status_code == 200
