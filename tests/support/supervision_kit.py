"""What the tests of the actor substrate share: a supervisor in virtual time, and small actors.

Every wait of a test is bounded, in virtual seconds.
"""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from actors.clocks.clock import RunClock
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Mailbox
from actors.messaging.reply import Reply
from actors.supervision import Backoff, ChildReport, ChildSpec, ChildState, StartFn, Supervisor

WALL_AT_START = 1_700_000_000.0
# Without jitter the times of restarts are exact.
STEADY = Backoff(jitter=0.0)


@dataclass(eq=False)
class Question:
    """A message that carries a reply."""

    text: str
    reply: Reply[str] = field(default_factory=Reply)


class Bench:
    """A supervisor with everything around it, and a record of all its changes."""

    def __init__(self, children: Sequence[ChildSpec] = (), supervisor_id: str = "root") -> None:
        self.clock = RunClock(WALL_AT_START)
        self.dead_letters = DeadLetters()
        self.changes: list[ChildReport] = []
        self.supervisor = self.another(supervisor_id, children, self.changes.append)

    def another(
        self,
        supervisor_id: str,
        children: Sequence[ChildSpec] = (),
        on_change: Callable[[ChildReport], None] | None = None,
    ) -> Supervisor:
        return Supervisor(
            supervisor_id,
            children,
            clock=self.clock,
            rng=random.Random(7),
            dead_letters=self.dead_letters,
            on_change=on_change,
        )

    def state(self, child_id: str) -> ChildState | None:
        report = self.supervisor.child(child_id)
        return None if report is None else report.state

    def states(self, child_id: str) -> list[ChildState]:
        """What was told of a child, in order."""
        return [change.state for change in self.changes if change.id == child_id]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        with trio.fail_after(100_000):
            async with trio.open_nursery() as nursery:
                await nursery.start(self.supervisor.run)
                yield
                nursery.cancel_scope.cancel(reason="end of the test")


async def idle(task_status: trio.TaskStatus[None]) -> None:
    """An actor that has nothing to do."""
    task_status.started()
    await trio.sleep_forever()


def raising(error: Callable[[], BaseException], ready: bool = True) -> StartFn:
    """An actor that crashes, after it said that it is ready or before."""

    async def body(task_status: trio.TaskStatus[None]) -> None:
        if ready:
            task_status.started()
        raise error()

    return body


def serving(mailbox: Mailbox[Any], handle: Callable[[Any], None]) -> StartFn:
    """An actor that handles one message at a time."""

    async def body(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        while True:
            handle(await mailbox.take())
            mailbox.handled()

    return body


async def settle() -> None:
    """Until all is done that can be done without time passing."""
    await wait_all_tasks_blocked()
