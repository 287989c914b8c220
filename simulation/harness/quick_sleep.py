"""Trio's `sleep`, without a cancel scope: a simulated house sleeps sixty times a second.

Trio sleeps in a cancel scope whose deadline cancels it: two scopes' worth of bookkeeping and an
exception for each. Here the deadline itself wakes the task. Whoever sleeps is cancelled as with
Trio's own, and ready at the same time.

It needs private names of Trio, as `quick_clock.py` does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, isnan
from typing import Any

import trio
from trio._core._run import GLOBAL_RUN_CONTEXT, Deadlines


class _Sleeper:
    """What Trio's heap of deadlines knows of a cancel scope, for a task to be woken."""

    __slots__ = ("_deadlines", "_registered_deadline", "_task")

    def __init__(self, deadline: float, task: trio.lowlevel.Task, deadlines: Deadlines) -> None:
        self._registered_deadline = deadline
        self._task = task
        self._deadlines = deadlines

    def forget(self) -> None:
        """Not to be woken any more; its place in the heap counts as stale."""
        deadlines: Any = self._deadlines
        deadlines.remove(self._registered_deadline, self)
        self._registered_deadline = inf

    def _cancel(self, _reason: object) -> None:
        self.forget()
        trio.lowlevel.reschedule(self._task)


async def sleep_until(deadline: float) -> None:
    """As `trio.sleep_until`."""
    if isnan(deadline):
        raise ValueError("deadline must not be NaN")
    if deadline == inf:
        await trio.sleep_forever()
    context: Any = GLOBAL_RUN_CONTEXT
    deadlines: Any = context.runner.deadlines
    sleeper = _Sleeper(deadline, context.task, deadlines)
    deadlines.add(deadline, sleeper)

    def abort(_raise_cancel: object) -> trio.lowlevel.Abort:
        sleeper.forget()
        return trio.lowlevel.Abort.SUCCEEDED

    await trio.lowlevel.wait_task_rescheduled(abort)


async def sleep(seconds: float) -> None:
    """As `trio.sleep`."""
    if seconds > 0:
        await sleep_until(trio.current_time() + seconds)
    elif seconds == 0:
        await trio.lowlevel.checkpoint()
    else:
        raise ValueError("duration must be a non-negative number")


@contextmanager
def quick_sleep() -> Iterator[None]:
    """Whoever calls `trio.sleep` meanwhile has these."""
    names: Any = trio
    before = names.sleep, names.sleep_until
    names.sleep, names.sleep_until = sleep, sleep_until
    try:
        yield
    finally:
        names.sleep, names.sleep_until = before
