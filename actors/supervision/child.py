"""The supervisor's own record of one child, small because a fleet has 20,000 of them.

A child has no Trio object of its own but its cancel scope; an Event exists only while a task waits
for a change. The record is also the `task_status` handed to the child, which saves the nursery that
`nursery.start` would make for each.
"""

import math
from collections.abc import Callable

import trio

from actors.messaging.mailbox import MailboxStatistics
from actors.supervision.spec import ChildReport, ChildSpec, ChildState


class Child:
    """One child, over all its incarnations. Only its supervisor changes it."""

    __slots__ = (
        "_changed",
        "_on_started",
        "alive",
        "dismissed",
        "entered_at",
        "last_crash_at",
        "last_error",
        "ready",
        "restarts",
        "scope",
        "since",
        "spec",
        "spent",
        "state",
        "static",
        "stopping",
        "strikes",
    )

    def __init__(
        self,
        spec: ChildSpec,
        on_started: "Callable[[Child], None]",
        now: float,
        steady: float,
        *,
        static: bool,
    ) -> None:
        self.spec = spec
        self.static = static
        self.state = ChildState.STARTING
        self.since = now  # the date, to be shown
        self.entered_at = steady  # the same moment, to measure how long it lasts
        self.restarts = 0
        self.strikes = 0  # restarts in a row without a quiet period between them
        self.spent: tuple[float, ...] = ()
        self.last_error: str | None = None
        self.last_crash_at: float | None = None
        self.ready = False  # whether it called started() since the supervisor launched it
        self.alive = False  # whether a task of the supervisor looks after it
        self.stopping = False  # asked to stop, by stop_child or with the supervisor
        self.dismissed = False  # asked to stop by stop_child: for good
        self.scope: trio.CancelScope | None = None
        self._on_started = on_started
        self._changed: trio.Event | None = None

    def started(self, _value: object = None) -> None:
        """The child's `task_status.started()`. Raises RuntimeError when called twice."""
        if self.scope is None or self.scope.cancel_called:
            return  # being stopped, or too late: it will hear of it at its next checkpoint
        if self.state is not ChildState.STARTING:
            raise RuntimeError(f"{self.spec.id} called started() while {self.state.value}")
        self.scope.deadline = math.inf
        self.ready = True
        self._on_started(self)

    def may_start(self) -> bool:
        """Whether a supervisor that starts should start this child."""
        return not (self.alive or self.dismissed or self.state is ChildState.PARKED)

    def forgive(self) -> None:
        """Give the child a fresh restart budget and the shortest backoff."""
        self.spent = ()
        self.strikes = 0

    def renew_scope(self) -> None:
        """Make the scope of the next incarnation.

        Shielded: when the supervisor is cancelled, the child must live on until its turn in the
        ordered stop, and is stopped through this scope alone.
        """
        self.scope = trio.CancelScope(shield=True)

    def stop(self, reason: str) -> None:
        """Cancel the child. It may take a while to end; see `wait_gone`."""
        self.stopping = True
        if self.scope is not None:
            self.scope.cancel(reason=reason)

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def wait_changed(self) -> None:
        """Wait for the next `notify`."""
        if self._changed is None:
            self._changed = trio.Event()
        await self._changed.wait()

    async def wait_settled(self) -> None:
        """Wait until the child was ready once, or has come to rest without.

        A crash right after `started()` does not count: whether the one who waits sees the child
        running in between is the scheduler's whim, and the order of starts must not hang on it.
        """
        while self.alive and not self.ready:
            await self.wait_changed()

    async def wait_gone(self) -> None:
        """Wait until no task looks after the child any more."""
        while self.alive:
            await self.wait_changed()

    def report(self, *, deep: bool = True) -> ChildReport:
        """One look at the child; with all below it if `deep` and it is a supervisor."""
        mailbox: MailboxStatistics | None = None
        if self.spec.mailbox is not None:
            mailbox = self.spec.mailbox.statistics()
        children: tuple[ChildReport, ...] = ()
        if deep and self.spec.supervisor is not None:
            children = self.spec.supervisor.report().children
        return ChildReport(
            id=self.spec.id,
            state=self.state,
            since=self.since,
            restarts=self.restarts,
            last_error=self.last_error,
            last_crash_at=self.last_crash_at,
            mailbox=mailbox,
            children=children,
        )
