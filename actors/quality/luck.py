"""How likely so many rare events are by chance alone."""

import math


def poisson_at_least(count: int, mean: float) -> float:
    """Chance of `count` events or more where `mean` are to be expected."""
    below, term = 0.0, math.exp(-mean)
    for at in range(count):
        below += term
        term *= mean / (at + 1)
    return max(0.0, 1.0 - below)
