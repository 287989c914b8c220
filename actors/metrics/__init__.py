"""Figures: success of downlinks from stored verdicts, and everything countable for Prometheus."""

from actors.metrics.downlinks import downlink_metrics, summarize
from actors.metrics.garbage import GarbageWatch
from actors.metrics.registry import Metrics
from actors.metrics.reliability import reliability
from actors.metrics.sources import Sources

__all__ = [
    "GarbageWatch",
    "Metrics",
    "Sources",
    "downlink_metrics",
    "reliability",
    "summarize",
]
