"""What follows when an incarnation of a child is over: restart, rest, or the supervisor gives up.

All decisions are synchronous, so that nothing can happen between an ending and its consequence. The
tasks and the waiting are the supervisor's.
"""

import random
from collections.abc import Callable

import structlog

from actors.clocks.clock import Clock
from actors.messaging.reply import ActorError
from actors.supervision.child import Child
from actors.supervision.children import Children
from actors.supervision.errors import (
    ActorCrashed,
    ActorStopped,
    ChildReturned,
    Ending,
    EndingKind,
    StartTimedOut,
    SupervisorGaveUp,
    classify,
)
from actors.supervision.spec import ChildState, Exhausted, Restart

log = structlog.get_logger()


class ChildEnd:
    """Decides for the children of one supervisor. `give_up` is told of the one who escalates."""

    def __init__(
        self,
        supervisor_id: str,
        children: Children,
        clock: Clock,
        rng: random.Random,
        give_up: Callable[[SupervisorGaveUp], None],
    ) -> None:
        self._supervisor_id = supervisor_id
        self._children = children
        self._clock = clock
        self._rng = rng
        self._give_up = give_up

    def ended(self, child: Child, ending: Ending | None) -> float | None:
        """An incarnation is over. Returns the wait before the next one in seconds, or None.

        A Cancelled that leaves the scope of a child that nobody cancelled is not ours to pass on
        (the scope is shielded): something kept it and raised it later. It counts as a crash.
        """
        spec = child.spec
        if not child.alive:
            summary = None if ending is None else ending.summary
            log.warning(
                "abandoned child ended",
                supervisor=self._supervisor_id,
                child=spec.id,
                error=summary,
            )
            return None
        if child.stopping:
            if ending is not None and ending.kind is EndingKind.CRASHED:
                self._log_crash("child failed while stopping", child, ending)
            self.stopped(child, "stopped")
            return None
        if ending is None and child.scope is not None and child.scope.cancelled_caught:
            ending = classify(StartTimedOut(f"not ready within {spec.start_timeout_s:g} s"))
        if ending is None and spec.restart is not Restart.PERMANENT:
            self._finished(child, ActorStopped(spec.id, "finished"))
            return None
        return self._crashed(child, ending or classify(ChildReturned("it must never return")))

    def _crashed(self, child: Child, ending: Ending) -> float | None:
        spec = child.spec
        steady = self._clock.steady()
        self._children.crashes += 1
        child.last_crash_at = self._clock.now()
        self._log_crash("child crashed", child, ending)
        poison = None if spec.mailbox is None else spec.mailbox.crash()
        if poison is not None:
            self._children.add_dead_letters(child, [poison], _crash_error(spec.id, ending))
        if spec.restart is Restart.TEMPORARY:
            self._finished(child, _crash_error(spec.id, ending))
            return None
        ran_s = steady - child.entered_at
        if child.state is ChildState.RUNNING and ran_s > spec.budget.period_s:
            child.strikes = 0
        spent = spec.budget.spend(child.spent, steady)
        if spent is None:
            self._exhausted(child, ending)
            return None
        child.spent = spent
        child.strikes += 1
        child.restarts += 1
        self._children.restarts += 1
        child.renew_scope()
        self._children.enter(child, ChildState.BACKING_OFF)
        return spec.backoff.delay_s(child.strikes, self._rng.random())

    def _exhausted(self, child: Child, ending: Ending) -> None:
        spec = child.spec
        log.error(
            "restart budget spent",
            supervisor=self._supervisor_id,
            child=spec.id,
            then=spec.exhausted.value,
            restarts=spec.budget.restarts,
            period_s=spec.budget.period_s,
        )
        if spec.exhausted is Exhausted.PARK:
            self._children.close_mailbox(child, _crash_error(spec.id, ending))
            self._children.leave(child, ChildState.PARKED)
            return
        self._children.leave(child, ChildState.STOPPED)
        error = SupervisorGaveUp(self._supervisor_id, spec.id, ending.summary)
        error.__cause__ = ending.error
        self._give_up(error)

    def _finished(self, child: Child, error: ActorError) -> None:
        self._children.close_mailbox(child, error)
        self._children.leave(child, ChildState.FINISHED)

    def stopped(self, child: Child, reason: str) -> None:
        """Stopped for good, its mail dies; stopped with its supervisor, its mail waits."""
        if child.dismissed:
            self._children.close_mailbox(child, ActorStopped(child.spec.id, reason))
        elif child.spec.mailbox is not None:
            child.spec.mailbox.restore()
        self._children.leave(child, ChildState.STOPPED)

    def abandon_if_alive(self, child: Child) -> None:
        """The time to stop is over: go on without a child that is still there."""
        if not child.alive:
            return
        self._children.abandoned += 1
        child.last_error = f"did not stop within {child.spec.shutdown_s:g} s"
        log.error(
            "child abandoned",
            supervisor=self._supervisor_id,
            child=child.spec.id,
            shutdown_s=child.spec.shutdown_s,
        )
        self.stopped(child, child.last_error)

    def _log_crash(self, event: str, child: Child, ending: Ending) -> None:
        child.last_error = ending.summary
        log.error(
            event,
            supervisor=self._supervisor_id,
            child=child.spec.id,
            error=ending.summary,
            restarts=child.restarts,
            exc_info=ending.error,
        )


def _crash_error(child_id: str, ending: Ending) -> ActorCrashed:
    error = ActorCrashed(child_id, ending.summary)
    error.__cause__ = ending.error
    return error
