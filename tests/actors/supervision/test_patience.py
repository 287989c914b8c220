"""When a part that reads a slow store counts as started."""

import trio

from actors.supervision.patience import READY_MOST_S, started_at_last


async def started_after(read_s: float) -> tuple[float, float]:
    """When it was started, and when it had read, in seconds."""
    read = trio.Event()
    at = 0.0

    async def part(task_status: trio.TaskStatus[None]) -> None:
        nonlocal at
        async with started_at_last(task_status):
            await trio.sleep(read_s)
        at = trio.current_time()
        read.set()

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        await nursery.start(part)
        started = trio.current_time()
        await read.wait()
    return started - began, at - began


async def test_it_is_started_once_it_has_read(autojump_clock: object) -> None:
    assert await started_after(3.0) == (3.0, 3.0)


async def test_a_slow_store_delays_no_start_for_longer_and_is_read_once(
    autojump_clock: object,
) -> None:
    assert await started_after(60.0) == (READY_MOST_S, 60.0)
