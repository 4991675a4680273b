"""What goes wrong by chance, for all calls, or at a pace: rates, outages, latency, limits, lagging lists."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from app.simulator import DEFAULT_API_KEY, FAULTS, Simulator, serve
from tests.support.processes import wait_until
from tests.support.simulator import Connect, Raw

MANY = 120


@pytest.fixture(autouse=True)
def _same_dice_every_time(simulator: Simulator) -> None:
    simulator.fault_settings.random.seed(7)


def send_many(simulator: Simulator, sdk: stripe.StripeClient, **fault_settings: object) -> None:
    """Have many events made and delivered once, under these fault settings."""
    simulator.fault_settings.change(fault_settings)
    for number in range(MANY):
        sdk.v1.customers.create({"name": str(number)})
    simulator.deliver_due()


def test_some_are_sent_once_more(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, duplicate_rate=0.2)

    assert MANY * 1.1 < len(inbox.events) < MANY * 1.3
    assert len({event["id"] for event in inbox.events}) == MANY


def test_some_tries_are_lost_and_made_again(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    send_many(simulator, sdk, drop_rate=0.2)
    first = len(inbox.events)
    simulator.fault_settings.reset()
    simulator.advance(2)
    simulator.deliver_due()

    assert MANY * 0.7 < first < MANY * 0.9
    assert len(inbox.events) == MANY


def test_some_are_never_sent(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, lose_rate=0.2)
    simulator.advance(3600)
    simulator.deliver_due()

    assert MANY * 0.7 < len(inbox.events) < MANY * 0.9
    listed = sdk.v1.events.list({"limit": 100, "delivery_success": False}).auto_paging_iter()
    assert len(list(listed)) == MANY - len(inbox.events)


def test_some_are_signed_wrongly(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, missign_rate=0.2)

    rightly = sum(inbox.signed(place) for place in range(MANY))
    assert MANY * 0.7 < rightly < MANY * 0.9


def test_some_are_late(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, delay_max=100)
    at_once = len(inbox.events)
    simulator.advance(50)
    simulator.deliver_due()
    half = len(inbox.events)
    simulator.advance(50)
    simulator.deliver_due()

    assert at_once < half < MANY  # how many, the real time that passed meanwhile says as well
    assert len(inbox.events) == MANY


def test_some_calls_meet_a_fault(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"error_rate": 0.3, "error_kinds": "429 503", "error_seconds": 3})

    answers = [raw("GET", "/v1/customers") for _ in range(MANY)]

    statuses = [answer.status_code for answer in answers]
    assert MANY * 0.6 < statuses.count(200) < MANY * 0.8
    assert set(statuses) == {200, 429, 503}
    assert {a.headers.get("Retry-After") for a in answers if a.status_code == 429} == {"3"}


def test_any_fault_may_come_by_chance(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"error_rate": 1, "error_seconds": 0})
    seen: list[str] = []

    for _ in range(100):
        try:
            answer = raw("POST", "/v1/customers", "name=Ada")
        except (ConnectionError, TimeoutError) as cut:
            seen.append(type(cut).__name__)
        else:
            seen.append(f"{answer.status_code} {answer.mimetype}")

    assert set(seen) == {
        "ConnectionResetError",
        "NoAnswer",
        "200 text/html",
        "200 application/json",
        "429 application/json",
        "500 application/json",
        "503 application/json",
    }
    assert 0 < len(simulator.store.customers) < 100


@pytest.mark.parametrize(
    ("outage", "error"),
    [
        ("503", stripe.APIError),
        ("reset", ConnectionResetError),
        ("timeout", TimeoutError),
    ],
)
def test_an_outage_lasts_until_it_is_over(
    outage: str, error: type[Exception], simulator: Simulator, connect: Connect
) -> None:
    simulator.fault_settings.change({"outage": outage})
    for key in (DEFAULT_API_KEY, "sk_test_unknown"):  # whoever asks is not even looked at
        with pytest.raises(error):
            connect(simulator, key).v1.customers.create({"name": "Ada"})

    simulator.fault_settings.change({"outage": ""})

    connect(simulator).v1.customers.create({"name": "Ada"})
    assert len(simulator.store.customers) == 1


def test_a_garbled_answer_is_done_all_the_same(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    simulator.faults.add("garbled_after", "POST /v1/customers")

    with pytest.raises(stripe.APIError, match="Invalid response"):
        sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
    again = sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert list(simulator.store.customers) == [again.id]


def test_an_error_that_took_effect_is_kept_for_its_key(
    simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    simulator.faults.add("500_after", "POST /v1/customers")

    for _ in range(2):
        with pytest.raises(stripe.APIError, match="unknown error"):
            sdk.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert [customer["name"] for customer in simulator.store.customers.values()] == ["Ada"]


def test_every_call_takes_its_time(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"latency": 0.05})
    began = time.monotonic()

    raw("GET", "/v1/customers")

    assert time.monotonic() - began >= 0.05


def test_nobody_waits_longer_than_the_simulator_lives(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"latency": 600})
    with ThreadPoolExecutor(1) as callers:
        call = callers.submit(raw, "GET", "/v1/customers")

        simulator.close()

        assert call.exception(10) is None or "closed" in str(call.exception())


def test_an_account_may_make_so_many_calls_a_second(
    simulator: Simulator, sdk: stripe.StripeClient, connect: Connect, page: Client, raw: Raw
) -> None:
    page.post("/_control", json={"action": "add_account", "key": "sk_test_other"})
    simulator.clock._real_time = lambda: 1_800_000_000.5  # a second that does not pass
    simulator.fault_settings.change({"rate_limit": 3})

    mine = [raw("GET", "/v1/customers") for _ in range(5)]
    connect(simulator, "sk_test_other").v1.customers.list()
    simulator.advance(1)
    sdk.v1.customers.list()

    assert [answer.status_code for answer in mine] == [200, 200, 200, 429, 429]
    assert mine[-1].headers["Retry-After"] == "1"
    assert mine[-1].get_json()["error"]["code"] == "rate_limit"


def test_the_list_of_events_may_lag(simulator: Simulator, sdk: stripe.StripeClient) -> None:
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


def test_what_is_known_of_old_events_is_forgotten_with_them(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    simulator.fault_settings.change({"event_lag": 1})
    sdk.v1.customers.create({"name": "Ada"})
    simulator.deliver_due()
    (old,) = simulator.store.events

    simulator.advance(31 * 24 * 3600)
    sdk.v1.customers.create({"name": "Eve"})

    assert not [place for place in simulator.store.notes if place.startswith(old)]
    assert any(place.startswith("evt_") for place in simulator.store.notes)


def test_answers_say_what_time_it_is(simulator: Simulator, raw: Raw) -> None:
    simulator.advance(7200)

    said = raw("GET", "/v1/customers").date

    assert said is not None
    assert abs(said.timestamp() - simulator.clock.now()) <= 1


def test_over_http_an_outage_cuts_the_connection(simulator: Simulator) -> None:
    simulator.fault_settings.change({"outage": "reset"})
    server = serve(simulator, "127.0.0.1", 0)
    client = stripe.RequestsClient(timeout=(2, 5))
    sdk = stripe.StripeClient(DEFAULT_API_KEY, base_addresses={"api": server.url}, http_client=client)

    with pytest.raises(stripe.APIConnectionError):
        sdk.v1.customers.list()

    client.close()  # type: ignore[no-untyped-call]
    server.close()


def test_duplicates_reach_a_receiver_at_once(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    simulator.fault_settings.change({"duplicate_rate": 1})
    simulator.start()

    sdk.v1.customers.create({"name": "Ada"})

    wait_until(lambda: len(inbox.events) == 2)
    assert len({event["id"] for event in inbox.events}) == 1


@pytest.mark.parametrize(
    "wrong", [{"error_rate": 1.1}, {"drop_rate": -0.1}, {"outage": "flood"}, {"error_kinds": "503 fire"}]
)
def test_chances_refuse_nonsense(wrong: dict[str, object], simulator: Simulator) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        simulator.fault_settings.change(wrong)


def test_without_a_kind_no_fault_comes(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"error_rate": 1, "error_kinds": ""})

    assert raw("GET", "/v1/customers").status_code == 200
    simulator.fault_settings.reset()
    assert simulator.fault_settings.error_kinds.split() == list(FAULTS)
