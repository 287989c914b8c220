"""The whole tree of supervisors, as an operator looks at it: a report, and another life by hand."""

from actors.clocks.clock import Clock
from actors.supervision.spec import ChildReport, ChildState
from actors.supervision.supervisor import Supervisor


class ActorTree:
    """All below the root supervisor, which is None before it runs."""

    def __init__(self, clock: Clock) -> None:
        self.root: Supervisor | None = None
        self._clock = clock

    def report(self) -> ChildReport:
        """Every actor with its state, restarts and last error."""
        if self.root is None:
            return ChildReport("root", ChildState.STARTING, self._clock.now())
        return self.root.report()

    def revive(self, actor_id: str) -> bool:
        """Give a parked actor another life; False when there is no such parked actor."""
        return self.root is not None and self.root.revive(actor_id)
