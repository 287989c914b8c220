"""The time of day as a port, so that no actor reads a wall clock by itself.

The rule it keeps: within one run, time never goes backwards and never jumps when somebody sets
the machine's clock, because every deadline and every ordering of ours depends on it.
"""

from typing import Protocol

import trio


class Clock(Protocol):
    """Tells the time in Unix seconds UTC. Within one run it never goes backwards."""

    def now(self) -> float:
        """The time now, in Unix seconds UTC."""
        ...


class RunClock:
    """The clock of one `trio.run`: wall time read once, then advanced by Trio's own clock.

    It must be made inside `trio.run` and read from Trio's thread; elsewhere Trio raises
    RuntimeError. Under a mock clock it follows virtual time.
    """

    __slots__ = ("_wall_at_zero",)

    def __init__(self, wall_at_start: float) -> None:
        self._wall_at_zero = wall_at_start - trio.current_time()

    def now(self) -> float:
        """The time now, in Unix seconds UTC; resolution about 0.3 microseconds (a double)."""
        return self._wall_at_zero + trio.current_time()
