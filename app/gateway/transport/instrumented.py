"""Watch how Stripe answers: report one word for each try of each call."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe

from app.gateway.transport import time_budget

OnCall = Callable[[str, str, float], None]  # operation, outcome, seconds

IDS = {"acct", "bps", "cs", "cus", "evt", "mandate", "pm", "seti", "we"}


class InstrumentedClient(stripe.HTTPClient):
    """An HTTP client for the SDK that leaves the work to another one, and reports the outcome."""

    name = "requests"  # the SDK says so to Stripe

    def __init__(self, inner: stripe.HTTPClient, on_call: OnCall) -> None:
        super().__init__()
        self._inner = inner
        self._on_call = on_call

    def request(  # type: ignore[override]  # as the SDK's own clients do
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[Any, int, Any]:
        """Send one request, unless a person waits and has waited too long already."""
        time_budget.refuse_late_call()
        outcome, began = "unreachable", time.perf_counter()
        try:
            answer: tuple[Any, int, Any] = self._inner.request(method, url, headers, post_data)
            outcome = outcome_of(answer[1])
            return answer
        finally:
            self._on_call(operation(method, url), outcome, time.perf_counter() - began)

    def _should_retry(
        self,
        response: tuple[Any, int, Mapping[str, str] | None] | None,
        api_connection_error: stripe.APIConnectionError | None,
        num_retries: int,
        max_network_retries: int | None,
    ) -> bool:
        wants = super()._should_retry(response, api_connection_error, num_retries, max_network_retries)
        return bool(wants) and time_budget.allows_retry(response)

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return self._inner._sleep_time_seconds(num_retries)  # noqa: SLF001 (a retry is the inner one's matter)


def operation(method: str, url: str) -> str:
    """A call by its kind, such as `GET /v1/customers/{id}`: not a series for each customer."""
    parts = urlsplit(url).path.split("/")
    return f"{method.upper()} {'/'.join('{id}' if part.partition('_')[0] in IDS else part for part in parts)}"


def outcome_of(status: int) -> str:
    """How an answer is counted."""
    if status < 400:
        return "ok"
    named = {401: "unauthorized", 403: "forbidden", 404: "missing", 409: "conflict", 429: "throttled"}
    return named.get(status, "refused" if status < 500 else "failed")
