"""From the order of a frame to its txack: how early the next one may be ordered.

ChirpStack sends what it was given at its next tick. An order has no influence on when that is, so
that the next frame can be ordered before its time has come, by what no frame (or hardly one) ever
undercut. How coarse the tick is nobody tells: orders at all moments of a second, with txacks that
follow all after nearly the same time, are a fine tick. Orders that keep step with the tick (each
one made after the txack before it) show nothing, so they must be spread before they count.
"""

import math
from collections import deque
from dataclasses import dataclass

LEADS_KEPT = 60
"""Newest samples: a minute of a bulk, and 1 kB a gateway."""
KNOWN_LEAST = 5
TICK_KNOWN_LEAST = 20
FINE_TICK_S = 0.2
"""With a tick up to this, a frame leaves when it is told to."""
FINE_SPREAD_S = 0.25
"""From the 10th to the 90th percentile: a tick of 0.2 s takes 0.16 of it, the way the rest."""
KEEPS_STEP = 0.5
"""Length of the mean of the orders' phases: 1 when all keep step with the tick, 0 when spread. At
0.5 a tick of 1 s still spreads the txacks over half a second."""
WAY_JITTER_S = 0.1
"""What calls, backhaul and webhook add to the spread."""
LEAD_MOST_S = 0.5
"""No more is believed: should the way become shorter at once, frames come too early by no more."""
LEAD_MOST_SHARED_S = 0.2
"""The same where another gateway may be on the air: less than the answer that lies between."""


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """What is known. `lead_s` is used where a listener is at stake, `safe_lead_s` where two frames
    would be on the air at once; both are 0 while nothing is known."""

    lead_s: float
    safe_lead_s: float
    shortest_s: float | None
    tick_s: float
    tick_measured: bool
    jitters_s: tuple[float, ...]

    @property
    def fine(self) -> bool:
        """The tick is fine enough to order frames of one batch one after another."""
        return self.tick_measured and self.tick_s <= FINE_TICK_S


class LeadEstimator:
    """The newest samples of one gateway. `tick_s` is taken for ChirpStack's until it is known."""

    __slots__ = ("_careful_tick_s", "_ever_s", "_known", "_samples")

    def __init__(self, tick_s: float) -> None:
        self._careful_tick_s = tick_s
        self._samples: deque[tuple[float, float]] = deque(maxlen=LEADS_KEPT)
        self._ever_s = math.inf
        self._known: LeadTimes | None = None

    def add(self, ordered_at: float, lead_s: float) -> None:
        """A frame ordered then was acknowledged so long after."""
        self._samples.append((ordered_at, lead_s))
        self._ever_s = min(self._ever_s, lead_s)
        self._known = None

    def known(self) -> LeadTimes:
        """What follows from the samples."""
        if self._known is None:
            self._known = self._learn()
        return self._known

    def _learn(self) -> LeadTimes:
        leads = sorted(lead_s for _, lead_s in self._samples)
        if len(leads) < KNOWN_LEAST:
            return LeadTimes(0.0, 0.0, None, self._careful_tick_s, False, (0.0,))
        tick_s, measured = self._tick(leads)
        fine = measured and tick_s <= FINE_TICK_S
        # Orders that keep step with the tick see a part of it: then the shortest of all counts.
        lead_s = leads[len(leads) // 10] if fine else self._ever_s
        return LeadTimes(
            lead_s=min(lead_s, LEAD_MOST_S),
            safe_lead_s=max(0.0, min(self._safe_s(fine, tick_s, len(leads)), LEAD_MOST_SHARED_S)),
            shortest_s=leads[0],
            tick_s=tick_s,
            tick_measured=measured,
            jitters_s=tuple(one - lead_s for one in leads) if fine else (0.0,),
        )

    def _safe_s(self, fine: bool, tick_s: float, count: int) -> float:
        """What no frame undercuts on its way to the air. The shortest ever seen has the way back of
        its txack within, and another frame's way may be shorter by all that ways vary; of few
        frames none may have met the end of a coarse tick."""
        unseen_s = 0.0 if fine else tick_s / count
        return self._ever_s - WAY_JITTER_S - unseen_s

    def _tick(self, leads: list[float]) -> tuple[float, bool]:
        """How coarse it is, and whether the samples can tell."""
        careful_s, count = self._careful_tick_s, len(leads)
        if count < TICK_KNOWN_LEAST or careful_s <= FINE_TICK_S:
            return careful_s, careful_s <= FINE_TICK_S
        turns = [2.0 * math.pi * at / careful_s for at, _ in self._samples]
        mean = math.hypot(sum(map(math.cos, turns)), sum(map(math.sin, turns))) / count
        spread_s = leads[count * 9 // 10] - leads[count // 10]
        if mean > KEEPS_STEP:
            return careful_s, False
        if spread_s <= FINE_SPREAD_S:
            return FINE_TICK_S / 2.0, True
        return max(careful_s, spread_s / 0.8 - WAY_JITTER_S), True
