"""One life of a service, from its start to its end, whatever ends it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from actors.supervision import SupervisorGaveUp
from simulation.harness.oracle import Oracle


class _Application(Protocol):
    def run(self, *, task_status: trio.TaskStatus[None]) -> Awaitable[None]: ...


async def live(
    application: _Application,
    oracle: Oracle,
    whose: str,
    *,
    may_give_up: Callable[[], bool],
    killed: Callable[[], bool],
    kill: Callable[[str], None],
    task_status: trio.TaskStatus[None],
) -> None:
    """Run it to its end; one that nobody planned breaks a truth. `whose` is service or house.

    What comes of the remains of a life that was `killed` is nobody's concern.
    """
    try:
        await application.run(task_status=task_status)
    except* SupervisorGaveUp as group:
        oracle.note("service", "gave up", str(group.exceptions[0]))
        oracle.counts[f"{whose} gave up"] += 1
        if not (may_give_up() or killed()):
            oracle.breaks("service", f"the {whose} gave up: {group.exceptions[0]}")
        kill("it gave up")
    except* Exception as group:  # noqa: BLE001 - whatever it is, it is told
        if not killed():
            oracle.breaks("service", f"the {whose} crashed: {group.exceptions[0]!r}")
            kill("it crashed")
    # Killed while it was starting up: the kill has cancelled this, too.
    await trio.lowlevel.checkpoint()
