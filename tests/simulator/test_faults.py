"""Faults of single calls, in process and over HTTP."""

import pytest

from app.simulator import Simulator
from tests.support.simulator import Raw


@pytest.mark.parametrize(
    ("kind", "status", "code", "again"),
    [
        ("429", 429, "rate_limit", None),
        ("lock", 429, "lock_timeout", None),
        ("500", 500, None, "true"),
        ("503", 503, None, "true"),
    ],
)
def test_faults_have_stripes_answers(
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
def test_a_broken_connection_raises_in_process(
    kind: str, error: type[Exception], made: int, simulator: Simulator, raw: Raw
) -> None:
    simulator.faults.add(kind, "* /v1/customers")

    with pytest.raises(error):
        raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")

    assert len(simulator.store.customers) == made
    assert raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k").status_code == 200
    assert len(simulator.store.customers) == 1


def test_a_fault_happens_as_often_as_requested(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("503", times=2)

    assert [raw("GET", "/v1/account").status_code for _ in range(3)] == [503, 503, 200]


def test_a_slow_call_takes_its_seconds(
    simulator: Simulator, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(simulator, "pause", waited.append)
    simulator.faults.add("slow", seconds=90)

    assert [raw("GET", "/v1/account").status_code for _ in range(2)] == [200, 200]
    assert sum(waited) == 90


def test_clears_faults(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("500", times=5)
    simulator.faults.clear()

    assert raw("GET", "/v1/account").status_code == 200
