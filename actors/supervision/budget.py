"""How often a child may be restarted, and how long to wait before each time.

Pure functions: time and chance come in as arguments, the history is a tuple that the caller keeps.
Choose both ends: the burst (`restarts` at once) and the sustained rate (`restarts / period_s`);
they multiply through the levels of a tree.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `restarts` restarts within any `period_s` seconds."""

    restarts: int = 5
    period_s: float = 60.0

    def __post_init__(self) -> None:
        if self.restarts < 0 or not self.period_s > 0:
            raise ValueError(f"not a restart budget: {self}")

    def spend(self, spent: tuple[float, ...], now: float) -> tuple[float, ...] | None:
        """Pay for one restart at `now`, given the times of those paid before, oldest first.

        Returns the new times, never more than `restarts` of them, or None when the budget is spent.
        A restart exactly `period_s` ago no longer counts.
        """
        recent = tuple(at for at in spent if now - at < self.period_s)
        if len(recent) >= self.restarts:
            return None
        return (*recent, now)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow by `factor` from `first_s` up to `most_s`.

    Jitter takes away up to its share of a wait and never adds, so that `most_s` is a true bound and
    children that crashed together do not come back together.
    """

    first_s: float = 0.2
    factor: float = 2.0
    most_s: float = 30.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        sound = 0 <= self.first_s <= self.most_s < math.inf and self.factor >= 1
        if not (sound and 0 <= self.jitter <= 1):
            raise ValueError(f"not a backoff: {self}")

    def delay_s(self, n: int, chance: float) -> float:
        """Seconds to wait before restart number `n` (from 1) in a row; `chance` is in [0, 1)."""
        try:
            delay_s = min(self.first_s * self.factor ** max(n - 1, 0), self.most_s)
        except OverflowError:
            delay_s = self.most_s
        return delay_s * (1 - self.jitter * chance)
