"""A metric: whether each process counts rate limits for itself, because the shared storage is away."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.web import limits


class LimitStorage(Collector):
    """Checks the storage of the rate limits."""

    def collect(self) -> Iterator[Metric]:
        """Say whether each process counts for itself because Redis does not answer."""
        gauge = GaugeMetricFamily(
            "gangway_rate_limits_per_process",
            "1 while Redis does not answer, so that each process counts limits for itself.",
        )
        gauge.add_metric([], 0 if limits.current().check() else 1)
        yield gauge
