"""The whole tree of supervisors, as an operator looks at it: a report, and another life by hand."""

from actors.clocks.clock import Clock
from actors.supervision.spec import ChildReport, ChildState
from actors.supervision.supervisor import Supervisor


class ActorTree:
    """The root supervisor, None before it runs, and the supervisor of the devices below it."""

    def __init__(self, devices: Supervisor, clock: Clock) -> None:
        self.root: Supervisor | None = None
        self._devices = devices
        self._clock = clock

    def report(self) -> ChildReport:
        """Every actor with its state, restarts and last error."""
        if self.root is None:
            return ChildReport("root", ChildState.STARTING, self._clock.now())
        return self.root.report()

    def revive(self, actor_id: str) -> bool:
        """Give a parked actor another life; False when there is no such parked actor."""
        if self.root is not None and self.root.revive(actor_id):
            return True
        return self._devices.revive(actor_id)
