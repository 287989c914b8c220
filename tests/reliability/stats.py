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


def quantile_ranks(part: float, n: int) -> tuple[int, int, int]:
    """Ranks (from 1) of the sample's quantile, in the middle, and of the ends of its interval.

    By order statistics: the number of values below the true quantile is binomial. A rank of n + 1
    means that so few values do not bound it.
    """
    tail = math.erfc(Z / math.sqrt(2.0)) / 2.0
    below = 0.0
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(n + 1)]
    low, high = 1, n + 1
    for k in range(n + 1):
        chance = math.exp(logs[k] + k * math.log(part) + (n - k) * math.log(1.0 - part))
        if below + chance <= tail:
            low = max(1, k + 1)
        if 1.0 - below <= tail:
            high = min(high, k)
        below += chance
    return low, math.ceil(part * n - 1e-9), max(high, 1)
