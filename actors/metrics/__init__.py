"""Figures: success of downlinks from stored verdicts, and everything countable for Prometheus."""

from actors.metrics.downlinks import downlink_metrics, summarize
from actors.metrics.garbage import GarbageWatch
from actors.metrics.registry import Metrics
from actors.metrics.reliability import reliability
from actors.metrics.sources import Sources
from actors.metrics.verdict import FLEET_STREAM, Verdict, device_stream, verdict_of, verdict_writes

__all__ = [
    "FLEET_STREAM",
    "GarbageWatch",
    "Metrics",
    "Sources",
    "Verdict",
    "device_stream",
    "downlink_metrics",
    "reliability",
    "summarize",
    "verdict_of",
    "verdict_writes",
]
