"""Numbers in Prometheus' text format, read."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families


def read(text: str) -> dict[str, float]:
    """Each sample by its name and labels, as `name{label=value,…}` in alphabetical order."""
    return {
        f"{sample.name}{_labels(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    told = ",".join(f"{name}={value}" for name, value in sorted(labels))
    return f"{{{told}}}" if told else ""
