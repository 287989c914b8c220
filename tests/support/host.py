"""A host whose clock can be set and which can sleep, as seen by a service on it."""

from dataclasses import dataclass

import trio

from actors.clocks.clock import RunClock
from simulation.world.world import World
from tests.support.running_application import world_began


@dataclass
class Host:
    """`set_s` is how far its wall clock is ahead of the world's right time."""

    world: World
    set_s: float = 0.0
    slept_s: float = 0.0

    def elapsed(self) -> float:
        """Boot time: it goes on while the host sleeps."""
        return trio.current_time() + self.slept_s

    def wall(self) -> float:
        """What `date` would say on it."""
        began_s = world_began(self.world)
        return self.world.kernel.right_at + self.elapsed() - began_s + self.set_s

    def clock(self) -> RunClock:
        """The clock of a service that starts now."""
        return RunClock(self.wall(), wall=self.wall, elapsed=self.elapsed, host="pretend")

    def sleep(self, seconds: float) -> None:
        """It slept for so long: the dates of all went on, Trio's clock did not."""
        self.slept_s += seconds
        self.world.kernel.set_clock(self.slept_s)
