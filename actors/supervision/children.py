"""The children a supervisor has: their states, the counters over them, and their dead mail.

Every change of a child's state goes through `enter` or `leave`, so that the counts are right and
every waiting task and listener is told. Nothing is decided here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from actors.clocks.clock import Clock
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.reply import ActorError, fail_reply
from actors.supervision.child import Child
from actors.supervision.errors import DuplicateChild
from actors.supervision.spec import ChildReport, ChildSpec, ChildState

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SupervisorStatistics:
    """Children by state, and counters since ever over all children, forgotten ones included."""

    children: int
    by_state: dict[ChildState, int]
    crashes: int
    restarts: int
    abandoned: int
    callback_errors: int


class Children:
    """Children by id, in the order in which they were added."""

    def __init__(
        self,
        supervisor_id: str,
        clock: Clock,
        dead_letters: DeadLetters,
        on_change: Callable[[ChildReport], None] | None,
    ) -> None:
        self._supervisor_id = supervisor_id
        self._clock = clock
        self._dead_letters = dead_letters
        self._on_change = on_change
        self._children: dict[str, Child] = {}
        self._by_state = dict.fromkeys(ChildState, 0)
        self.crashes = 0
        self.restarts = 0
        self.abandoned = 0
        self.callback_errors = 0
        self._started = self._on_started  # one bound method shared by all children

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children.values())

    def __reversed__(self) -> Iterator[Child]:
        return reversed(self._children.values())

    def get(self, child_id: str) -> Child | None:
        """The child of that id, or None."""
        return self._children.get(child_id)

    def add(self, spec: ChildSpec, *, static: bool) -> Child:
        """Enter a child that has not run yet. Raises DuplicateChild."""
        if spec.id in self._children:
            raise DuplicateChild(f"{self._supervisor_id} has a child {spec.id} already")
        clock = self._clock
        child = Child(spec, self._started, clock.now(), clock.steady(), static=static)
        self._children[spec.id] = child
        self._by_state[child.state] += 1
        return child

    def forget(self, child: Child) -> None:
        """Strike a child out; nothing happens if its id was taken over by another."""
        if self._children.get(child.spec.id) is child:
            del self._children[child.spec.id]
            self._by_state[child.state] -= 1

    def enter(self, child: Child, state: ChildState) -> None:
        """The child is in `state` from now on. Ordinary starts are not told to `on_change`."""
        self._by_state[child.state] -= 1
        self._by_state[state] += 1
        child.state = state
        child.since, child.entered_at = self._clock.now(), self._clock.steady()
        child.notify()
        first_start = state is ChildState.RUNNING and child.last_crash_at is None
        if self._on_change is None or state is ChildState.STARTING or first_start:
            return
        try:
            self._on_change(child.report(deep=False))
        except Exception:
            self.callback_errors += 1
            log.exception("on_change failed", supervisor=self._supervisor_id, child=child.spec.id)

    def leave(self, child: Child, state: ChildState) -> None:
        """The child comes to rest in `state`. A dynamic one that is gone for good is forgotten."""
        child.alive = False
        child.scope = None
        self.enter(child, state)
        for_good = state is ChildState.FINISHED or child.dismissed
        if for_good and not child.static:
            self.forget(child)

    def add_dead_letters(self, child: Child, messages: Sequence[object], error: ActorError) -> None:
        """Send messages of the child to the dead letters and fail the replies they carry."""
        now = self._clock.now()
        for message in messages:
            self._dead_letters.add(child.spec.id, message, error, now)
            fail_reply(message, error)

    def close_mailbox(self, child: Child, error: ActorError) -> None:
        """This child will read no more: what waits becomes dead letters, what comes is refused."""
        if child.spec.mailbox is not None:
            self.add_dead_letters(child, child.spec.mailbox.close(), error)

    def statistics(self) -> SupervisorStatistics:
        """Counters, now."""
        return SupervisorStatistics(
            children=len(self._children),
            by_state=dict(self._by_state),
            crashes=self.crashes,
            restarts=self.restarts,
            abandoned=self.abandoned,
            callback_errors=self.callback_errors,
        )

    def _on_started(self, child: Child) -> None:
        self.enter(child, ChildState.RUNNING)
