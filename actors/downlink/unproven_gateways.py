"""Gateways that take frames and through which none is proven: an antenna, a wrong band, no power.

Theory
------
A gateway acknowledges a frame when it queues it; whether it ever leaves is not said. When nothing
that is sent through it is answered, by one light after the other, the lights are not to blame: to
go on would spend air on all of them in turn, and call each of them unreachable.

What counts is the first frame of a pursuit: later ones go to lights that have missed one already.
One that is not answered in its window weighs as much as it is unlikely, by the light's own losses:
one tenth is the unit, and none weighs more. So six in a row from lights that answer 90 % of their
frames (1 in 10^6 by luck: 0.1^6), or ten from lights that answer three in four, make a gateway
*unproven*, if they are of three lights at least: one that is dark could be asked six times. Losses
that come in bursts make six in a row likelier; then the lights wait for the end of the burst.

Lights that no other gateway hears then wait; every ten seconds one of them is tried. One proof,
whichever light's and however late, ends it, and so does a gateway's own word after a silence. Where
another gateway hears a light it goes on: what it lacks may be told by that one's record.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.link.judgement import AttemptJudged

WEIGHT_LEAST = 6.0 - 1e-9
LIGHTS_LEAST = 3
RUN_ENDS_S = 3_600.0
"""After an hour without a frame that was missed a run begins anew: something may have changed."""
PROBE_EACH_S = 10.0
"""At SF12 a frame takes 1.3 s: an eighth of the gateway's air, for as long as nobody repairs it;
its budget bounds it further."""
LIGHTS_MOST = 16
"""Lights remembered of a run, of which three are asked for."""


@dataclass(slots=True)
class Unproven:
    """A gateway through which nothing is proven since `since` (steady seconds)."""

    since: float
    frames: int
    probe_at: float
    lights: int


@dataclass(slots=True)
class _Run:
    """First frames in a row without a proof."""

    since: float
    newest_at: float
    frames: int = 0
    weight: float = 0.0
    lights: set[str] = field(default_factory=set)


class UnprovenGateways:
    """The account of all gateways. Bound: one entry for each gateway that took a frame."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self.unproven: dict[str, Unproven] = {}

    def judged(self, dev_eui: str, told: AttemptJudged, now: float) -> bool:
        """What became of an attempt for this light. True when its gateway became unproven, or is
        so no more."""
        gateway_id = told.gateway_id
        if gateway_id is None:
            return False
        if told.answered or told.late:
            return self.acquitted(gateway_id)
        known = self.unproven.get(gateway_id)
        if known is not None:
            known.frames += 1
            return False
        return told.first and self._missed(gateway_id, dev_eui, told.expected, now)

    def acquitted(self, gateway_id: str) -> bool:
        """A proof, or its own word. True if it was unproven."""
        self._runs.pop(gateway_id, None)
        return self.unproven.pop(gateway_id, None) is not None

    def probe_at(self, hearing: Iterable[str]) -> float | None:
        """When one more frame may go to a light that these hear; None if one is not unproven."""
        at = math.inf
        for one in hearing:
            known = self.unproven.get(one)
            if known is None:
                return None
            at = min(at, known.probe_at)
        return None if math.isinf(at) else at

    def probing(self, hearing: Iterable[str], now: float) -> None:
        """A frame goes to a light that these hear."""
        for one in hearing:
            known = self.unproven.get(one)
            if known is not None:
                known.probe_at = now + PROBE_EACH_S

    def _missed(self, gateway_id: str, dev_eui: str, expected: float, now: float) -> bool:
        run = self._runs.get(gateway_id)
        if run is None or now - run.newest_at > RUN_ENDS_S:
            run = self._runs[gateway_id] = _Run(since=now, newest_at=now)
        run.newest_at = now
        run.frames += 1
        run.weight += min(1.0, -math.log10(min(max(1.0 - expected, 1e-9), 1.0)))
        if len(run.lights) < LIGHTS_MOST:
            run.lights.add(dev_eui)
        if run.weight < WEIGHT_LEAST or len(run.lights) < LIGHTS_LEAST:
            return False
        del self._runs[gateway_id]
        self.unproven[gateway_id] = Unproven(
            run.since, run.frames, now + PROBE_EACH_S, len(run.lights)
        )
        return True
