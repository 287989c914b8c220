"""What a panel asks and how it is drawn, without Grafana's JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

HERE = 'job="$job"'
"""Every expression is of one fleet: that of the job chosen above."""


class Kind(StrEnum):
    """Grafana's names of the drawings that are used."""

    STAT = "stat"
    TIME = "timeseries"
    STATES = "state-timeline"
    BARS = "bargauge"


@dataclass(frozen=True, slots=True)
class Ask:
    """One expression, and what its series are called."""

    expr: str
    legend: str = "__auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. `warn` and `alarm` are where it turns orange and red; `falling` where less is
    worse. `unit` is one of Grafana's."""

    title: str
    says: str
    asks: Sequence[Ask]
    unit: str = "short"
    kind: Kind = Kind.TIME
    width: int = 8
    warn: float | None = None
    alarm: float | None = None
    falling: bool = False
    stacked: bool = False
    most: float | None = None
    """The top of the axis."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below a heading."""

    title: str
    panels: Sequence[Panel]


def fleet(metric: str, by: str = "", where: str = "") -> str:
    """A gauge of the whole fleet, which one process tells: the greatest, for while a shard changes
    its owner two may tell it."""
    return _over("max", f"lamplighter_{metric}", by, where)


def each(metric: str, by: str = "", where: str = "", over: str = "sum") -> str:
    """A gauge of every process."""
    return _over(over, f"lamplighter_{metric}", by, where)


def grown(metric: str, by: str = "", where: str = "", within: str = "1h") -> str:
    """By how much a counter rose in every process together."""
    inside = f"increase(lamplighter_{metric}{{{_labels(where)}}}[{within}])"
    return f"sum by ({by}) ({inside})" if by else f"sum({inside})"


def per_second(metric: str, by: str = "", where: str = "") -> str:
    """How fast a counter rises in every process together."""
    inside = f"rate(lamplighter_{metric}{{{_labels(where)}}}[$__rate_interval])"
    return f"sum by ({by}) ({inside})" if by else f"sum({inside})"


def quantile(share: float, metric: str, within: str = "$__rate_interval", by: str = "le") -> str:
    """Of a histogram over every process."""
    inside = f"rate(lamplighter_{metric}_bucket{{{HERE}}}[{within}])"
    return f"histogram_quantile({share}, sum by ({by}) ({inside}))"


def gateway(metric: str) -> str:
    """A gauge of each gateway, with its name."""
    named = f"max by (gateway_id, name) (lamplighter_gateway_info{{{HERE}}})"
    of = f"max by (gateway_id) (lamplighter_gateway_{metric}{{{HERE}}})"
    return f"{of} * on (gateway_id) group_left (name) {named}"


def _over(how: str, metric: str, by: str, where: str) -> str:
    inside = f"{metric}{{{_labels(where)}}}"
    return f"{how} by ({by}) ({inside})" if by else f"{how}({inside})"


def _labels(where: str) -> str:
    return f"{HERE}, {where}" if where else HERE
