"""What people are told of clocks: ours was set, the host slept, ChirpStack's differs.

Pure: from what the timekeeper saw to words, or None where there is nothing (any more) to tell.
"""

from actors.clocks.clock import ClockNews
from actors.clocks.server_clock import ClockDifference

TOLD_S = 5.0
"""Sleeps, steps and differences from here on are told: an item lives half a minute, and two
machines with a time server are within a second of each other."""
RECENT_S = 900.0
"""A step or a sleep is over when it is done; it stays told for a quarter of an hour."""
CHANGE_S = 2.0
"""A difference is told anew when it changed by so much."""


class ClockWarnings:
    """Two subjects: this machine's clock, and ChirpStack's against it. Times are steady ones."""

    def __init__(self) -> None:
        self.host: str | None = None
        """That our clock was set or stood still lately, in words."""
        self.server: str | None = None
        """How far ChirpStack's clock is from ours, in words."""
        self._host_until = 0.0
        self._server_told_s = 0.0

    def see(self, news: ClockNews, difference: ClockDifference, steady: float) -> bool:
        """A look at the clocks. True when `host` or `server` changed."""
        before = self.host, self.server
        self._see_host(news, steady)
        self._see_server(difference.used_s)
        return before != (self.host, self.server)

    def _see_host(self, news: ClockNews, steady: float) -> None:
        if abs(news.stepped_s) >= TOLD_S:
            way = "forward" if news.stepped_s > 0 else "back"
            self.host = f"this machine's clock was set {way} by {span_words(news.stepped_s)}"
        elif news.slept_s >= TOLD_S:
            slept = span_words(news.slept_s)
            self.host = f"this machine slept for {slept}: nothing was heard or sent meanwhile"
        elif self.host is not None and steady >= self._host_until:
            self.host = None
            return
        else:
            return
        self._host_until = steady + RECENT_S

    def _see_server(self, ahead_s: float) -> None:
        if abs(ahead_s) < TOLD_S:
            self.server = None
        elif self.server is None or abs(ahead_s - self._server_told_s) >= CHANGE_S:
            self._server_told_s = ahead_s
            way = "ahead of" if ahead_s > 0 else "behind"
            self.server = (
                f"ChirpStack's clock is {span_words(ahead_s)} {way} this machine's: let a time"
                " server set both"
            )


def span_words(seconds: float) -> str:
    """A length of time in the unit that tells it best: `90 s`, `12 min`, `3 h`, `2 d`."""
    length = abs(seconds)
    for unit, name in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if length >= 2 * unit:
            return f"{length / unit:.0f} {name}"
    return f"{length:.0f} s"
