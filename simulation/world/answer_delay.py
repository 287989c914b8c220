"""How long a light takes to answer: from the end of a downlink to the start of its status.

No vendor's document tells it. The models are what a light might do; whoever makes a world names
the one that it means.
"""

import math
import random

import msgspec

from simulation.world.chance import Span


class Uniform(msgspec.Struct, frozen=True, tag=True):
    """Any delay of the range is as likely as any other."""

    low_s: float
    high_s: float

    def draw(self, rng: random.Random) -> float:
        """One delay in seconds."""
        return rng.uniform(self.low_s, self.high_s)


class Lognormal(msgspec.Struct, frozen=True, tag=True):
    """Mostly near the median, now and then many times as long. `sigma` is that of its logarithm."""

    median_s: float
    sigma: float = 0.5

    def draw(self, rng: random.Random) -> float:
        """One delay in seconds."""
        return self.median_s * math.exp(rng.gauss(0.0, self.sigma))


class Held(msgspec.Struct, frozen=True, tag=True):
    """As usual, but a share of the answers waits for its duty cycle's off-time first."""

    usual: Uniform | Lognormal
    share: float
    wait_s: Span

    def draw(self, rng: random.Random) -> float:
        """One delay in seconds."""
        delay_s = self.usual.draw(rng)
        return delay_s + rng.uniform(*self.wait_s) if rng.random() < self.share else delay_s


AnswerDelay = Uniform | Lognormal | Held

PROMPT = Uniform(0.05, 0.30)
"""What a device's own processing takes, and what version 0.1.0 took for granted."""
ONE_SECOND = Uniform(1.0, 1.0)
"""What an integrator says of the real light."""
SECONDS = Uniform(1.0, 3.0)
"""A random pause, as firmware has that avoids collisions."""
LONG_TAILED = Lognormal(1.5)
"""A busy firmware: 1.5 s mostly, one in a thousand over 7 s."""
HELD = Held(PROMPT, 0.05, (10.0, 60.0))
"""One answer in twenty waits out an off-time of SF9 or SF10."""
HELD_SF12 = Held(PROMPT, 0.05, (50.0, 200.0))
"""The same at SF12: a status of 1.97 s at 1 % is followed by 197 s."""

ANSWER_DELAYS: dict[str, AnswerDelay] = {
    "0.05-0.3 s": PROMPT,
    "1 s": ONE_SECOND,
    "1-3 s": SECONDS,
    "lognormal 1.5 s": LONG_TAILED,
}
"""The four for which every figure is given, by the name that it is shown under."""
