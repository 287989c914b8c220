"""Bad spells of one light's radio, in which nearly every frame is lost, both ways and everywhere.

A spell lasts 20 s on average and loses nine frames of ten; a quarter of a direction's loss is
spread out over the good times. Over a long time the share lost is the one asked for.
"""

import random

BAD_S = 20.0
LOST_IN_SPELL = 0.9
SPREAD_OUT = 0.25


class Bursts:
    """One light. Its spells follow from the greater of its two losses."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._share = 0.0
        self._bad = False
        self._until_s = 0.0

    def chance(self, now_s: float, loss: float, greater_loss: float) -> float:
        """How likely a frame of now is lost, in a direction that loses `loss` of its frames.

        `greater_loss` is the greater of the two directions' losses; calls go forward in time.
        """
        share = bad_share(greater_loss)
        if share >= 1.0:
            return loss
        if share != self._share:  # another profile: spells of another kind from now on
            self._share = share
            self._bad = self._rng.random() < share
            self._until_s = now_s + self._stay_s()
        while self._until_s < now_s:
            self._bad = not self._bad
            self._until_s += self._stay_s()
        if self._bad:
            return (loss - SPREAD_OUT * loss * (1.0 - share)) / share
        return SPREAD_OUT * loss

    def _stay_s(self) -> float:
        if self._share <= 0.0:
            return float("inf")
        mean_s = BAD_S if self._bad else BAD_S * (1.0 - self._share) / self._share
        return self._rng.expovariate(1.0 / mean_s)


def bad_share(loss: float) -> float:
    """The share of the time that is bad, for a direction that loses so many of its frames."""
    spread_out = SPREAD_OUT * loss
    return min(1.0, (loss - spread_out) / (LOST_IN_SPELL - spread_out))
