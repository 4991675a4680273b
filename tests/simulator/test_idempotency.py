"""Idempotency keys: one key makes one object, as at Stripe."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import stripe

from app.simulator import Simulator
from tests.support.simulator import Connect, Raw


def test_concurrent_calls_with_one_key_create_one_object(simulator: Simulator, connect: Connect) -> None:
    ready = threading.Barrier(25)

    def create(_: int) -> str:
        client = connect(simulator)
        ready.wait()
        while True:
            with contextlib.suppress(stripe.APIError):  # 409: the key is in use
                return client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"}).id

    with ThreadPoolExecutor(25) as pool:
        made = set(pool.map(create, range(25)))

    assert len(made) == len(simulator.store.customers) == 1
    assert len(simulator.store.events) == 1


def test_a_request_in_progress_holds_its_key(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("slow", "POST /v1/customers", seconds=30)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(raw, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k")
        while simulator.faults.state():
            pass
        second = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")
        while second.status_code == 200:
            second = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")
        simulator._closing.set()  # ends the pause

        assert second.status_code == 409
        assert second.headers["Stripe-Should-Retry"] == "true"
        assert second.get_json()["error"]["code"] == "idempotency_key_in_use"
        assert first.result().status_code == 200


def test_a_key_belongs_to_one_request(simulator: Simulator, raw: Raw) -> None:
    raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")

    other = raw("POST", "/v1/customers", "name=Eve", Idempotency_Key="k").get_json()["error"]
    place = raw("POST", "/v1/setup_intents", "", Idempotency_Key="k").get_json()["error"]
    long = raw("POST", "/v1/customers", "", Idempotency_Key="k" * 256).get_json()["error"]
    simulator.advance(25 * 3600)
    later = raw("POST", "/v1/customers", "name=Eve", Idempotency_Key="k")

    assert other["type"] == place["type"] == long["type"] == "idempotency_error"
    assert "same parameters" in other["message"]
    assert "same endpoint" in place["message"]
    assert later.get_json()["name"] == "Eve"


def test_replays_declines_but_not_refusals(raw: Raw) -> None:
    refused = raw("POST", "/v1/customers", "nam=Ada", Idempotency_Key="a")
    made = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="a")
    form = "payment_method=pm_card_chargeDeclined&confirm=true&payment_method_types[]=card"
    declined = raw("POST", "/v1/setup_intents", form, Idempotency_Key="b")
    again = raw("POST", "/v1/setup_intents", form, Idempotency_Key="b")

    assert (refused.status_code, made.status_code) == (400, 200)
    assert (declined.status_code, again.status_code) == (402, 402)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == declined.get_json()
