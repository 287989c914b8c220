"""What may be said of a share that was counted.

Intervals are of 99 % confidence and never empty, also where nothing failed.
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

Z = 2.5758
"""Of 99 %, both sides."""


def share(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's interval of a share."""
    if not trials:
        return 0.0, 1.0
    rate, weight = hits / trials, Z * Z / trials
    middle = (rate + weight / 2) / (1 + weight)
    half = Z * math.sqrt(rate * (1 - rate) / trials + weight / (4 * trials)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def mean(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and its interval. Needs two values."""
    middle, half = fmean(values), Z * stdev(values) / math.sqrt(len(values))
    return middle, middle - half, middle + half
