"""How our metrics are named, families with one label, and statistics as gauges."""

import dataclasses
from collections.abc import Iterator
from numbers import Real

from prometheus_client.core import GaugeMetricFamily, Metric

PREFIX = "lamplighter"


def gauges(name: str, text: str, label: str) -> GaugeMetricFamily:
    """A gauge for each value of one label, without samples yet."""
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[label])


def statistics_of(part: str, values: object) -> Iterator[Metric]:
    """Numeric fields of a dataclass or struct; others are left out."""
    names = (
        [one.name for one in dataclasses.fields(values)]
        if dataclasses.is_dataclass(values)
        else list(getattr(values, "__struct_fields__", ()))
    )
    for name in names:
        value = getattr(values, name)
        if isinstance(value, Real):
            text = f"{part}: {name.replace('_', ' ')}"
            yield GaugeMetricFamily(f"{PREFIX}_{part}_{name}", text, value=float(value))
