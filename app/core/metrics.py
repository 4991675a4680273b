"""The metrics of this process for Prometheus. Several processes share one folder.

Source: https://prometheus.github.io/client_python/multiprocess/
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from flask import current_app
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.core.environment import metrics_folder

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STRIPE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8, 15, 30)  # Stripe takes its time

disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one application. Safe to share between threads."""

    def __init__(self) -> None:
        self._folder = metrics_folder()
        # The library decides by the environment when it is imported; the server knows its processes later.
        values.ValueClass = _shared() if self._folder else values.MutexValue
        self.registry = CollectorRegistry()
        if self._folder is None:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "gangway_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "gangway_request_seconds",
            "Seconds until a request was answered.",
            ["route", "method"],
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._stripe_calls = Counter(
            "gangway_stripe_calls",
            "Calls of Stripe's API, counting each attempt.",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self._stripe_seconds = Histogram(
            "gangway_stripe_call_seconds",
            "Seconds until Stripe answered or failed.",
            ["operation"],
            buckets=STRIPE_BUCKETS,
            registry=self.registry,
        )
        self._convergences = Counter(
            "gangway_convergences",
            "Customers compared with Stripe, by cause and outcome.",
            ["cause", "outcome"],
            registry=self.registry,
        )
        self._convergence_seconds = Histogram(
            "gangway_convergence_seconds",
            "Seconds that a comparison with Stripe took.",
            ["cause"],
            buckets=STRIPE_BUCKETS,
            registry=self.registry,
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        known = method if method in METHODS else "other"
        self._requests.labels(route, known, str(status)).inc()
        self._request_seconds.labels(route, known).observe(seconds)

    def stripe_call(self, operation: str, outcome: str, seconds: float) -> None:
        """Count one attempt of a Stripe call."""
        self._stripe_calls.labels(operation, outcome).inc()
        self._stripe_seconds.labels(operation).observe(seconds)

    def convergence(self, cause: str, outcome: str, seconds: float) -> None:
        """Count a comparison of one customer with Stripe."""
        self._convergences.labels(cause, outcome).inc()
        self._convergence_seconds.labels(cause).observe(seconds)

    def exposition(self, *more: Collector) -> bytes:
        """Everything that all processes counted, in Prometheus' text format, with what others collect."""
        if self._folder is None:
            return generate_latest(_Together(self.registry, *more))
        shared = CollectorRegistry()
        MultiProcessCollector(shared, path=str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(_Together(shared, *more))


class _Together(CollectorRegistry):
    """Several sources, read one after another."""

    def __init__(self, *sources: Any) -> None:
        super().__init__()
        self._sources: Iterable[Any] = sources

    def collect(self) -> Iterator[Metric]:
        """Everything of each."""
        for source in self._sources:
            yield from source.collect()


@cache
def _shared() -> Any:
    """The kind of number that processes write into the folder; one kind for each process."""
    return values.MultiProcessValue()  # type: ignore[no-untyped-call]


def current() -> Metrics:
    """The counters of the current application."""
    found = current_app.extensions["gangway.metrics"]
    assert isinstance(found, Metrics)
    return found
