"""The HTTP server: open connections, and faults that look like a broken network."""

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from app.simulator import DEFAULT_API_KEY, Server, Simulator, serve
from tests.support.processes import PATIENCE, wait_until

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


def test_works_with_the_sdk(server: Server) -> None:
    sdk = over_http(server)

    customer = sdk.v1.customers.create({"name": "Ada Löv 🚢", "metadata": {"a/b": "c&d"}})

    assert sdk.v1.customers.retrieve(customer.id).name == "Ada Löv 🚢"
    sdk._requestor._get_http_client().close()  # type: ignore[no-untyped-call]


def test_keeps_fifty_connections_open(server: Server) -> None:
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


def test_raises_when_the_port_is_taken(server: Server, simulator: Simulator) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(simulator, "127.0.0.1", urlsplit(server.url).port or 0)


def test_listens_on_ipv6(simulator: Simulator) -> None:
    try:
        server = serve(simulator, "::1", 0)
    except OSError:
        pytest.skip("needs IPv6, which this machine does not have")

    assert server.url.startswith("http://[::1]:")
    server.close()


def test_closing_cuts_open_connections(simulator: Simulator) -> None:
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
def test_refuses_too_large_bodies(size: str, connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("Content-Length", size)
    connection.endheaders()

    answer = connection.getresponse()
    answer.read()

    assert answer.status == 413
    assert answer.getheader("Connection") == "close"


def test_answers_500_for_a_bug(
    simulator: Simulator, connection: http.client.HTTPConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator.store, "accounts_version", lambda _: 1 / 0)

    connection.request("GET", "/v1/account", headers=HEADERS)

    answer = connection.getresponse()
    assert (answer.status, b"ZeroDivisionError" in answer.read()) == (500, True)


@pytest.mark.parametrize("kind", ["reset", "reset_after"])
def test_a_fault_cuts_the_http_connection(
    kind: str, simulator: Simulator, connection: http.client.HTTPConnection
) -> None:
    simulator.faults.add(kind)

    connection.request("POST", "/v1/customers", "name=Ada", FORM)
    with pytest.raises(ConnectionResetError):
        connection.getresponse()

    assert len(simulator.store.customers) == (kind == "reset_after")


def test_a_timeout_gives_no_http_answer(simulator: Simulator, server: Server) -> None:
    simulator.faults.add("timeout_after", "POST /v1/customers", seconds=10 * PATIENCE)
    caller = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=PATIENCE)
    head = "POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    caller.sendall(f"{head}Authorization: Bearer {DEFAULT_API_KEY}\r\n\r\n".encode())

    wait_until(lambda: len(simulator.store.customers) == 1)
    caller.settimeout(0.2)
    with pytest.raises(TimeoutError):
        caller.recv(1)

    caller.close()


def test_the_sdk_retries_after_a_cut(simulator: Simulator, server: Server) -> None:
    sdk = over_http(server, max_network_retries=2)
    simulator.faults.add("reset_after", "POST /v1/customers")

    sdk.v1.customers.create({"name": "Ada"})

    assert len(simulator.store.customers) == 1
    sdk._requestor._get_http_client().close()  # type: ignore[no-untyped-call]
