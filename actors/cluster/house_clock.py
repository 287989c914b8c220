"""The clock of a process of a cluster: set once by the engine's, then on its own.

Lights move between machines with dates in their records, so all processes need one time of day.
After the start nobody sets it any more: to be a little off does less harm than a step.
"""

from statistics import median
from typing import NamedTuple, Protocol

from actors.clocks.clock import RunClock

READS = 5
"""The one in the middle: a request that was held on the way counts for nothing."""


class TimeEngine(Protocol):
    """What is needed of the engine."""

    async def time(self) -> float:
        """Its clock, Unix seconds."""
        ...


class HouseClock(NamedTuple):
    """The clock, and how far the machine's own was ahead of the engine's when it was made."""

    clock: RunClock
    machine_ahead_s: float


async def house_clock(engine: TimeEngine, machine: RunClock) -> HouseClock:
    """Raises StoreError where the engine does not tell the time."""
    ahead_s = []
    for _ in range(READS):
        before = machine.now()
        told = await engine.time()
        ahead_s.append((before + machine.now()) / 2.0 - told)
    machine_ahead_s = median(ahead_s)
    return HouseClock(machine.apart(-machine_ahead_s), machine_ahead_s)
