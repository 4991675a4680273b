"""How the gateway speaks with Stripe: in which version, what it sends along, over which connections."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe
from flask import request, request_started

from app.gateway import API_VERSION, StripeGateway, StripeUnavailable
from app.gateway.client import TIMEOUTS
from app.simulator import DEFAULT_API_KEY, Server, Simulator, serve
from tests.support.cases import for_each
from tests.support.stripe_relay import Relay
from tests.support.stripe_scripted import Answer, Scripted


@pytest.fixture
def server(simulator: Simulator) -> Iterator[Server]:
    """The simulated Stripe, over HTTP."""
    running = serve(simulator, "127.0.0.1", 0)
    yield running
    running.close()


@pytest.fixture
def headers(simulator: Simulator) -> Iterator[list[dict[str, str]]]:
    """The headers of every request that reached Stripe."""
    seen: list[dict[str, str]] = []

    def note(_sender: object, **_more: object) -> None:
        seen.append(dict(request.headers.items()))

    with request_started.connected_to(note, simulator.wsgi):
        yield seen


def test_pins_the_version_of_the_sdk(server: Server, headers: list[dict[str, str]]) -> None:
    StripeGateway(DEFAULT_API_KEY, api_base=server.url).account()

    assert stripe.api_version == API_VERSION
    assert [sent["Stripe-Version"] for sent in headers] == [API_VERSION]


def test_tells_stripe_nothing_about_itself(
    server: Server,
    headers: list[dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    gateway = StripeGateway(DEFAULT_API_KEY, api_base=server.url)

    for _ in range(3):
        gateway.account()

    assert not any("telemetry" in name.lower() for sent in headers for name in sent)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_keeps_its_connection_open(server: Server) -> None:
    with Relay(server.url) as relay:
        gateway = StripeGateway(DEFAULT_API_KEY, api_base=relay.url)

        for _ in range(10):
            gateway.account()

        assert relay.connections == 1


def test_is_shared_between_threads(server: Server) -> None:
    with Relay(server.url) as relay, ThreadPoolExecutor(4) as pool:
        gateway = StripeGateway(DEFAULT_API_KEY, api_base=relay.url)

        accounts = list(pool.map(lambda _: gateway.account().id, range(40)))

        assert len(set(accounts)) == 1
        assert relay.connections <= 4


def test_waits_for_seconds_not_minutes(server: Server) -> None:
    """The SDK's own default is eighty; what it was given can only be read off its client."""
    gateway = StripeGateway(DEFAULT_API_KEY, api_base=server.url)

    requestor = gateway._v1._requestor
    assert requestor._client._timeout == TIMEOUTS
    assert max(TIMEOUTS) <= 20


def test_says_so_when_nothing_listens(server: Server) -> None:
    server.close()

    with pytest.raises(StripeUnavailable, match="can't be reached"):
        StripeGateway(DEFAULT_API_KEY, api_base=server.url).account()


def test_says_so_when_the_connection_is_cut(server: Server, simulator: Simulator) -> None:
    simulator.faults.add("reset", times=3)

    with pytest.raises(StripeUnavailable, match="can't be reached"):
        StripeGateway(DEFAULT_API_KEY, api_base=server.url).account()


def test_reads_whose_key_it_has(simulator: Simulator, server: Server) -> None:
    account = StripeGateway(DEFAULT_API_KEY, api_base=server.url).account()

    assert (account.id, account.livemode) == ("acct_1RZzxYGangwaySim", False)
    assert account.name


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, None),
        ({"business_profile": None, "settings": None}, None),
        ({"business_profile": {"name": "Ada"}}, "Ada"),
        ({"business_profile": {"name": None}, "settings": {"dashboard": {"display_name": "Eve"}}}, "Eve"),
    ],
)
def test_reads_the_name_of_an_account_as_far_as_there_is_one(
    more: dict[str, object], name: str | None
) -> None:
    body = {"id": "acct_1", "object": "account", **more}

    account = Scripted(Answer(200, body)).gateway.account()

    assert account.name == name


@for_each(
    ("own", "said"),
    [
        (
            {"type": "card", "card": {"brand": "visa", "display_brand": "cartes_bancaires"}},
            "cartes_bancaires",
        ),
        ({"type": "card", "card": {"brand": "visa", "wallet": {"type": "apple_pay"}}}, "visa"),
        ({"type": "link", "link": {"email": "ada@example.com"}}, None),
        ({"type": "tomorrow"}, None),
        ({"type": "tomorrow", "tomorrow": None}, None),
        ({"type": "tomorrow", "tomorrow": {"surprise": [1]}}, None),
    ],
)
def test_reads_methods_of_every_type(own: dict[str, object], said: str | None) -> None:
    method = {"id": "pm_1", "object": "payment_method", "created": 1, "customer": "cus_1", **own}
    listed = {
        "object": "list",
        "data": [method],
        "has_more": False,
        "url": "/v1/customers/cus_1/payment_methods",
    }

    [found] = Scripted(Answer(200, listed)).gateway.payment_methods("cus_1")

    assert (found.id, found.type, found.customer_id, found.brand) == ("pm_1", own["type"], "cus_1", said)
    assert found.wallet in {None, "apple_pay"}


def test_reads_every_endpoint_over_several_pages(simulator: Simulator) -> None:
    def page(*numbers: int, more: bool) -> Answer:
        data = [
            {
                "id": f"we_{number}",
                "object": "webhook_endpoint",
                "url": "https://x.example",
                "metadata": None,
                "status": "enabled",
                "enabled_events": ["*"],
                "created": 1,
            }
            for number in numbers
        ]
        return Answer(200, {"object": "list", "data": data, "has_more": more, "url": "/v1/webhook_endpoints"})

    found = Scripted(page(1, 2, more=True), page(3, more=False)).gateway.webhook_endpoints()

    assert [endpoint.id for endpoint in found] == ["we_1", "we_2", "we_3"]
    assert [endpoint.metadata for endpoint in found] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("key", "livemode"),
    [("sk_test_1", False), ("rk_test_1", False), ("sk_live_1", True), ("rk_live_1", True)],
)
def test_tells_live_from_test_by_the_key(key: str, livemode: bool) -> None:  # noqa: FBT001
    assert StripeGateway(key, api_base="http://127.0.0.1:1").livemode is livemode
