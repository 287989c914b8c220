"""What the service learned of the air, held against how the world really is.

A wait that is much longer than the slowest answers keeps retries waiting; one that is shorter sends
them needlessly. Both bounds leave room for what is no part of a light's delay: the forwarder's lag,
the way of txacks and webhooks, and a light that must end its receive windows first.
"""

import random
from collections.abc import Mapping

from simulation.world.answer_delay import AnswerDelay, Held
from simulation.world.world import World

DRAWS = 2_000
SLOWEST, USUAL = 0.998, 0.5
BUCKET = 1.15 * 1.1
"""The width of a bucket of the histogram, and what the wait leaves to spare."""
ON_THE_WAY_S = 0.8
"""De-duplication 0.2 s, backhaul, webhooks, ChirpStack's own calls."""
WINDOWS_S = 2.5
"""A light that has just spoken speaks again after its receive windows."""
CAREFUL_S = 8.5
"""The wait before anything is known is 8 s: nothing shorter can be called too long. A sample of
the wrong frame is off by 10 s."""


class LearnedTruth:
    """The bounds of one world, by software revision."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bounds_s: dict[int, tuple[float, float] | None] = {}

    def broken(self, waits_s: Mapping[int, float]) -> str | None:
        """What is wrong with the waits that were learned; None where nothing is."""
        for sw_rev, wait_s in waits_s.items():
            bounds_s = self._of(sw_rev)
            if bounds_s is not None and not bounds_s[0] <= wait_s <= bounds_s[1]:
                return (
                    f"answers of software {sw_rev} are waited for {wait_s:.1f} s, and they take"
                    f" from {bounds_s[0]:.1f} to {bounds_s[1]:.1f} s"
                )
        return None

    def _of(self, sw_rev: int) -> tuple[float, float] | None:
        if sw_rev not in self._bounds_s:
            self._bounds_s[sw_rev] = self._drawn(sw_rev)
        return self._bounds_s[sw_rev]

    def _drawn(self, sw_rev: int) -> tuple[float, float] | None:
        profile = self._world.profile
        models: tuple[AnswerDelay, ...] = (profile.answers_of(sw_rev),)
        if profile.firmware_every_s:
            models += profile.answer_delays_later
        if any(isinstance(model, Held) for model in models):
            return None  # how long the held ones are waited for is a matter of taste
        rng = random.Random(1)
        draws = [sorted(model.draw(rng) for _ in range(DRAWS)) for model in models]
        lag_s = max(gateway.forwarder.lag_s for gateway in self._world.gateways.values())
        slowest_s = max(some[round(SLOWEST * (DRAWS - 1))] for some in draws)
        usual_s = min(some[round(USUAL * (DRAWS - 1))] for some in draws)
        most_s = (slowest_s + lag_s + ON_THE_WAY_S + WINDOWS_S) * BUCKET
        return usual_s, max(most_s, CAREFUL_S)
