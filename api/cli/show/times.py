"""Spans of time as a person says them. Pure: `now` is an argument."""

from datetime import datetime


def span(seconds: float) -> str:
    """`8 s`, `3 min`, `5 h`, `2 d`."""
    seconds = max(0.0, seconds)
    for size, unit, most in ((1, "s", 90), (60, "min", 90 * 60), (3600, "h", 48 * 3600)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def ago(at: float | None, now: float) -> str:
    """`8 s ago`, or `never`."""
    return "never" if at is None else f"{span(now - at)} ago"


def clock(at: float) -> str:
    """The time of day here."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
