"""Outages, latency, rate limits, lags, and faults after the change is done."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe
from werkzeug.test import Client

from app.simulator import DEFAULT_API_KEY, Simulator, serve
from tests.support.simulator import Connect, Raw


@pytest.mark.parametrize(
    ("outage", "error"),
    [
        ("503", stripe.APIError),
        ("reset", ConnectionResetError),
        ("timeout", TimeoutError),
    ],
)
def test_an_outage_fails_every_call_until_it_ends(
    outage: str, error: type[Exception], simulator: Simulator, connect: Connect
) -> None:
    simulator.fault_settings.change({"outage": outage})
    for key in (DEFAULT_API_KEY, "sk_test_unknown"):  # an outage comes before authentication
        with pytest.raises(error):
            connect(simulator, key).v1.customers.create({"name": "Ada"})

    simulator.fault_settings.change({"outage": ""})

    connect(simulator).v1.customers.create({"name": "Ada"})
    assert len(simulator.store.customers) == 1


def test_a_garbled_answer_hides_a_successful_call(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    simulator.faults.add("garbled_after", "POST /v1/customers")

    with pytest.raises(stripe.APIError, match="Invalid response"):
        sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
    again = sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert list(simulator.store.customers) == [again.id]


def test_replays_an_error_that_took_effect(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    simulator.faults.add("500_after", "POST /v1/customers")

    for _ in range(2):
        with pytest.raises(stripe.APIError, match="unknown error"):
            sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert [customer["name"] for customer in simulator.store.customers.values()] == ["Ada"]


def test_latency_delays_every_call(simulator: Simulator, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(simulator, "pause", waited.append)
    simulator.fault_settings.change({"latency": 0.05})

    for _ in range(2):
        raw("GET", "/v1/customers")

    assert waited == [0.05, 0.05]


def test_close_ends_a_delayed_call(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"latency": 600})
    with ThreadPoolExecutor(1) as callers:
        call = callers.submit(raw, "GET", "/v1/customers")

        simulator.close()

        assert call.exception(10) is None or "closed" in str(call.exception())


def test_limits_the_calls_of_each_account(
    simulator: Simulator, sdk: stripe.StripeClient, connect: Connect, page: Client, raw: Raw
) -> None:
    page.post("/_control", json={"action": "add_account", "key": "sk_test_other"})
    simulator.clock._real_time = lambda: 1_800_000_000.5  # the second never ends
    simulator.fault_settings.change({"rate_limit": 3})

    mine = [raw("GET", "/v1/customers") for _ in range(5)]
    connect(simulator, "sk_test_other").v1.customers.list()
    simulator.advance(1)
    sdk.v1.customers.list()

    assert [answer.status_code for answer in mine] == [200, 200, 200, 429, 429]
    assert mine[-1].headers["Retry-After"] == "1"
    assert mine[-1].get_json()["error"]["code"] == "rate_limit"


def test_the_list_of_events_lags(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    simulator.fault_settings.change({"event_lag": 10})
    sdk.v1.customers.create({"name": "listed later"})
    simulator.fault_settings.change({"event_lag": 0})
    sdk.v1.customers.create({"name": "listed at once"})

    def listed() -> list[str]:
        return [event.data.object.name for event in sdk.v1.events.list().data]

    before = listed()
    simulator.advance(11)

    assert before == ["listed at once"]
    assert listed() == ["listed at once", "listed later"]


def test_the_date_header_shows_the_simulators_time(simulator: Simulator, raw: Raw) -> None:
    simulator.advance(7200)

    date = raw("GET", "/v1/customers").date

    assert date is not None
    assert abs(date.timestamp() - simulator.clock.now()) <= 1


def test_an_outage_cuts_http_connections(simulator: Simulator) -> None:
    simulator.fault_settings.change({"outage": "reset"})
    server = serve(simulator, "127.0.0.1", 0)
    client = stripe.RequestsClient(timeout=(2, 5))
    sdk = stripe.StripeClient(DEFAULT_API_KEY, base_addresses={"api": server.url}, http_client=client)

    with pytest.raises(stripe.APIConnectionError):
        sdk.v1.customers.list()

    client.close()  # type: ignore[no-untyped-call]
    server.close()
