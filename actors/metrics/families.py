"""How our metrics are named, and families with one label."""

from prometheus_client.core import GaugeMetricFamily

PREFIX = "lamplighter"


def gauges(name: str, text: str, label: str) -> GaugeMetricFamily:
    """A gauge for each value of one label, without samples yet."""
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
