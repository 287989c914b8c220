"""What `/metrics` tells of ChirpStack's stream of events, where it is read."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from actors.event_stream.statistics import StreamStatistics
from actors.metrics.families import PREFIX

_GAUGES = (
    ("event_stream_connected", "1 while ChirpStack's stream can be read."),
    ("event_stream_lag_s", "Age of the newest entry when it was read."),
    ("event_stream_owed", "Lights that took no events, and get them once they do."),
    ("event_stream_unfinished", "Pages that were handed out and are not dealt with."),
)
_COUNTERS = (
    ("event_stream_entries", "Entries read."),
    ("event_stream_events", "Events handed to lights."),
    ("event_stream_foreign", "Entries of devices that are none of ours, or another process's."),
    ("event_stream_unreadable", "Entries that could not be read."),
    ("event_stream_past", "Events that had happened more than 10 s ago."),
    ("event_stream_gaps", "Times that entries were forgotten before they were read."),
    ("event_stream_filled", "Events found in the streams of single lights."),
    ("event_stream_connections", "Connections made."),
    ("event_stream_repeated", "Events that had come by webhook already, or the other way round."),
)


def event_stream(now: StreamStatistics) -> Iterator[Metric]:
    """All of it."""
    for name, text in _GAUGES:
        value = float(getattr(now, name.removeprefix("event_stream_")))
        yield GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)
    for name, text in _COUNTERS:
        value = float(getattr(now, name.removeprefix("event_stream_")))
        yield CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)
