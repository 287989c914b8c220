"""ChirpStack's clock against ours: between which bounds the difference lies.

Theory. A time that ChirpStack wrote (`server_at`) and that we read at `read_at` was written before
it was read: its clock is ahead of ours by at least `server_at - read_at`. However late the message
came, that bound is true; the least delayed one is the sharpest. A time that ChirpStack wrote as a
consequence of what we had asked for at `asked_at` was written after that: its clock is ahead by at
most `server_at - asked_at`. So both bounds are facts, and no delay of a webhook can pass for a
difference of clocks. Of all differences between the bounds the one nearest to zero is used: it is
corrected only what is proven.

Both bounds are of the last minutes only, for clocks are set; bounds that contradict each other mean
that one was, and the older one is dropped. Our side is the steady time
(`actors/clocks/clock.py`), so that a step of our own clock changes nothing here.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT_S = 600.0
BUCKET_S = 30.0
"""Bounds are kept as the sharpest of each half minute: 20 numbers for each side."""
NEWS_AGE_MOST_S = 10.0
"""Of all webhooks within `KEPT_S` the quickest hardly ever takes longer: one that waits for another
receiver, which hangs, takes 5 s. It is no more than the dispatcher allows for two clocks
(`DispatchPolicy.clock_slack_s`)."""
LISTED_AGE_MOST_S = 60.0
"""Of all other news the newest is when a gateway was seen last: it tells its statistics every 30 s.
Where it does so less often, the first item may end early; the log of that is news."""
TOLERANCE_S = 0.05
"""Contradictions below this are the rounding of timestamps, and the time that a look at two clocks
takes."""
FARTHEST_S = 1e10
"""Beyond 300 years it is no time that a clock tells."""


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """How far ChirpStack's clock is ahead of the machine's date, in seconds.

    `at_least` and `at_most` are the bounds (None: not known), `used_s` what is reckoned with.
    """

    at_least_s: float | None
    at_most_s: float | None
    used_s: float


class ServerClock:
    """The estimate. All times of our side are steady ones, in seconds."""

    def __init__(self) -> None:
        self._lows: deque[tuple[float, float]] = deque()
        self._highs: deque[tuple[float, float]] = deque()
        self._live: deque[tuple[float, float]] = deque()

    def told(self, server_at: float, read_at: float, *, live: bool = False) -> None:
        """We read at `read_at` a time that ChirpStack wrote by its own clock before; `live` where
        it came by a webhook, so most likely just before."""
        low = server_at - read_at
        if abs(low) > FARTHEST_S:
            return
        if self._highs and low > self.at_most(read_at) + TOLERANCE_S:
            self._highs.clear()  # set forward since, or we were
        _keep(self._lows, read_at, low, max)
        if live:
            _keep(self._live, read_at, low, max)

    def caused(self, server_at: float, asked_at: float) -> None:
        """ChirpStack wrote `server_at` because of what we asked for at `asked_at`."""
        high = server_at - asked_at
        if abs(high) > FARTHEST_S:
            return
        if self._lows and high < self.at_least(asked_at) - TOLERANCE_S:
            self._lows.clear()
            self._live.clear()
        _keep(self._highs, asked_at, high, min)

    def at_least(self, steady: float) -> float:
        """The lower bound of how far it is ahead; minus infinity where nothing is known."""
        return _sharpest(self._lows, steady, max, -math.inf)

    def at_most(self, steady: float) -> float:
        """The upper bound of how far it is ahead; infinity where nothing is known."""
        return _sharpest(self._highs, steady, min, math.inf)

    def ahead_s(self, steady: float, stepped_s: float = 0.0) -> float:
        """What is reckoned with: whole seconds by which it is ahead of our steady time.

        Whole, because the microseconds of an item's expiry carry its mark
        (`downlink/item_marker.py`). While nothing is proven, ChirpStack is taken to have the
        machine's date, which is `stepped_s` ahead of the steady time; but where all that it tells
        is old by our date, and no txack ever told the upper bound, we are rather ahead of it: an
        item whose expiry was made from our date would live, and be sent, so much longer."""
        ahead_s = self._proven_s(steady, stepped_s) + stepped_s
        if math.isinf(self.at_most(steady)):
            for lows, age_most_s in (
                (self._live, NEWS_AGE_MOST_S),
                (self._lows, LISTED_AGE_MOST_S),
            ):
                newest_s = _sharpest(lows, steady, max, math.inf)
                ahead_s = min(ahead_s, newest_s + age_most_s)
        return float(math.trunc(ahead_s))

    def unproven_s(self, steady: float) -> float:
        """How far it may be behind what it is taken for, while no upper bound is known."""
        if not math.isinf(self.at_most(steady)):
            return 0.0
        return NEWS_AGE_MOST_S if self._live else LISTED_AGE_MOST_S

    def used_s(self, steady: float, stepped_s: float) -> float:
        """The estimate of `difference` alone: it is asked for with each event."""
        return self._proven_s(steady, stepped_s)

    def difference(self, steady: float, stepped_s: float = 0.0) -> ClockDifference:
        """The bounds and the estimate against the machine's date, to be shown."""
        low, high = self.at_least(steady) - stepped_s, self.at_most(steady) - stepped_s
        return ClockDifference(
            None if math.isinf(low) else low,
            None if math.isinf(high) else high,
            self._proven_s(steady, stepped_s),
        )

    def _proven_s(self, steady: float, stepped_s: float) -> float:
        low, high = self.at_least(steady) - stepped_s, self.at_most(steady) - stepped_s
        return max(low, min(high, 0.0)) if low <= high else low


def _keep(
    bounds: deque[tuple[float, float]],
    at: float,
    bound: float,
    sharper: Callable[[float, float], float],
) -> None:
    if bounds and at < bounds[-1][0] + BUCKET_S:
        began, before = bounds[-1]
        if sharper(before, bound) != before:
            bounds[-1] = (began, bound)
    else:
        bounds.append((at, bound))
    _age(bounds, at)


def _sharpest(
    bounds: deque[tuple[float, float]],
    steady: float,
    sharper: Callable[..., float],
    unknown: float,
) -> float:
    _age(bounds, steady)
    if len(bounds) <= 1:
        return bounds[0][1] if bounds else unknown
    return sharper([bound for _, bound in bounds])


def _age(bounds: deque[tuple[float, float]], steady: float) -> None:
    while len(bounds) > 1 and bounds[0][0] + KEPT_S < steady:
        bounds.popleft()
