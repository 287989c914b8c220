"""What is wrong with the stream of events, as alerts and warnings tell it. Pure."""

from collections.abc import Iterator

from actors.alerts.finding import AlertKind, Finding

FAILING_S = 60.0
"""A Redis that is restarted, or fails over, is back by then."""
GAPS_LEAST = 3
"""Within an hour. One is made by every stop of the service that lasts longer than the history."""

ADVICE = (
    "raise device_event_log_max_history to 100000 and per_device_event_log_max_history to 100 under"
    " [monitoring] in chirpstack.toml"
)


def stream_findings(
    problem: str | None, failing_since: float | None, gaps: int, now: float
) -> Iterator[Finding]:
    """Whether it can be read, and whether it is long enough; `gaps` are those of the last hour."""
    failing = failing_since is not None and now - failing_since >= FAILING_S
    text = f"ChirpStack's stream of events cannot be read: {problem}" if failing else _WELL
    yield Finding(AlertKind.EVENT_STREAM, "stream", failing, text, failing_since)
    short = gaps >= GAPS_LEAST
    text = f"ChirpStack's stream lost events before they were read, {gaps} times; {ADVICE}"
    yield Finding(AlertKind.EVENT_STREAM, "history", short, text if short else _LONG)


_WELL = "ChirpStack's stream of events is read"
_LONG = "ChirpStack's stream keeps events until they are read"
