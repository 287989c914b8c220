"""Which gateways take no frames, judged from what became of ours.

Theory
------
ChirpStack never says that a gateway is dead: it draws one of those that heard the light, publishes
the frame, and draws again 5 s later if no acknowledgement came. So an item that was sent and was
not acknowledged is a *miss* of one of its gateways. A gateway that acknowledged something half a
minute ago is hardly the one; the others share the blame. Two misses of blame make a *suspect*, be
it by two lights or by one light twice (where the queue shows that the frame really was sent; if it
does not, it may be the light that is no Class C device, and one light alone proves nothing). Any
acknowledgement acquits, and so do a gateway's own words after a silence.

A suspicion changes the pace and what is shown, never a verdict. Frames that only suspects may carry
go out one at a time, expire after one or two sendings, and at growing intervals: a gateway that
sends and never acknowledges wastes airtime, because ChirpStack's counter stands still and the light
takes each frame after the first for a repetition.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from actors.downlink.policy import DispatchPolicy

LIGHTS_MOST = 16
"""Lights remembered per gateway; two are enough for a suspicion."""


@dataclass(slots=True)
class Suspect:
    """A gateway that takes nothing since `since` (Unix seconds). `frames` were given to it, or to
    one of several of which it is one."""

    since: float
    frames: int
    probes: int = 0
    probe_at: float = 0.0


@dataclass(slots=True)
class _Blame:
    since: float
    frames: int = 0
    by_light: dict[str, float] = field(default_factory=dict)


class Suspicion:
    """The account of all gateways. Bound: one entry for each gateway that frames were for."""

    def __init__(self, policy: DispatchPolicy) -> None:
        self._policy = policy
        self._blamed: dict[str, _Blame] = {}
        self._took_at: dict[str, float] = {}
        self.suspects: dict[str, Suspect] = {}

    def missed(
        self, gateways: Iterable[str], dev_eui: str, since: float, now: float, *, sure: bool
    ) -> None:
        """A frame was given to one of these, and none acknowledged it. `sure`: the queue shows that
        it was sent; else one light counts once."""
        policy, candidates = self._policy, frozenset(gateways)
        fresh_at = now - policy.alive_s
        stale = {one for one in candidates if self._took_at.get(one, float("-inf")) < fresh_at}
        explained = candidates & self.suspects.keys()
        if explained:
            blamed, weight = stale - explained, policy.blame_beside_suspect
        else:
            blamed = stale or set(candidates)
            weight = 1.0 / max(1, len(blamed))
        for one in explained:
            self.suspects[one].frames += 1
        for one in sorted(blamed):
            self._blame(one, dev_eui, weight, policy.blame_most if sure else 1.0, since, now)

    def took(self, gateway_id: str, now: float) -> bool:
        """It acknowledged a frame: nothing is held against it. True if it was a suspect."""
        self._took_at[gateway_id] = now
        return self.acquitted(gateway_id)

    def acquitted(self, gateway_id: str) -> bool:
        """It is back, or known to be away: what was missed says nothing any more."""
        self._blamed.pop(gateway_id, None)
        return self.suspects.pop(gateway_id, None) is not None

    def probing(self, gateways: Iterable[str], now: float) -> None:
        """A frame goes out although all of these are suspects; the next one later."""
        policy = self._policy
        for one in gateways:
            suspect = self.suspects.get(one)
            if suspect is not None:
                pause_s = policy.probe_first_s * 2.0 ** min(suspect.probes, 16)
                suspect.probes += 1
                suspect.probe_at = now + min(pause_s, policy.probe_most_s)

    def probe_at(self, gateways: Iterable[str]) -> float | None:
        """When one more frame may go through these (Unix seconds); None if one is no suspect."""
        at = float("inf")
        for one in gateways:
            suspect = self.suspects.get(one)
            if suspect is None:
                return None
            at = min(at, suspect.probe_at)
        return None if at == float("inf") else at

    def _blame(
        self, gateway_id: str, dev_eui: str, weight: float, most: float, since: float, now: float
    ) -> None:
        blame = self._blamed.setdefault(gateway_id, _Blame(since))
        blame.frames += 1
        lights = blame.by_light
        if dev_eui in lights or len(lights) < LIGHTS_MOST:
            before = lights.get(dev_eui, 0.0)
            lights[dev_eui] = max(before, min(before + weight, most))
        if sum(lights.values()) >= self._policy.blame_most:
            del self._blamed[gateway_id]
            self.suspects[gateway_id] = Suspect(
                blame.since, blame.frames, probe_at=now + self._policy.probe_first_s
            )
