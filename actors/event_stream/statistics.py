"""What is counted of the stream of events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """`connected`, `lag_s`, `owed` and `unfinished` (pages) are of now; the rest counts since the
    start."""

    connected: bool
    lag_s: float
    """How long ago the newest entry that was read was written, by the server's clock, when it was
    read; 0 while there is nothing to read."""
    entries: int
    events: int
    """Handed to lights."""
    foreign: int
    """Of devices that are none of ours, or in a cluster another process's."""
    unreadable: int
    past: int
    gaps: int
    filled: int
    """Events found in the streams of single lights."""
    owed: int
    unfinished: int
    connections: int
    repeated: int
    """Events that came by both ways and were told once."""
