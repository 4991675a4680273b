"""Whether this process counts the limits in the shared storage."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.web import limits


class Counting(Collector):
    """Checks the storage of the limits."""

    def collect(self) -> Iterator[Metric]:
        """Say whether each process counts for itself because Redis does not answer."""
        gauge = GaugeMetricFamily(
            "gangway_rate_limits_per_process",
            "1 while Redis does not answer, so that each process counts limits for itself.",
        )
        gauge.add_metric([], 0 if limits.current().check() else 1)
        yield gauge
