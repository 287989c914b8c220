"""The supervisor: one nursery, one task per child, ordered start and ordered stop.

What happens to one child does not affect another. A child that crashes is restarted after a wait,
within its own budget; past the budget it is parked, or the supervisor gives up as a whole. Children
start in order, each when the one before is ready, and stop in reverse; dynamic children come after
the static ones and are stopped before them, all together.

Theory. Every incarnation runs in a shielded cancel scope of its own. Cancelling the supervisor
therefore reaches no child by itself: it wakes `run`, which stops the children through their scopes,
in order. And since the scope is *inside* the `try`, an error raised by clean-up while everything is
being cancelled ends in `classify` instead of mixing with the Cancelled of the parent. Trio lets
nobody kill a task that shields itself: a child that outstays `shutdown_s` is logged and left
behind, others are stopped meanwhile, but `run` returns only when it has ended.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import structlog
import trio

from actors.clocks.clock import Clock
from actors.messaging.dead_letters import DeadLetters
from actors.supervision.child import Child
from actors.supervision.children import Children, SupervisorStatistics
from actors.supervision.errors import (
    DuplicateChild,
    Ending,
    EndingKind,
    SupervisorGaveUp,
    SupervisorStopped,
    classify,
)
from actors.supervision.restart import ChildEnd
from actors.supervision.spec import ChildReport, ChildSpec, ChildState

log = structlog.get_logger()

# What `as_child` allows for dynamic children, which it cannot know, and for the work between.
DYNAMIC_SHUTDOWN_S = 5.0
SHUTDOWN_SLACK_S = 1.0


class Supervisor:
    """Keeps children alive. `run` is the body of its task and may itself be a child.

    `on_change` is called synchronously, and must not block, whenever a child backs off, runs again,
    is parked, stopped or finished; not at an ordinary first start. Its report leaves out
    grandchildren. `run` may be called again after it ended: what was parked or dismissed stays so,
    all else is started anew, dynamic children included.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 same word as in ChildSpec
        children: Sequence[ChildSpec] = (),
        *,
        clock: Clock,
        rng: random.Random,
        dead_letters: DeadLetters,
        on_change: Callable[[ChildReport], None] | None = None,
    ) -> None:
        self.id = id
        self._clock = clock
        self._children = Children(id, clock, dead_letters, on_change)
        self._child_end = ChildEnd(id, self._children, clock, rng, self._give_up)
        self._state = ChildState.STOPPED
        self._since = clock.now()
        self._nursery: trio.Nursery | None = None
        self._until_given_up = trio.CancelScope()
        self._stopping = False
        self._gave_up: SupervisorGaveUp | None = None
        for spec in children:
            self._children.add(spec, static=True)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the children and look after them until cancelled.

        Raises SupervisorGaveUp when a child exhausted its budget and escalates. SystemExit and
        KeyboardInterrupt of a child come out as themselves, after the others were stopped.
        """
        if self._nursery is not None:
            raise RuntimeError(f"supervisor {self.id} runs already")
        self._until_given_up = trio.CancelScope()
        self._gave_up = None
        self._stopping = False
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                try:
                    with self._until_given_up:
                        await self._start_all(nursery, task_status)
                        await trio.sleep_forever()
                finally:
                    await self._stop_all()  # noqa: ASYNC102 - each of its waits has a shield and a deadline
        except BaseExceptionGroup as group:
            ending = classify(group)
            if ending.kind is EndingKind.FATAL:
                raise ending.error from group
            raise
        finally:
            self._nursery = None
            self._enter_self(ChildState.STOPPED)
        if self._gave_up is not None:
            raise self._gave_up

    def start_child(self, spec: ChildSpec) -> None:
        """Add a dynamic child; returns before it runs. Before `run`, it starts after the static.

        An id whose child was parked, stopped or has finished is taken over. Raises DuplicateChild
        when it is still there, SupervisorStopped while the supervisor goes down.
        """
        if self._stopping:
            raise SupervisorStopped(f"{self.id} starts nobody while it stops")
        known = self._children.get(spec.id)
        if known is not None:
            if known.alive or known.state is ChildState.STARTING:
                raise DuplicateChild(f"{self.id} has a child {spec.id} already")
            self._children.forget(known)
        child = self._children.add(spec, static=False)
        if self._nursery is not None:
            self._launch(child, self._nursery)

    async def stop_child(self, id: str, reason: str) -> bool:  # noqa: A002 as in ChildSpec
        """Stop a child for good and wait until it is gone, at most its `shutdown_s`.

        Its waiting messages become dead letters. A dynamic child is forgotten, a static one stays
        listed as stopped. False if there is no such child.
        """
        child = self._children.get(id)
        if child is None:
            return False
        log.info("child stopping", supervisor=self.id, child=id, reason=reason)
        child.dismissed = True
        if not child.alive:
            self._child_end.stopped(child, reason)
            return True
        child.stop(reason)
        with trio.move_on_after(child.spec.shutdown_s):
            await child.wait_gone()
        self._child_end.abandon_if_alive(child)
        return True

    async def stop_children(self, ids: Sequence[str], reason: str) -> None:
        """As `stop_child` for each of these, all of them at once."""
        children = [child for one in ids if (child := self._children.get(one)) is not None]
        log.info("children stopping", supervisor=self.id, children=len(children), reason=reason)
        began = trio.current_time()
        for child in children:
            child.dismissed = True
            if child.alive:
                child.stop(reason)
            else:
                self._child_end.stopped(child, reason)
        for child in children:
            with trio.move_on_at(began + child.spec.shutdown_s):
                await child.wait_gone()
            self._child_end.abandon_if_alive(child)

    def revive(self, id: str) -> bool:  # noqa: A002 as in ChildSpec
        """Start a parked actor anew, or cut its backoff short, with a fresh budget. Else False.

        It is a child, or below one that is a supervisor.
        """
        if self._nursery is None or self._stopping:
            return False
        child = self._children.get(id)
        if child is not None and self._revived(child, self._nursery):
            return True
        below = (child.spec.supervisor for child in self._children)
        return any(one.revive(id) for one in below if one is not None)

    def child(self, id: str) -> ChildReport | None:  # noqa: A002 as in ChildSpec
        """One look at one child, or None."""
        child = self._children.get(id)
        return None if child is None else child.report()

    def report(self) -> ChildReport:
        """One look at the supervisor and all below it.

        Some microseconds a child: with a fleet of 20,000 this is for the rare page, `statistics`
        for the frequent metric.
        """
        return ChildReport(
            id=self.id,
            state=self._state,
            since=self._since,
            children=tuple(child.report() for child in self._children),
        )

    def statistics(self) -> SupervisorStatistics:
        """Counters, now. Costs the same for any number of children."""
        return self._children.statistics()

    def as_child(self, **how: Any) -> ChildSpec:
        """The specification of this supervisor as a child of another.

        `how` overrides fields of ChildSpec. By default `shutdown_s` covers the static children one
        after another and the dynamic ones together.
        """
        static_s = sum(child.spec.shutdown_s for child in self._children if child.static)
        fields: dict[str, Any] = {
            "id": self.id,
            "start": self.run,
            "supervisor": self,
            "shutdown_s": static_s + DYNAMIC_SHUTDOWN_S + SHUTDOWN_SLACK_S,
        }
        return ChildSpec(**(fields | how))

    # Starting.

    async def _start_all(self, nursery: trio.Nursery, task_status: trio.TaskStatus[None]) -> None:
        self._enter_self(ChildState.STARTING)
        known = list(self._children)
        for child in known:
            if child.static and child.may_start():
                self._launch(child, nursery)
                await child.wait_settled()
                # Its rest may be our end: nobody starts after a child that escalated.
                await trio.lowlevel.checkpoint_if_cancelled()
        for child in known:
            if not child.static and child.may_start():
                self._launch(child, nursery)
        self._enter_self(ChildState.RUNNING)
        task_status.started()

    def _revived(self, child: Child, nursery: trio.Nursery) -> bool:
        if child.state is ChildState.PARKED:
            if child.spec.mailbox is not None:
                child.spec.mailbox.reopen()
            self._launch(child, nursery)
            return True
        if child.state is ChildState.BACKING_OFF and not child.stopping:
            child.forgive()
            child.notify()
            return True
        return False

    def _launch(self, child: Child, nursery: trio.Nursery) -> None:
        child.alive = True
        child.stopping = False
        child.ready = False
        child.forgive()
        child.renew_scope()
        self._children.enter(child, ChildState.STARTING)
        nursery.start_soon(self._look_after, child, name=child.spec.id)

    async def _look_after(self, child: Child) -> None:
        """The task of one child, over all its incarnations.

        One frame on purpose: with 20,000 children every level of calls costs 10 MB.
        """
        pause_s: float | None = 0.0
        while pause_s is not None and child.scope is not None:
            ending: Ending | None = None  # also frees the traceback of the incarnation before
            try:
                with child.scope:
                    if child.state is ChildState.BACKING_OFF:
                        with trio.move_on_after(pause_s):
                            await child.wait_changed()
                        self._children.enter(child, ChildState.STARTING)
                    if not child.stopping:
                        child.scope.deadline = trio.current_time() + child.spec.start_timeout_s
                        await child.spec.start(child)
            except GeneratorExit:
                raise  # Trio itself is gone, and its clock with it
            except BaseException as error:  # noqa: ASYNC103 - classified; the task ends next
                ending = classify(error)
                if ending.kind is EndingKind.FATAL:
                    if child.alive:
                        self._child_end.stopped(child, ending.summary)
                    raise
            pause_s = self._child_end.ended(child, ending)

    # Stopping.

    async def _stop_all(self) -> None:
        """Dynamic children together, then the static ones one by one, newest first.

        Every wait is bounded by the `shutdown_s` of the child waited for.
        """
        self._stopping = True
        reason = f"{self.id} stops"
        dynamic = [child for child in reversed(self._children) if child.alive and not child.static]
        began = trio.current_time()
        for child in dynamic:
            child.stop(reason)
        for child in dynamic:
            with trio.move_on_at(began + child.spec.shutdown_s, shield=True):
                await child.wait_gone()
            self._child_end.abandon_if_alive(child)
        for child in [child for child in reversed(self._children) if child.alive]:
            child.stop(reason)
            with trio.move_on_after(child.spec.shutdown_s, shield=True):
                await child.wait_gone()
            self._child_end.abandon_if_alive(child)

    def _enter_self(self, state: ChildState) -> None:
        self._state = state
        self._since = self._clock.now()

    def _give_up(self, error: SupervisorGaveUp) -> None:
        if self._gave_up is None:
            self._gave_up = error
            self._until_given_up.cancel(reason=str(error))
