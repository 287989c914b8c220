"""A long run that a signal ends in order, with every process that it started."""

from collections.abc import Awaitable, Callable

import trio

from api.server.signals import until_signal


async def to_its_end(run: Callable[[], Awaitable[None]]) -> None:
    """Run it. Raises SystemExit where SIGTERM or SIGINT came first, once it was cancelled."""
    came: list[str] = []
    async with trio.open_nursery() as nursery:

        async def watch(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            came.append(await until_signal(task_status=task_status))
            nursery.cancel_scope.cancel(reason=came[0])

        await nursery.start(watch)
        await run()
        nursery.cancel_scope.cancel(reason="it is done")
    if came:
        raise SystemExit(f"ended by {came[0]}")
