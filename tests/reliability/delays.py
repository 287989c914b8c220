"""How long a light takes from the end of a downlink to the start of its answer: four models.

Nobody has measured it on a real light. 0.05-0.3 s is what the pretend light does by itself, 1 s is
an integrator's word; the other two are slow and uneven.
"""

import math
import random
from collections.abc import Callable, Iterator

from simulation.world.station import Station

Draw = Callable[[random.Random], float]

QUICK, STEADY, SLOW, UNEVEN = "0.05-0.3 s", "1 s", "1-3 s", "lognormal 1.5 s"
DELAYS: dict[str, Draw] = {
    QUICK: lambda rng: rng.uniform(0.05, 0.30),
    STEADY: lambda rng: 1.0,
    SLOW: lambda rng: rng.uniform(1.0, 3.0),
    UNEVEN: lambda rng: 1.5 * math.exp(rng.gauss(0.0, 0.5)),
    "0.2 s": lambda rng: 0.2,
    "4 s": lambda rng: 4.0,
}
MODELS = (QUICK, STEADY, SLOW, UNEVEN)


class Drawn:
    """A span whose two ends are one value, drawn anew each time that it is unpacked."""

    def __init__(self, draw: Draw, rng: random.Random) -> None:
        self._draw, self._rng = draw, rng

    def __iter__(self) -> Iterator[float]:
        value = self._draw(self._rng)
        return iter((value, value))


def set_delay(station: Station, model: str, seed: int) -> None:
    """From now on this light answers so."""
    rng = random.Random(f"{seed} {station.dev_eui}")
    station.answer_delay_s = Drawn(DELAYS[model], rng)  # type: ignore[assignment]
